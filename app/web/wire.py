"""HTTP on the wire, with bounds that uvicorn leaves open: how large and how slow the head of a request may be (T19, F26).

A head that grows past its limit, or a connection that does not bring one in time, is closed. Never looks at a request.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
HEADERS_AT_MOST = 200
HEAD_SECONDS = 5.0


class BoundedHttp(HttpToolsProtocol):
    """Give it to uvicorn as `http=`."""

    def __init__(self, *rest: Any, **more: Any) -> None:
        super().__init__(*rest, **more)
        self._in_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._head_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole; what follows is the body, which its reader bounds."""
        self._in_head = False
        if len(self.headers) > HEADERS_AT_MOST or sum(len(value) for _, value in self.headers) > HEAD_BYTES:
            raise ValueError("the head is too large")  # answered with 400 by uvicorn
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, and see how much of a head lies there unfinished."""
        super().data_received(data)
        if not self._in_head:
            if self._head_timer is not None:
                self._head_came()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            if not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _head_came(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        self.transport.close()
