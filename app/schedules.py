"""When an entry node fires next, and what a firing means: arithmetic on schedules, zones and dates. No SQL, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flows.calendar import as_instant, at_wall, next_wall, time_of_day, zone
from flows.contract import Start
from flows.cron import next_cron
from flows.durations import anniversary, shift

JOIN_EVERY = timedelta(minutes=1)
MAX_LATE = timedelta(hours=12)  # a firing missed by more than this is skipped: yesterday's birthday wish helps nobody
NEARBY = 40  # days around a date in which its shifted origin is looked for


@dataclass(frozen=True, slots=True)
class Day:
    """People in these zones whose date falls on `day`; `default` takes in those without a zone of their own."""

    day: date
    zones: tuple[str, ...]
    default: bool


def next_firing(start: Start, zones: Iterable[str], timezone: str, after: datetime) -> datetime | None:
    """The next instant strictly after `after`; None when nothing is left to fire."""
    own = zone(timezone) or ZoneInfo("UTC")
    if start.kind == "date":
        local = time_of_day(start.at)
        return min(next_wall(one, after, local, strictly=True) for one in {own, *_known(zones)})
    schedule = start.schedule or {}
    if "at" in schedule:
        at = as_instant(schedule["at"], own)
        return at if at and at > after else None
    if "cron" in schedule:
        return next_cron(str(schedule["cron"]), own, after)
    return after + JOIN_EVERY


def first_firing(
    start: Start, zones: Iterable[str], timezone: str, now: datetime, not_before: datetime | None = None
) -> datetime | None:
    """The first instant after publishing: a time set for once counts from the start of that minute, a join at once.

    Nothing fires before `not_before`; what was set for once before then is moved there.
    """
    opens = max(now, not_before) if not_before else now
    schedule = start.schedule or {}
    if "on" in schedule:
        return opens
    if "at" in schedule and opens > now:
        at = as_instant(schedule["at"], zone(timezone) or ZoneInfo("UTC"))
        return max(at, opens) if at else None
    if opens > now:  # a firing at that very instant counts
        return next_firing(start, zones, timezone, opens - timedelta(microseconds=1))
    return next_firing(start, zones, timezone, now - timedelta(minutes=1) if start.kind != "date" else now)


def days(start: Start, zones: Iterable[str], timezone: str, at: datetime) -> list[Day]:
    """Whose local time of day is exactly `at`, by local date: what a firing of a date entry is about."""
    when = time_of_day(start.at)
    found: dict[date, tuple[list[str], bool]] = {}
    own = zone(timezone) or ZoneInfo("UTC")
    for name, place in [*((name, zone(name)) for name in sorted(set(zones))), ("", own)]:
        if place is None:
            continue
        local = at.astimezone(place).date()
        for day in (local - timedelta(days=1), local):
            if at_wall(place, day, when) == at:
                names, default = found.get(day, ([], False))
                found[day] = ([*names, name], default) if name else (names, True)
    return [Day(day, tuple(names), default) for day, (names, default) in sorted(found.items())]


def origins(start: Start, day: date) -> list[date]:
    """The dates that, moved by the offset (and by whole years, for an anniversary), fall on `day`."""
    reference = shift(datetime(day.year, day.month, day.day, tzinfo=UTC), start.offset).date()
    middle = day - (reference - day)
    near = (middle + timedelta(days=step) for step in range(-NEARBY, NEARBY + 1))
    return [one for one in near if _moved(one, start.offset) == day]


def _moved(day: date, offset: str) -> date:
    return shift(day, offset)


def month_days(found: Sequence[date]) -> list[str]:
    """`MM-DD` of anniversaries on these dates, with 29 February on the 28th of common years."""
    texts = {f"{one:%m-%d}" for one in found}
    if any(one == anniversary(date(2000, 2, 29), one.year) for one in found):
        texts.add("02-29")
    return sorted(texts)


def real(zones: Iterable[str]) -> list[str]:
    """Those that are zones; people with any other word for one live in the journey's."""
    return [name for name in zones if zone(name)]


def _known(zones: Iterable[str]) -> list[ZoneInfo]:
    return [place for name in zones if (place := zone(name))]


def as_detail(found: Sequence[Day]) -> dict[str, Any]:
    """Days as they are kept in the run."""
    return {"days": [{"day": one.day.isoformat(), "zones": list(one.zones), "default": one.default} for one in found]}


def of_detail(detail: Mapping[str, Any]) -> list[Day]:
    """And back."""
    return [
        Day(date.fromisoformat(one["day"]), tuple(one["zones"]), bool(one["default"])) for one in detail.get("days", ())
    ]
