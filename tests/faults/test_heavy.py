"""F01, F02, P15 with many repeats: minutes long, so only in `make faults`."""

import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.database import Connection
from tests.faults import story
from tests.faults.conftest import Workers, count, settle_books, until
from tests.faults.test_kill import POINTS
from tests.faults.test_poison import flow, statuses

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]


@pytest.mark.parametrize("passed", range(1, 7))
@pytest.mark.parametrize("how", ["kill", "raise"])
@pytest.mark.parametrize("point", POINTS)
def test_f02_at_each_commit_point_in_each_manner(
    connection: Connection, workers: Workers, expected: story.State, point: str, how: str, passed: int
) -> None:
    begun = story.tell(connection)
    hurt = workers.start(failpoint=f"{point}:{how}:{passed}")
    if how == "kill":
        assert hurt.wait() == -signal.SIGKILL
        workers.start()
    until(lambda: story.over(connection))
    assert story.state(connection, begun) == expected
    settle_books(connection)


@pytest.mark.parametrize("seed", range(10))
def test_f01_three_workers_killed_at_random_for_a_while(
    connection: Connection, workers: Workers, expected: story.State, seed: int
) -> None:
    chance = random.Random(seed)
    begun = story.tell(connection)
    crew = [workers.start(tracks=chance.choice([1, 2])) for _ in range(3)]
    for _ in range(20):
        time.sleep(chance.uniform(0.01, 0.2))
        victim = chance.randrange(3)
        crew[victim].signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        crew[victim].wait()
        crew[victim] = workers.start(tracks=chance.choice([1, 2]))
    until(lambda: story.over(connection))
    assert story.state(connection, begun) == expected
    settle_books(connection)


def test_p15_two_hundred_bad_letters_among_twenty_thousand(connection: Connection, workers: Workers) -> None:
    story.prepare(connection)
    story.publish(connection, flow() | {"settings": {"reentry": {"mode": "after_exit"}}}, 1)
    at = datetime.now(UTC) - timedelta(seconds=60)
    letters = [
        story.letter(n % story.PEOPLE + 1, "nobody_listens", at, {"text": "\0"} if n % 100 == 7 else None)
        for n in range(20_000)
    ]
    story.post(connection, letters)
    begun = time.monotonic()
    workers.start(batch_limit=5_000, tracks=2)
    until(lambda: count(connection, "SELECT count(*) FROM inbox") == 0, 300)
    assert count(connection, "SELECT count(*) FROM dead") == 200
    assert count(connection, "SELECT count(*) FROM event") == 19_800
    assert not statuses(connection)
    assert time.monotonic() - begun < 120
