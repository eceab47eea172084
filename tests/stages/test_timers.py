"""timers: waits that end, beyond the scenarios: never before a letter, late ones, nodes that fail, types that are missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.database import transaction
from app.lanes import ALL_LANES, lane_of
from app.plans import Plans
from app.publishing import RefusedError
from app.stages import match, timers, upkeep
from app.store import inbox
from app.store.inbox import Letter
from app.store.rows import Connection
from app.world import World
from flows.contract import Batch, NodeSettings, NodeType, Outcome
from nodes import catalog
from tests.stages.places import became, flow, happen, moments, people, track

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = ("entry.event", {"event": "go"})
END = ("exit", {})
HALF = ("wait.duration", {"duration": "PT1H"})
TWICE = flow({"start": START, "one": HALF, "two": HALF, "end": END}, "start.next one, one.next two, two.next end")


def _fails_for_seven(batch: Batch) -> Outcome:
    """As a stranger's node may: it takes nobody because of one."""
    seventh = [member for member in batch.members if member.facts.attributes.get("name") == "Contact 7"]
    if seventh:
        raise ZeroDivisionError("no sevens here")
    return Outcome(go={"next": [member.id for member in batch.members]})


PICKY = NodeType(
    "test.picky",
    version=1,
    title="Picky",
    group="flow",
    settings=NodeSettings,
    ports=("next",),
    summary=lambda _settings: "picky",
    advance=_fails_for_seven,
    reads=("attributes.name",),
)


def go_all(world: World, count: int) -> None:
    """Everybody goes."""
    contacts = people(world, count)
    with transaction(world.connection):
        inbox.put(
            world.connection,
            [
                Letter(
                    lane_of(world.workspace_id, one), 0, world.workspace_id, one, "track", "go", NOW, NOW, "{}", None
                )
                for one in contacts
            ],
        )
    world.still()


def run_timers(world: World, at: datetime, limit: int = 5_000) -> int:
    return timers.run(world.connection, world.plans, lanes=ALL_LANES, now=at, limit=limit)


def test_a_timer_never_overtakes_a_letter_of_its_contact(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}], "timeout": "PT1H"})
    journey = world.publish("main", flow({"start": START, "wait": wait, "end": END}, "start.next wait, wait.paid end"))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    world.accept([track("u0", "paid")], at=NOW + HOUR)
    # Another lane's worker, or this one's timers, come first: they take only the contact without a letter.
    assert run_timers(world, NOW + HOUR) == 1
    assert run_timers(world, NOW + HOUR) == 0
    match.run(world.connection, world.plans, lanes=ALL_LANES, now=NOW + HOUR, limit=100)
    assert became(world, journey) == {
        "u0": [("end", "completed", "end")],
        "u1": [("wait", "completed", "wait.timeout")],
    }


def test_a_timer_that_is_minutes_late_keeps_its_time_and_one_later_than_five_counts_from_now(world: World) -> None:
    journey = world.publish("main", TWICE)
    happen(world, NOW, track("u0", "go"))
    assert run_timers(world, NOW + HOUR + 5 * MINUTE) == 1
    assert moments(world, journey)["u0"][0]["two"] == NOW + HOUR
    assert run_timers(world, NOW + 2 * HOUR - MINUTE) == 0, "none before its time"
    late = NOW + 2 * HOUR + 6 * MINUTE
    assert run_timers(world, late) == 1
    assert moments(world, journey)["u0"][0]["end"] == late


def test_after_an_outage_the_next_wait_is_a_whole_one(world: World) -> None:
    journey = world.publish("main", TWICE)
    happen(world, NOW, track("u0", "go"))
    late = NOW + 10 * HOUR
    assert run_timers(world, late) == 1
    assert run_timers(world, late + HOUR - MINUTE) == 0
    assert run_timers(world, late + HOUR) == 1
    assert became(world, journey) == {"u0": [("end", "completed", "end")]}


def test_a_letter_after_an_outage_finds_the_waits_that_ended_before_it_ended(world: World) -> None:
    goes = {"event": "seen", "name": "seen"}
    nodes = {"start": START, "one": HALF, "two": ("wait.event", {"events": [goes], "timeout": "P1D"}), "end": END}
    journey = world.publish("main", flow(nodes, "start.next one, one.next two, two.seen end"))
    happen(world, NOW, track("u0", "go"))
    world.accept([track("u0", "seen")], at=NOW + HOUR + MINUTE)
    match.run(world.connection, world.plans, lanes=ALL_LANES, now=NOW + 3 * HOUR, limit=100)
    assert became(world, journey) == {"u0": [("end", "completed", "end")]}
    assert moments(world, journey)["u0"][0]["two"] == NOW + HOUR


def test_a_node_that_raises_parks_one_of_a_thousand_with_the_reason_and_moves_the_rest(connection: Connection) -> None:
    world = World(connection, catalog([PICKY]), timezone="UTC", start=NOW)
    nodes = {"start": START, "one": HALF, "picky": ("test.picky", {}), "end": END}
    journey = world.publish("main", flow(nodes, "start.next one, one.next picky, picky.next end"))
    go_all(world, 1_000)
    assert run_timers(world, NOW + HOUR, limit=64_000) == 1_000
    found = became(world, journey)
    assert found.pop("u7") == [("picky", "failed", "ZeroDivisionError: no sevens here")]
    assert len(found) == 999
    assert set(map(tuple, found.values())) == {(("end", "completed", "end"),)}


