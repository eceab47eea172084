"""A worker's lanes: taken, shared evenly, given up, lost with the connection. Never runs a stage.

The lanes are advisory locks on the very connection that runs the lanes' transactions, so the database does the fencing. A
frozen owner is ended by the session's own time-outs; one frozen in the middle of a COPY is ended by whichever worker has seen
it make no progress for `frozen_seconds`, by that worker's own clock: clocks of two machines are never compared.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from app import log
from app.database import BY_KEY, Connection, connect, transaction
from app.lanes import ALL_LANES, LANES
from app.store import lanes as locks
from app.store.lanes import Owner

TEND_SECONDS = 1.0
HUNGRY_SECONDS = (
    0.1  # with less than the share: somebody is about to give lanes up, or a dead one's are about to be free
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silent owner keeps its lanes; tests are less patient."""

    statement_seconds: float = 5.0
    idle_in_transaction_seconds: float = 10.0
    idle_session_seconds: float = 10.0
    frozen_seconds: float = 15.0


PATIENCE = Patience()


class LanesLostError(psycopg.OperationalError):
    """The connection is gone, and the lanes with it."""


class Ownership:
    """The lane connection of one worker. `lanes` is what it may work on now; empty after the connection is lost."""

    def __init__(
        self, url: str, *, clock: Callable[[], datetime], patience: Patience = PATIENCE, id: str | None = None
    ) -> None:
        self.id = id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.lanes: tuple[int, ...] = ()
        self.workers = 0
        self._url, self._clock, self._patience = url, clock, patience
        self._connection: Connection | None = None
        self._backend_pid, self._share_size = 0, LANES
        self._tended_at = self._reported_at = float("-inf")
        self._watched: dict[str, tuple[datetime, float]] = {}

    @property
    def connection(self) -> Connection:
        """The connection that holds the lanes."""
        if self._connection is None or self._connection.closed:
            raise LanesLostError("the connection that holds the lanes is gone")
        return self._connection

    def open(self) -> None:
        """Connect and be counted, without taking a lane yet: those who open together share evenly from the start."""
        self.lose()
        patience = self._patience
        self._connection = connect(
            self._url,
            name="journey-lanes",
            statement_seconds=patience.statement_seconds,
            idle_in_transaction_seconds=patience.idle_in_transaction_seconds,
            idle_session_seconds=patience.idle_session_seconds,
            **BY_KEY,
        )
        self._reported_at = float("-inf")
        try:
            with transaction(self._connection):
                self._backend_pid = locks.announce(self._connection, self.id)
        except psycopg.Error:
            self.lose()
            raise

    def tend(self) -> None:
        """Connect if need be; once a second report progress, share the lanes and look after the others."""
        if self._connection is None or self._connection.closed:
            self.open()
        at = time.monotonic()
        report = at - self._reported_at >= TEND_SECONDS
        if not report and (not self.hungry or at - self._tended_at < HUNGRY_SECONDS):
            return
        try:
            self._share(report)
        except psycopg.Error:
            # Which locks were taken is not certain any more; ending the session makes it so.
            self.lose()
            raise
        self._tended_at = time.monotonic()
        self._reported_at = self._tended_at if report else self._reported_at

    @property
    def hungry(self) -> bool:
        """Whether it has less than its share of the lanes."""
        return len(self.lanes) < self._share_size

    def lose(self) -> None:
        """Forget a connection that broke; with it every lane is somebody else's."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self.lanes, self.workers = None, (), 0

    def leave(self) -> None:
        """Give the lanes back in good order; a broken connection has done so already."""
        try:
            if self._connection is not None and not self._connection.closed:
                with transaction(self._connection):
                    locks.leave(self._connection, self.id)
        except psycopg.Error:
            log.get(__name__).info("lanes ended with the connection", worker=self.id)
        self.lose()

    def _share(self, report: bool) -> None:
        before = self.lanes
        with transaction(self.connection) as connection:
            owners = locks.owners(connection)
            self.workers, self._share_size = len(owners), fair_share(owners, self._backend_pid)
            self._balance(connection, held=frozenset().union(*(one.lanes for one in owners)))
            if report or self.lanes != before:
                locks.report(connection, self.id, backend_pid=self._backend_pid, lanes=self.lanes, at=self._clock())
                self._look_after(connection, [one for one in owners if one.backend_pid != self._backend_pid])
        if self.lanes != before:
            log.get(__name__).info("lanes", worker=self.id, lanes=len(self.lanes), workers=self.workers)

    def _balance(self, connection: Connection, *, held: frozenset[int]) -> None:
        mine, share = set(self.lanes), self._share_size
        if len(mine) > share:
            surplus = sorted(mine)[share:]
            locks.give_back(connection, surplus)
            mine.difference_update(surplus)
        elif len(mine) < share:
            free = [lane for lane in ALL_LANES if lane not in held]
            mine |= locks.take(connection, free[: share - len(mine)])
        self.lanes = tuple(sorted(mine))

    def _look_after(self, connection: Connection, others: list[Owner]) -> None:
        """Clear away what the dead left, and end owners that stand still."""
        locks.forget_dead(connection)
        now, watched = time.monotonic(), {}
        for owner in others:
            if owner.id is None or owner.progress_at is None or not owner.lanes:
                continue
            seen_at, since = self._watched.get(owner.id, (owner.progress_at, now))
            if seen_at != owner.progress_at:
                since = now
            watched[owner.id] = (owner.progress_at, since)
            if now - since >= self._patience.frozen_seconds and locks.end(connection, owner):
                log.get(__name__).warning("frozen owner ended", worker=owner.id, lanes=len(owner.lanes))
        self._watched = watched


def fair_share(owners: Sequence[Owner], backend_pid: int) -> int:
    """How many lanes this worker should have; the shares of all sum up to all lanes, so that nobody goes on asking for more."""
    place = [one.backend_pid for one in owners].index(backend_pid)
    return LANES // len(owners) + (place < LANES % len(owners))
