"""Cron schedules in a zone: five fields, a small parser of our own, the clock-change rule D16. Never a clock.

A wall time the clocks skip fires at the first instant after, one that comes twice fires once, and the next firing is
always later than the last.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.calendar import at_wall
from flows.words import _, say

# The longest gap between two 29ths of February, 2096 to 2104, and a little more.
HORIZON_DAYS = 9 * 366
TEXT_AT_MOST = 200

_DAY_NAMES = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_MONTH_NAMES = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: dict[str, int]


_FIELDS = (
    _Field(_("minute"), 0, 59, {}),
    _Field(_("hour"), 0, 23, {}),
    _Field(_("day of month"), 1, 31, {}),
    _Field(_("month"), 1, 12, _MONTH_NAMES),
    _Field(_("day of week"), 0, 7, _DAY_NAMES),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed expression. Where both kinds of day are limited, either will do, as cron has always had it."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 0
    any_day: bool
    any_weekday: bool

    def on(self, date: date) -> bool:
        """Whether the schedule fires on that date at all."""
        if date.month not in self.months:
            return False
        in_month = date.day in self.days
        in_week = date.isoweekday() % 7 in self.weekdays
        return in_month and in_week if self.any_day or self.any_weekday else in_month or in_week


@lru_cache(maxsize=1024)
def schedule(expression: str) -> Schedule:
    """The schedule an expression means; ValueError says what is wrong with it and what to write."""
    fields = expression.split() if len(expression) <= TEXT_AT_MOST else []
    if len(fields) != len(_FIELDS):
        raise ValueError(
            say(_("a schedule has five fields, minute hour day month weekday: write 0 9 * * 1 for Mondays at nine"))
        )
    minutes, hours, days, months, weekdays = (_values(text, field) for text, field in zip(fields, _FIELDS, strict=True))
    any_day, any_weekday = fields[2].startswith("*"), fields[4].startswith("*")
    if any_weekday and not any(day <= _DAYS_IN_MONTH[month - 1] for day in days for month in months):
        raise ValueError(say(_('no month has such a day: "{text}" would never fire'), text=expression))
    return Schedule(
        tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        any_day,
        any_weekday,
    )


def _values(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in text.lower().split(",") for value in _range(part, field))


def _range(part: str, field: _Field) -> range:
    span, slash, step_text = part.partition("/")
    step = _number(step_text, field, {}) if slash else 1
    if step < 1:
        raise _refusal(_('{field}: the step of "{text}" must be 1 or more'), part, field)
    if span == "*":
        return range(field.least, field.most + 1 - (field.names is _DAY_NAMES), step)
    first_text, dash, last_text = span.partition("-")
    first = _number(first_text, field, field.names)
    last = _number(last_text, field, field.names) if dash else (field.most if slash else first)
    if field.names is _DAY_NAMES and last == 0 < first:
        last = 7  # fri-sun: the week may be written to end on Sunday
    if not field.least <= first <= last <= field.most:
        raise _refusal(_('{field}: "{text}" is outside {least} to {most}, or runs backwards'), part, field)
    return range(first, last + 1, step)


def _number(text: str, field: _Field, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise _refusal(_('{field}: "{text}" is not a number from {least} to {most}'), text, field)
    return int(text)


def _refusal(template: str, text: str, field: _Field) -> ValueError:
    return ValueError(say(template, field=say(field.name), text=text[:20], least=field.least, most=field.most))


def next_cron(expression: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The first firing strictly after an instant."""
    plan = schedule(expression)
    # The day before: where the clocks skip a whole day, yesterday's times may still lie ahead.
    day = after.astimezone(zone).date() - timedelta(days=1)
    for _day in range(HORIZON_DAYS):
        if plan.on(day):
            # Wall times never overtake each other (D16), so the first one after the instant can be searched for.
            place = bisect_right(plan.times, after, key=partial(at_wall, zone, day))
            if place < len(plan.times):
                return at_wall(zone, day, plan.times[place])
        day += timedelta(days=1)
    raise ValueError(f'"{expression}" does not fire again')


def _check(value: str) -> str:
    try:
        schedule(value)
    except ValueError as error:
        raise PydanticCustomError("cron", "{reason}", {"reason": str(error)}) from None
    return value


Cron = Annotated[
    str, AfterValidator(_check), WithJsonSchema({"type": "string", "format": "cron", "maxLength": TEXT_AT_MOST})
]
