"""HTTP as strangers speak it: odd chunks, lengths, headers, slow and huge bodies. Never a fault, never a lock-up (T19)."""

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.web.door import KEY, Server, authorization, inbox, serving, workspace

BODY = json.dumps({"userId": "u1", "event": "a"}).encode()
AUTH = f"Authorization: {authorization(KEY)['authorization']}\r\n".encode()
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + AUTH


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    workspace(database_url)
    with serving(database_url) as running:
        yield running


def talk(server: Server, *parts: bytes, pause: float = 0.0, timeout: float = 5.0) -> list[int]:
    """Send the parts; the status codes of what came back before the server closed or fell silent."""
    said = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as wire:
        try:
            for part in parts:
                wire.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # the server has closed already; what it said is still there to be read
        try:
            while got := wire.recv(65536):
                said += got
                wire.settimeout(1.0)  # the first word may take a busy machine a while; silence after it is the end
        except OSError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


def sized(body: bytes, head: bytes = HEAD) -> bytes:
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(*chunks: bytes, head: bytes = HEAD) -> bytes:
    said = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + said + b"0\r\n\r\n"


GOOD = {
    "a plain request": [sized(BODY)],
    "one byte at a time": [bytes([byte]) for byte in sized(BODY)],
    "one chunk": [chunked(BODY)],
    "a chunk for each byte": [chunked(*(bytes([byte]) for byte in BODY))],
    "chunk extensions": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"],
    "trailers": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\nX-T: 1\r\n\r\n"],
    "header names in capitals": [sized(BODY, HEAD.replace(b"Content-Type", b"CONTENT-TYPE").replace(b"Auth", b"AUTH"))],
    "a query string": [sized(BODY, HEAD.replace(b"/track", b"/track?x=1&y=%ff"))],
    "expect continue": [HEAD + b"Expect: 100-continue\r\n" + f"Content-Length: {len(BODY)}\r\n\r\n".encode(), BODY],
    "HTTP/1.0": [sized(BODY, HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"))],
    "a method override that is not heeded": [sized(BODY, HEAD + b"X-HTTP-Method-Override: DELETE\r\n")],
    "many ranges": [sized(BODY, HEAD + b"Range: bytes=" + b"0-1," * 3_000 + b"2-3\r\n")],
}
BAD = {
    "no length and no chunks": [HEAD + b"\r\n" + BODY],
    "two lengths": [HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + BODY],
    "a length and chunks": [HEAD + b"Content-Length: 4\r\n" + b"Transfer-Encoding: chunked\r\n\r\n5c\r\n"],
    "a negative length": [HEAD + b"Content-Length: -1\r\n\r\n" + BODY],
    "a length in words": [HEAD + b"Content-Length: ten\r\n\r\n" + BODY],
    "a length too short": [HEAD + b"Content-Length: 10\r\n\r\n" + BODY],
    "a chunk size in words": [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n"],
    "an endless chunk size": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 100 + b"\r\n"],
    "an unknown transfer encoding": [HEAD + b"Transfer-Encoding: nonsense\r\n\r\n" + BODY],
    "a NUL in a header": [sized(BODY, HEAD + b"X-A: a\x00b\r\n")],
    "a header without a name": [sized(BODY, HEAD + b": b\r\n")],
    "a header of 200 KB": [sized(BODY, HEAD + b"X-A: " + b"a" * 200_000 + b"\r\n")],
    "10,000 headers": [sized(BODY, HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(10_000)))],
    "no HTTP at all": [b"hello\r\n\r\n"],
    "TLS": [bytes.fromhex("16030100c8010000c403030000000000000000") + b"\x00" * 60],
    "another method": [sized(BODY, HEAD.replace(b"POST", b"PUT"))],
    "a made-up method": [sized(BODY, HEAD.replace(b"POST", b"BREW"))],
    "multipart": [
        sized(b"--x\r\n\r\n1\r\n--x--", HEAD.replace(b"application/json", b"multipart/form-data; boundary=x"))
    ],
    "a path with NUL": [sized(BODY, HEAD.replace(b"/v1/track", b"/v1/track%00"))],
    "a path above": [sized(BODY, HEAD.replace(b"/v1/track", b"/v1/../v1/track"))],
    "a path twice slashed": [sized(BODY, HEAD.replace(b"/v1/track", b"//v1/track"))],
}


@pytest.mark.parametrize("name", list(GOOD))
def test_unusual_but_right_requests_are_taken(server: Server, database_url: str, name: str) -> None:
    pause = 0.02 if name == "expect continue" else 0.0
    assert [status for status in talk(server, *GOOD[name], pause=pause) if status != 100] == [200]
    assert len(inbox(database_url)) == 1


def test_p17_broken_requests_never_make_a_fault_and_never_leave_anything(server: Server, database_url: str) -> None:
    for name, parts in BAD.items():
        statuses = talk(server, *parts)
        assert all(400 <= status < 500 or status == 200 for status in statuses), (name, statuses)
        assert server.post("/v1/page", {"userId": "u2"}).status_code == 200, name
    assert {letter.name for letter in inbox(database_url)} == {"page"}


def test_requests_in_a_row_on_one_connection_keep_their_order(server: Server, database_url: str) -> None:
    said = b"".join(sized(json.dumps({"userId": "u1", "event": f"e{number}"}).encode()) for number in range(20))
    assert talk(server, said) == [200] * 20
    assert [letter.name for letter in inbox(database_url)] == [f"e{number}" for number in range(20)]


def test_a_body_that_never_ends_is_refused_after_a_megabyte(server: Server, database_url: str) -> None:
    began = time.monotonic()
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        wire.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        try:
            while sent < 50_000_000:
                sent += wire.send(b" " * 65_536)
        except OSError:
            pass
    assert sent < 20_000_000  # what lies in the kernel's buffers counts as sent
    assert time.monotonic() - began < 5
    assert talk(server, HEAD + b"Content-Length: 40000\r\n\r\n" + b" " * 40_000) == [413]
    assert inbox(database_url) == []


def test_f26_a_slow_body_holds_up_nobody_else(server: Server, database_url: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow:
        slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        took = []
        for _ in range(10):
            began = time.monotonic()
            assert server.post("/v1/track", {"userId": "u1", "event": "a"}).status_code == 200
            took.append(time.monotonic() - began)
        assert sorted(took)[5] < 0.25
    assert len(inbox(database_url)) == 10


def test_f26_a_head_that_comes_in_drops_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.wire.HEAD_SECONDS", 0.5)
    for begun in (b"", b"P", HEAD):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
            if begun:
                wire.sendall(begun)
            began = time.monotonic()
            assert wire.recv(1) == b""
            assert 0.2 < time.monotonic() - began < 3


def test_f26_a_body_that_comes_in_drops_is_answered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.bodies.BODY_SECONDS", 0.3)
    assert talk(server, HEAD + b"Content-Length: 90\r\n\r\n", b"{", b" ", pause=0.2) == [408]
