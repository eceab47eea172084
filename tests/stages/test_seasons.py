"""Seasonal journeys override permanent ones by a declared rule: who is kept out and why, what is paused, when it ends."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app import pausing, publishing, seasonal, seasons
from app.database import transaction
from app.publishing import RefusedError
from app.store import journeys, lists, plans
from app.store.rows import Connection
from app.world import World
from flows import document as documents
from tests.stages.conftest import MORNING
from tests.stages.places import became, desk, flow, happen, people, track

DAY = timedelta(days=1)
ALWAYS: dict[str, Any] = {
    "start": ("entry.event", {"event": "came"}),
    "wait": ("wait.duration", {"duration": "P1D"}),
    "end": ("exit", {}),
}
WIRES = "start.next wait, wait.next end"
TOMORROW, AFTER = "2026-03-03", "2026-03-04"


def always(**settings: Any) -> dict[str, Any]:
    return flow(ALWAYS, WIRES, **settings)


def sale(*overrides: int, how: str = "keep_out", **more: Any) -> dict[str, Any]:
    season = {"starts_on": TOMORROW, "ends_on": AFTER, "journeys": list(overrides), "how": how, **more}
    return flow({"start": ("entry.api", {}), "end": ("exit", {})}, "start.next end", season=season)


def away(connection: Connection) -> list[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute(
            "SELECT journey_id, reason, at, times FROM turned_away ORDER BY journey_id"
        ).fetchall()


def status(world: World, journey: int) -> tuple[str, str | None]:
    with transaction(world.connection):
        found = journeys.find(world.connection, world.workspace_id, journey)
    assert found is not None
    return found.status, found.pause_reason


def test_who_is_kept_out_by_a_season_has_the_reason_and_may_come_afterwards(
    world: World, connection: Connection
) -> None:
    permanent = world.publish("always", always())
    by = world.publish("sale", sale(permanent))
    happen(world, MORNING + DAY, track("u1", "came"))
    happen(world, MORNING + DAY + timedelta(hours=1), track("u1", "came"))
    assert became(world, permanent) == {}
    assert away(connection) == [(permanent, f"overridden by journey {by}", MORNING + DAY + timedelta(hours=1), 2)]
    happen(world, MORNING + 3 * DAY, track("u1", "came"))
    assert became(world, permanent) == {"u1": [("wait", "active", None)]}


def test_a_journey_that_was_stopped_overrides_nobody_any_more(world: World, connection: Connection) -> None:
    permanent = world.publish("always", always())
    by = world.publish("sale", sale(permanent))
    with transaction(connection):
        pausing.stop(desk(world), by)
    happen(world, MORNING + DAY, track("u1", "came"))
    assert sorted(became(world, permanent)) == ["u1"]
    assert away(connection) == []


def test_an_older_version_s_season_overrides_nobody_though_people_are_on_it_still(world: World) -> None:
    permanent = world.publish("always", always())
    inside = {"starts_on": TOMORROW, "ends_on": AFTER, "journeys": [permanent], "how": "keep_out"}
    by = world.publish("sale", always(season={**inside, "starts_on": "2026-03-01"}))
    happen(world, MORNING, track("u0", "came"))
    assert sorted(became(world, by)) == ["u0"]
    assert became(world, permanent) == {}
    world.publish("", flow({"start": ("entry.api", {}), "end": ("exit", {})}, "start.next end"), by)
    happen(world, MORNING + timedelta(hours=1), track("u1", "came"))
    assert sorted(became(world, permanent)) == ["u1"]


def test_a_blast_in_another_s_season_lets_nobody_in_and_counts_them(world: World, connection: Connection) -> None:
    people(world, 40)
    blast = flow(
        {
            "start": ("entry.segment", {"schedule": {"at": "2026-03-03T12:00:00Z"}, "rule": {"not": {"tag": "x"}}}),
            "end": ("exit", {}),
        },
        "start.next end",
    )
    permanent = world.publish("blast", blast)
    world.publish("sale", sale(permanent))
    world.until(MORNING + 3 * DAY)
    assert became(world, permanent) == {}
    assert len(away(connection)) == 40
    with transaction(connection):
        counted = connection.execute("SELECT port, sum(count) FROM tally WHERE node = '' GROUP BY 1").fetchall()
    assert counted == [(f"!kept out:overridden by journey {permanent + 1}", 40)]


def test_a_season_may_override_a_whole_plan_but_never_itself(world: World, connection: Connection) -> None:
    with transaction(connection):
        written = plans.Written("retain them", "retain", {})
        plan = plans.add(connection, world.workspace_id, written, "operator", world.now).id
    first, second = world.publish("one", always()), world.publish("two", always())
    by = world.publish("sale", {**sale(plans=[plan]), "nodes": always()["nodes"], "edges": always()["edges"]})
    with transaction(connection):
        lists.move(connection, world.workspace_id, [first, second, by], plan)
    happen(world, MORNING + DAY, track("u1", "came"))
    assert became(world, first) == became(world, second) == {}
    assert became(world, by) == {"u1": [("wait", "active", None)]}


def test_a_paused_one_stands_still_and_goes_on_by_itself(world: World) -> None:
    permanent = world.publish("always", always())
    happen(world, MORNING, track("u1", "came"))
    by = world.publish("sale", sale(permanent, how="pause"))
    world.until(MORNING + DAY)
    assert status(world, permanent) == ("paused", f"season: journey {by}")
    assert became(world, permanent)["u1"][0][:2] == ("wait", "held")
    world.until(MORNING + 3 * DAY)
    assert status(world, permanent) == ("live", None)
    # Sixteen hours were over when it began; what was left of the day came after it.
    assert became(world, permanent)["u1"][0][:2] == ("end", "completed")


def test_a_paused_season_releases_what_it_overrides(world: World) -> None:
    permanent = world.publish("always", always())
    by = world.publish("sale", sale(permanent, how="pause"))
    world.until(MORNING + DAY)
    with transaction(world.connection):
        pausing.pause(desk(world), by)
    world.still()
    assert status(world, permanent) == ("live", None)


def test_what_a_person_paused_no_season_resumes(world: World) -> None:
    permanent = world.publish("always", always())
    with transaction(world.connection):
        pausing.pause(desk(world), permanent)
    world.publish("sale", sale(permanent, how="pause"))
    world.until(MORNING + 5 * DAY)
    assert status(world, permanent) == ("paused", None)


def test_nobody_resumes_by_hand_what_a_season_pauses(world: World) -> None:
    permanent = world.publish("always", always())
    by = world.publish("sale", sale(permanent, how="pause"))
    world.until(MORNING + DAY)
    with (
        pytest.raises(RefusedError, match=f"The season of journey {by} pauses this one"),
        transaction(world.connection),
    ):
        pausing.resume(desk(world), permanent)


def test_two_that_override_each_other_do_not_take_turns(world: World) -> None:
    """A circle cannot be drawn; one that comes about later, by moving journeys between plans, stands still for the season."""
    first = world.publish("one", sale(how="pause"))
    second = world.publish("two", sale(first, how="pause"))
    with transaction(world.connection):
        raw = json.dumps({"starts_on": TOMORROW, "ends_on": AFTER, "journeys": [second], "how": "pause"})
        world.connection.execute("UPDATE version SET season = %s::jsonb WHERE journey_id = %s", (raw, first))
    world.until(MORNING + DAY)
    assert [status(world, one)[0] for one in (first, second)] == ["paused", "paused"]
    assert not seasonal.turn(world.connection, world.plans.catalog, world.now)
    world.until(MORNING + 3 * DAY)
    assert [status(world, one)[0] for one in (first, second)] == ["live", "live"]


def found(world: World, journey: int, document: dict[str, Any]) -> list[tuple[str | None, str]]:
    with transaction(world.connection):
        problems = seasons.problems(world.connection, world.workspace_id, journey, documents.load(document))
    return [(one.field, one.text) for one in problems]


def test_a_season_that_makes_no_sense_is_refused_with_its_field(world: World) -> None:
    first = world.publish("first", always())
    second = world.publish("second", sale(first))
    assert found(world, first, sale(first)) == [("settings.season.journeys", "The journey overrides itself")]
    assert found(world, first, sale(99)) == [
        ("settings.season.journeys", "The season overrides journey 99, which does not exist")
    ]
    assert found(world, first, sale(plans=[7])) == [
        ("settings.season.plans", "The season overrides plan 7, which does not exist")
    ]
    assert found(world, first, sale(second)) == [
        ("settings.season", "Journeys override each other in a circle in the same days: second → first")
    ]
    assert (
        found(
            world,
            first,
            sale(second)
            | {"settings": {"season": {"starts_on": "2026-06-01", "ends_on": "2026-06-02", "journeys": [second]}}},
        )
        == []
    )


def test_an_empty_or_past_season_is_told_of_before_it_is_published(world: World) -> None:
    backwards = sale()
    backwards["settings"]["season"]["ends_on"] = "2026-03-01"
    with transaction(world.connection):
        journey = publishing.create(desk(world), "backwards", backwards).id
        assert [one.text for one in publishing.check(desk(world), journey).problems] == [
            "The season ends before it begins"
        ]
        with pytest.raises(RefusedError):
            publishing.submit(desk(world), journey)
    world.until(MORNING + 9 * DAY)
    with transaction(world.connection):
        journey = publishing.create(desk(world), "past", sale()).id
        problems = publishing.check(desk(world), journey).problems
    assert [(one.severity, one.text) for one in problems] == [("warning", "The season is over: nobody will come in")]
