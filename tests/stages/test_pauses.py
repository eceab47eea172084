"""Pause and resume: four ways, the number that would go out at once, a spread; nothing is let in or bombarded afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from app import pausing
from app.database import transaction
from app.pausing import AtOnce, Mode
from app.store.rows import Connection
from app.world import World
from tests.stages.conftest import MORNING
from tests.stages.places import became, desk, flow, happen, track

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = ("entry.event", {"event": "came"})
PAUSE = ("wait.duration", {"duration": "P1D"})
NODES: dict[str, Any] = {
    "start": START,
    "wait": PAUSE,
    "note": ("send.inapp", {"title": "one"}),
    "again": PAUSE,
    "more": ("send.inapp", {"title": "two"}),
    "last": PAUSE,
    "end": ("exit", {}),
}
FLOW = flow(NODES, "start.next wait, wait.next note, note.next again, again.next more, more.next last, last.next end")
USERS = [f"u{n}" for n in range(10)]


def sent(connection: Connection) -> list[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute("SELECT node, status, sent_at, reason FROM message ORDER BY node, sent_at").fetchall()


def pause(world: World, journey: int, mode: Mode = "freeze") -> None:
    with transaction(world.connection):
        pausing.pause(desk(world), journey, mode)


def resume(world: World, journey: int, mode: Mode | None = None, spread: timedelta = timedelta()) -> None:
    with transaction(world.connection):
        pausing.resume(desk(world), journey, mode, spread)
    world.still()


def a_fortnight(world: World, mode: Mode = "freeze") -> int:
    """Ten people come, the journey is paused two hours later, and 14 days pass."""
    journey = world.publish("one", FLOW)
    happen(world, world.now, *(track(user, "came") for user in USERS))
    world.until(MORNING + 2 * HOUR)
    pause(world, journey, mode)
    world.until(MORNING + 14 * DAY)
    world.still()
    return journey


def test_after_a_frozen_pause_nobody_is_bombarded_and_the_order_is_kept_q05_f14(
    world: World, connection: Connection
) -> None:
    journey = a_fortnight(world)
    resume(world, journey)
    assert sent(connection) == []
    world.until(MORNING + 20 * DAY)
    shift = 14 * DAY - 2 * HOUR
    assert sent(connection) == [
        *[("more", 2, MORNING + 2 * DAY + shift, None)] * 10,
        *[("note", 2, MORNING + DAY + shift, None)] * 10,
    ]


def test_sending_late_sends_what_is_due_once_and_waits_on_from_now_q05(world: World, connection: Connection) -> None:
    journey = a_fortnight(world, "late")
    resume(world, journey)
    assert sent(connection) == [("note", 2, MORNING + 14 * DAY, None)] * 10
    world.until(MORNING + 14 * DAY + 23 * HOUR)
    assert len(sent(connection)) == 10  # the second of the overdue steps comes a day later, not along
    world.until(MORNING + 15 * DAY)
    assert len(sent(connection)) == 20


def test_skipping_sends_nothing_of_what_fell_due_and_says_so(world: World, connection: Connection) -> None:
    journey = a_fortnight(world, "skip")
    resume(world, journey)
    assert sent(connection) == [("note", 4, None, "pause: skipped")] * 10
    world.until(MORNING + 15 * DAY)
    assert [row[:2] for row in sent(connection)] == [("more", 2)] * 10 + [("note", 4)] * 10


@pytest.mark.parametrize("when", ["pause", "resume"])
def test_leaving_takes_everybody_out_at_the_pause_or_at_its_end(
    world: World, connection: Connection, when: str
) -> None:
    journey = a_fortnight(world, "exit" if when == "pause" else "freeze")
    if when == "resume":
        assert {walks[0][1] for walks in became(world, journey).values()} <= {"active", "held"}
        resume(world, journey, "exit")
    assert {walks[0] for walks in became(world, journey).values()} == {("wait", "exited", "manual")}
    assert sent(connection) == []


def test_a_resume_says_before_how_many_messages_would_go_out_at_once_q05(world: World) -> None:
    journey = a_fortnight(world)
    happen(world, world.now, track("u0", "nothing"))
    with transaction(world.connection):
        seen = pausing.outlook(desk(world), journey)
    assert seen.mode == "freeze"
    assert seen.at_once == {
        "freeze": AtOnce(0, 0),
        "late": AtOnce(10, 10),
        "skip": AtOnce(10, 0),
        "exit": AtOnce(0, 0),
    }


@pytest.mark.parametrize(("asked", "given"), [(2 * HOUR, 2 * HOUR), (30 * DAY, 7 * DAY)])
def test_a_resume_spreads_what_is_due_over_the_time_it_is_given_but_a_week_at_most_q05(
    world: World, connection: Connection, asked: timedelta, given: timedelta
) -> None:
    journey = a_fortnight(world, "late")
    resume(world, journey, spread=asked)
    now = world.now
    assert len(sent(connection)) <= 1
    world.until(now + given)
    moments = [row[2] for row in sent(connection) if row[0] == "note"]
    assert len(moments) == len(set(moments)) == 10
    assert now <= min(moments) <= max(moments) < now + given
    # Who came one after the other is a 997th of the time apart.
    assert abs(max(moments) - min(moments) - 9 * given / 997) < timedelta(seconds=1)


def test_skipping_leaves_alone_what_is_due_only_later(world: World, connection: Connection) -> None:
    journey = world.publish("one", FLOW)
    happen(world, world.now, track("u0", "came"), track("u1", "came"))
    world.until(MORNING + DAY)
    pause(world, journey, "skip")
    with transaction(connection):
        connection.execute("UPDATE message SET status = 0, sent_at = NULL, due_at = %s", (MORNING + 3 * DAY,))
        connection.execute("UPDATE message SET due_at = %s WHERE id = (SELECT min(id) FROM message)", (world.now,))
    world.until(MORNING + DAY + HOUR)
    resume(world, journey)
    assert sorted(row[:2] for row in sent(connection)) == [("note", 0), ("note", 4)]
    world.until(MORNING + 3 * DAY)
    assert sorted(row[1] for row in sent(connection) if row[0] == "note") == [2, 4]


def test_a_clock_put_back_during_the_pause_moves_nobody_into_the_past(world: World, connection: Connection) -> None:
    journey = world.publish("one", FLOW)
    happen(world, world.now, *(track(user, "came") for user in USERS))
    world.until(MORNING + 2 * HOUR)
    pause(world, journey)
    world.now = MORNING + HOUR
    resume(world, journey)
    world.until(MORNING + 5 * DAY)
    assert {row[2] for row in sent(connection)} == {MORNING + DAY, MORNING + 2 * DAY}


def test_who_comes_while_it_is_paused_or_not_published_is_not_let_in_later_q06(world: World) -> None:
    world.accept([track("early", "came")], at=world.now)  # taken in before, read after the publishing
    world.now += HOUR
    journey = world.publish("one", FLOW)
    world.still()
    happen(world, world.now, track("u0", "came"))
    pause(world, journey)
    happen(world, world.now + HOUR, track("u1", "came"))
    world.accept([track("u2", "came")], at=world.now)  # read only after the resume
    world.now += HOUR
    resume(world, journey)
    happen(world, world.now, track("u3", "came"))
    assert sorted(became(world, journey)) == ["u0", "u3"]


def test_a_schedule_that_falls_due_in_a_pause_is_not_made_up_for_q06(world: World) -> None:
    world.accept([{"type": "identify", "userId": "u0", "traits": {"plan": "pro"}}], at=world.now)
    world.still()
    daily = {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"cron": "0 9 * * *"}}
    nodes = {"start": ("entry.segment", daily), "wait": PAUSE, "end": ("exit", {})}
    journey = world.publish("one", flow(nodes, "start.next wait, wait.next end", reentry={"mode": "after_exit"}))
    pause(world, journey)
    world.until(MORNING + 12 * HOUR)
    resume(world, journey)
    assert became(world, journey) == {}
    world.until(MORNING + DAY + 2 * HOUR)
    assert [walk[1] for walk in became(world, journey)["u0"]] == ["active"]


def test_who_joins_an_audience_in_a_pause_is_not_new_afterwards_q06(world: World) -> None:
    joins = {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"on": "join"}}
    nodes = {"start": ("entry.segment", joins), "wait": PAUSE, "end": ("exit", {})}
    journey = world.publish("one", flow(nodes, "start.next wait, wait.next end"))
    world.until(MORNING + HOUR)
    pause(world, journey)
    world.accept([{"type": "identify", "userId": "u0", "traits": {"plan": "pro"}}], at=world.now)
    world.until(MORNING + 2 * HOUR)
    resume(world, journey)
    world.accept([{"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}], at=world.now)
    world.until(MORNING + 3 * HOUR)
    assert sorted(became(world, journey)) == ["u1"]
