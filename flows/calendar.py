"""Local time: zones, wall times with the clock-change rule D16, windows of the day, dates in attributes. Never a clock.

D16: a wall time the clocks skip is the first valid instant after the gap; one that comes twice is its first occurrence.
Both say the same: the first instant at which the local clocks show that time or more. Instants are UTC.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.durations import (
    Bounds,
    Duration,
    Language,
    Offset,
    Period,
    anniversary,
    around,
    elapsed,
    offset,
    seconds,
    shift,
    words,
)
from flows.words import _, say

__all__ = [
    "WEEKDAYS",
    "WEEKDAY_WORDS",
    "Bounds",
    "Duration",
    "Language",
    "Offset",
    "Period",
    "TimeOfDay",
    "Window",
    "anniversary",
    "around",
    "as_date",
    "as_instant",
    "at_offset",
    "at_wall",
    "elapsed",
    "next_anniversary",
    "next_wall",
    "offset",
    "opening",
    "seconds",
    "shift",
    "time_of_day",
    "words",
    "zone",
]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_WORDS = {
    "mon": _("Mon"), "tue": _("Tue"), "wed": _("Wed"), "thu": _("Thu"), "fri": _("Fri"), "sat": _("Sat"), "sun": _("Sun"),
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1900, 2200
OPENING_HORIZON = timedelta(days=16)

_DAY = timedelta(days=1)
_DAY_TO_30 = r"(?:0[1-9]|[12][0-9]|30)"
_MONTH_DAY = rf"(?:(?:0[13578]|1[02])-(?:{_DAY_TO_30}|31)|(?:0[469]|11)-{_DAY_TO_30}|02-(?:0[1-9]|1[0-9]|2[0-8]))"
_LEAP_DAY = r"(?:(?:19|20|21)(?:0[48]|[2468][048]|[13579][26])|2000)-02-29"
# The shapes of dates in attributes and events. PostgreSQL reads the very same expressions (app/store/segments.py),
# hence no \d and no named groups; what matches is a real date, so that a cast of it cannot fail.
DATE_SHAPE = rf"(?:(?:(?:19|20|21)[0-9][0-9]|2200)-{_MONTH_DAY}|{_LEAP_DAY})"
LOCAL_SHAPE = rf"{DATE_SHAPE}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?)?"
ZONED_SHAPE = (
    rf"{DATE_SHAPE}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
)
_DATE, _LOCAL, _ZONED = re.compile(DATE_SHAPE), re.compile(LOCAL_SHAPE), re.compile(ZONED_SHAPE)
_FINE = re.compile(r"([.][0-9]{6})[0-9]+")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    # "localtime" and "Factory" are files of the machine, not places.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    if name not in _zone_names():
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone(name: Any) -> ZoneInfo | None:
    """The IANA zone of that name, None where there is no such zone; never raises, whatever the name is."""
    return _zone(name) if isinstance(name, str) else None


@lru_cache(maxsize=256)
def time_of_day(text: str) -> time:
    """The time `HH:MM` or `HH:MM:SS`; ValueError says what to write instead."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(say(_("“{text}” is not a time of day: write HH:MM, from 00:00 to 23:59"), text=text[:20]))
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


def _check_time(value: str) -> str:
    try:
        time_of_day(value)
    except ValueError as error:
        raise PydanticCustomError("time_of_day", "{reason}", {"reason": str(error)}) from None
    return value


TimeOfDay = Annotated[
    str,
    AfterValidator(_check_time),
    WithJsonSchema({"type": "string", "format": "time", "pattern": f"^{_TIME.pattern}$"}),
]


