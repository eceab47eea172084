"""What a reviewer bound an approval to, in the engine: at most so many people enter, and nobody before the moment."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app.database import transaction
from app.lanes import ALL_LANES
from app.stages import enroll
from app.store import admissions
from app.world import World
from flows.conditions import OVER, Conditions
from tests.stages.places import became, flow, happen, identify, moments, people, track

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = ("exit", {})
BLAST = {"schedule": {"at": "2026-03-02T09:00:00Z"}}


def entering(kind: str, own: dict[str, object], **settings: object) -> dict[str, object]:
    return flow(
        {"start": (kind, own), "stay": ("wait.duration", {"duration": "P1D"}), "end": END},
        "start.next stay, stay.next end",
        **settings,
    )


def kept(world: World, journey: int) -> admissions.Fill | None:
    return admissions.fill(world.connection, world.workspace_id, journey)


def test_a_blast_stops_at_the_approved_cap_and_everybody_beyond_it_is_kept_with_the_reason(world: World) -> None:
    people(world, 300)
    journey = world.publish("main", entering("entry.schedule", BLAST), bound=Conditions(entries_at_most=77))
    world.until(NOW + 2 * HOUR)
    assert len(became(world, journey)) == 77
    assert kept(world, journey) == (77, 77, 223)
    away = admissions.page(world.connection, world.workspace_id, journey, (0, ""), 1_000)
    assert len(away) == 223
    assert {(one.reason, one.version, one.times) for one in away} == {(OVER, 1, 1)}


@pytest.mark.parametrize("most", [1, 5, 40])
def test_a_blast_in_small_slices_over_several_workers_counts_exactly(world: World, most: int) -> None:
    people(world, 120)
    journey = world.publish("main", entering("entry.schedule", BLAST), bound=Conditions(entries_at_most=most))
    for turn in range(60):
        lanes = ALL_LANES[turn % 3 :: 3]
        enroll.run(world.connection, world.plans, lanes=lanes, now=NOW + HOUR, limit=2 * len(lanes))
    assert len(became(world, journey)) == most
    assert kept(world, journey) == (most, most, 120 - most)


def test_events_let_in_so_many_and_the_same_person_again_counts_again(world: World) -> None:
    document = entering("entry.event", {"event": "go"}, reentry={"mode": "after_exit"}, goal={"event": "done"})
    journey = world.publish("main", document, bound=Conditions(entries_at_most=3))
    happen(world, NOW, track("u0", "go"), track("u0", "done"), track("u0", "go"), track("u1", "go"), track("u2", "go"))
    happen(world, NOW + HOUR, track("u3", "go"), track("u1", "go"))
    walks = Counter({user: len(found) for user, found in became(world, journey).items()})
    assert walks.total() == 3
    assert kept(world, journey) == (3, 3, 2), "who is in already is not turned away"


def test_who_is_asked_in_by_the_api_is_counted_too(world: World) -> None:
    journey = world.publish("main", entering("entry.api", {}), bound=Conditions(entries_at_most=1))
    happen(world, NOW, identify("u0"), identify("u1"))
    for user in ("u0", "u1"):
        world.enroll(journey, user, {}, user)
    world.still()
    assert len(became(world, journey)) == 1
    assert kept(world, journey) == (1, 1, 1)


def test_the_next_version_has_the_cap_of_its_own_approval_and_lets_in_whom_the_last_turned_away(world: World) -> None:
    document = entering("entry.event", {"event": "go"})
    journey = world.publish("main", document, bound=Conditions(entries_at_most=1))
    happen(world, NOW, track("u0", "go"), track("u1", "go"), track("u2", "go"))
    world.publish("main", entering("entry.event", {"event": "go"}, priority=7), journey)
    happen(world, NOW + HOUR, *(track(f"u{n}", "go") for n in range(3)))
    assert {user: len(found) for user, found in became(world, journey).items()} == {"u0": 1, "u1": 1, "u2": 1}
    assert kept(world, journey) is None


def test_two_capped_journeys_on_one_event_fill_side_by_side(world: World) -> None:
    document = entering("entry.event", {"event": "go"})
    few = world.publish("few", document, bound=Conditions(entries_at_most=2))
    many = world.publish("many", document, bound=Conditions(entries_at_most=4))
    happen(world, NOW, *(track(f"u{n}", "go") for n in range(6)))
    assert [len(became(world, one)) for one in (few, many)] == [2, 4]


def test_a_batch_that_fails_gives_its_places_back(world: World) -> None:
    people(world, 10)
    journey = world.publish("main", entering("entry.schedule", BLAST), bound=Conditions(entries_at_most=4))
    world.until(NOW + HOUR, including=False)

    with transaction(world.connection):
        held = admissions.hold(world.connection, [(world.workspace_id, version) for version in versions(world)])
        admissions.take(world.connection, {(world.workspace_id, version): 3 for version in held})
        world.connection.rollback()  # the process dies
    assert set(held.values()) == {4}
    world.until(NOW + 2 * HOUR)
    assert kept(world, journey) == (4, 4, 6)


def versions(world: World) -> list[int]:
    return [id for (id,) in world.connection.execute("SELECT id FROM version").fetchall()]


def test_a_send_that_was_moved_happens_then_and_not_at_its_own_time(world: World) -> None:
    people(world, 3)
    later = NOW + 5 * HOUR
    journey = world.publish("main", entering("entry.schedule", BLAST), bound=Conditions(not_before=later))
    world.until(later - timedelta(seconds=1))
    assert became(world, journey) == {}
    world.until(later + HOUR)
    assert {walk["start"] for walks in moments(world, journey).values() for walk in walks} == {later}
    assert len(became(world, journey)) == 3


def test_a_send_set_for_a_time_after_the_moved_start_keeps_it(world: World) -> None:
    people(world, 3)
    early = Conditions(not_before=NOW + timedelta(minutes=10))
    journey = world.publish("main", entering("entry.schedule", BLAST), bound=early)
    world.until(NOW + 2 * HOUR)
    assert {walk["start"] for walks in moments(world, journey).values() for walk in walks} == {NOW + HOUR}


@pytest.mark.parametrize(
    ("kind", "own", "expected"),
    [
        ("entry.schedule", {"schedule": {"cron": "0 9 * * *"}}, [3]),
        ("entry.date", {"attribute": "day", "at": "09:00"}, [3]),
    ],
)
def test_nothing_repeated_fires_before_the_moved_start(
    world: World, kind: str, own: dict[str, object], expected: list[int]
) -> None:
    people(world, 1)
    happen(world, NOW, identify("u0", plan="pro", day="2026-03-02"), identify("u1", plan="pro", day="2026-03-03"))
    bound = Conditions(not_before=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    journey = world.publish("main", entering(kind, own, reentry={"mode": "cooldown", "cooldown": "PT1H"}), bound=bound)
    happen(world, NOW + HOUR, identify("u0", timezone="Asia/Shanghai"))  # date entries look again who is where
    world.until(datetime(2026, 3, 3, 10, tzinfo=UTC))
    days = {walk["start"].astimezone(UTC).day for walks in moments(world, journey).values() for walk in walks}
    assert sorted(days) == expected


def test_who_joined_an_audience_before_the_moved_start_is_let_in_at_the_first_look_after_it(world: World) -> None:
    start = NOW + 2 * HOUR
    joining = {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"on": "join"}}
    happen(world, NOW, identify("u0", plan="pro"))
    document = entering("entry.segment", joining, reentry={"mode": "cooldown", "cooldown": "PT1H"})
    journey = world.publish("main", document, bound=Conditions(not_before=start))
    world.until(start - timedelta(seconds=1))
    assert became(world, journey) == {}
    world.until(start + HOUR)
    (walk,) = moments(world, journey)["u0"]
    assert start <= walk["start"] <= start + timedelta(minutes=15)


def test_events_before_the_moved_start_let_nobody_in(world: World) -> None:
    document = entering("entry.event", {"event": "go"}, reentry={"mode": "after_exit"})
    journey = world.publish("main", document, bound=Conditions(not_before=NOW + HOUR))
    happen(world, NOW + timedelta(minutes=59), track("u0", "go"))
    happen(world, NOW + timedelta(minutes=60), track("u1", "go"))
    assert set(became(world, journey)) == {"u1"}