def test_people_on_a_node_whose_type_is_missing_are_held_and_walk_on_when_it_is_back(connection: Connection) -> None:
    world = World(connection, catalog([PICKY]), timezone="UTC", start=NOW)
    nodes = {"start": START, "one": HALF, "picky": ("test.picky", {}), "end": END}
    journey = world.publish("main", flow(nodes, "start.next one, one.next picky, picky.next end"))
    go_all(world, 3)
    world.plans = Plans(catalog())
    world.until(NOW + 5 * HOUR)
    assert became(world, journey) == {f"u{n}": [("picky", "active", None)] for n in range(3)}
    world.plans = Plans(catalog([PICKY]))
    world.until(NOW + 5 * HOUR + 5 * MINUTE)
    assert became(world, journey) == {f"u{n}": [("end", "completed", "end")] for n in range(3)}


def test_two_walks_of_one_contact_that_end_together_end_one_after_the_other(world: World) -> None:
    nodes = {
        "start": START,
        "wait": ("wait.until", {"at": "2026-03-02T09:00:00Z"}),
        "first": ("condition", {"rule": {"not": {"tag": "came"}}}),
        "mark": ("action.tag", {"add": ["came"]}),
        "mail": ("send.inapp", {"title": "only one of these"}),
    }
    wires = "start.next wait, wait.next first, first.yes mark, mark.next mail"
    journey = world.publish("main", flow(nodes, wires, reentry={"mode": "per_key", "key": "order"}))
    happen(world, NOW, track("u0", "go", order=1), track("u0", "go", order=2), track("u0", "go", order=3))
    world.until(NOW + 2 * HOUR)
    ends = [reason for _, _, reason in became(world, journey)["u0"]]
    assert ends == ["mail.next", "first.no", "first.no"]


def test_each_of_two_walks_that_end_together_looks_back_to_its_own_entry(world: World) -> None:
    back = ("wait.event", {"events": [{"event": "paid"}], "timeout": "P1D", "since": "entry"})
    nodes = {"start": START, "wait": ("wait.until", {"at": "2026-03-02T09:00:00Z"}), "back": back, "end": END}
    wires = "start.next wait, wait.next back, back.paid end"
    journey = world.publish("main", flow(nodes, wires, reentry={"mode": "per_key", "key": "order"}))
    happen(world, NOW, track("u0", "go", order=1))
    happen(world, NOW + MINUTE, track("u0", "paid", order=1))
    happen(world, NOW + 2 * MINUTE, track("u0", "go", order=2))
    world.until(NOW + 2 * HOUR)
    assert became(world, journey)["u0"] == [("end", "completed", "end"), ("back", "active", None)]


def test_the_event_that_let_somebody_in_ends_no_later_wait_that_looks_back(world: World) -> None:
    back = ("wait.event", {"events": [{"event": "go"}], "timeout": "P1D", "since": "entry"})
    journey = world.publish(
        "main",
        flow({"start": START, "one": HALF, "back": back, "end": END}, "start.next one, one.next back, back.go end"),
    )
    happen(world, NOW, track("u0", "go"))
    world.until(NOW + 2 * HOUR)
    assert became(world, journey)["u0"] == [("back", "active", None)]


def test_of_events_that_happened_at_once_the_one_that_arrived_first_ends_a_look_back(world: World) -> None:
    back = ("wait.event", {"events": [{"event": "no"}, {"event": "yes"}], "timeout": "P1D", "since": "entry"})
    nodes = {"start": START, "one": HALF, "back": back}
    journey = world.publish("main", flow(nodes, "start.next one, one.next back"))
    happen(world, NOW, track("u0", "go"), track("u0", "yes"), track("u0", "no"))
    world.until(NOW + 2 * HOUR)
    assert became(world, journey)["u0"] == [("back", "completed", "back.yes")]


def test_the_longest_wait_outlives_all_that_is_forgotten_d18_f15(world: World, connection: Connection) -> None:
    """Upkeep forgets ids, sessions and counts; nothing that a walk may ask for, a year later or at the end of any window."""
    asks = {"all": [{"event": "seen", "within": "P3660D"}, {"property": "amount", "op": "eq", "value": 7}]}
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "start": ("entry.event", {"event": "came"}),
        "wait": ("wait.duration", {"duration": "P365D"}),
        "asked": ("condition", {"rule": asks}),
        "note": ("send.inapp", {"title": "{{ entry.properties.amount }}"}),
    }
    journey = world.publish("one", flow(nodes, "start.next wait, wait.next asked, asked.yes note"))
    happen(world, world.now, track("u0", "seen"), track("u0", "came", amount=7))
    world.now += timedelta(days=364)
    for forget in (upkeep.make_partitions, upkeep.forget_seen, upkeep.forget_sendings, upkeep.forget_sessions):
        forget(connection, world.plans, lanes=ALL_LANES, now=world.now, limit=10_000)
    assert connection.execute("SELECT count(*) FROM seen").fetchone() == (0,), "the month's memory of ids is over"
    world.until(world.now + timedelta(days=2))
    assert [walk[0][:2] for walk in became(world, journey).values()] == [("note", "completed")]
    assert connection.execute("SELECT title FROM message").fetchall() == [("7",)]
    connection.rollback()
    nodes["wait"] = ("wait.duration", {"duration": "P366D"})
    with pytest.raises(RefusedError) as refused:
        world.publish("longer", flow(nodes, "start.next wait, wait.next asked, asked.yes note"))
    assert [(one.node, one.field) for one in refused.value.problems] == [("wait", "duration")]
