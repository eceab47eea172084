"""What the ingest door says: success, or an RFC 9457 problem document. Its bytes are made once where they never change."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from app.groupcommit import Busy
from app.strictjson import Problem, Refused

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

OK_BODY = b'{"success": true}'
# The write key is made for public clients and no cookie counts here, so any page may send.
ANY_PAGE = (b"access-control-allow-origin", b"*")
OK_HEADERS: Headers = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(OK_BODY)).encode()),
    ANY_PAGE,
]
PREFLIGHT_HEADERS: Headers = [
    ANY_PAGE,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding, x-retry-count"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
NAMES = {413: "Content Too Large"}
DETAILS = {
    400: "The events cannot be read; nothing of the request was taken.",
    401: "The write key is missing, unknown or revoked.",
    403: "This key may not send events.",
    408: "The request came too slowly.",
    413: "The request is larger than this address takes.",
    415: "The body must be JSON.",
}


class Unknown(Refused):
    """No workspace stands behind the key."""

    def __init__(self, status: int = 401) -> None:
        super().__init__(Problem("writeKey", DETAILS[status]), status=status)


async def answer_of(refusal: Refused | Busy, send: Send) -> None:
    """The answer to a request that was not taken."""
    if isinstance(refusal, Busy):
        await problem(send, 503, str(refusal), headers=[(b"retry-after", str(refusal.seconds).encode())])
        return
    headers: Headers = []
    if refusal.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="events"'))
    if refusal.status in (408, 413):
        headers.append((b"connection", b"close"))  # nobody reads the rest of the body
    await problem(send, refusal.status, DETAILS[refusal.status], errors=refusal.problems, headers=headers)


async def problem(
    send: Send, status: int, detail: str, *, errors: Sequence[Problem] = (), headers: Headers | None = None
) -> None:
    """Send a problem document."""
    title = NAMES.get(status) or HTTPStatus(status).phrase
    body = msgspec.json.encode(
        {
            "type": f"urn:journey-canvas:problem:{title.lower().replace(' ', '-')}",
            "title": title,
            "status": status,
            "detail": detail,
            "errors": [{"field": field, "message": message} for field, message in errors],
        }
    )
    start = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        ANY_PAGE,
        *(headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
