"""F31: workers killed at every point of a migration and of its reversal: each moved exactly once, nothing sent twice."""

import random
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from app import migrating
from app.database import Connection, transaction
from app.publishing import Desk
from app.store import migrations_
from app.world import World
from flows.moves import Move
from nodes import catalog
from tests.faults.conftest import Workers, until
from tests.stages.places import flow, identify, track

PEOPLE = 150
ENTRY = ("entry.event", {"event": "came"})
PRO = ("condition", {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}})
OLD = flow(
    {
        "start": ENTRY,
        "pro": PRO,
        "hello": ("send.inapp", {"title": "hello"}),
        "pause": ("wait.duration", {"duration": "P7D"}),
        "other": ("wait.duration", {"duration": "P9D"}),
        "end": ("exit", {}),
    },
    "start.next pro, pro.yes hello, pro.no other, hello.next pause, pause.next end, other.next end",
)
NEW = flow(
    {
        "start": ENTRY,
        "hello": ("send.inapp", {"title": "hello"}),
        "more": ("send.inapp", {"title": "more"}),
        "pause": ("wait.duration", {"duration": "P5D"}),
        "end": ("exit", {}),
    },
    "start.next hello, hello.next more, more.next pause, pause.next end",
)
PLAN = [Move(node="pause", do="move", to="hello"), Move(node="other", do="move", to="pause", wait="keep")]
MOVE = ("CP30", "CP31", "CP10", "CP32", "CP11", "CP33", "CP34", "CP36", "COPY")
BACK = ("CP35", "CP34", "CP36", "COPY")


def parked(connection: Connection) -> tuple[World, int]:
    """Everybody waits, by the real time of day."""
    world = World(connection, catalog(), timezone="UTC", start=datetime.now(UTC))
    world.accept([identify(f"u{n}", plan="pro" if n % 3 else "free") for n in range(PEOPLE)], at=world.now)
    world.still()
    journey = world.publish("one", OLD)
    world.now = datetime.now(UTC)
    world.accept([track(f"u{n}", "came") for n in range(PEOPLE)], at=world.now)
    world.still()
    return world, journey


def status(connection: Connection) -> str:
    with transaction(connection):
        ((found,),) = connection.execute("SELECT status FROM migration").fetchall()
    return str(found)


def state(connection: Connection) -> list[list[Any]]:
    """Where everybody stands, what was sent, what the books say, what was done with whom; no moments: they are the real ones."""
    queries = (
        "SELECT c.attributes ->> 'plan', e.version_id, e.node, e.status, e.walks, e.slot = 0, count(*)"
        " FROM enrollment e JOIN contact c ON c.id = e.contact_id GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6",
        "SELECT node, visit, count(*), count(DISTINCT enrollment_id) FROM message GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT version_id, node, port, sum(count)::bigint FROM (SELECT version_id, node, port, count FROM tally UNION ALL"
        " SELECT version_id, node, port, count FROM tally_hour) AS every WHERE port = '!end' OR left(port, 1) <> '!'"
        " GROUP BY 1, 2, 3 HAVING sum(count) <> 0 ORDER BY 1, 2, 3",
        "SELECT did, back, count(*) FROM migrated GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT count(*), count(DISTINCT (enrollment_id, walk)) FROM trail",
    )
    with transaction(connection):
        return [connection.execute(query).fetchall() for query in queries]


EXPECTED_MOVED: list[Any] = [
    [("free", 2, "pause", 0, 2, True, 50), ("pro", 2, "pause", 0, 2, True, 100)],
    [("hello", 1, 100, 100), ("more", 1, 100, 100)],
    [(0, 50), (1, 100)],
    [(300, 300)],
]


@pytest.fixture
def moving(connection: Connection) -> tuple[World, int]:
    """People in flight, and a version published that moves them all."""
    world, journey = parked(connection)
    world.publish("", NEW, journey, PLAN)
    return world, journey


@pytest.mark.parametrize("point", MOVE)
def test_f31_workers_killed_three_times_while_people_are_moved_move_each_exactly_once(
    connection: Connection, workers: Workers, moving: tuple[World, int], point: str
) -> None:
    del moving
    times = (1, 1, 1) if point == "CP36" else (1, 2, 1)
    for passed in times:
        killed = workers.start(failpoint=f"{point}:kill:{passed}", batch_limit=12)
        assert killed.wait() == -signal.SIGKILL, "the point was never passed"
        if status(connection) == "done":
            break  # CP36 is the last there is
    workers.start(batch_limit=12)
    until(lambda: status(connection) == "done")
    found = state(connection)
    assert [found[0], found[1], [(did, people) for did, _, people in found[3]], found[4]] == EXPECTED_MOVED
    waits = {(version, node): n for version, node, port, n in found[2] if port == ""}
    ends = {(version, node): n for version, node, port, n in found[2] if port == "!end"}
    assert waits[2, "pause"] == PEOPLE
    assert ends == {(1, "pause"): 100, (1, "other"): 50}
    assert [row for row in found[2] if row[1] == ""] == [(2, "", "entered", PEOPLE)]


@pytest.mark.parametrize("point", BACK)
def test_f31_workers_killed_three_times_while_people_are_put_back_put_each_back_exactly(
    connection: Connection, workers: Workers, moving: tuple[World, int], point: str
) -> None:
    world, journey = moving
    world.still()
    with transaction(connection):
        (one,) = migrations_.of_journey(connection, world.workspace_id, journey, None, 2)
        migrating.reverse(Desk(connection, catalog(), world.workspace_id, "op", world.now), journey, one.id)
    for passed in (1, 1, 1) if point == "CP36" else (1, 2, 1):
        killed = workers.start(failpoint=f"{point}:kill:{passed}", batch_limit=12)
        assert killed.wait() == -signal.SIGKILL, "the point was never passed"
        if status(connection) == "reversed":
            break
    workers.start(batch_limit=12)
    until(lambda: status(connection) == "reversed")
    found = state(connection)
    assert found[0] == [("free", 1, "other", 0, 3, True, 50), ("pro", 2, "pause", 0, 2, True, 100)]
    assert found[3] == [(0, 1, 50), (1, 2, 100)]  # whom “hello” let go on at once had a message since: they stay
    assert [row for row in found[2] if row[1] == ""] == [(1, "", "entered", 50), (2, "", "entered", 100)]


@pytest.mark.parametrize("seed", range(3))
def test_p7_killed_at_random_moments_the_migration_ends_as_if_nothing_had_happened(
    connection: Connection, workers: Workers, moving: tuple[World, int], seed: int
) -> None:
    del moving
    chance = random.Random(seed)
    for _ in range(8):
        worker = workers.start(batch_limit=chance.choice((4, 12, 40)), tracks=chance.choice((1, 2)))
        time.sleep(chance.uniform(0.02, 0.3))
        worker.signal(signal.SIGKILL)
        worker.wait()
    workers.start(batch_limit=12, tracks=2)
    until(lambda: status(connection) == "done")
    found = state(connection)
    assert [found[0], found[1], [(did, people) for did, _, people in found[3]], found[4]] == EXPECTED_MOVED
