"""Group commit: requests that come at once share one transaction, and are answered when it is committed, never before.

A thread with a connection of its own takes everything that waits and writes it; while it does, the next group gathers. (Two
threads were no faster: they fight for the interpreter, and the groups get smaller.) One request that makes the
transaction fail is found by halving the group; the others are not harmed. When the database is away or cannot keep up,
requests are refused at once; nothing is kept in memory for later. Never parses, never speaks HTTP.
"""

import asyncio
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain

import psycopg
from psycopg import errors

from app.calls import Call
from app.database import Connection, connect, transaction
from app.failpoints import failpoint
from app.store import accept

log = logging.getLogger(__name__)

# As much may wait as is written in this time; what comes beyond is sent away (P16: 500 ms in all).
WAITING_SECONDS = 0.3
HANGING_SECONDS = 8.0  # a request is not left without an answer longer than this
AWAY_SECONDS = 0.25  # how long a failed connection is not tried again
TRIES = 5
ROWS_TOGETHER = 2_000

# Classes of SQLSTATE that say “not now” instead of “not this”: connection, state, rollback, resources, operator, system.
NOT_NOW = frozenset({"08", "25", "40", "53", "55", "57", "58"})
AGAIN = (accept.Raced, errors.DeadlockDetected, errors.SerializationFailure)


class Busy(Exception):
    """Not now: the database is away or behind. The client comes again after `seconds`; nothing was acknowledged."""

    def __init__(self, reason: str, seconds: int = 1) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Waiting:
    """The calls of one request and who is waiting for them."""

    __slots__ = ("arrived", "calls", "error", "future")

    def __init__(self, calls: Sequence[Call], future: "asyncio.Future[None]") -> None:
        self.calls = calls
        self.future = future
        self.arrived = time.monotonic()
        self.error: BaseException | None = None


