"""Caps, quiet hours and priority through the real stages: what went out when, what was lost to whom, what asked again."""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest

from app.database import transaction
from app.store.rows import Connection
from app.world import World
from nodes import catalog
from tests.stages.conftest import MORNING
from tests.stages.places import happen, identify, track

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ONE_A_DAY = {"caps": [{"limit": 1, "per": "day"}]}
NO_LOOP = {"fuse": {"marketing": 100}}
NIGHT = {"quiet": [{"from": "21:00", "to": "08:00"}]}


def sends(event: str, *, priority: int = 50, klass: str = "marketing", wait: str | None = None) -> dict[str, Any]:
    """Entry by an event, one in-app message, out."""
    nodes: list[dict[str, Any]] = [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": event}},
        {"id": "note", "type": "send.inapp", "version": 1, "settings": {"title": f"about {event}"}},
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ]
    edges = [{"from": "start", "port": "next", "to": "note"}, {"from": "note", "port": "next", "to": "end"}]
    if wait:
        nodes.insert(1, {"id": "wait", "type": "wait.duration", "version": 1, "settings": {"duration": wait}})
        edges[0]["to"] = "wait"
        edges.append({"from": "wait", "port": "next", "to": "note"})
    settings = {"reentry": {"mode": "after_exit"}, "message_class": klass, "priority": priority}
    return {"schema": 1, "settings": settings, "nodes": nodes, "edges": edges}


def happens(world: World, event: str, *users: str, at: datetime | None = None) -> None:
    happen(world, at or world.now, *(track(user, event) for user in users))


def lives(world: World, user: str, **traits: Any) -> None:
    happen(world, world.now, identify(user, **traits))


def messages(connection: Connection) -> list[tuple[int, datetime | None, str | None]]:
    """Status, when it was sent, and why not, in the order they were wanted."""
    return ask(connection, "SELECT status, sent_at, reason FROM message ORDER BY created_at, id")


def ask(connection: Connection, query: LiteralString) -> list[Any]:
    with transaction(connection):
        return connection.execute(query).fetchall()


def state(connection: Connection, journey: str) -> None:
    """Pause or resume by hand."""
    with transaction(connection):
        connection.execute("UPDATE journey SET status = %s", (journey,))
        connection.execute("UPDATE generation SET number = number + 1")


def test_the_second_message_of_a_day_is_lost_to_the_first_and_says_so_f103(
    world: World, connection: Connection
) -> None:
    first = world.publish("first", sends("a"))
    world.publish("second", sends("b"))
    world.allow(ONE_A_DAY)
    happens(world, "a", "u1", "u2")
    happens(world, "b", "u1", at=MORNING + HOUR)
    happens(world, "b", "u1", at=MORNING + 24 * HOUR)
    assert messages(connection) == [
        (2, MORNING, None),
        (2, MORNING, None),
        (4, None, f"lost to journey {first}: 1 per day"),
        (2, MORNING + 24 * HOUR, None),
    ]


def test_transactional_messages_pass_every_cap_f104(world: World, connection: Connection) -> None:
    world.publish("receipt", sends("a", klass="transactional"))
    world.allow(ONE_A_DAY | NIGHT)
    happens(world, "a", "u1")
    happens(world, "a", "u1", at=MORNING + 15 * HOUR)
    assert [status for status, _, _ in messages(connection)] == [2, 2]


@pytest.mark.parametrize("first_low", [True, False])
def test_two_journeys_in_one_window_the_higher_priority_wins_f105(
    world: World, connection: Connection, first_low: bool
) -> None:
    low, high = ("a", "b") if first_low else ("b", "a")
    numbers = {low: world.publish("low", sends("x", priority=10)), high: world.publish("high", sends("x", priority=90))}
    world.allow(ONE_A_DAY)
    happens(world, "x", "u1")
    found = ask(connection, "SELECT journey_id, status, reason FROM message")
    rows = {journey: (status, reason) for journey, status, reason in found}
    assert rows[numbers[high]] == (2, None)
    assert rows[numbers[low]] == (4, f"lost to journey {numbers[high]}: 1 per day")


def test_several_messages_of_one_journey_in_one_batch_count_against_each_other(
    world: World, connection: Connection
) -> None:
    world.publish("one", sends("a"))
    world.allow({"caps": [{"limit": 2, "per": "PT1H"}]})
    happens(world, "a", *["u1"] * 5)
    assert [status for status, _, _ in messages(connection)] == [2, 2, 4, 4, 4]


def test_at_night_it_waits_for_the_morning_of_the_person_p11(world: World, connection: Connection) -> None:
    world.publish("one", sends("a"))
    world.allow(NIGHT)
    lives(world, "shanghai", timezone="Asia/Shanghai")
    lives(world, "berlin", timezone="Europe/Berlin")
    at = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai, 15:00 in Berlin
    happens(world, "a", "shanghai", "berlin", at=at)
    assert sorted(status for status, _, _ in messages(connection)) == [2, 7]
    world.until(at + 24 * HOUR)
    assert sorted(sent for _, sent, _ in messages(connection) if sent) == [at, datetime(2026, 3, 3, 0, 0, tzinfo=UTC)]


def test_a_country_of_several_zones_is_written_to_only_when_it_is_day_in_all_of_them(
    world: World, connection: Connection
) -> None:
    world.publish("one", sends("a"))
    world.allow(NIGHT)
    lives(world, "u1", country="AU")  # Perth to Sydney, and Lord Howe with its half hours
    happens(world, "a", "u1", at=MORNING + 14 * HOUR)  # 22:00 UTC: 09:00 in Sydney, 06:00 in Perth
    world.until(MORNING + 48 * HOUR)
    ((_, sent, _),) = messages(connection)
    assert sent == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)  # 08:00 in Perth