@lru_cache(maxsize=8192)
def at_wall(zone: ZoneInfo, day: date, at: time) -> datetime:
    """The first instant at which the clocks of the zone show that day and time, or more where they skip it."""
    wall = datetime.combine(day, at)
    early = (wall - _utc_offset(zone, wall, fold=0)).replace(tzinfo=UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wall:
        return early
    # A gap: the clocks jump over `wall` somewhere between the two readings. Find the jump to the second.
    low = (wall - _utc_offset(zone, wall, fold=1)).replace(tzinfo=UTC)
    low, high = min(low, early), max(low, early)
    while (span := int((high - low).total_seconds())) > 1:
        middle = low + timedelta(seconds=span // 2)
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _utc_offset(zone: ZoneInfo, wall: datetime, *, fold: int) -> timedelta:
    return wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()


def next_wall(
    zone: ZoneInfo, after: datetime, at: time, *, weekdays: Collection[str] | None = None, strictly: bool = False
) -> datetime:
    """The next instant at that local time, on one of `weekdays` if given; `after` itself counts unless `strictly`."""
    wanted = {WEEKDAYS.index(name) for name in weekdays} if weekdays else set(range(7))
    # The day before: where the clocks skip a whole day, yesterday's time may still lie ahead.
    day = after.astimezone(zone).date() - _DAY
    while True:
        if day.weekday() in wanted:
            instant = at_wall(zone, day, at)
            if instant > after or (instant == after and not strictly):
                return instant
        day += _DAY


def next_anniversary(day: date, since: date) -> date:
    """The first anniversary of a day that is not before `since`."""
    this_year = anniversary(day, since.year)
    return this_year if this_year >= since else anniversary(day, since.year + 1)


@dataclass(frozen=True, slots=True)
class Window:
    """Local hours in which something may happen: from `opens` until before `closes`, which may be the next morning.

    `weekdays` are those of the day on which the window opens. Equal times mean the whole day.
    """

    opens: time
    closes: time
    weekdays: frozenset[str] | None = None

    @classmethod
    def outside(cls, quiet_from: str, quiet_to: str) -> "Window":
        """The window that quiet hours leave open."""
        return cls(time_of_day(quiet_to), time_of_day(quiet_from))


def opening(zones: ZoneInfo | Sequence[ZoneInfo], window: Window, at: datetime) -> datetime | None:
    """The first instant from `at` on at which the window is open, in all of the zones at once.

    Several zones stand for a contact whose zone is unknown: only what is decent in each of the candidates is allowed.
    None where their windows do not meet within `OPENING_HORIZON`.
    """
    candidates = (zones,) if isinstance(zones, ZoneInfo) else tuple(zones)
    moment, limit = at, at + OPENING_HORIZON
    while moment <= limit:
        latest = moment
        for candidate in candidates:
            opened = _opening(candidate, window, moment)
            if opened is None:
                return None
            latest = max(latest, opened)
        if latest == moment:
            return moment
        moment = latest
    return None


def _opening(zone: ZoneInfo, window: Window, at: datetime) -> datetime | None:
    day = at.astimezone(zone).date() - 2 * _DAY
    for _day in range(OPENING_HORIZON.days):
        if window.weekdays is None or WEEKDAYS[day.weekday()] in window.weekdays:
            opens = at_wall(zone, day, window.opens)
            closes = at_wall(zone, day if window.opens < window.closes else day + _DAY, window.closes)
            if at < closes and opens < closes:
                return max(at, opens)
        day += _DAY
    return None


def as_instant(value: Any, zone: ZoneInfo | None = None) -> datetime | None:
    """The instant an attribute names, in UTC: ISO 8601 only, years 1900 to 2200, else None.

    Without an offset it is a wall time of the zone (UTC where none is given); a date alone is its first moment.
    """
    if not isinstance(value, str) or len(value) < 10:
        return None
    if _ZONED.fullmatch(value):
        return datetime.fromisoformat(_FINE.sub(r"\1", value)).astimezone(UTC)
    if not _LOCAL.fullmatch(value):
        return None
    wall = datetime.fromisoformat(_FINE.sub(r"\1", value))
    return wall.replace(tzinfo=UTC) if zone is None else at_wall(zone, wall.date(), wall.time())


def as_date(value: Any, zone: ZoneInfo | None = None) -> date | None:
    """The day an attribute names; of an instant with an offset, the day it is in the zone (without one: as written)."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    if _ZONED.fullmatch(value):
        instant = datetime.fromisoformat(_FINE.sub(r"\1", value))
        return (instant if zone is None else instant.astimezone(zone)).date()
    return date.fromisoformat(value[:10]) if _LOCAL.fullmatch(value) else None


def at_offset(value: Any, period: str, *, zone: ZoneInfo, at: time | None = None) -> datetime | None:
    """The instant a period away from the date or instant in an attribute; None where that is neither.

    Years to days move the local calendar, hours and less are elapsed time. `at` replaces the time of day.
    """
    instant = as_instant(value, zone)
    if instant is None:
        return None
    parts = offset(period)
    if at is None and not parts.months and not parts.days:
        return instant + timedelta(seconds=parts.seconds)
    local = instant.astimezone(zone)
    try:
        return at_wall(zone, parts.move(local.date()), local.time() if at is None else at) + timedelta(
            seconds=parts.seconds
        )
    except OverflowError:
        return None
