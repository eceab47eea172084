"""The one way out goes nowhere private (T03), and says truthfully how far it came (D7)."""

import ast
import asyncio
import contextlib
import datetime
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import egress as egress_module
from app.addresses import NotAllowed, check_address
from app.egress import Answer, Egress, EgressError, NoAnswer, Refused, Unreachable

TARGETS = [
    line
    for line in (Path(__file__).parent.parent / "data" / "ssrf_targets.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
NAMES = {
    "private.example.com": ["10.0.0.7"],
    "mapped.example.com": ["::ffff:10.0.0.7"],
    "both.example.com": ["93.184.216.34", "127.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
    "nat.example.com": ["64:ff9b::a00:1"],
}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def by_names(host: str, port: int) -> list[str]:
    del port
    return NAMES.get(host, [host])


@contextlib.asynccontextmanager
async def served(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await handler(reader, writer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(
        (int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")), 0
    )
    return head, await reader.readexactly(length)


def answers(text: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(text)

    return handler


def post_to(handler: Handler, path: str = "/", body: bytes = b"{}") -> Answer:
    async def main() -> Answer:
        async with served(handler) as port, Egress({f"127.0.0.1:{port}"}) as egress:
            return await egress.post(f"http://127.0.0.1:{port}{path}", body, {})

    return asyncio.run(main())


def test_t03_there_are_at_least_sixty_forbidden_targets() -> None:
    assert len(TARGETS) >= 60


@pytest.mark.parametrize("url", TARGETS)
def test_t03_a_forbidden_target_is_refused_before_any_connection(url: str, connected: list[Any]) -> None:
    async def main() -> None:
        async with Egress(resolve=by_names) as egress:
            await egress.post(url, b"{}", {})

    with pytest.raises(Refused):
        asyncio.run(main())
    assert connected == []


@pytest.mark.parametrize("host", ["127.0.0.1", "mail.internal", "private.example.com", "::1", "0x7f.1", "localhost"])
def test_t03_mail_servers_are_checked_like_everybody_else(host: str, connected: list[Any]) -> None:
    with pytest.raises(Refused):
        asyncio.run(Egress(resolve=by_names).smtp(host, 25))
    assert connected == []


def test_t03_mail_goes_to_mail_ports_only() -> None:
    with pytest.raises(Refused, match="port 22"):
        asyncio.run(Egress(resolve=by_names).smtp("8.8.8.8", 22))


def test_t03_every_address_that_is_not_public_is_refused() -> None:
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ):
        for address in (ipaddress.ip_network(net)[0], ipaddress.ip_network(net)[-1]):
            for form in (address, f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
                with pytest.raises(NotAllowed):
                    check_address(str(form))
    for good in ("8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:80b::200e"):
        check_address(good)


def test_t03_a_name_whose_answer_flips_is_resolved_once(connected: list[Any]) -> None:
    flips = iter([["127.0.0.2"], ["10.0.0.1"]])
    asked: list[str] = []

    async def flipping(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return next(flips)

    async def main() -> Answer:
        ok = answers(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        async with served(ok) as port, Egress({f"hook.test:{port}"}, resolve=flipping) as egress:
            return await egress.post(f"http://hook.test:{port}/", b"{}", {})

    with pytest.raises(
        Unreachable
    ):  # 127.0.0.2 does not listen; the point is where it tried to go, and how often it asked
        asyncio.run(main())
    assert asked == ["hook.test"]
    assert [address[0] for address in connected] == ["127.0.0.2"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_t03_redirects_are_answers_and_never_followed(status: int, connected: list[Any]) -> None:
    text = f"HTTP/1.1 {status} Moved\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    assert post_to(answers(text.encode())).status == status
    assert len(connected) == 1


def test_the_request_arrives_as_it_was_meant(connected: list[Any]) -> None:
    seen: list[tuple[str, bytes]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(b"HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\ncontent-length: 2\r\n\r\nok")

    async def main() -> Answer:
        async with served(handler) as port, Egress({f"127.0.0.1:{port}"}) as egress:
            await egress.post(f"http://127.0.0.1:{port}/a?b=c", b'{"n":1}', {"Idempotency-Key": "k"})
            return await egress.post(f"http://127.0.0.1:{port}/a?b=c", b'{"n":2}', {"Idempotency-Key": "k"})

    answer = asyncio.run(main())
    assert (answer.status, answer.headers["retry-after"], answer.body, answer.complete) == (202, "7", b"ok", True)
    assert [body for _, body in seen] == [b'{"n":1}', b'{"n":2}']
    assert seen[0][0].startswith("POST /a?b=c HTTP/1.1\r\n")
    assert "Idempotency-Key: k" in seen[0][0]
    assert len(connected) == 1  # the second request went over the first connection


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that can show `name`, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "made.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


@pytest.mark.parametrize(("asked", "fits"), [("hook.test", True), ("other.test", False)])
def test_t03_the_certificate_must_fit_the_name_though_we_connect_to_an_address(
    tmp_path: Path, asked: str, fits: bool
) -> None:
    server, client = certificate(tmp_path, "hook.test")
    named: list[str | None] = []
    server.sni_callback = lambda _connection, name, _context: named.append(name)
    heads: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await read_request(reader))[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def local(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    async def main() -> int:
        async with served(handler, server) as port, Egress({f"{asked}:{port}"}, resolve=local, tls=client) as egress:
            return (await egress.post(f"https://{asked}:{port}/", b"{}", {})).status

    if fits:
        assert asyncio.run(main()) == 204
        assert "Host: hook.test:" in heads[0]
    else:
        with pytest.raises(Unreachable):
            asyncio.run(main())
        assert heads == []
    assert named == [asked]


def test_a_huge_answer_is_cut_and_its_status_counts() -> None:
    answer = post_to(answers(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"x" * 3_000_000))
    assert (answer.status, answer.complete, len(answer.body)) == (200, False, 1_000_000)


def test_d7_a_closed_port_is_unreachable() -> None:
    async def main() -> None:
        async with served(answers(b"")) as port:
            pass
        async with Egress({f"127.0.0.1:{port}"}) as egress:
            await egress.post(f"http://127.0.0.1:{port}/", b"{}", {})

    with pytest.raises(Unreachable):
        asyncio.run(main())


@pytest.mark.parametrize("text", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nbroken"])
def test_d7_silence_or_nonsense_after_the_request_is_no_answer(text: bytes) -> None:
    with pytest.raises(NoAnswer):
        post_to(answers(text))


def test_d7_a_slow_answer_is_no_answer_and_a_slow_body_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_module, "TOTAL_SECONDS", 1.0)

    def slow(first: bytes) -> Handler:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(first)
            await reader.read()

        return handler

    with pytest.raises(NoAnswer):
        post_to(slow(b""))
    answer = post_to(slow(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"))
    assert (answer.status, answer.body, answer.complete) == (200, b"abc", False)


def test_every_trouble_is_also_the_standard_error_that_channels_know() -> None:
    for kind, standard in ((Refused, PermissionError), (Unreachable, ConnectionError), (NoAnswer, TimeoutError)):
        assert issubclass(kind, standard)
        assert issubclass(kind, EgressError)


def test_t03_nobody_else_imports_what_could_open_a_connection() -> None:
    """Connections to our own database, Redis and sink have their own modules; everything else goes through `egress`."""
    clients = {"httpx2", "httpcore2", "httpx", "requests", "urllib3", "aiohttp", "smtplib", "ftplib", "http.client"}
    clients |= {"urllib.request", "websockets"}
    # These ask ports of this very machine: is one free, has the web come up, the demo's feed at our own front door.
    own = {"app/run.py": {"urllib.request", "socket.socket("}, "app/commands/doctor.py": {"socket.socket("}}
    own["app/demo/feed.py"] = {"httpx2"}
    may = {"app/egress.py": {"httpcore2", "socket.socket(", "open_connection("}, **own}
    root = Path(__file__).parent.parent.parent
    found = []
    for path in sorted([*root.glob("app/**/*.py"), *root.glob("flows/**/*.py"), *root.glob("nodes/**/*.py")]):
        place = path.relative_to(root).as_posix()
        # Local servers are our own, and a bench measures our own door from outside.
        if place.startswith(("app/localservers", "app/bench")) or path.name.startswith("test_"):
            continue
        source = path.read_text("utf-8")
        opens = set(re.findall(r"socket\.socket\(|open_connection\(|create_connection\(", source))
        found += [(place, way) for way in opens - may.get(place, set())]
        for node in ast.walk(ast.parse(source)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [(place, name) for name in names if name in clients - may.get(place, set())]
    assert found == []
