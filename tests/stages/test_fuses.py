"""Fuses: an injected loop is stopped within the ceiling, a journey beyond its approved reach is paused; both say why."""

from datetime import timedelta
from typing import Any

import pytest

from app import fusing, pausing
from app.database import transaction
from app.store import fuses
from app.store.rows import Connection
from app.world import World
from flows.moves import Move
from flows.policies import Policies
from tests.stages.conftest import MORNING
from tests.stages.places import desk, flow, happen, identify, track

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = ("entry.event", {"event": "came"})


def loop(limit: int = 100, klass: str = "marketing") -> dict[str, Any]:
    """A message every minute, until the visits are used up: the loop of Q01."""
    nodes: dict[str, Any] = {
        "start": START,
        "note": ("send.inapp", {"title": "again"}),
        "wait": ("wait.event", {"events": [{"event": "stop"}], "timeout": "PT1M"}),
        "end": ("exit", {}),
    }
    wires = "start.next note, note.next wait, wait.timeout note, wait.stop end"
    return flow(nodes, wires, visit_limit=limit, message_class=klass)


def ask(connection: Connection, query: Any) -> list[Any]:
    with transaction(connection):
        return connection.execute(query).fetchall()


def sent(connection: Connection) -> list[int]:
    """How many messages went out to each person."""
    rows = ask(connection, "SELECT contact_id, count(*) FROM message WHERE status = 2 GROUP BY 1 ORDER BY 1")
    return [count for _, count in rows]


def journey_of(connection: Connection) -> list[Any]:
    return ask(connection, "SELECT status, pause_reason FROM journey ORDER BY id")


def test_an_injected_loop_stops_within_the_ceiling_and_says_so_q01_b12(world: World, connection: Connection) -> None:
    world.publish("loop", loop())
    happen(world, world.now, *(track(f"u{n}", "came") for n in range(100)))
    world.until(MORNING + 4 * HOUR)
    assert set(sent(connection)) == {3}
    assert len(sent(connection)) == 100
    ((status, reason),) = journey_of(connection)
    assert status == "paused"
    assert reason == "fuse: more than 3 a day of one step to one person (note)"
    reasons = {row[0] for row in ask(connection, "SELECT reason FROM message WHERE status = 4")}
    assert reasons == {"fuse: more than 3 a day of one step to one person"}
    assert ask(connection, "SELECT what, actor FROM audit WHERE what = 'journey.fuse'") == [("journey.fuse", "system")]


def test_an_edit_that_turns_a_flow_into_a_loop_cannot_mail_anybody_without_end_q01(
    world: World, connection: Connection
) -> None:
    sound = loop()
    sound["edges"] = [one for one in sound["edges"] if one["port"] != "timeout"]
    journey = world.publish("sound", sound)
    happen(world, world.now, *(track(f"u{n}", "came") for n in range(20)))
    world.publish("", loop(), journey, [Move(node="wait", do="move", to="wait")])
    world.still()
    world.until(MORNING + 4 * HOUR)
    assert set(sent(connection)) == {3}


def test_a_circle_of_events_over_re_entry_stops_as_well(world: World, connection: Connection) -> None:
    nodes: dict[str, Any] = {
        "start": START,
        "note": ("send.inapp", {"title": "again"}),
        "pause": ("wait.duration", {"duration": "PT1M"}),
        "tell": ("action.event", {"event": "came"}),
        "end": ("exit", {}),
    }
    wires = "start.next note, note.next pause, pause.next tell, tell.next end"
    world.publish("circle", flow(nodes, wires, reentry={"mode": "after_exit"}))
    happen(world, world.now, track("u0", "came"), track("u1", "came"))
    world.until(MORNING + HOUR)
    assert sent(connection) == [3, 3]
    assert journey_of(connection)[0][0] == "paused"


def test_several_events_in_one_batch_count_against_each_other(world: World, connection: Connection) -> None:
    nodes = {"start": START, "note": ("send.inapp", {"title": "x"}), "end": ("exit", {})}
    world.publish("one", flow(nodes, "start.next note, note.next end", reentry={"mode": "after_exit"}))
    happen(world, world.now, *[track("u0", "came")] * 9)
    assert sum(sent(connection)) <= 3
    assert journey_of(connection)[0][0] == "paused"


