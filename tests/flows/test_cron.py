"""Schedules: they fire when their fields say, later each time, and nonsense is refused with a sentence."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cron import next_cron, schedule
from tests.flows.build import PROPERTY_TEST
from tests.flows.test_calendar import moments_near_changes

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


def firings(expression: str, zone: ZoneInfo, after: str, number: int) -> list[str]:
    found, moment = [], datetime.fromisoformat(after)
    for _ in range(number):
        moment = next_cron(expression, zone, moment)
        found.append(moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * 1", ["Mon 2026-03-09 09:00", "Mon 2026-03-16 09:00"]),
        ("0 9 * * mon-fri", ["Fri 2026-03-06 09:00", "Mon 2026-03-09 09:00"]),
        ("30 8,20 1 */3 *", ["Wed 2026-04-01 08:30", "Wed 2026-04-01 20:30"]),
        ("*/20 * * * *", ["Fri 2026-03-06 08:20", "Fri 2026-03-06 08:40"]),
        ("0 0 29 feb *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("0 12 13 * fri", ["Fri 2026-03-06 12:00", "Fri 2026-03-13 12:00"]),
        ("5/25 10 * * 7", ["Sun 2026-03-08 10:05", "Sun 2026-03-08 10:30"]),
        ("0 0 * * fri-sun", ["Sat 2026-03-07 00:00", "Sun 2026-03-08 00:00"]),
        ("59 23 31 12 *", ["Thu 2026-12-31 23:59", "Fri 2027-12-31 23:59"]),
    ],
)
def test_a_schedule_fires_when_it_says(expression: str, expected: list[str]) -> None:
    assert firings(expression, SHANGHAI, "2026-03-06T08:00:00+08:00", 2) == expected


def test_a_time_the_clocks_skip_fires_right_after_and_only_once() -> None:
    assert firings("*/30 2 * * *", BERLIN, "2026-03-28T12:00:00+01:00", 3) == [
        "Sun 2026-03-29 03:00",
        "Mon 2026-03-30 02:00",
        "Mon 2026-03-30 02:30",
    ]


def test_a_time_that_comes_twice_fires_once() -> None:
    assert firings("30 2 * * *", BERLIN, "2026-10-24T12:00:00+02:00", 2) == [
        "Sun 2026-10-25 02:30",
        "Mon 2026-10-26 02:30",
    ]


def field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.just("*") | span, st.integers(1, 20)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return st.just("*") | st.lists(number.map(str) | span | step, min_size=1, max_size=3).map(",".join)


expressions = st.tuples(field(0, 59), field(0, 23), st.just("*") | field(1, 28), field(1, 12), field(0, 7)).map(
    " ".join
)


@PROPERTY_TEST
@given(expressions, moments_near_changes())
def test_each_firing_is_later_than_the_last_and_never_early(expression: str, place: tuple[ZoneInfo, datetime]) -> None:
    there, moment = place
    plan = schedule(expression)
    for _ in range(5):
        following = next_cron(expression, there, moment)
        assert following > moment
        shown = following.astimezone(there).replace(tzinfo=None)
        before = (following - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
        # Either the clocks show a time of the schedule, or they just jumped over one.
        exact = plan.on(shown.date()) and shown.time() in plan.times
        skipped = shown - before > timedelta(seconds=1)
        assert exact or skipped
        moment = following


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of week"),
        ("* * * * L", "not a number"),
        ("*/0 * * * *", "step"),
        ("5-1 * * * *", "backwards"),
        ("1,,2 * * * *", "not a number"),
        ("-1 * * * *", "not a number"),
        ("１ * * * *", "not a number"),
        ("0 0 31 2,4 *", "never fire"),
        ("0 0 30 2 *", "never fire"),
        ("* " * 500, "five fields"),
        ("1e3 * * * *", "not a number"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        next_cron(expression, SHANGHAI, datetime(2026, 3, 6, tzinfo=UTC))
