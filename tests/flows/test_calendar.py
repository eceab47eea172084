"""Local time, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.calendar import (
    WEEKDAYS,
    Window,
    as_date,
    as_instant,
    at_offset,
    at_wall,
    next_anniversary,
    next_wall,
    opening,
    time_of_day,
    zone,
)
from tests.flows.build import PROPERTY_TEST

BERLIN, SHANGHAI, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
WORKING = WEEKDAYS[:5]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@lru_cache(maxsize=1024)
def transitions(name: str) -> tuple[datetime, ...]:
    """The days around which the zone's clocks change, 2010 to 2035."""
    place = ZoneInfo(name)
    days = [utc(2010, 1, 1) + timedelta(days=number) for number in range(26 * 365)]
    offsets = [day.astimezone(place).utcoffset() for day in days]
    changes = [day for day, before, after in zip(days[1:], offsets, offsets[1:], strict=False) if before != after]
    return tuple(changes) or (utc(2020, 6, 1),)


@st.composite
def moments_near_changes(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    name = draw(st.sampled_from(ZONES))
    moment = draw(st.sampled_from(transitions(name))) + timedelta(minutes=draw(st.integers(-3000, 3000)))
    return ZoneInfo(name), moment


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 29, 30, 45, 59]))


def local(moment: datetime, place: ZoneInfo) -> datetime:
    return moment.astimezone(place).replace(tzinfo=None)


@PROPERTY_TEST
@given(moments_near_changes(), times)
@example((ZoneInfo("Pacific/Apia"), utc(2011, 12, 29, 12)), time(9))
@example((ZoneInfo("Australia/Lord_Howe"), utc(2026, 10, 3, 12)), time(2, 15))
@example((ZoneInfo("Africa/Casablanca"), utc(2026, 2, 14, 12)), time(2, 30))
def test_a_wall_time_is_the_first_instant_at_which_the_clocks_show_it_or_more(
    place: tuple[ZoneInfo, datetime], at: time
) -> None:
    there, near = place
    wall = datetime.combine(near.date(), at)
    instant = at_wall(there, wall.date(), at)
    assert local(instant, there) >= wall
    for minutes in range(1, 200, 7):
        assert local(instant - timedelta(minutes=minutes), there) < wall
    assert local(instant - timedelta(seconds=1), there) < wall


@PROPERTY_TEST
@given(moments_near_changes(), times, st.none() | st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_the_next_wall_time_is_never_early_and_always_later_than_the_last(
    place: tuple[ZoneInfo, datetime], at: time, weekdays: set[str] | None
) -> None:
    there, moment = place
    for _ in range(6):
        following = next_wall(there, moment, at, weekdays=weekdays, strictly=True)
        assert following > moment
        assert local(following, there).time() >= at or local(following, there).date() > local(moment, there).date()
        assert following - moment <= timedelta(days=9)
        moment = following


def test_at_exactly_nine_one_goes_on_at_once() -> None:
    nine = utc(2026, 3, 6, 1)
    assert next_wall(SHANGHAI, nine, time(9), weekdays=WORKING) == nine
    assert next_wall(SHANGHAI, nine, time(9), weekdays=WORKING, strictly=True) == utc(2026, 3, 9, 1)
    assert next_wall(SHANGHAI, nine - timedelta(seconds=1), time(9)) == nine


def test_a_time_the_clocks_skip_is_the_first_moment_after_and_one_that_comes_twice_the_first() -> None:
    assert at_wall(BERLIN, date(2026, 3, 29), time(2, 30)) == utc(2026, 3, 29, 1)
    assert at_wall(BERLIN, date(2026, 10, 25), time(2, 30)) == utc(2026, 10, 25, 0, 30)


def test_a_day_that_samoa_never_had_is_the_next_one() -> None:
    assert at_wall(ZoneInfo("Pacific/Apia"), date(2011, 12, 30), time(9)) == utc(2011, 12, 30, 10)


@pytest.mark.parametrize(
    "name",
    ["", "localtime", "Factory", "../etc/passwd", "/etc/passwd", "Europe", "europe/berlin", "\0", "\ud800", "x" * 9999],
)
def test_what_is_no_place_is_no_zone(name: str) -> None:
    assert zone(name) is None


@pytest.mark.parametrize("value", [None, 5, b"UTC", ["UTC"], {"a": 1}])
def test_what_is_no_text_is_no_zone(value: Any) -> None:
    assert zone(value) is None


def test_every_place_is_a_zone() -> None:
    assert all(zone(name) is not None for name in ZONES)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-05T10:00:00+08:00", utc(2026, 3, 5, 2)),
        ("2026-03-05T10:00Z", utc(2026, 3, 5, 10)),
        ("2026-03-05 10:00:00.123456789-0030", utc(2026, 3, 5, 10, 30, 0, 123456)),
        ("2026-03-05T10:00:00", utc(2026, 3, 5, 2)),
        ("2026-03-05", utc(2026, 3, 4, 16)),
        ("2000-02-29", utc(2000, 2, 28, 16)),
        *[
            (bad, None)
            for bad in (
                "1900-02-29", "2100-02-29", "2026-02-30", "2026-04-31", "2026-13-01", "2026-00-10", "1899-12-31",
                "2201-01-01", "9999-12-31", "2026-03-05T24:00", "2026-03-05T10:60", "2026-03-05T10:00+15:00",
                "20260305", "2026-W10-4", "2026-03-05T10", "2026-03-05Z", "05.03.2026", "tomorrow", "",
                "２０２６-03-05", "2026-03-05\n", None, 5, 1772668800, True, [], {},
            )
        ],
    ],
)  # fmt: skip
def test_an_attribute_is_an_instant_only_in_iso_form(value: Any, instant: datetime | None) -> None:
    assert as_instant(value, SHANGHAI) == instant