def test_the_zone_is_the_persons_else_their_countrys_else_the_journeys_else_the_workspaces_f105(
    connection: Connection,
) -> None:
    world = World(connection, catalog(), timezone="Pacific/Auckland", start=MORNING)
    there = sends("a")
    there["settings"]["timezone"] = "America/New_York"
    journeys = {"there": world.publish("there", there), "none": world.publish("none", sends("b"))}
    world.allow({"quiet": [{"from": "09:00", "to": "08:00"}]})  # it is night but for the hour from eight to nine
    lives(world, "said", timezone="Europe/Berlin", country="JP")
    lives(world, "country", timezone="Middle/Earth", country="JP")
    lives(world, "silent")
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # 13:00, 21:00, 07:00 and 01:00 of the day after
    happens(world, "a", "said", "country", "silent", at=at)
    happens(world, "b", "said", "country", "silent", at=at)
    world.until(at + 48 * HOUR)
    rows = ask(
        connection,
        "SELECT i.value, m.journey_id, m.sent_at FROM message m JOIN identity i USING (workspace_id, contact_id)",
    )
    berlin, tokyo = datetime(2026, 3, 3, 7, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert {(user, journey): sent for user, journey, sent in rows} == {
        ("said", journeys["there"]): berlin,
        ("said", journeys["none"]): berlin,
        ("country", journeys["there"]): tokyo,
        ("country", journeys["none"]): tokyo,
        ("silent", journeys["there"]): datetime(2026, 3, 2, 13, tzinfo=UTC),
        ("silent", journeys["none"]): datetime(2026, 3, 2, 19, tzinfo=UTC),
    }


def test_deferred_messages_of_one_morning_are_asked_by_priority(world: World, connection: Connection) -> None:
    low = world.publish("low", sends("a", priority=10))
    high = world.publish("high", sends("b", priority=90))
    world.allow(ONE_A_DAY | NIGHT)
    happens(world, "a", "u1", at=MORNING + 14 * HOUR)
    happens(world, "b", "u1", at=MORNING + 15 * HOUR)
    world.until(MORNING + 48 * HOUR)
    found = ask(connection, "SELECT journey_id, status, reason FROM message ORDER BY journey_id")
    assert found == [(low, 4, f"lost to journey {high}: 1 per day"), (high, 2, None)]


def test_over_a_cap_that_defers_it_goes_out_when_there_is_room(world: World, connection: Connection) -> None:
    world.publish("one", sends("a"))
    world.allow({"caps": [{"limit": 1, "per": "PT6H", "over": "defer"}]})
    happens(world, "a", "u1")
    happens(world, "a", "u1", at=MORNING + HOUR)
    world.until(MORNING + 24 * HOUR)
    assert [sent for _, sent, _ in messages(connection)] == [MORNING, MORNING + 6 * HOUR]


def test_a_message_that_could_not_be_sent_takes_nobody_s_place(world: World, connection: Connection) -> None:
    broken = sends("a")
    broken["nodes"][1]["settings"]["title"] = (
        "{{ contact.name | upcase }}{% if entry.properties.n > 0 %}{{ contact.nothing }}{% endif %}"
    )
    world.publish("broken", broken)
    world.publish("sound", sends("b"))
    world.allow(ONE_A_DAY)
    happen(world, world.now, track("u1", "a", n=1))
    happens(world, "b", "u1", at=MORNING + HOUR)
    assert [status for status, _, _ in messages(connection)] == [3, 2]


def test_who_opts_out_while_a_message_waits_for_the_morning_gets_none_q10(world: World, connection: Connection) -> None:
    world.publish("one", sends("a"))
    world.allow(NIGHT)
    happens(world, "a", "u1", at=MORNING + 15 * HOUR)
    connection.execute('UPDATE contact SET consents = \'{"inapp": {"marketing": false}}\'')
    connection.commit()
    world.until(MORNING + 48 * HOUR)
    assert [(status, reason) for status, _, reason in messages(connection)] == [(4, "opted_out")]


def test_nothing_of_a_paused_journey_asks_again_until_it_goes_on(world: World, connection: Connection) -> None:
    world.publish("one", sends("a"))
    world.allow(NIGHT)
    happens(world, "a", "u1", at=MORNING + 15 * HOUR)
    state(connection, "paused")
    world.until(MORNING + 48 * HOUR)
    assert [status for status, _, _ in messages(connection)] == [7]
    state(connection, "live")
    world.still()
    assert [(status, sent) for status, sent, _ in messages(connection)] == [(2, MORNING + 48 * HOUR)]


def test_policies_hold_from_the_next_batch_on_and_can_be_lifted(world: World, connection: Connection) -> None:
    world.publish("one", sends("a"))
    world.allow(NO_LOOP)
    happens(world, "a", "u1")
    happens(world, "a", "u1", at=MORNING + MINUTE)
    world.allow(ONE_A_DAY | NO_LOOP)
    happens(world, "a", "u1", at=MORNING + 2 * MINUTE)
    happens(world, "a", "u1", at=MORNING + 3 * MINUTE)
    world.allow(NO_LOOP)
    happens(world, "a", "u1", at=MORNING + 4 * MINUTE)
    assert [status for status, _, _ in messages(connection)] == [2, 2, 2, 4, 2]
