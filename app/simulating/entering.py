"""When entries that no event drives would let this contact in, and whether they would. Arithmetic; never a real clock."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app import schedules
from flows.calendar import anniversary, as_date, at_wall, shift, time_of_day, zone
from flows.compile import Plan
from flows.contract import Facts, Start
from flows.words import _

YEARS_TRIED = 3


class Chance(NamedTuple):
    """The next moment at which a schedule may let somebody in; None with the reason why there is none."""

    at: datetime | None
    why: str = ""


NO_DATE = _("the date of the entry is not known of this contact")
OVER = _("that moment is over, and it does not come again")


def next_chance(start: Start, plan: Plan, facts: Facts, now: datetime) -> Chance:
    """When a segment, schedule or date entry fires next for this contact."""
    if start.kind == "date":
        return _own_day(start, plan, facts, now)
    if start.schedule is None or start.kind == "api":
        return Chance(now)
    at = schedules.first_firing(start, [], plan.timezone, now)
    return Chance(None, OVER) if at is None else Chance(max(at, now))


def _own_day(start: Start, plan: Plan, facts: Facts, now: datetime) -> Chance:
    place = zone(facts.attributes.get("timezone")) or zone(plan.timezone) or ZoneInfo("UTC")
    day = as_date(facts.attributes.get(start.attribute), place)
    if day is None:
        return Chance(None, NO_DATE)
    when = time_of_day(start.at)
    for one in _days(start, day, now):
        at = at_wall(place, one, when)
        if at > now - timedelta(minutes=1):
            return Chance(max(at, now))
    return Chance(None, OVER)


def _days(start: Start, day: date, now: datetime) -> list[date]:
    if not start.every_year:
        return [shift(day, start.offset)]
    years = range(max(day.year, now.year - YEARS_TRIED), max(day.year, now.year) + YEARS_TRIED)
    return sorted(shift(anniversary(day, year), start.offset) for year in years)
