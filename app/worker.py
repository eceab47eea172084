"""What `journey worker` runs: the engine's tracks, the deliver loop and the heartbeat of one process, watched over.

Any number of these may work on one database. If a loop dies or stands still the process ends with a code that makes its
supervisor start it again: half a worker is worse than none. Never decides what a stage does.
"""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from app import anchors, failpoints, generation, lateness, log, reckoning, seasonal
from app.courier import Divert, Pace, courier_for
from app.database import connect, transaction
from app.delivering import Deliverer
from app.engine import Engine, Stage
from app.heartbeat import Heartbeat
from app.hints import Hints
from app.nudges import Nudges
from app.numbers import Numbers, resident_bytes
from app.ownership import PATIENCE, Ownership, Patience
from app.plans import Plans
from app.process import calm_gc
from app.settings import Settings
from app.stages import enroll, gate, match, migrate, rollup, settle, timers, upkeep
from app.store import databases, enrollments, sendings
from app.store.rows import Connection
from flows.contract import NodeType
from nodes import catalog as all_nodes

STOP_SECONDS = 10.0
WATCH_SECONDS = 0.1
BEAT_RED_SECONDS = 15.0  # the heartbeat has nothing else to do
TICKS = {
    "rollup": 5.0,
    "fuses": 5.0,
    **dict.fromkeys(("partitions", "forget_seen", "forget_sendings"), 600.0),
    "forget_sessions": 3600.0,
}
NUMBERS_SECONDS = 5.0
GENERATION_SECONDS = 20.0
ANCHOR_SECONDS = 300.0  # looks whether the day's anchor is there
SEASON_SECONDS, PLAN_SECONDS = 5.0, 10.0
PLAN_LONGEST_SECONDS = 300.0  # people who did something are counted out of the whole history
LOOK_SECONDS = 60.0  # holding what is late is one UPDATE over all of it
ROLLUP_LIMIT = 50_000
SEEN_LIMIT = 20_000
SETTLE_LIMIT = 2_000


def now() -> datetime:
    """The present moment; handed to everybody who needs it."""
    return datetime.now(UTC)


def next_due(connection: Connection, lanes: Sequence[int]) -> datetime | None:
    """When a wait of these lanes ends or a message asks again."""
    found = [enrollments.next_due(connection, lanes), sendings.next_due(connection, lanes)]
    return min((at for at in found if at is not None), default=None)


def stages(limit: int) -> tuple[Stage, ...]:
    """What the engine works through, in this order."""
    return (
        Stage("match", match.run, limit, "urgent", match.park),
        Stage("timers", timers.run, limit, "urgent", timers.park),
        Stage("enroll", enroll.run, limit, "slice", enroll.park),
        Stage("gate", gate.run, limit),
        Stage("migrate", migrate.run, limit),
        Stage("settle", settle.run, SETTLE_LIMIT),
        Stage("rollup", rollup.run, ROLLUP_LIMIT, "chore"),
        Stage("partitions", upkeep.make_partitions, 1, "chore"),
        Stage("forget_seen", upkeep.forget_seen, SEEN_LIMIT, "chore"),
        Stage("forget_sendings", upkeep.forget_sendings, SEEN_LIMIT, "chore"),
        Stage("forget_sessions", upkeep.forget_sessions, SEEN_LIMIT, "chore"),
        Stage("fuses", upkeep.watch_fuses, 1, "chore"),
    )


@dataclass(frozen=True)
class Making:
    """What a worker is made of besides its settings; the defaults are the real things, tests put in others."""

    catalog: Mapping[str, NodeType] | None = None
    divert: Divert | None = None
    patience: Patience = PATIENCE
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], datetime] = now


