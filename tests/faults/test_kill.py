"""F01, F02: a worker killed at any point of match, timers, enroll and the walk. Nobody is lost, nobody walks twice."""

import signal

import pytest

from app.database import Connection
from tests.faults import story
from tests.faults.conftest import Workers, settle_books, until

# Which of RELIABILITY §4b belong to these stages; CP6 and CP12, CP7 and CP13 are one place in match.
POINTS = (
    "CP4",
    "CP5",
    "CP6",
    "CP7",
    "CP9",
    "CP10",
    "CP11",
    "CP12",
    "CP13",
    "CP14",
    "CP15",
    "CP16",
    "CP17",
    "CP18",
    "COPY",
)


@pytest.mark.parametrize("point", POINTS)
def test_f02_workers_killed_at_a_commit_point_three_times_lose_nobody_and_move_nobody_twice(
    connection: Connection, workers: Workers, expected: story.State, point: str
) -> None:
    begun = story.tell(connection)
    for passed in (1, 2, 1):
        killed = workers.start(failpoint=f"{point}:kill:{passed}")
        assert killed.wait() == -signal.SIGKILL, "the point was never passed"
    workers.start()
    until(lambda: story.over(connection))
    assert story.state(connection, begun) == expected
    settle_books(connection)