class Committer:
    """The queue and its threads. `nudge` is called after each commit, to wake the workers; it must not block."""

    def __init__(
        self, url: str, *, threads: int = 1, rows: int = ROWS_TOGETHER, nudge: Callable[[], None] = lambda: None
    ) -> None:
        self._url = url
        self._rows = rows
        self._nudge = nudge
        self._queue: deque[Waiting] = deque()
        self._wake = threading.Condition()
        self._open = False
        self._away_until = 0.0
        self._waiting_rows = 0
        self._rate = 0.0  # rows a second, as of late
        self._idle = 0
        self._waking = False
        self._threads = [
            threading.Thread(target=self._run, name=f"accept-{number}", daemon=True) for number in range(threads)
        ]
        self.groups = 0
        self.written = 0

    def start(self) -> None:
        """Begin to write."""
        self._open = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take nothing more, write what waits, end the threads."""
        with self._wake:
            self._open = False
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=HANGING_SECONDS)

    async def write(self, calls: Sequence[Call]) -> None:
        """Come back when the calls are durable. Raises Busy, or what the database says against these very calls."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._submit(Waiting(calls, future))
        watch = loop.call_later(HANGING_SECONDS, _give_up, future)
        try:
            await future
        finally:
            watch.cancel()

    def refuse_when_behind(self) -> None:
        """Raise Busy if a request would be refused anyway, before any work is done for it."""
        with self._wake:
            self._refuse_when_behind(0)

    def _submit(self, waiting: Waiting) -> None:
        with self._wake:
            self._refuse_when_behind(len(waiting.calls))
            self._waiting_rows += len(waiting.calls)
            self._queue.append(waiting)
            if self._idle and not self._waking:
                self._waking = True
                # After what the event loop has ready now: the requests that came together are written together.
                waiting.future.get_loop().call_soon(self._wake_one)

    def _wake_one(self) -> None:
        with self._wake:
            self._waking = False
            self._wake.notify()

    def _refuse_when_behind(self, rows: int) -> None:
        if not self._open:
            raise Busy("The server is stopping.")
        now = time.monotonic()
        if now < self._away_until:
            raise Busy("The database cannot be reached at the moment.")
        if not self._queue:
            return
        room = max(self._rows, self._rate * WAITING_SECONDS)
        if self._waiting_rows + rows > room or now - self._queue[0].arrived > WAITING_SECONDS:
            raise Busy("Events come faster than they can be written at the moment.")

    def _run(self) -> None:
        writer = _Writer(self._url)
        while (group := self._take()) is not None:
            try:
                self._settle(writer, group)
            except Exception:  # the thread must live on, whatever it was; whoever waits is told
                log.exception("accept: a group could not be handled")
                for one in group:
                    one.error = one.error or Busy("The events could not be written.")
            self._answer(group)
        writer.close()

    def _take(self) -> list[Waiting] | None:
        """Everything that waits, up to the limit of rows; None when it is time to stop."""
        group: list[Waiting] = []
        with self._wake:
            while not self._queue:
                if not self._open:
                    return None
                self._idle += 1
                self._wake.wait()
                self._idle -= 1
            rows = 0
            while self._queue and (not group or rows + len(self._queue[0].calls) <= self._rows):
                one = self._queue.popleft()
                self._waiting_rows -= len(one.calls)
                if not one.future.done():  # whoever was sent away meanwhile will come again
                    rows += len(one.calls)
                    group.append(one)
        return group

    def _settle(self, writer: "_Writer", group: list[Waiting]) -> None:
        """Write the group; halve it until the request that cannot be written stands alone."""
        stack = [group]
        while stack:
            part = stack.pop()
            calls = [call for one in part for call in one.calls]
            began = time.monotonic()
            try:
                writer.write(calls)
            except accept.Raced:
                for one in part:
                    one.error = Busy("The same contacts are being changed by others.")
                continue
            except Exception as error:  # noqa: BLE001 whatever it is, it is told to the one request it belongs to
                if not_now(error):
                    writer.close()
                    self._away_until = time.monotonic() + AWAY_SECONDS
                    log.warning("accept: the database refused a group: %s", _first_line(error))
                    for one in chain(part, *stack):
                        one.error = Busy("The database cannot be reached at the moment.")
                    return
                if len(part) == 1:
                    log.warning("accept: a request cannot be written: %s", _first_line(error))
                    part[0].error = error
                else:
                    middle = len(part) // 2
                    stack += [part[middle:], part[:middle]]
                continue
            self.groups += 1
            self.written += len(calls)
            self._rate += 0.2 * (len(calls) / (time.monotonic() - began) - self._rate)
        self._tell_workers()

    def _tell_workers(self) -> None:
        try:
            self._nudge()
        except Exception:  # a hint only: workers find the events by themselves
            log.exception("accept: the nudge failed")

    def _answer(self, group: list[Waiting]) -> None:
        """Tell those who wait, by one call into each event loop."""
        loops: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        for one in group:
            loops.setdefault(one.future.get_loop(), []).append(one)
        for loop, ones in loops.items():
            try:
                loop.call_soon_threadsafe(_resolve, ones)
            except RuntimeError:
                log.warning("accept: %d requests were written, but nobody waits for them any more", len(ones))


class _Writer:
    """One connection, healed when it is lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._ids = accept.FreshIds()

    def write(self, calls: Sequence[Call]) -> None:
        """Commit the calls in one transaction."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, name="journey-accept")
        commit_calls(self._connection, calls, self._ids)

    def close(self) -> None:
        """Give the connection back; the next write opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._ids = accept.FreshIds()


def commit_calls(connection: Connection, calls: Sequence[Call], ids: accept.FreshIds) -> int:
    """One transaction; begun again where another one was first. Returns how many calls were not duplicates."""
    for attempt in range(1, TRIES + 1):
        try:
            with transaction(connection):
                failpoint("CP1")
                count = accept.write(connection, calls, ids)
                failpoint("CP2")
        except AGAIN:
            if attempt == TRIES:
                raise
            time.sleep(random.uniform(0, 0.005 * attempt))
            continue
        failpoint("CP3")
        return count
    return 0


def not_now(error: BaseException) -> bool:
    """Whether the database is away or unable, and nothing is wrong with what was to be written."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in NOT_NOW


def _give_up(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_exception(Busy("The database does not answer."))


def _resolve(group: list[Waiting]) -> None:
    for one in group:
        if one.future.done():
            continue
        if one.error is None:
            one.future.set_result(None)
        else:
            one.future.set_exception(one.error)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:300]
