"""The only door out: every connection the application makes to somebody else's machine is made here (rule T03).

It resolves a name once, refuses what is not public, and connects to that very address under the name's own certificate.
Never follows a redirect, never reads proxies or credentials from the environment, never waits without an end.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpcore2  # the transport of httpx2, taken by itself: we bring our own connect and want no client conveniences
import structlog

from app.addresses import HTTP_PORTS, SMTP_PORTS, NotAllowed, check_address, check_host, target
from app.failpoints import failpoint

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
LARGEST_ANSWER = 1_000_000
MOST_CONNECTIONS = 32
KEEPALIVE_SECONDS = 15.0
AGENT = "journey-canvas"
log = structlog.get_logger()

Resolve = Callable[[str, int], Awaitable[list[str]]]


class EgressError(OSError):
    """Something came between us and the other side; each kind is also the standard error that channels know."""


class Refused(EgressError, PermissionError):
    """We will not go there, today or tomorrow."""


class Unreachable(EgressError, ConnectionError):
    """Nothing of the request left the house: safe to try again."""


class NoAnswer(EgressError, TimeoutError):
    """The request was out and no status came back: it may have been acted upon (rule D7)."""


class Answer(NamedTuple):
    """A status line that arrived. `complete` is False where the body was longer or slower than we read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


@cache
def _trust() -> ssl.SSLContext:
    """Whose certificates we believe; reading them takes longer than many an exchange."""
    return ssl.create_default_context()


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Egress:
    """One event loop's way out. `allow` holds `host:port` that may be plain HTTP, local or on an odd port."""

    def __init__(
        self,
        allow: Collection[str] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allow = frozenset(entry.lower() for entry in allow)
        self.now = now
        self._resolve = resolve
        self._kept: dict[Hashable, Any] = {}
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or _trust(),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(self),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for thing in self._kept.values():
            try:
                await thing.close()
            except Exception as error:  # noqa: BLE001 a channel is a plugin, and what it had to send is sent
                log.warning("channel.not_closed", error=type(error).__name__)
        await self._pool.aclose()

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Something that a channel keeps from call to call, such as a connection; its `close()` is awaited at the end."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST and read the answer; raises `Refused`, `Unreachable` or `NoAnswer`, nothing else."""
        try:
            to = target(url, self.allow)
        except NotAllowed as error:
            raise Refused(str(error)) from error
        host = f"[{to.host}]" if ":" in to.host else to.host
        place = httpcore2.URL(
            scheme=b"https" if to.secure else b"http", host=to.host.encode(), port=to.port, target=to.path.encode()
        )
        usual = to.port == (443 if to.secure else 80)
        own = {"Host": host if usual else f"{host}:{to.port}", "Content-Length": str(len(body)), "User-Agent": AGENT}
        return await self._exchange(place, body, [*headers.items(), *own.items()])

    async def _exchange(self, place: httpcore2.URL, body: bytes, headers: list[tuple[str, str]]) -> Answer:
        progress = _Progress()
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                # Not `timeouts per read`: a slow drip would reset those for ever.
                async with self._pool.stream(
                    "POST",
                    place,
                    headers=[(name.encode(), value.encode()) for name, value in headers],
                    content=body,
                    extensions={"timeout": {"connect": CONNECT_SECONDS}, "trace": progress.trace},
                ) as response:
                    progress.head = (response.status, _headers(response.headers))
                    failpoint("CP22")
                    async for part in response.aiter_stream():
                        progress.body += part
                        if len(progress.body) > LARGEST_ANSWER:
                            return progress.answer(complete=False)
        except EgressError:
            raise
        except (OSError, *_TRANSPORT_ERRORS) as error:
            return progress.after(error)
        return progress.answer(complete=True)

    async def smtp(self, host: str, port: int) -> socket.socket:
        """A connected socket to a mail server; the channel speaks SMTP over it."""
        return await self.connect(host, port, ports=SMTP_PORTS)

    async def connect(self, host: str, port: int, *, ports: frozenset[int] = HTTP_PORTS) -> socket.socket:
        """Resolve once, check every address, connect to the first that answers."""
        host = host.lower()
        allowed = f"{host}:{port}" in self.allow
        try:
            if not allowed:
                check_host(host, port, ports)
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = await self._resolve(host, port)
                if not allowed:
                    for address in addresses:
                        check_address(address)
                return await _first(addresses, port)
        except NotAllowed as error:
            raise Refused(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{host}:{port} cannot be reached") from error


_TRANSPORT_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    httpcore2.ConnectionNotAvailable,
)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


async def _first(addresses: list[str], port: int) -> socket.socket:
    trouble: OSError = OSError("the name has no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
            failpoint("CP20")
        except BaseException as error:  # also when cancelled: a socket left open is a leak
            connection.close()
            if not isinstance(error, OSError) or isinstance(error, TimeoutError):
                raise
            trouble = error
        else:
            return connection
    raise trouble


class _Progress:
    """How far one exchange came, which decides whether its failure may be tried again."""

    def __init__(self) -> None:
        self.sending = False
        self.head: tuple[int, dict[str, str]] | None = None
        self.body = bytearray()

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        del info
        if event.endswith("send_request_headers.started"):
            self.sending = True
        elif event.endswith("send_request_body.complete"):
            failpoint("CP21")

    def answer(self, *, complete: bool) -> Answer:
        assert self.head is not None
        return Answer(self.head[0], self.head[1], bytes(self.body[:LARGEST_ANSWER]), complete)

    def after(self, error: Exception) -> Answer:
        if self.head is not None:
            return self.answer(complete=False)
        if self.sending:
            raise NoAnswer("no answer after the request was sent") from error
        raise Unreachable("the host cannot be reached") from error


class _Backend(httpcore2.AsyncNetworkBackend):
    """What the pool calls to connect: always through the checks above."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        del timeout, local_address, socket_options
        return _Stream(await self._egress.connect(host, port))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream):
    """A connected socket as the pool wants it; TLS, if any, starts before the first byte."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def _open(
        self, context: ssl.SSLContext | None = None, name: str | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._pair is None:
            self._pair = await asyncio.open_connection(sock=self._connection, ssl=context, server_hostname=name)
        return self._pair

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        async with asyncio.timeout(timeout or CONNECT_SECONDS):
            await self._open(ssl_context, server_hostname)
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout  # the exchange as a whole has one
        reader, _ = await self._open()
        return await reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        _, writer = await self._open()
        writer.write(buffer)
        try:
            await writer.drain()
        except OSError as error:  # the pool then still reads: a receiver may refuse before it has heard everything
            raise httpcore2.WriteError("the connection was closed") from error

    async def aclose(self) -> None:
        if self._pair is None:
            self._connection.close()
        else:
            self._pair[1].transport.abort()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # the pool asks before it uses an idle connection again
            return self._pair is not None and (self._pair[0].at_eof() or self._pair[1].is_closing())
        return None
