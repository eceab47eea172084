"""The ingest door stands in front of everything else: its requests pass neither router nor the other layers (half their cost).

They get the same headers and are counted in the same way as by `envelope`; everything else goes on to the application.
"""

import time
from secrets import token_hex
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth import TOKEN_SOMEWHERE
from app.web.envelope import BUCKETS, HEADERS
from app.web.ingest import PATHS, Door


class InFront:
    """The outermost layer, as plain ASGI."""

    def __init__(self, app: ASGIApp, *, door: Door, registry: CollectorRegistry, secure: bool) -> None:
        self.app = app
        self.door = door
        self.headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        if secure:
            self.headers.append((b"strict-transport-security", b"max-age=31536000"))
        requests = Counter(
            "journey_ingest_requests", "Requests to the ingest door.", ("call", "status"), registry=registry
        )
        seconds = Histogram("journey_ingest_seconds", "Time to answer.", ("call",), registry=registry, buckets=BUCKETS)
        self.seconds = {kind: seconds.labels(kind) for kind in PATHS.values()}
        self.requests = requests
        self.counted: dict[tuple[str, int], Any] = {}  # looking a counter up by its labels costs more than counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the door; hand on every other."""
        kind = PATHS.get(scope["path"]) if scope["type"] == "http" else None
        if kind is None or (scope["query_string"] and TOKEN_SOMEWHERE.search(scope["query_string"])):
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 499  # the client went away before there was an answer

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += self.headers
                message["headers"].append((b"x-request-id", token_hex(8).encode()))
            await send(message)

        try:
            await self.door.handle(kind, scope, receive, dressed)
        finally:
            counter = self.counted.get((kind, status))
            if counter is None:
                counter = self.counted.setdefault((kind, status), self.requests.labels(kind, str(status)))
            counter.inc()
            self.seconds[kind].observe(time.perf_counter() - began)
