"""D14: after an outage more than a thousand late sends wait for one click; fewer, or without an outage, nothing is held."""

from datetime import timedelta
from typing import Any

import pytest

from app import lateness
from app.database import transaction
from app.store import lates
from app.store.rows import Connection
from app.world import World
from tests.stages.conftest import MORNING
from tests.stages.places import desk, flow, happen, track

HOUR = timedelta(hours=1)
NODES: dict[str, Any] = {
    "start": ("entry.event", {"event": "came"}),
    "wait": ("wait.duration", {"duration": "PT1H"}),
    "note": ("send.inapp", {"title": "one"}),
    "rest": ("wait.duration", {"duration": "P1D"}),
    "more": ("send.inapp", {"title": "two"}),
    "end": ("exit", {}),
}
FLOW = flow(NODES, "start.next wait, wait.next note, note.next rest, rest.next more, more.next end")


def statuses(connection: Connection) -> list[Any]:
    with transaction(connection):
        return connection.execute(
            "SELECT node, status::int, reason, count(*) FROM message GROUP BY 1, 2, 3 ORDER BY 1, 2"
        ).fetchall()


def after(world: World, hours: float) -> dict[int, int]:
    """Everything stands still for so long, then a worker comes back."""
    since = world.now
    world.now += hours * HOUR
    with transaction(world.connection):
        found = lateness.after_outage(world.connection, since, world.now)
    world.still()
    return found


def crowd(world: World, people: int) -> int:
    journey = world.publish("one", FLOW)
    happen(world, world.now, *(track(f"u{n}", "came") for n in range(people)))
    return journey


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same brake at a hundredth of the size."""
    monkeypatch.setattr(lateness, "MOST", 10)


def test_much_that_is_late_is_held_while_the_journey_goes_on_and_goes_out_by_one_click_d14(
    world: World, connection: Connection
) -> None:
    journey = crowd(world, 12)
    assert after(world, 8) == {world.workspace_id: 12}
    assert statuses(connection) == [("note", 7, "late: held", 12)]
    with transaction(connection):
        assert connection.execute("SELECT status FROM journey").fetchall() == [("live",)]
        assert lates.held(connection, world.workspace_id) == [(journey, "one", 12)]
        assert lateness.settle(desk(world), "release") == 12
    world.still()
    assert statuses(connection) == [("note", 2, None, 12)]
    world.until(world.now + 30 * HOUR)
    assert statuses(connection) == [("more", 2, None, 12), ("note", 2, None, 12)]  # what comes later is not late


def test_an_outage_of_a_little_over_an_hour_is_one(world: World, connection: Connection) -> None:
    crowd(world, 12)
    world.until(MORNING + 0.99 * HOUR)
    assert after(world, 1.02) == {world.workspace_id: 12}
    assert statuses(connection) == [("note", 7, "late: held", 12)]


def test_what_is_held_can_be_dropped_with_the_reason(world: World, connection: Connection) -> None:
    crowd(world, 12)
    after(world, 8)
    with transaction(connection):
        assert lateness.settle(desk(world), "drop") == 12
    world.until(world.now + 30 * HOUR)
    assert statuses(connection) == [("more", 2, None, 12), ("note", 4, "late: dropped", 12)]


def test_messages_that_lay_there_already_are_held_with_them(world: World, connection: Connection) -> None:
    crowd(world, 12)
    world.until(MORNING + HOUR)
    connection.execute("UPDATE message SET status = 0, sent_at = NULL, due_at = created_at")
    connection.commit()
    assert after(world, 8) == {world.workspace_id: 12}
    assert statuses(connection) == [("note", 7, "late: held", 12)]


@pytest.mark.parametrize(("people", "hours"), [(10, 8), (12, 0.9)])
def test_little_that_is_late_or_a_short_outage_holds_nothing(
    world: World, connection: Connection, people: int, hours: float
) -> None:
    crowd(world, people)
    world.until(MORNING + 0.9 * HOUR)
    assert after(world, hours) == {}
    assert statuses(connection) == [("note", 2, None, people)]


def test_what_a_slow_provider_has_left_lying_is_no_outage(world: World, connection: Connection) -> None:
    crowd(world, 12)
    connection.execute("UPDATE enrollment SET wake_at = wake_at - interval '9 hours'")
    connection.commit()
    with transaction(connection):
        assert lateness.after_outage(connection, world.now - timedelta(seconds=20), world.now) == {}
    world.still()
    assert statuses(connection) == [("note", 2, None, 12)]
