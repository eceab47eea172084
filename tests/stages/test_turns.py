"""Walks of one contact take turns in the order in which their waits end, however the work is cut and however late it is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.stages import match
from app.world import World
from tests.stages.places import became, flow, happen, moments, track
from tests.stages.test_timers import run_timers

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
START, END = ("entry.event", {"event": "go"}), ("exit", {})
MARK = ("action.tag", {"add": ["came"]})
ASK = ("condition", {"rule": {"tag": "came"}})


def wait(minutes: int) -> tuple[str, dict[str, Any]]:
    return "wait.duration", {"duration": f"PT{minutes}M"}


def drain(world: World, at: datetime, limit: int) -> None:
    while run_timers(world, at, limit):
        pass


def test_of_waits_that_end_at_once_the_earlier_journeys_ends_first_even_where_one_is_taken_at_a_time(
    world: World,
) -> None:
    twice = {"start": START, "one": wait(1), "two": wait(1), "mark": MARK, "end": END}
    first = world.publish("first", flow(twice, "start.next one, one.next two, two.next mark, mark.next end"))
    once = {"start": START, "both": wait(2), "ask": ASK}
    second = world.publish("second", flow(once, "start.next both, both.next ask"))
    happen(world, NOW, track("u0", "go"))
    drain(world, NOW + MINUTE, 1)
    drain(world, NOW + 2 * MINUTE, 1)
    assert became(world, first) == {"u0": [("end", "completed", "end")]}
    assert became(world, second) == {"u0": [("ask", "completed", "ask.yes")]}


def test_a_wait_that_begins_and_ends_before_another_ends_is_over_before_it_though_both_are_late(world: World) -> None:
    twice = {"start": START, "one": wait(1), "two": wait(1), "mark": MARK, "end": END}
    world.publish("first", flow(twice, "start.next one, one.next two, two.next mark, mark.next end"))
    once = {"start": START, "both": wait(3), "ask": ASK}
    second = world.publish("second", flow(once, "start.next both, both.next ask"))
    happen(world, NOW, track("u0", "go"))
    drain(world, NOW + 4 * MINUTE, 1_000)
    assert became(world, second) == {"u0": [("ask", "completed", "ask.yes")]}
    assert moments(world, second)["u0"][0]["ask"] == NOW + 3 * MINUTE


def test_a_late_wait_sees_nothing_that_arrived_after_its_end(world: World) -> None:
    asks = ("condition", {"rule": {"event": "seen", "within": "PT1H"}})
    nodes = {"start": START, "one": wait(2), "ask": asks}
    journey = world.publish("main", flow(nodes, "start.next one, one.next ask"))
    happen(world, NOW, track("u0", "go"))
    seen = track("u0", "seen") | {"timestamp": (NOW + MINUTE).isoformat()}
    world.accept([seen], at=NOW + 3 * MINUTE)
    match.run(world.connection, world.plans, lanes=range(64), now=NOW + 4 * MINUTE, limit=100)
    drain(world, NOW + 4 * MINUTE, 1_000)
    assert became(world, journey) == {"u0": [("ask", "completed", "ask.no")]}


def test_a_late_wait_sees_nothing_that_arrived_after_its_end_though_it_was_read_long_before(world: World) -> None:
    asks = ("condition", {"rule": {"event": "seen", "within": "PT1H"}})
    journey = world.publish(
        "main", flow({"start": START, "one": wait(2), "ask": asks}, "start.next one, one.next ask", goal={"event": "x"})
    )
    happen(world, NOW, track("u0", "go"))
    seen = track("u0", "seen") | {"timestamp": (NOW + MINUTE).isoformat()}
    world.accept([seen], at=NOW + 3 * MINUTE)
    world.accept([track("u0", "x")], at=NOW + 3 * MINUTE)
    for _ in range(2):
        match.run(world.connection, world.plans, lanes=range(64), now=NOW + 4 * MINUTE, limit=1)
    assert became(world, journey) == {"u0": [("ask", "completed", "ask.no")]}


def test_a_late_wait_ends_before_somebody_is_let_in_elsewhere_after_it(world: World) -> None:
    asks = world.publish("asks", flow({"start": START, "one": wait(2), "ask": ASK}, "start.next one, one.next ask"))
    marks = {"start": ("entry.api", {}), "mark": MARK, "end": END}
    other = world.publish("marks", flow(marks, "start.next mark, mark.next end"))
    happen(world, NOW, track("u0", "go"))
    world.now = NOW + 3 * MINUTE
    world.enroll(other, "u0", {}, "once")
    match.run(world.connection, world.plans, lanes=range(64), now=NOW + 4 * MINUTE, limit=100)
    drain(world, NOW + 4 * MINUTE, 1_000)
    assert became(world, asks) == {"u0": [("ask", "completed", "ask.no")]}
    assert became(world, other) == {"u0": [("end", "completed", "end")]}


@pytest.mark.parametrize("waits", ["a1", "u1"])
def test_a_late_wait_ends_before_a_merge_that_arrived_after_it(world: World, waits: str) -> None:
    asks = world.publish("asks", flow({"start": START, "one": wait(2), "ask": ASK}, "start.next one, one.next ask"))
    marks = {"start": ("entry.event", {"event": "mark"}), "mark": MARK, "end": END}
    world.publish("marks", flow(marks, "start.next mark, mark.next end"))
    anonymous = {"type": "track", "anonymousId": "a1", "event": "go" if waits == "a1" else "mark"}
    happen(world, NOW, anonymous, track("u1", "mark" if waits == "a1" else "go"))
    joined = {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {}}
    world.accept([joined], at=NOW + 3 * MINUTE)
    while match.run(world.connection, world.plans, lanes=range(64), now=NOW + 4 * MINUTE, limit=1):
        pass
    drain(world, NOW + 4 * MINUTE, 1_000)
    assert became(world, asks) == {"u1": [("ask", "completed", "ask.no")]}
    assert moments(world, asks)["u1"][0]["ask"] == NOW + 2 * MINUTE


def test_journeys_keep_their_order_when_the_first_is_published_again(world: World) -> None:
    marks = {"start": START, "one": wait(2), "mark": MARK, "end": END}
    first = world.publish("first", flow(marks, "start.next one, one.next mark, mark.next end"))
    asks = {"start": START, "one": wait(2), "ask": ASK}
    second = world.publish("second", flow(asks, "start.next one, one.next ask"))
    world.publish(
        "first", flow({**marks, "same": MARK}, "start.next one, one.next mark, mark.next same, same.next end"), first
    )
    happen(world, NOW, track("u0", "go"))
    world.until(NOW + 2 * MINUTE)
    assert became(world, second) == {"u0": [("ask", "completed", "ask.yes")]}
