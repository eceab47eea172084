"""What plans do to sends and runs: a budget that is never overrun, a one-off that runs once; and what is counted of them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from app import progress, reckoning
from app.database import connect, transaction
from app.lanes import ALL_LANES
from app.measuring import progress_of
from app.plans import Plans
from app.progress import Progress, Span
from app.stages import match
from app.store import lists, plans, tallies
from app.store.rows import Connection
from app.world import World
from nodes import catalog
from tests.stages.conftest import MORNING
from tests.stages.counting import counted
from tests.stages.places import flow, happen, people, track

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTE = flow(
    {"start": ("entry.event", {"event": "came"}), "note": ("send.inapp", {"title": "one"}), "end": ("exit", {})},
    "start.next note, note.next end",
    reentry={"mode": "after_exit"},
)
URGENT = {**NOTE, "settings": {**NOTE["settings"], "message_class": "transactional"}}


def budget(amount: float, over: str = "hold", **more: Any) -> dict[str, Any]:
    return {"budget": {"amount": amount, "currency": "CNY", "costs": {"inapp": 0.1}, "over": over}, **more}


def plan(world: World, details: dict[str, Any], *journeys: int) -> int:
    with transaction(world.connection):
        written = plans.Written("spring", "retain", {"target": "", "cadence": "long_running", **details})
        id = plans.add(world.connection, world.workspace_id, written, "operator", world.now).id
        lists.move(world.connection, world.workspace_id, list(journeys), id)
    return id


def fates(connection: Connection) -> dict[tuple[int, str | None], int]:
    with transaction(connection):
        rows = connection.execute("SELECT status, reason, count(*) FROM message GROUP BY 1, 2").fetchall()
    return {(status, reason): count for status, reason, count in rows}


def spent(connection: Connection) -> list[Decimal]:
    with transaction(connection):
        return [row[0] for row in connection.execute("SELECT committed FROM plan_spending").fetchall()]


def count(world: World, now: datetime | None = None) -> int:
    with transaction(world.connection):
        return reckoning.reckon(world.connection, world.plans.catalog, now or world.now)


def stand(world: World, id: int, now: datetime | None = None) -> Progress:
    with transaction(world.connection):
        row = plans.find(world.connection, world.workspace_id, id)
        assert row is not None
        return progress_of(world.connection, world.workspace_id, [row], now or world.now)[id]


def test_a_plan_over_its_budget_holds_back_marketing_to_the_cent_and_says_why(
    world: World, connection: Connection
) -> None:
    plan(world, budget(0.7), world.publish("one", NOTE))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(5)))
    happen(world, MORNING + HOUR, *(track(f"u{n}", "came") for n in range(5)))
    assert fates(connection) == {(2, None): 7, (4, "plan over budget"): 3}
    assert spent(connection) == [Decimal("0.7")]


def test_transactional_messages_are_paid_for_and_never_held(world: World, connection: Connection) -> None:
    plan(world, budget(0.3), world.publish("urgent", URGENT), world.publish("one", NOTE))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(4)))
    assert fates(connection) == {(2, None): 4, (4, "plan over budget"): 4}
    assert spent(connection) == [Decimal("0.4")]


def test_a_plan_that_only_warns_holds_nothing(world: World, connection: Connection) -> None:
    id = plan(world, budget(0.1, "warn"), world.publish("one", NOTE))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(5)))
    assert fates(connection) == {(2, None): 5}
    assert count(world) == 1
    assert (stand(world, id).spent, stand(world, id).committed) == (0.5, 0.5)


def test_journeys_of_other_plans_and_of_none_are_not_held(world: World, connection: Connection) -> None:
    plan(world, budget(0.1), world.publish("one", NOTE))
    plan(world, budget(9), world.publish("two", NOTE))
    world.publish("three", NOTE)
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(5)))
    assert fates(connection) == {(2, None): 11, (4, "plan over budget"): 4}


def test_a_message_the_caps_refuse_costs_nothing_and_one_the_budget_refuses_takes_no_place_under_a_cap(
    world: World, connection: Connection
) -> None:
    world.allow({"caps": [{"limit": 1, "per": "day"}]})
    first = plan(world, budget(0.2), world.publish("one", NOTE))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(4)))
    assert fates(connection) == {(2, None): 2, (4, "plan over budget"): 2}
    happen(world, MORNING + HOUR, *(track(f"u{n}", "came") for n in range(2)))  # those two had theirs today
    assert spent(connection) == [Decimal("0.2")]
    with transaction(connection):
        kept = connection.execute("SELECT count(*) FROM sending").fetchone()
    assert kept == (2,)
    count(world)
    assert stand(world, first).committed == 0.2


def test_money_for_messages_that_never_went_out_comes_back_with_the_next_count(
    world: World, connection: Connection
) -> None:
    journey = world.publish("one", NOTE)
    plan(world, budget(0.2), journey)
    world.accept([track(f"u{n}", "came") for n in range(2)], at=MORNING)
    while match.run(connection, world.plans, lanes=ALL_LANES, now=MORNING, limit=100):
        pass
    with transaction(connection):
        connection.execute(
            "INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)"
            " SELECT workspace_id, journey_id, version_id, node, '!suppressed:opted_out', minute, 1 FROM tally"
            " WHERE port = '!message' LIMIT 1"
        )
    assert spent(connection) == [Decimal("0.2")]
    count(world)
    assert spent(connection) == [Decimal("0.1")]


def test_two_workers_at_once_do_not_overrun_a_budget(world: World, connection: Connection, database_url: str) -> None:
    """Each takes its own lanes; the purse is one row, and whoever comes second sees what the first has taken."""
    journey = world.publish("one", NOTE)
    plan(world, budget(5), journey)
    ids = people(world, 200)
    del ids
    world.accept([track(f"u{n}", "came") for n in range(200)], at=MORNING)
    failed: list[BaseException] = []

    def work(lanes: range) -> None:
        try:
            with connect(database_url) as own:
                mine = Plans(catalog())
                while match.run(own, mine, lanes=list(lanes), now=MORNING, limit=10):
                    pass
        except BaseException as error:  # noqa: BLE001 told by the test's own thread
            failed.append(error)

    threads = [Thread(target=work, args=(range(32),)), Thread(target=work, args=(range(32, 64),))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert fates(connection) == {(0, None): 50, (4, "plan over budget"): 150}
    assert spent(connection) == [Decimal(5)]


def test_what_holds_no_budget_costs_no_statement(world: World, connection: Connection) -> None:
    plan(world, budget(1, "warn"), world.publish("one", NOTE))
    happen(world, MORNING, track("u1", "came"))
    assert spent(connection) == []


def test_a_one_off_plan_refuses_a_second_run(world: World, connection: Connection) -> None:
    people(world, 5)
    daily = flow(
        {
            "start": ("entry.segment", {"schedule": {"cron": "0 12 * * *"}, "rule": {"not": {"tag": "x"}}}),
            "end": ("exit", {}),
        },
        "start.next end",
        reentry={"mode": "after_exit"},
    )
    once, always = world.publish("once", daily), world.publish("always", daily)
    plan(world, {"cadence": "one_off"}, once)
    world.until(MORNING + 3 * DAY)
    with transaction(connection):
        runs = connection.execute("SELECT journey_id, count(*) FROM run GROUP BY 1 ORDER BY 1").fetchall()
    assert runs == [(once, 1), (always, 3)]


GOAL = flow(
    {"start": ("entry.event", {"event": "came"}), "wait": ("wait.duration", {"duration": "P30D"}), "end": ("exit", {})},
    "start.next wait, wait.next end",
    goal={"event": "bought"},
)


def measure(metric: str, value: float = 10, **more: Any) -> dict[str, Any]:
    says = {"metric": metric, "baseline": 0, "value": value, "deadline": "2026-03-11", **more}
    return {"measure": says, "starts_on": "2026-03-02"}


def a_week(world: World) -> None:
    """Ten come on the first day; one of them buys on each of the next four, one of these twice; a stranger buys, too."""
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(10)))
    for day in range(1, 5):
        happen(world, MORNING + day * DAY, track(f"u{day}", "bought", amount=10 * day))
    happen(world, MORNING + 4 * DAY + HOUR, track("u1", "bought", amount=5), track("stranger", "bought", amount="free"))


@pytest.mark.parametrize(
    ("value", "today", "standing"),
    [
        (0, date(2026, 2, 27), "not_begun"),
        (3, date(2026, 3, 4), "on_course"),  # what was due by last night is there
        (3, date(2026, 3, 5), "behind"),
        (3, date(2026, 3, 10), "behind"),
        (3, date(2026, 3, 11), "missed"),
        (10, date(2026, 3, 5), "reached"),
        (12, date(2026, 3, 11), "reached"),
    ],
)
def test_a_plan_is_on_course_while_it_has_what_was_due_by_last_night(value: int, today: date, standing: str) -> None:
    assert standing_of(0, value, today) == standing


@pytest.mark.parametrize(
    ("value", "today", "standing"),
    [
        (0, date(2026, 2, 27), "not_begun"),
        (0, date(2026, 3, 1), "on_course"),
        (10, date(2026, 3, 10), "on_course"),
        (11, date(2026, 3, 5), "behind"),
        (10, date(2026, 3, 11), "reached"),
        (11, date(2026, 3, 11), "missed"),
    ],
)
def test_what_shall_fall_is_not_reached_before_its_days_are_over(value: int, today: date, standing: str) -> None:
    assert standing_of(20, value, today) == standing


def standing_of(baseline: int, value: int, today: date) -> str | None:
    """Of a plan that shall come to ten within ten days, of which the first day brought so many."""
    details = {"measure": {"metric": "event_people", "baseline": baseline, "value": 10}}
    reading = {"as_of": MORNING, "days": [["2026-03-01", value, 0]]}
    found = progress.progress(details, Span(date(2026, 3, 1), date(2026, 3, 10)), reading, today)
    assert found.days_left == (date(2026, 3, 10) - today).days
    return found.standing


@pytest.mark.parametrize(
    ("metric", "more", "value", "days"),
    [
        ("goal_people", {}, 4, [0, 1, 2, 3, 4]),
        ("goal_share", {}, 40, [0, 10, 20, 30, 40]),
        ("event_people", {"event": "bought"}, 5, [0, 1, 2, 3, 5]),
        ("revenue", {"event": "bought", "property": "amount"}, 105, [0, 10, 30, 60, 105]),
    ],
)
def test_a_target_is_counted_by_day(
    world: World, metric: str, more: dict[str, str], value: float, days: list[float]
) -> None:
    id = plan(world, measure(metric, **more), world.publish("one", GOAL))
    a_week(world)
    assert count(world) == 1
    found = stand(world, id)
    assert (found.value, [point.value for point in found.days]) == (value, days)
    assert (found.as_of, found.days_left) == (world.now, 5)


def test_an_absurd_amount_counts_as_none_and_stops_nobody_s_count(world: World) -> None:
    """One event of one workspace, of a size that no float holds, must not end the count of all plans."""
    id = plan(world, measure("revenue", event="bought", property="amount"), world.publish("one", GOAL))
    happen(world, MORNING, *(track(f"u{n}", "bought", amount=one) for n, one in enumerate((10**400, -1.7e308, 20))))
    assert count(world) == 1
    assert stand(world, id).value == 20


def test_folded_and_fresh_counts_are_the_same_target(world: World, connection: Connection) -> None:
    id = plan(world, measure("goal_people"), world.publish("one", GOAL))
    a_week(world)
    count(world)
    before = stand(world, id)
    with transaction(connection):
        while tallies.fold(connection, world.now + DAY):
            pass
    count(world, world.now + 2 * timedelta(minutes=1))
    assert [*stand(world, id).days] == [*before.days]


def test_clicked_messages_are_a_share_of_those_that_went_out(world: World, connection: Connection) -> None:
    id = plan(world, measure("click_share", 50), world.publish("one", NOTE))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(4)))
    with transaction(connection):
        connection.execute(
            "INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)"
            " SELECT workspace_id, journey_id, version_id, node, '!clicked', minute, 1 FROM tally WHERE port = '!sent'"
        )
    count(world)
    assert (stand(world, id).value, stand(world, id).percent) == (25, 50)


def test_only_what_falls_into_the_plan_s_days_counts_and_a_passed_deadline_stops_the_count(world: World) -> None:
    late = measure("event_people", event="bought") | {"starts_on": "2026-03-04"}
    late["measure"]["deadline"] = "2026-03-05"
    id = plan(world, late, world.publish("one", GOAL))
    a_week(world)
    world.until(MORNING + 8 * DAY)
    count(world)
    found = stand(world, id)
    assert [(point.day, point.value) for point in found.days] == [(date(2026, 3, 4), 1), (date(2026, 3, 5), 2)]
    assert (found.standing, found.days_left) == ("missed", -5)


def test_what_rollups_know_is_counted_every_minute_and_the_history_rarely(world: World) -> None:
    journey = world.publish("one", GOAL)
    plan(world, measure("goal_people"), journey)
    plan(world, measure("event_people", event="bought"))
    assert [count(world, world.now + minutes * timedelta(minutes=1)) for minutes in (0, 0.5, 1, 2, 10)] == [
        2,
        0,
        1,
        1,
        2,
    ]


def test_two_processes_do_not_count_at_once(world: World, database_url: str) -> None:
    plan(world, measure("goal_people"))
    with connect(database_url) as other, transaction(other):
        assert reckoning.reckon(other, world.plans.catalog, world.now) == 1
        assert count(world, world.now + HOUR) == 0


def test_a_hundred_plans_are_counted_in_as_many_statements_as_one(world: World, connection: Connection) -> None:
    plan(world, measure("goal_people") | budget(3))
    plan(world, measure("event_people", event="bought"))
    with counted(connection) as one:
        assert count(world) == 2
    for _ in range(20):
        plan(world, measure("goal_people") | budget(3))
        plan(world, measure("event_people", event="bought"))
    with counted(connection) as many:
        assert count(world, world.now + HOUR) == 42
    assert len(many) == len(one)
