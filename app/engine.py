"""The loop over stages: who comes first, when to rest, what to do when something breaks. No SQL of its own.

A pass runs the urgent stages (letters, timers) until they have little left or a bound is reached, then one bounded slice of
each of the others, so that a blast to a million people cannot delay a reminder. A row that breaks its batch is found by
halving and put aside; a database that is away is waited for. Never touches the network but for the database.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import psycopg
from psycopg import errors

from app import log
from app.database import Connection
from app.failpoints import failpoint
from app.nudges import Sleeper
from app.numbers import Numbers
from app.ownership import HUNGRY_SECONDS, LanesLostError, Ownership
from app.plans import Plans
from app.triage import Bite, Triage

PASSES = 8  # turns of the urgent stages before the others get theirs
POLL_SECONDS = 1.0
GATHER_SECONDS = 0.02  # after a small batch: the next is worth its transaction only with some people in it
GAP = timedelta(minutes=30)
CLASHES = 5
CLASH_SECONDS = 0.02
BACK_OFF_SECONDS = 0.1
BACK_OFF_AT_MOST = 1.0
# Two transactions in each other's way: nobody's fault, and gone when tried again.
CLASH = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)


def mind_gap(last: datetime, now: datetime, after_gap: Callable[[], object]) -> datetime:
    """After a long time without a turn (database away, machine asleep) look first how late everything is."""
    if now - last > GAP:
        after_gap()
    return now


class Run(Protocol):
    """A stage: handle up to `limit` rows of these lanes in transactions of its own; how many it took."""

    def __call__(
        self, connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int
    ) -> int: ...


class Park(Protocol):
    """Put aside the first row of a lane, whose every batch has failed."""

    def __call__(
        self, connection: Connection, plans: Plans, *, lane: int, now: datetime, error: BaseException
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the list the engine works through.

    when: `urgent` runs until little is left, `slice` once a pass, `chore` once for each `wish` of its name (a heartbeat's);
    a chore concerns no lane, so the owner of lane 0 does it for all.
    """

    name: str
    run: Run
    limit: int
    when: Literal["urgent", "slice", "chore"] = "slice"
    park: Park | None = None


class NextDue(Protocol):
    """When something of these lanes falls due by the clock."""

    def __call__(self, connection: Connection, lanes: Sequence[int]) -> datetime | None: ...


