"""enroll: audiences, dates and schedules, beyond the scenarios: zones, leap days, cron, joining, slices, who was there before."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.database import transaction
from app.lanes import ALL_LANES
from app.stages import enroll
from app.world import World
from tests.stages.places import became, flow, happen, identify, moments, people, track

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = ("exit", {})
ZONES = (
    "America/New_York",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Europe/Berlin",
)


def entering(kind: str, own: dict[str, object], **settings: object) -> dict[str, object]:
    return flow({"start": (kind, own), "end": END}, "start.next end", **settings)


def entries(world: World, journey: int) -> dict[str, list[datetime]]:
    return {user: [walk["start"] for walk in walks] for user, walks in moments(world, journey).items()}


def test_a_date_comes_at_nine_in_each_person_s_own_zone(world: World) -> None:
    own = {"attribute": "starts", "at": "09:00", "offset": "-P1D"}
    journey = world.publish("main", entering("entry.date", own, timezone="Asia/Tokyo"))
    people = {f"in {zone}": {"timezone": zone} for zone in ZONES} | {
        "nowhere": {"timezone": "Middle/Earth"},
        "silent": {},
    }
    happen(world, NOW, *(identify(user, starts="2026-03-10", **zone) for user, zone in people.items()))
    world.until(datetime(2026, 3, 12, tzinfo=UTC))
    # New York set its clocks on 8 March; nobody's nine o'clock is anybody else's.
    expected = {f"in {zone}": [datetime(2026, 3, 9, 9, tzinfo=ZoneInfo(zone))] for zone in ZONES}
    tokyo = [datetime(2026, 3, 9, 9, tzinfo=ZoneInfo("Asia/Tokyo"))]
    assert entries(world, journey) == expected | {"nowhere": tokyo, "silent": tokyo}


def test_who_moves_to_another_zone_is_let_in_by_the_new_one_and_once(world: World) -> None:
    journey = world.publish("main", entering("entry.date", {"attribute": "starts", "at": "09:00"}))
    happen(world, NOW, identify("u0", starts="2026-03-03", timezone="Europe/Berlin"))
    happen(world, datetime(2026, 3, 3, 7, 59, tzinfo=UTC), identify("u0", timezone="America/New_York"))
    world.until(datetime(2026, 3, 5, tzinfo=UTC))
    assert entries(world, journey) == {"u0": [datetime(2026, 3, 3, 14, tzinfo=UTC)]}


@pytest.mark.parametrize(
    ("day", "offset", "every_year", "expected"),
    [
        ("2024-02-29", "P0D", True, ["2027-02-28", "2028-02-29"]),
        ("2024-02-29", "-P3D", True, ["2027-02-25", "2028-02-26"]),
        ("2026-12-29", "P3D", True, ["2027-01-01", "2028-01-01"]),
        ("2024-02-29", "P3Y", False, ["2027-02-28"]),
        ("2024-02-29", "P4Y", False, ["2028-02-29"]),
        ("2027-01-31", "P1M", False, ["2027-02-28"]),
        ("2027-12-31", "P2M", False, ["2028-02-29"]),
        ("2028-02-29", "P1M", False, ["2028-03-29"]),
        ("2028-03-01", "-P1D", False, ["2028-02-29"]),
    ],
)
def test_dates_around_leap_days_come_on_the_day_that_the_calendar_says(
    world: World, day: str, offset: str, every_year: bool, expected: list[str]
) -> None:
    own = {"attribute": "day", "offset": offset, "every_year": every_year, "at": "10:00"}
    world.now = datetime(2027, 1, 1, tzinfo=UTC)
    journey = world.publish("main", entering("entry.date", own, reentry={"mode": "after_exit"}))
    happen(world, world.now, identify("u0", day=day))
    # Only the days around those, and around the ends of February, are lived; the schedule catches up over the rest.
    for middle in sorted({*expected, "2027-02-28", "2028-02-29"}):
        noon = datetime.fromisoformat(f"{middle}T12:00:00Z")
        world.now = max(world.now, noon - 2 * DAY)
        world.still()
        world.until(noon + 2 * DAY)
    assert entries(world, journey) == {"u0": [datetime.fromisoformat(f"{one}T10:00:00Z") for one in expected]}


def test_cron_fires_in_the_journey_s_zone_through_the_change_of_the_clocks(world: World) -> None:
    own = {"schedule": {"cron": "0 9 * * mon-fri"}}
    settings = {"timezone": "Europe/Berlin", "reentry": {"mode": "after_exit"}}
    journey = world.publish("main", entering("entry.schedule", own, **settings))
    happen(world, datetime(2026, 3, 26, 12, tzinfo=UTC), track("u0", "born"))
    world.until(datetime(2026, 3, 31, 12, tzinfo=UTC))
    berlin = ZoneInfo("Europe/Berlin")
    assert entries(world, journey) == {"u0": [datetime(2026, 3, day, 9, tzinfo=berlin) for day in (27, 30, 31)]}


def test_a_firing_missed_by_more_than_half_a_day_is_skipped(world: World) -> None:
    own = {"schedule": {"cron": "0 9 * * *"}}
    journey = world.publish("main", entering("entry.schedule", own, reentry={"mode": "after_exit"}))
    happen(world, NOW, track("u0", "born"))
    world.now = datetime(2026, 3, 4, 10, tzinfo=UTC)  # the workers stood still for two days
    world.still()
    world.until(datetime(2026, 3, 5, 10, tzinfo=UTC))
    days = [start.date().day for start in entries(world, journey)["u0"]]
    assert days[-1] == 5
    assert len(days) <= 2, "yesterday's and the day before's are not made up for"


def test_joining_lets_in_once_and_again_after_leaving(world: World) -> None:
    own = {"rule": {"attribute": "plan", "op": "eq", "value": "gold"}, "schedule": {"on": "join"}}
    journey = world.publish("main", entering("entry.segment", own, reentry={"mode": "after_exit"}))
    happen(world, NOW, identify("u0", plan="gold"), identify("u1", plan="free"))
    world.until(NOW + 10 * MINUTE)
    happen(world, NOW + 11 * MINUTE, identify("u0", plan="free"))
    world.until(NOW + 15 * MINUTE)
    assert {user: len(times) for user, times in entries(world, journey).items()} == {"u0": 1}
    happen(world, NOW + 16 * MINUTE, identify("u0", plan="gold"))
    world.until(NOW + 30 * MINUTE)
    assert {user: len(times) for user, times in entries(world, journey).items()} == {"u0": 2}


def test_a_blast_lets_in_nobody_who_has_been_in_the_journey_before(world: World) -> None:
    """Also where the first slice found itself alone in the journey."""
    nodes = {
        "start": (
            "entry.segment",
            {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"at": "2026-03-02T09:00:00Z"}},
        ),
        "door": ("entry.event", {"event": "go"}),
        "end": END,
    }
    journey = world.publish("main", flow(nodes, "start.next end, door.next end", reentry={"mode": "once"}))
    people(world, 200)
    happen(world, NOW, track("u3", "go"))
    world.until(NOW + HOUR)
    assert {user: len(walks) for user, walks in became(world, journey).items()} == {f"u{n}": 1 for n in range(200)}


def test_somebody_who_comes_by_an_event_between_two_slices_of_a_blast_is_not_let_in_twice(world: World) -> None:
    nodes = {
        "start": (
            "entry.segment",
            {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"at": "2026-03-02T09:00:00Z"}},
        ),
        "door": ("entry.event", {"event": "go"}),
        "stay": ("wait.duration", {"duration": "P1D"}),
    }
    journey = world.publish("main", flow(nodes, "start.next stay, door.next stay", reentry={"mode": "once"}))
    people(world, 300)
    world.until(NOW + HOUR, including=False)
    at = NOW + HOUR
    enroll.run(world.connection, world.plans, lanes=ALL_LANES, now=at, limit=1)  # one of each lane
    first = set(became(world, journey))
    assert 0 < len(first) < 100
    later = next(f"u{n}" for n in range(300) if f"u{n}" not in first)
    world.accept([track(later, "go"), track(min(first), "go")], at=at)
    world.now = at
    world.still()
    assert {user: len(walks) for user, walks in became(world, journey).items()} == {f"u{n}": 1 for n in range(300)}


def test_a_blast_in_small_slices_over_several_workers_reaches_everybody_once(world: World) -> None:
    own = {"schedule": {"at": "2026-03-02T09:00:00Z"}}
    journey = world.publish("main", entering("entry.schedule", own, reentry={"mode": "after_exit"}))
    people(world, 300)
    at = NOW + HOUR
    for turn in range(60):
        lanes = ALL_LANES[turn % 3 :: 3]
        enroll.run(world.connection, world.plans, lanes=lanes, now=at, limit=2 * len(lanes))
    assert {user: len(walks) for user, walks in became(world, journey).items()} == {f"u{n}": 1 for n in range(300)}
    run = world.connection.execute("SELECT finished_at IS NOT NULL FROM run").fetchall()
    assert run == [(True,)]
    assert world.connection.execute("SELECT count(*) FROM run_lane").fetchone() == (0,)


def test_a_blast_that_asks_for_tags_meets_people_with_and_without(world: World) -> None:
    nodes = {
        "start": ("entry.schedule", {"schedule": {"at": "2026-03-02T09:00:00Z"}}),
        "vip": ("condition", {"rule": {"tag": "vip"}}),
        "mark": ("action.tag", {"add": ["asked"]}),
        "twice": ("condition", {"rule": {"tag": "asked"}}),
    }
    wires = "start.next vip, vip.no mark, mark.next twice"
    journey = world.publish("main", flow(nodes, wires))
    people(world, 6)
    with transaction(world.connection):
        world.connection.execute("UPDATE contact SET tags = '{vip}' WHERE id % 2 = 0")
    world.until(NOW + HOUR)
    reasons = sorted(walk[0][2] or "" for walk in became(world, journey).values())
    assert reasons == ["twice.yes"] * 3 + ["vip.yes"] * 3