class Worker:
    """One process' loops. `run` works until `stop` is set, and returns the exit code: 0 stopped, 1 something died."""

    def __init__(self, settings: Settings, making: Making) -> None:
        if settings.database_url is None:
            raise ValueError("a worker needs a database_url")
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.numbers, self.hints, self.nudges = Numbers(), Hints(settings.redis_url), Nudges(settings.redis_url)
        nodes = all_nodes() if making.catalog is None else making.catalog
        url, clock = settings.database_url, making.clock
        self._url, self._clock, self._data, self._catalog = url, clock, settings.data, nodes
        self._reckoned_ms = 0
        courier = courier_for(settings, making.divert)
        courier.pace = making.pace
        self._anchored: date | None = None
        self.deliverer = Deliverer(
            url,
            Plans(nodes),
            courier,
            sleeper=self.nudges.sleeper(),
            clock=clock,
            patience=making.patience,
            done=self._wake_engines,
            after_gap=self._look,
        )
        self.engines = [
            Engine(
                stages(settings.batch_limit),
                Ownership(url, clock=clock, patience=making.patience, id=f"{self.id}/{track}"),
                Plans(nodes),
                sleeper=self.nudges.sleeper(),
                clock=clock,
                next_due=next_due,
                numbers=self.numbers,
                done=self.deliverer.sleeper.wake,
                after_gap=self._look,
            )
            for track in range(settings.tracks)
        ]
        ticks = {name: (seconds, self._wish(name)) for name, seconds in TICKS.items()}
        own = {
            "numbers": (NUMBERS_SECONDS, self._publish),
            "generation": (GENERATION_SECONDS, self._beat),
            "anchors": (ANCHOR_SECONDS, self._anchor),
            "seasons": (SEASON_SECONDS, self._turn_seasons),
            "plans": (PLAN_SECONDS, self._reckon),
        }
        self.heartbeat = Heartbeat({**ticks, **own})

    def run(self, stop: threading.Event) -> int:
        """Start the loops, watch them, stop them."""
        for engine in self.engines:
            with suppress(psycopg.Error):  # then its loop will go on trying
                engine.ownership.open()
        loops: dict[str, Any] = {f"track-{number}": engine for number, engine in enumerate(self.engines)}
        loops["deliver"] = self.deliverer
        threads = {
            name: threading.Thread(target=_guarded, args=(name, loop), name=name, daemon=True)
            for name, loop in loops.items()
        }
        for thread in threads.values():
            thread.start()
        self.heartbeat.start()
        sick = self._watch(stop, loops, threads)
        for loop in loops.values():
            loop.stop()
        self.heartbeat.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        self.nudges.close()
        self.hints.close()
        late = [name for name, thread in threads.items() if thread.is_alive()]
        if late:
            log.get(__name__).warning("stopped without waiting any longer", worker=self.id, thread=",".join(late))
        return 1 if sick else 0

    def _watch(self, stop: threading.Event, loops: Mapping[str, Any], threads: Mapping[str, threading.Thread]) -> bool:
        """Wait for the stop; true if a loop died or stood still before it (F16)."""
        # Sleeps and looks, instead of waiting on the event: a signal handler that sets it could meet its lock in our hands.
        while not stop.is_set():
            at = time.monotonic()
            dead = [name for name, thread in threads.items() if not thread.is_alive()]
            dead += [name for name, loop in loops.items() if at - loop.beat_at > loop.red_seconds]
            dead += ["heartbeat"] if at - self.heartbeat.beat_at > BEAT_RED_SECONDS else []
            if dead:
                log.get(__name__).error(
                    "a loop has died; ending, to be started again", worker=self.id, thread=",".join(dead)
                )
                return True
            time.sleep(WATCH_SECONDS)
        return False

    def _wish(self, name: str) -> Callable[[], None]:
        def tick() -> None:
            for engine in self.engines:
                engine.wish(name)

        return tick

    def _wake_engines(self) -> None:
        for engine in self.engines:
            engine.sleeper.wake()

    def _look(self) -> None:
        """Is this still the installation it was, and how late is everything? Before anything is sent."""
        with connect(self._url, name="journey-generation", statement_seconds=LOOK_SECONDS) as connection:
            local = databases.lies_in(connection, self._data)
            with transaction(connection):
                now = self._clock()
                since = generation.look(connection, self._data, now, local=local)
                lateness.after_outage(connection, since or now, now)

    def _beat(self) -> None:
        with suppress(psycopg.Error):  # the loops look again once the database is back
            self._look()

    def _anchor(self) -> None:
        """Once a day, where the audit log ends is written outside of the database."""
        now = self._clock()
        if now.date() == self._anchored:
            return
        with suppress(psycopg.Error), connect(self._url, name="journey-anchors") as connection, transaction(connection):
            if anchors.daily(connection, self._data, now):
                self._anchored = now.date()

    def _turn_seasons(self) -> None:
        """Journeys paused and resumed by the seasons of others."""
        with (
            suppress(psycopg.Error),
            connect(self._url, name="journey-seasons") as connection,
        ):  # the next beat tries again
            while seasonal.turn(connection, self._catalog, self._clock()):
                self._wake_engines()

    def _reckon(self) -> None:
        """What plans have reached and spent."""
        begun = time.perf_counter()
        try:
            with (
                connect(self._url, name="journey-plans", statement_seconds=PLAN_LONGEST_SECONDS) as connection,
                transaction(connection),
            ):
                reckoning.reckon(connection, self._catalog, self._clock(), self._reckoned_ms)
        except psycopg.Error as error:  # the next beat tries again; pages show what was counted last, with its time
            log.get(__name__).warning("plans could not be counted", **log.told(error))
        self._reckoned_ms = round(1000 * (time.perf_counter() - begun))

    def _publish(self) -> None:
        at = time.monotonic()
        self.numbers.level("lanes", sum(len(engine.ownership.lanes) for engine in self.engines))
        self.numbers.level("resident_bytes", resident_bytes())
        self.numbers.level("beat_age_seconds", max(at - engine.beat_at for engine in self.engines))
        self.numbers.publish(self.hints, self.id)


def _guarded(name: str, loop: Any) -> None:
    try:
        loop.run()
    except BaseException as error:  # noqa: BLE001 whatever it died of, the watch must find it dead, and the log must say why
        log.get(__name__).critical("loop died", thread=name, **log.told(error))


def run_worker(settings: Settings, stop: threading.Event, making: Making | None = None) -> int:
    """Work until `stop` is set; the exit code for the process."""
    failpoints.arm(settings.failpoint)
    return Worker(settings, making or Making()).run(stop)


def main(settings: Settings, making: Making | None = None) -> int:
    """A whole process: logging, signals, memory, work. SIGTERM and SIGINT finish the batch and give the lanes back."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.configure(settings.log_format, settings.log_level)
    calm_gc()
    return run_worker(settings, stop, making)
