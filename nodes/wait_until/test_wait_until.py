"""Waiting until a moment: dates, times of day in people's own zones, dates of their own."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from flows.contract import Json, Wait
from nodes.testing import make_batch, make_member, placements, wake
from nodes.wait_until import node

WORKDAYS = {"time": "09:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
FRIDAY_TEN = datetime(2026, 3, 6, 2, tzinfo=UTC)  # 10:00 in Shanghai, Thursday 21:00 in New York


def until(settings: dict[str, Json], arrived: datetime, zone: str | None = None, **known: Json) -> Json:
    """Where one person goes: the instant of the wait, or the port."""
    attributes = {**known.pop("attributes", {}), **({"timezone": zone} if zone else {})}
    member = make_member(1, arrived, attributes=attributes, **known)
    batch = make_batch(node, settings, [member], timezone="Asia/Shanghai")
    kind, place = placements(node.advance(batch))[1]
    return place.until if isinstance(place, Wait) else f"{kind} {place}"


def test_nine_on_a_working_day_in_the_zone_of_the_journey() -> None:
    assert until(WORKDAYS, FRIDAY_TEN) == datetime(2026, 3, 9, 1, tzinfo=UTC)


def test_nine_on_a_working_day_in_the_zone_of_the_person() -> None:
    assert until(WORKDAYS, FRIDAY_TEN, "America/New_York") == datetime(2026, 3, 6, 14, tzinfo=UTC)
    assert until(WORKDAYS, FRIDAY_TEN, "Asia/Kathmandu") == datetime(2026, 3, 6, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Moon/Base", "", 7, None, ["Asia/Shanghai"]])
def test_a_zone_that_is_none_is_ignored(zone: Json) -> None:
    assert until(WORKDAYS, FRIDAY_TEN, attributes={"timezone": zone}) == datetime(2026, 3, 9, 1, tzinfo=UTC)


def test_an_unknown_zone_of_the_journey_is_utc() -> None:
    batch = make_batch(node, {"time": "09:00"}, [make_member(1, FRIDAY_TEN)], timezone="Nowhere")
    assert placements(node.advance(batch)) == {1: ("stay", Wait(datetime(2026, 3, 6, 9, tzinfo=UTC)))}


def test_people_who_come_exactly_at_the_time_go_on() -> None:
    assert until({"time": "10:00"}, FRIDAY_TEN) == "go next"


def test_people_who_come_round_at_exactly_the_time_wait_for_the_next_one() -> None:
    assert until({"time": "10:00"}, FRIDAY_TEN, visit=2) == FRIDAY_TEN + timedelta(days=1)


def test_a_time_that_the_clocks_skip_is_the_first_moment_after() -> None:
    arrived = datetime(2026, 3, 28, 20, tzinfo=UTC)
    assert until({"time": "02:30"}, arrived, "Europe/Berlin") == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first() -> None:
    arrived = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert until({"time": "02:30"}, arrived, "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_inside_the_hours_people_go_on_at_once_outside_they_wait_for_the_opening() -> None:
    hours = {"time": "09:00", "end": "21:30"}
    assert until(hours, FRIDAY_TEN) == "go next"
    assert until(hours, datetime(2026, 3, 6, 13, 29, 59, tzinfo=UTC)) == "go next"
    assert until(hours, datetime(2026, 3, 6, 13, 30, tzinfo=UTC)) == datetime(2026, 3, 7, 1, tzinfo=UTC)
    assert until({**hours, "weekdays": ["mon"]}, FRIDAY_TEN) == datetime(2026, 3, 9, 1, tzinfo=UTC)


def test_an_instant_is_the_same_for_all_a_local_date_is_each_ones_own() -> None:
    instant = {"at": "2026-03-08T20:00:00+08:00"}
    assert until(instant, FRIDAY_TEN, "America/New_York") == datetime(2026, 3, 8, 12, tzinfo=UTC)
    local = {"at": "2026-03-06T20:00"}
    assert until(local, FRIDAY_TEN) == datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert until(local, FRIDAY_TEN, "America/New_York") == datetime(2026, 3, 7, 1, tzinfo=UTC)


def test_a_moment_that_has_passed_goes_on_or_by_its_own_port() -> None:
    past = {"at": "2026-03-06T01:59:59Z"}
    assert until(past, FRIDAY_TEN) == "go next"
    assert until({**past, "late": "skip"}, FRIDAY_TEN) == "go past"


def test_the_very_moment_is_not_yet_past() -> None:
    assert until({"at": "2026-03-06T02:00:00Z", "late": "skip"}, FRIDAY_TEN) == "go next"


def test_a_date_alone_is_the_first_moment_of_the_persons_day() -> None:
    ends = {"attribute": "ends", "offset": "-P3D"}
    assert until(ends, FRIDAY_TEN, attributes={"ends": "2026-03-20"}) == datetime(2026, 3, 16, 16, tzinfo=UTC)
    assert until(ends, FRIDAY_TEN, "America/New_York", attributes={"ends": "2026-03-20"}) == datetime(
        2026, 3, 17, 4, tzinfo=UTC
    )


def test_a_time_of_day_goes_with_a_date_of_the_person() -> None:
    settings = {"attribute": "ends", "offset": "P1M", "time": "10:00"}
    assert until(settings, FRIDAY_TEN, attributes={"ends": "2026-02-28"}) == datetime(2026, 3, 28, 2, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "soon", "2026-02-30", 20260320, True, [], {}])
def test_people_without_a_date_leave_by_past_and_are_told_why(value: Json) -> None:
    member = make_member(1, FRIDAY_TEN, attributes={} if value is None else {"ends": value})
    outcome = node.advance(make_batch(node, {"attribute": "ends"}, [member]))
    assert (placements(outcome), outcome.why) == ({1: ("go", "past")}, {1: "no date in ends"})


def test_whoever_rested_goes_on_even_if_the_date_has_moved_since() -> None:
    member = wake(make_member(1, FRIDAY_TEN, attributes={"ends": "2027-01-01"}), FRIDAY_TEN + timedelta(days=9))
    batch = make_batch(node, {"attribute": "ends", "late": "skip"}, [member])
    assert placements(node.advance(batch)) == {1: ("go", "next")}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "choose one"),
        ({"at": "2026-03-06T02:00:00Z", "time": "09:00"}, "choose one"),
        ({"at": "2026-03-06", "attribute": "ends"}, "choose one"),
        ({"at": "tomorrow"}, "write a date and time"),
        ({"at": "2026-03-06", "weekdays": ["mon"]}, "belong to a time of day"),
        ({"attribute": "ends", "time": "09:00", "end": "10:00"}, "belong to a time of day"),
        ({"time": "09:00", "offset": "P1D"}, "belongs to an attribute"),
        ({"time": "09:00", "end": "09:00"}, "must differ"),
        ({"time": "25:00"}, "HH:MM"),
        ({"time": "09:00", "weekdays": []}, "at least 1"),
        ({"time": "09:00", "weekdays": ["funday"]}, "mon"),
        ({"attribute": "ends", "offset": "3 days"}, "is not a period"),
    ],
)
def test_settings_that_contradict_themselves_are_refused_with_a_sentence(settings: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate(settings)


def test_the_card_says_until_when() -> None:
    lines = [
        {"time": "09:00", "end": "21:00", "weekdays": ["mon", "tue"]},
        {"at": "2026-03-06T20:00"},
        {"attribute": "birthday", "offset": "-P3D", "time": "10:00"},
    ]
    assert [node.summary(node.settings.model_validate(settings)) for settings in lines] == [
        "Until 09:00–21:00 Mon Tue",
        "Until 2026-03-06 20:00",
        "Until 3 days before birthday 10:00",
    ]
