"""Whose a write key is, remembered for less than a second, so that a revoked key stops working within one.

Unknown keys are remembered as well: guessing costs the database one question a second and key, not one a request.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

import psycopg

from app.database import Connection, connect, transaction
from app.groupcommit import Busy, not_now
from app.web.answers import Unknown

KEPT_SECONDS = 0.8
KEPT_KEYS = 10_000
KEY_AT_MOST = 200
INGEST = "ingest"


class Holder(Protocol):
    """Who stands behind a key."""

    @property
    def workspace_id(self) -> int: ...
    @property
    def role(self) -> str: ...


Identify = Callable[[Connection, str, datetime], Holder | None]


class WriteKeys:
    """Keys looked up by one thread with its own connection, each at most once at a time."""

    def __init__(self, url: str, identify: Identify, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._identify = identify
        self._clock = clock
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-keys")
        self._kept: dict[str, tuple[float, Holder | None]] = {}
        self._asked: dict[str, asyncio.Future[Holder | None]] = {}

    async def workspace(self, key: str | None) -> int:
        """The workspace that the key may send events to; raises Unknown, or Busy where the database cannot say."""
        if not key or len(key) > KEY_AT_MOST:
            raise Unknown
        kept = self._kept.get(key)
        holder = kept[1] if kept and kept[0] > time.monotonic() else await self._look_up(key)
        if holder is None:
            raise Unknown
        if holder.role != INGEST:
            raise Unknown(403)
        return holder.workspace_id

    def close(self) -> None:
        """Give the connection back."""
        self._thread.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()

    async def _look_up(self, key: str) -> Holder | None:
        asked = self._asked.get(key)
        if asked is None:
            asked = asyncio.ensure_future(self._ask(key))
            self._asked[key] = asked
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(asked)

    async def _ask(self, key: str) -> Holder | None:
        began = time.monotonic()
        holder = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, key)
        if len(self._kept) >= KEPT_KEYS:
            self._kept.clear()
        # Counted from before the question: what was revoked after it must not live longer.
        self._kept[key] = (began + KEPT_SECONDS, holder)
        return holder

    def _read(self, key: str) -> Holder | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._url, name="journey-keys")
            with transaction(self._connection):
                return self._identify(self._connection, key, self._clock())
        except psycopg.Error as error:
            if self._connection is not None:
                self._connection.close()
            if not not_now(error):
                raise
            raise Busy("The database cannot be reached at the moment.") from error