@pytest.mark.parametrize(("klass", "most"), [("marketing", 3), ("transactional", 30)])
def test_many_keys_are_still_one_person_also_for_what_caps_let_pass(
    world: World, connection: Connection, klass: str, most: int
) -> None:
    world.allow({"caps": [{"limit": 1, "per": "day"}]} if klass == "transactional" else {})
    nodes = {"start": START, "note": ("send.inapp", {"title": "x"}), "end": ("exit", {})}
    keyed = {"mode": "per_key", "key": "properties.order"}
    world.publish("order", flow(nodes, "start.next note, note.next end", reentry=keyed, message_class=klass))
    happen(world, world.now, *(track(f"u{n}", "came", order="one") for n in range(5)))
    assert sent(connection) == [1] * 5
    happen(world, MORNING + HOUR, *(track("u0", "came", order=f"order {n}") for n in range(most - 2)))
    happen(world, MORNING + 2 * HOUR, track("u0", "came", order="the last"))
    assert journey_of(connection)[0][0] == "live"
    happen(world, MORNING + 3 * HOUR, track("u0", "came", order="one more"))
    assert sent(connection) == [most, 1, 1, 1, 1]
    assert journey_of(connection)[0][0] == "paused"


def test_the_day_after_they_may_be_written_to_again(world: World, connection: Connection) -> None:
    nodes = {"start": START, "note": ("send.inapp", {"title": "x"}), "end": ("exit", {})}
    world.publish("one", flow(nodes, "start.next note, note.next end", reentry={"mode": "after_exit"}))
    for hour in (0, 9, 18, 27, 36, 45, 54):
        happen(world, MORNING + hour * HOUR, track("u0", "came"))
    assert sent(connection) == [7]
    assert journey_of(connection)[0][0] == "live"


@pytest.mark.parametrize(("klass", "most"), [("marketing", 5), ("transactional", 8)])
def test_a_workspace_sets_its_own_ceiling(world: World, connection: Connection, klass: str, most: int) -> None:
    world.allow({"fuse": {"marketing": 5, "transactional": 8}})
    world.publish("loop", loop(klass=klass))
    happen(world, world.now, track("u0", "came"))
    world.until(MORNING + HOUR)
    assert sent(connection) == [most]


def test_a_person_resumes_it_and_a_loop_that_is_still_there_trips_again(world: World, connection: Connection) -> None:
    journey = world.publish("loop", loop())
    happen(world, world.now, track("u0", "came"))
    world.until(MORNING + HOUR)
    with transaction(connection):
        assert fuses.tripped(connection, world.workspace_id)[0][0] == journey
        pausing.resume(desk(world), journey)
    assert journey_of(connection) == [("live", None)]
    world.until(MORNING + 2 * HOUR)
    assert sent(connection) == [3]
    assert journey_of(connection)[0][0] == "paused"


def test_far_beyond_the_approved_reach_the_journey_is_paused_until_somebody_resumes_it_b12(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusing, "SMALLEST", 5)
    happen(world, world.now, *(identify(f"u{n}", plan="pro") for n in range(5)))
    nodes = {"start": START, "note": ("send.inapp", {"title": "x"}), "end": ("exit", {})}
    journey = world.publish("one", flow(nodes, "start.next note, note.next end"))
    assert ask(connection, "SELECT reach FROM submission UNION ALL SELECT reach FROM version") == [(5,), (5,)]
    happen(world, world.now, *(track(f"v{n}", "came") for n in range(15)))
    assert watched(world) == 0
    happen(world, world.now, track("one more", "came"))
    assert watched(world) == 1
    assert journey_of(connection) == [("paused", "fuse: 16 messages in 24 hours, more than 3 times the approved 5")]
    happen(world, world.now, track("w0", "came"))
    assert sum(sent(connection)) == 16
    with transaction(connection):
        pausing.resume(desk(world), journey)
    happen(world, world.now, track("w1", "came"))
    assert watched(world) == 0  # who resumed it has taken that rate for right
    assert journey_of(connection) == [("live", None)]


def watched(world: World, policies: Policies | None = None) -> int:
    with transaction(world.connection):
        return fusing.watch(world.connection, {world.workspace_id: policies} if policies else {}, world.now)