class Engine:
    """One worker's loop. `beat_at` is when it last came round, by `time.monotonic`; after `red_seconds` without, it is stuck."""

    red_seconds = 60.0

    def __init__(
        self,
        stages: Iterable[Stage],
        ownership: Ownership,
        plans: Plans,
        *,
        sleeper: Sleeper,
        clock: Callable[[], datetime],
        next_due: NextDue,
        numbers: Numbers | None = None,
        done: Callable[[], object] = bool,
        after_gap: Callable[[], object] = bool,
    ) -> None:
        self.stages = tuple(stages)
        self.ownership, self.plans, self.sleeper = ownership, plans, sleeper
        self.numbers = numbers or Numbers()
        self.beat_at = time.monotonic()
        self._clock, self._next_due, self._done, self._after_gap = clock, next_due, done, after_gap
        self._turned_at = clock() - 2 * GAP  # before the first turn it looks, too
        self._stop = threading.Event()
        self._triage = {stage.name: Triage() for stage in self.stages}
        self._wishes: set[str] = set()
        self._troubles = 0

    def stop(self) -> None:
        """End after the present batch."""
        self._stop.set()
        self.sleeper.wake()

    def wish(self, name: str) -> None:
        """Run a chore in the next pass; from any thread."""
        self._wishes.add(name)
        self.sleeper.wake()

    def run(self) -> None:
        """Work until stopped, then give the lanes back."""
        while not self._stop.is_set():
            self.beat_at = time.monotonic()
            failpoint("LOOP")
            try:
                self.ownership.tend()
                self._turned_at = mind_gap(self._turned_at, self._clock(), self._after_gap)
                rest = self.turn() if self.ownership.lanes else HUNGRY_SECONDS
            except psycopg.Error as error:
                self._back_off(error)
                continue
            self._troubles = 0
            if rest > 0 and not self._stop.is_set():
                self.sleeper.wait(rest, jitter=rest >= POLL_SECONDS)
        self.ownership.leave()

    def turn(self) -> float:
        """One pass over all stages; returns how long to rest afterwards."""
        did = more = False
        for _ in range(PASSES):
            more = False
            for stage in self._of("urgent"):
                taken, full = self._stage(stage)
                did, more = did or taken > 0, more or full
            if not more or self._stop.is_set():
                break
        for stage in self._of("slice"):
            taken, full = self._stage(stage)
            did, more = did or taken > 0, more or full
        for stage in self._of("chore"):
            if stage.name in self._wishes:
                did |= self._chore(stage)
        if more:
            return 0.0
        return GATHER_SECONDS if did else self._until_due()

    def _of(self, when: str) -> list[Stage]:
        return [stage for stage in self.stages if stage.when == when]

    def _until_due(self) -> float:
        """How long until the next wait of my lanes ends, within a poll."""
        lanes = self.ownership.lanes
        if not lanes or self.ownership.hungry:
            return HUNGRY_SECONDS
        due = self._next_due(self.ownership.connection, lanes)
        seconds = POLL_SECONDS if due is None else (due - self._clock()).total_seconds()
        return min(POLL_SECONDS, max(GATHER_SECONDS, seconds))

    def _stage(self, stage: Stage) -> tuple[int, bool]:
        """Run a stage over my lanes once; how many rows it took, and whether there is more to do at once."""
        lanes = self.ownership.lanes
        if not lanes or self._stop.is_set():
            return 0, False
        triage, total, more = self._triage[stage.name], 0, False
        for bite in triage.bites(lanes, stage.limit, time.monotonic()):
            # Lanes may have been given up or lost since the list was made; what is not ours is not touched.
            if self._stop.is_set() or not set(bite.lanes) <= set(self.ownership.lanes):
                break
            try:
                taken = self._bite(stage, bite)
            except psycopg.Error as error:
                more |= self._judge(stage, bite, error)
            except Exception as error:  # noqa: BLE001 the stage edge: whatever a row brings about, the lanes go on
                more |= self._look_closer(stage, bite, error)
            else:
                triage.passed(bite, taken)
                total += taken
                more |= taken >= max(1, bite.limit // len(bite.lanes)) or (bite.suspect and taken > 0)
            self.ownership.tend()
            self.beat_at = time.monotonic()
        return total, more

    def _chore(self, stage: Stage) -> bool:
        """Run a chore; true if there is more of it. What goes wrong is left for the next wish."""
        self._wishes.discard(stage.name)
        lanes = self.ownership.lanes
        if not lanes or lanes[0] != 0 or self._stop.is_set():
            return False
        begun = time.perf_counter()
        try:
            taken = stage.run(self.ownership.connection, self.plans, lanes=lanes, now=self._clock(), limit=stage.limit)
        except Exception as error:
            if self._lost():
                raise LanesLostError("lost in a chore") from error
            self.numbers.add("failures", stage.name)
            log.get(__name__).warning("chore failed", stage=stage.name, **log.told(error))
            return False
        self._tell(stage, taken, time.perf_counter() - begun)
        if taken >= stage.limit:
            self._wishes.add(stage.name)
        return taken >= stage.limit

    def _bite(self, stage: Stage, bite: Bite) -> int:
        """Run one batch, again if another transaction was in its way."""
        for attempt in range(CLASHES + 1):
            begun = time.perf_counter()
            try:
                taken = stage.run(
                    self.ownership.connection, self.plans, lanes=bite.lanes, now=self._clock(), limit=bite.limit
                )
            except CLASH:
                if attempt == CLASHES:
                    raise
                self.numbers.add("clashes", stage.name)
                time.sleep(CLASH_SECONDS * 2**attempt * random.random())
                continue
            self._tell(stage, taken, time.perf_counter() - begun)
            return taken
        raise AssertionError("unreachable")

    def _judge(self, stage: Stage, bite: Bite, error: psycopg.Error) -> bool:
        """Whether a row or the database is to blame; the latter is raised, for the loop to wait."""
        if isinstance(error, errors.QueryCanceled):
            # Too slow as it was: smaller bites, ever more rarely, but no row is put aside for that.
            self._triage[stage.name].failed(bite, time.monotonic())
            self.numbers.add("failures", stage.name)
            return bite.limit > 1
        dawdled = isinstance(error, errors.IdleInTransactionSessionTimeout)  # this process did, over some row
        if not dawdled and (self._lost() or isinstance(error, psycopg.OperationalError)):
            if self._lost():
                self._triage[stage.name].cut_off()
            raise error
        return self._look_closer(stage, bite, error)

    def _look_closer(self, stage: Stage, bite: Bite, error: Exception) -> bool:
        """Narrow down the bad row, or put it aside once it stands alone; whether to go on at once."""
        at = time.monotonic()
        found = self._triage[stage.name].failed(bite, at)
        self.numbers.add("failures", stage.name)
        fields = {"stage": stage.name, "lanes": len(bite.lanes), "limit": bite.limit, "tries": bite.fails + 1}
        log.get(__name__).warning("batch failed", **fields, **log.told(error))
        if not found or stage.park is None:
            return True
        lane = bite.lanes[0]
        if self._lost():
            self.ownership.tend()
            if lane not in self.ownership.lanes:
                return True
        try:
            stage.park(self.ownership.connection, self.plans, lane=lane, now=self._clock(), error=error)
        except psycopg.OperationalError:
            raise
        except Exception as second:  # noqa: BLE001 it stays under suspicion, is tried ever more rarely, and holds up one lane
            log.get(__name__).error("a bad row cannot be put aside", stage=stage.name, lane=lane, **log.told(second))
            return False
        self._triage[stage.name].put_aside(lane)
        self.numbers.add("aside", stage.name)
        log.get(__name__).error("bad row put aside", stage=stage.name, lane=lane, error=type(error).__name__)
        return True

    def _lost(self) -> bool:
        try:
            return self.ownership.connection.closed
        except psycopg.OperationalError:
            return True

    def _back_off(self, error: psycopg.Error) -> None:
        """Wait for the database; soon again at first, never more than a second."""
        if self._lost():
            self.ownership.lose()
        self._troubles += 1
        if self._troubles & (self._troubles - 1) == 0:  # the first, second, fourth, …: no flood while it is away
            log.get(__name__).warning("database trouble", failures=self._troubles, **log.told(error))
        pause = min(BACK_OFF_AT_MOST, BACK_OFF_SECONDS * 2 ** min(self._troubles - 1, 10))
        self._stop.wait(pause * random.uniform(0.5, 1.0))

    def _tell(self, stage: Stage, taken: int, seconds: float) -> None:
        if taken <= 0:
            return
        extra: dict[str, Any] = {name: getattr(taken, name) for name in ("moved", "workspaces") if hasattr(taken, name)}
        self.numbers.batch(stage.name, taken, seconds)
        self._done()
        log.get(__name__).info("batch", stage=stage.name, taken=int(taken), ms=round(seconds * 1000, 1), **extra)