def test_the_day_of_an_instant_is_that_of_the_place_asked_about() -> None:
    assert as_date("2026-03-05T20:00:00Z", SHANGHAI) == date(2026, 3, 6)
    assert as_date("2026-03-05T20:00:00Z") == date(2026, 3, 5)
    assert as_date("2026-03-05T23:59", SHANGHAI) == date(2026, 3, 5)
    assert as_date("1992-02-29") == date(1992, 2, 29)
    assert as_date("1992-02-30") is None
    assert as_date(19920229) is None


@given(st.text() | st.from_regex(r"\A[12][09][0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]Z?)?\Z"))
def test_no_text_upsets_the_reading_of_dates(text: str) -> None:
    instant = as_instant(text, BERLIN)
    assert (as_date(text, BERLIN) is None) == (instant is None)


def test_an_offset_moves_the_calendar_by_days_and_the_clock_by_hours() -> None:
    before_the_change = "2026-03-28T12:00:00+01:00"
    assert at_offset(before_the_change, "P1D", zone=BERLIN) == utc(2026, 3, 29, 10)
    assert at_offset(before_the_change, "PT24H", zone=BERLIN) == utc(2026, 3, 29, 11)
    assert at_offset("2026-03-05", "-P3D", zone=SHANGHAI, at=time(10)) == utc(2026, 3, 2, 2)
    assert at_offset("2026-03-05", "-PT2H", zone=SHANGHAI) == utc(2026, 3, 4, 14)
    assert at_offset("2024-02-29", "P1Y", zone=SHANGHAI, at=time(9)) == utc(2025, 2, 28, 1)
    assert at_offset("someday", "P1Y", zone=SHANGHAI) is None


def test_an_instant_in_the_hour_that_comes_twice_stays_itself() -> None:
    assert at_offset("2026-10-25T02:30:00+01:00", "P0D", zone=BERLIN) == utc(2026, 10, 25, 1, 30)


def test_leap_day_people_have_their_day_on_the_28th() -> None:
    born = date(1992, 2, 29)
    assert next_anniversary(born, date(2026, 2, 1)) == date(2026, 2, 28)
    assert next_anniversary(born, date(2026, 2, 28)) == date(2026, 2, 28)
    assert next_anniversary(born, date(2026, 3, 1)) == date(2027, 2, 28)
    assert next_anniversary(born, date(2028, 1, 1)) == date(2028, 2, 29)


def test_quiet_hours_end_in_the_morning() -> None:
    day = Window.outside("21:00", "09:00")
    assert opening(SHANGHAI, day, utc(2026, 3, 6, 4)) == utc(2026, 3, 6, 4)
    assert opening(SHANGHAI, day, utc(2026, 3, 6, 13)) == utc(2026, 3, 7, 1)
    assert opening(SHANGHAI, day, utc(2026, 3, 6, 1)) == utc(2026, 3, 6, 1)


def test_a_window_may_reach_over_midnight_and_belongs_to_the_day_it_opens() -> None:
    night = Window(time(22), time(2), frozenset({"fri"}))
    assert opening(SHANGHAI, night, utc(2026, 3, 6, 17)) == utc(2026, 3, 6, 17)  # Saturday 01:00, still Friday's
    assert opening(SHANGHAI, night, utc(2026, 3, 6, 18)) == utc(2026, 3, 13, 14)


def test_equal_times_mean_the_whole_day() -> None:
    assert opening(BERLIN, Window(time(0), time(0)), utc(2026, 3, 29, 1, 30)) == utc(2026, 3, 29, 1, 30)


def test_whose_zone_is_unknown_is_reached_when_it_is_decent_everywhere() -> None:
    day = Window.outside("22:00", "08:00")
    both = opening([SHANGHAI, NEW_YORK], day, utc(2026, 3, 6, 3))
    assert both == utc(2026, 3, 6, 13)  # 21:00 in Shanghai, 08:00 in New York
    assert opening([SHANGHAI, NEW_YORK], Window(time(12), time(13)), utc(2026, 3, 6)) is None


@PROPERTY_TEST
@given(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3), moments_near_changes(), times, times)
def test_an_opening_lies_inside_the_window_everywhere(
    names: list[str], place: tuple[ZoneInfo, datetime], opens: time, closes: time
) -> None:
    zones = [ZoneInfo(name) for name in names]
    window = Window(opens, closes)
    found = opening(zones, window, place[1])
    if found is None:
        assert len(set(names)) > 1 or opens > closes or opens < closes
        return
    assert found >= place[1]
    assert opening(zones, window, found) == found
    for there in zones:
        assert opening(there, window, found) == found


def test_a_time_of_day_is_said_in_hours_and_minutes() -> None:
    assert time_of_day("09:30") == time(9, 30)
    assert time_of_day("23:59:59") == time(23, 59, 59)
    for bad in ("24:00", "9:00", "09:60", "morning", ""):
        with pytest.raises(ValueError, match="write HH:MM"):
            time_of_day(bad)
