"""Around every answer: security headers, the request's number, and how often and how long. Never looks into a body.

A key in a query string is refused before anything else happens: query strings stand in logs, histories and referrers (T14).
"""

import time
from secrets import token_hex
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth import TOKEN_SOMEWHERE
from app.web.problems import ProblemError, answer, bug, too_large

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": PAGE_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
PRIVATE = ("/api/", "/login", "/logout")
TOO_LARGE = 413
GONE = 499  # as web servers count those who left before they had said all
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Envelope:
    """The outermost layer of the application, as plain ASGI: it also wraps answers to errors."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry, secure: bool) -> None:
        self.app = app
        self.secure = secure
        labels = ("method", "route")
        self.requests = Counter("journey_requests", "Requests answered.", (*labels, "status"), registry=registry)
        self.seconds = Histogram(
            "journey_request_seconds", "Time to answer.", labels, registry=registry, buckets=BUCKETS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        out = _Outgoing(self, scope, receive, send)
        try:
            if TOKEN_SOMEWHERE.search(scope["query_string"]):
                said = "A key must never stand in an address: send Authorization: Bearer jc_…, and revoke this one."
                await out.refuse(ProblemError(400, said))
            else:
                await self.app(scope, receive, out.send)
        except ClientDisconnect:
            out.status = (
                out.status or GONE
            )  # whoever asked has gone while still speaking: nobody is there to be answered
        except Exception as error:
            if out.status:
                raise  # half an answer is out: the server has to break it off
            # Answered here and not by the framework, whose own place for it lies outside of these headers.
            await out.refuse(bug(Request(scope), error))
        finally:
            self._count(scope, out.status or 500, time.perf_counter() - began)

    def dress(self, scope: Scope, headers: MutableHeaders) -> None:
        """Put the headers on."""
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if scope["path"].startswith(PRIVATE):
            headers.setdefault("Cache-Control", "no-store")
        if self.secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        headers["X-Request-Id"] = token_hex(8)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # By the name of the handler: addresses hold ids, which would be a series each.
        route = _name(scope.get("endpoint"))
        method = scope["method"] if scope["method"] in ("GET", "POST", "PUT", "PATCH", "DELETE") else "other"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)


class _Outgoing:
    """One answer on its way out."""

    def __init__(self, envelope: Envelope, scope: Scope, receive: Receive, send: Send) -> None:
        self.status = 0
        self._envelope, self._scope, self._receive, self._send = envelope, scope, receive, send
        self._replaced = False

    async def send(self, message: Message) -> None:
        """Pass on what the application says."""
        if message["type"] == "http.response.start":
            plain = MutableHeaders(raw=message["headers"]).get("content-type", "").startswith("text/plain")
            if message["status"] == TOO_LARGE and plain:
                # The framework refuses large bodies by itself, in plain words; ours are problem documents.
                self._replaced = True
                await self.refuse(too_large())
        if not self._replaced:
            await self._pass_on(message)

    async def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem of our own."""
        await answer(Request(self._scope), problem)(self._scope, self._receive, self._pass_on)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._envelope.dress(self._scope, MutableHeaders(raw=message["headers"]))
        await self._send(message)


def _name(endpoint: Any) -> str:
    return str(getattr(endpoint, "__name__", type(endpoint).__name__ if endpoint is not None else "none"))
