"""The engine's loop with stages of straw: who comes first, when it rests, what it does about trouble."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from app.engine import CLASHES, GATHER_SECONDS, PASSES, Engine, Stage
from app.nudges import Nudges
from app.ownership import Ownership
from app.plans import Plans


class Straw:
    """A stage that does as it is told: `answers` are what it takes, or what it raises."""

    def __init__(self, name: str, told: list[str], answers: Sequence[int | Exception] = ()) -> None:
        self.name, self.told, self.answers = name, told, list(answers)

    def __call__(self, connection: Any, plans: Any, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
        del connection, plans, lanes, now, limit
        self.told.append(self.name)
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer


Make = Callable[..., Engine]


@pytest.fixture
def engine(database_url: str) -> Iterator[Make]:
    """Engines over these stages, with lanes of their own one after the other."""
    made: list[Engine] = []

    def make(*stages: Stage, due: Callable[..., datetime | None] = lambda *_: None) -> Engine:
        for one in made:
            one.ownership.leave()
        ownership = Ownership(database_url, clock=lambda: datetime.now(UTC))
        sleeper = Nudges(None).sleeper()
        made.append(
            Engine(stages, ownership, Plans({}), sleeper=sleeper, clock=lambda: datetime.now(UTC), next_due=due)
        )
        ownership.tend()
        return made[-1]

    yield make
    for one in made:
        one.ownership.leave()


def test_a_reminder_is_never_behind_more_than_one_slice_of_a_blast(engine: Make) -> None:
    told: list[str] = []
    urgent = Straw("match", told, [64_000] * 20)
    blast = Straw("enroll", told, [64_000] * 3)
    one = engine(Stage("match", urgent, 64_000, "urgent"), Stage("enroll", blast, 64_000))
    assert one.turn() == 0.0
    assert told == ["match"] * PASSES + ["enroll"]


def test_it_rests_until_the_next_wait_ends_and_a_moment_after_a_small_batch(engine: Make) -> None:
    told: list[str] = []
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    one = engine(Stage("match", Straw("match", told, [3]), 6_400, "urgent"), due=lambda *_: soon)
    assert one.turn() == GATHER_SECONDS
    assert 0.3 < one.turn() <= 0.5


def test_f24_a_clash_is_tried_again_and_reported_only_after_five_times(engine: Make) -> None:
    told: list[str] = []
    clashes: list[int | Exception] = [
        errors.SerializationFailure(),
        errors.DeadlockDetected(),
        errors.LockNotAvailable(),
    ]
    one = engine(Stage("match", Straw("match", told, [*clashes, 5]), 6_400, "urgent"))
    one.turn()
    assert len(told) == 4
    one = engine(Stage("match", Straw("match", told, [errors.DeadlockDetected()] * 9), 64, "urgent"))
    told.clear()
    with pytest.raises(errors.DeadlockDetected):
        one.turn()
    assert len(told) == CLASHES + 1


def test_a_chore_runs_when_wished_and_its_failure_keeps_nobody(engine: Make) -> None:
    told: list[str] = []
    chore = Straw("rollup", told, [100, 5, ZeroDivisionError(), errors.LockNotAvailable()])
    one = engine(Stage("rollup", chore, 100, "chore"))
    one.turn()
    assert told == []
    for _ in range(3):
        one.wish("rollup")
        one.turn()
        one.turn()
    assert told == ["rollup"] * 4  # the first was full, so there was more of it at once


def test_an_error_of_the_database_is_waited_for_and_puts_nothing_aside(engine: Make) -> None:
    told: list[str] = []
    aside: list[int] = []

    def park(*_: Any, lane: int, **__: Any) -> None:
        aside.append(lane)

    trouble: list[int | Exception] = [psycopg.errors.CannotConnectNow(), psycopg.errors.DiskFull(), 1]
    straw = Straw("match", told, trouble * 3)
    one = engine(Stage("match", straw, 64, "urgent", park))
    thread = threading.Thread(target=one.run)
    thread.start()
    begun = time.monotonic()
    while straw.answers and time.monotonic() - begun < 10:
        time.sleep(0.01)
    one.stop()
    thread.join(10)
    assert not straw.answers
    assert not aside
