"""The ingest door: Segment's public tracking protocol over HTTP. A 2xx is said after the commit, never before.

Plain ASGI, because this is the hot path: no dependency solving, no request object, no session. One request is one list of
calls, taken whole or refused whole with the fields that are wrong. Never waits for a worker, never looks at a journey.
"""

import asyncio
import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from starlette.routing import Route

from app.accepting import accept_now
from app.groupcommit import Busy, Committer
from app.strictjson import Problem, Refused
from app.tracking import Limits, Request, read
from app.web.answers import OK_BODY, OK_HEADERS, PREFLIGHT_HEADERS, answer_of, problem
from app.web.bodies import receive_body
from app.web.writekeys import Identify, WriteKeys

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)

# Short forms are what the browser library calls.
CALLS = ("batch", "track", "identify", "page", "screen", "group", "alias")
PATHS = {f"/v1/{kind}": kind for kind in CALLS} | {f"/v1/{kind[0]}": kind for kind in CALLS}
JSON_TYPES = frozenset({b"application/json", b"text/plain", b""})  # browsers send text/plain to spare a preflight
BODY: dict[str, Any] = {"type": "http.response.body", "body": OK_BODY}


class Door:
    """Everything the routes share. `identify` says whose a write key is, `nudge` wakes the workers, `clock` tells the time."""

    def __init__(
        self,
        database_url: str,
        identify: Identify,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        nudge: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
    ) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self.committer = Committer(database_url, nudge=nudge)
        self.keys = WriteKeys(database_url, identify, clock)

    def start(self) -> None:
        """Open the door."""
        self.committer.start()

    def stop(self) -> None:
        """Take nothing more, write what waits."""
        self.committer.stop()
        self.keys.close()

    async def handle(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await self._not_post(scope["method"], send)
            return
        received_at = self.clock()
        try:
            headers = dict(scope["headers"])
            _require_json(headers.get(b"content-type", b""))
            authorization = headers.get(b"authorization")
            workspace_id = None if authorization is None else await self.keys.workspace(_user_name(authorization))
            most = self.limits.batch_bytes if kind == "batch" else self.limits.event_bytes
            body = await receive_body(headers, receive, most)
            if body is None:
                return  # the client has gone
            self.committer.refuse_when_behind()
            request = read(kind, body)
            if workspace_id is None:
                workspace_id = await self.keys.workspace(request.write_key)
            await self._accept(request, workspace_id, received_at)
        except (Refused, Busy) as refusal:
            await answer_of(refusal, send)
        except asyncio.CancelledError:
            raise
        except Exception:  # what the database says against these very events, or a fault of ours
            log.exception("ingest: a request could not be written")
            await problem(send, 500, "These events could not be written; it has been logged.")
        else:
            # The headers are copied: whoever stands around us adds his own to the very list.
            await send({"type": "http.response.start", "status": 200, "headers": OK_HEADERS.copy()})
            await send(BODY)

    async def _accept(self, request: Request, workspace_id: int, received_at: datetime) -> None:
        calls = request.calls(workspace_id, received_at, self.limits)
        if calls:
            await self.committer.write(calls)

    async def _not_post(self, method: str, send: Send) -> None:
        if method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT_HEADERS.copy()})
            await send({"type": "http.response.body", "body": b""})
        else:
            await problem(send, 405, "Events are sent by POST.", headers=[(b"allow", b"POST, OPTIONS")])


class _Endpoint:
    """One path of the door, as an ASGI application."""

    def __init__(self, door: Door, kind: str) -> None:
        self.door = door
        self.kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.door.handle(self.kind, scope, receive, send)


def ingest_routes(door: Door) -> list[Route]:
    """The routes of the door; put them first, they are the most used."""
    return [Route(path, _Endpoint(door, kind), name=f"ingest {path}") for path, kind in PATHS.items()]


def _require_json(content_type: bytes) -> None:
    if content_type not in JSON_TYPES and content_type.partition(b";")[0].strip().lower() not in JSON_TYPES:
        raise Refused(Problem("", "must be JSON, sent with Content-Type: application/json"), status=415)


@lru_cache(maxsize=1_000)
def _user_name(authorization: bytes) -> str | None:
    """The write key out of Basic (as user name) or Bearer; None if the header is neither."""
    scheme, _, rest = authorization.strip().partition(b" ")
    try:
        if scheme.lower() == b"basic":
            return b64decode(rest.strip(), validate=True).decode().partition(":")[0]
        return rest.strip().decode() if scheme.lower() == b"bearer" else None
    except ValueError:
        return None


__all__ = ["Door", "accept_now", "ingest_routes"]
