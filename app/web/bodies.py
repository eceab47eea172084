"""A request's body, whole and unpacked, within its limit: refused before all of it is read. Never looks at what it says."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from app.strictjson import Problem, Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

GZIP = 16 + zlib.MAX_WBITS
BODY_SECONDS = 20.0  # a body that comes in drops is not waited for longer
READ_OFF = 1_000_000  # so much of a refused body is read and thrown away, for the client to come to reading the answer


async def receive_body(headers: Mapping[bytes, bytes], receive: Receive, most: int) -> bytes | None:
    """The body, at most `most` bytes also when unpacked; None if the client went away in the middle of it."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"gzip", b"x-gzip", b"identity", b""):
        raise Refused(Problem("", "may be packed with gzip, nothing else"), status=415)
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(BODY_SECONDS):
                gathered = await _gather(body, receive, most)
        except TimeoutError:
            raise Refused(Problem("", f"did not arrive within {BODY_SECONDS:.0f} seconds"), status=408) from None
        if gathered is None:
            return None
        body = gathered
    elif message["type"] == "http.disconnect":
        return None
    if len(body) > most:
        raise _too_large(most)
    return _unpacked(body, most) if encoding in (b"gzip", b"x-gzip") else bytes(body)


async def _gather(first: bytes, receive: Receive, most: int) -> bytes | None:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size <= most:
            parts.append(part)
        else:
            parts = []
        if size > max(most, READ_OFF):
            raise _too_large(most)
    if size > most:
        raise _too_large(most)
    return b"".join(parts)


def _unpacked(body: bytes, most: int) -> bytes:
    """Unpacked no further than the limit, whatever the packed size promises."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise Refused(Problem("", "is not gzip, though Content-Encoding says so")) from None
    if len(plain) > most:
        raise _too_large(most)
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(Problem("", "is not one whole gzip stream"))
    return plain


def _too_large(most: int) -> Refused:
    return Refused(Problem("", f"is larger than {most} bytes"), status=413)
