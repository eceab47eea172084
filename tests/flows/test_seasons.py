"""The edges of a season over every zone and change of the clocks, beside a reference that steps through the minutes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import document
from flows.errors import DocumentError
from flows.seasons import Override, Season, bounds, circle, next_edge, refusal

ZONES = sorted(available_timezones() - {"localtime"})
DAYS = st.dates(date(1975, 1, 2), date(2037, 12, 1))
MINUTE = timedelta(minutes=1)


def shows(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


@given(st.sampled_from(ZONES), DAYS, st.integers(0, 40))
def test_a_season_begins_with_the_first_instant_that_shows_its_first_day(name: str, first: date, more: int) -> None:
    zone, last = ZoneInfo(name), first + timedelta(days=more)
    opens, closes = bounds(first, last, zone)
    assert shows(opens, zone) >= first > shows(opens - timedelta(seconds=1), zone)
    assert shows(closes, zone) > last >= shows(closes - timedelta(seconds=1), zone)


@given(st.sampled_from(ZONES), DAYS, st.integers(-36 * 60, 36 * 60))
def test_every_minute_around_an_edge_is_in_season_where_the_clock_shows_one_of_its_days(
    name: str, day: date, minutes: int
) -> None:
    zone = ZoneInfo(name)
    season = Season(*bounds(day, day, zone))
    at = datetime.combine(day, datetime.min.time(), UTC) + minutes * MINUTE
    # Where clocks go back over midnight a day shows twice; the season is one stretch, from the first to the last of it.
    if season.on(at) != (shows(at, zone) == day):
        before, after = shows(at - timedelta(hours=2), zone), shows(at + timedelta(hours=2), zone)
        early, late = ((at + hours * timedelta(hours=1)).astimezone(zone).utcoffset() for hours in (-3, 3))
        assert day in (before, after)
        assert early != late


@pytest.mark.parametrize(
    ("zone", "first", "opens", "closes"),
    [
        ("Asia/Shanghai", date(2026, 11, 11), "2026-11-10T16:00:00+00:00", "2026-11-11T16:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),  # 23 hours
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),  # 25 hours
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00:00+00:00", "2026-04-24T21:00:00+00:00"),  # no midnight
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00+00:00", "2011-12-30T10:00:00+00:00"),  # no such day
    ],
)
def test_days_on_which_the_clocks_change_have_their_own_length(zone: str, first: date, opens: str, closes: str) -> None:
    assert [at.isoformat() for at in bounds(first, first, ZoneInfo(zone))] == [opens, closes]


NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
ON = Season(NOON, NOON + timedelta(days=1))
LATER = Season(NOON + timedelta(days=3), NOON + timedelta(days=4))


def test_the_first_instant_counts_and_the_last_does_not() -> None:
    assert [ON.on(at) for at in (NOON - MINUTE, NOON, ON.closes - MINUTE, ON.closes)] == [False, True, True, False]
    assert refusal(ON, (), NOON - MINUTE) == "out of season"
    assert refusal(None, (Override(7, LATER), Override(8, ON)), NOON) == "overridden by journey 8"
    assert refusal(ON, (Override(7, LATER),), NOON) is None
    assert next_edge([LATER, ON], NOON) == ON.closes
    assert next_edge([ON], ON.closes) is None


def test_a_circle_is_named_from_its_journey_by_the_shortest_way() -> None:
    aims = {1: frozenset({2, 3}), 2: frozenset({4}), 3: frozenset({1}), 4: frozenset({1})}
    assert circle(1, aims) == [1, 3]
    assert circle(4, aims) == [4, 1, 2]
    assert circle(5, aims) == []


@pytest.mark.parametrize(
    ("season", "field", "text"),
    [
        ({"ends_on": "2026-11-12"}, "settings.season.starts_on", "is needed"),
        ({"starts_on": 20_000, "ends_on": "2026-11-12"}, "settings.season.starts_on", "a day is written as 2026-11-01"),
        ({"starts_on": "2026-02-30", "ends_on": "2026-11-12"}, "settings.season.starts_on", "there is no such day"),
        (
            {"starts_on": "2026-11-01", "ends_on": "2026-11-12", "journeys": ["3"]},
            "settings.season.journeys[0]",
            "must be a whole number",
        ),
        (
            {"starts_on": "2026-11-01", "ends_on": "2026-11-12", "how": "kill"},
            "settings.season.how",
            "must be one of 'keep_out' or 'pause'",
        ),
    ],
)
def test_a_season_that_cannot_be_read_names_its_field(season: dict[str, object], field: str, text: str) -> None:
    with pytest.raises(DocumentError) as error:
        document.load({"schema": 1, "settings": {"season": season}})
    assert error.value.errors == [(field, text)]


def test_a_document_without_a_season_is_the_same_as_before() -> None:
    old = {"schema": 1, "settings": {}, "nodes": [], "edges": []}
    assert document.dump(document.load(old)) == old
