"""Spans of time as people write them (ISO 8601); never a clock, a zone or an instant.

A `Duration` is elapsed time: a day is 24 hours whatever the clocks do. A `Period` moves a date: a month is a month.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import MINYEAR, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from flows.words import Language, _, say, spoken

__all__ = [
    "Bounds",
    "Duration",
    "Language",
    "Offset",
    "Period",
    "anniversary",
    "around",
    "elapsed",
    "offset",
    "seconds",
    "shift",
    "words",
]

Moment = TypeVar("Moment", date, datetime)

YEARS_AT_MOST = 200
_TEXT_AT_MOST = 40
_PATTERN = r"^P(?=[0-9T])([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"
_ELAPSED = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,7})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,10})S)?)?"
)
_CALENDAR = re.compile(
    r"([+-])?P(?=[0-9T])(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})W)?(?:([0-9]{1,5})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?"
)
_UNIT_SECONDS = (604_800, 86_400, 3_600, 60, 1)
_MONTHS = _(
    '"{text}" counts months or years, which have no fixed length: '
    "write days, such as P30D or P365D (one minute is PT1M)"
)
_NO_LENGTH = _('"{text}" is not a length of time: write P7D for seven days, PT2H for two hours, PT10M for ten minutes')
_NO_PERIOD = _(
    '"{text}" is not a period: write P1Y for a year later, -P3D for three days before, P0D for the day itself'
)
_BEFORE, _AFTER = _("{length} before {name}"), _("{length} after {name}")
_FAR = _("a period reaches at most {years} years")
_WORDS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (" week", " weeks"),
        (" day", " days"),
        (" hour", " hours"),
        (" minute", " minutes"),
        (" second", " seconds"),
    ),
    "zh": ((" 周",) * 2, (" 天",) * 2, (" 小时",) * 2, (" 分钟",) * 2, (" 秒",) * 2),
}


_PERIOD_WORDS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": ((" year", " years"), (" month", " months"), *_WORDS["en"]),
    "zh": ((" 年",) * 2, (" 个月",) * 2, *_WORDS["zh"]),
}


@lru_cache(maxsize=4096)
def seconds(duration: str) -> int:
    """The length of a `Duration`; ValueError says what to write instead."""
    return sum(count * unit for count, unit in zip(_parts(duration), _UNIT_SECONDS, strict=True))


@lru_cache(maxsize=4096)
def elapsed(duration: str) -> timedelta:
    """The length of a `Duration` as a timedelta."""
    return timedelta(seconds=seconds(duration))


def words(duration: str, language: Language | None = None) -> str:
    """The duration in words, in the language spoken if none is named: `P1DT2H` is "1 day 2 hours"."""
    language = language or spoken()
    shown = [
        f"{count}{one if count == 1 else many}"
        for count, (one, many) in zip(_parts(duration), _WORDS[language], strict=True)
        if count
    ]
    return " ".join(shown) or f"0{_WORDS[language][-1][1]}"


def _parts(duration: str) -> tuple[int, ...]:
    found = _ELAPSED.fullmatch(duration)
    if found is None:
        raise ValueError(_what_to_write(duration))
    return tuple(int(part or 0) for part in found.groups())


def _what_to_write(text: str) -> str:
    shown = text[:_TEXT_AT_MOST]
    date_part = shown.upper().partition("T")[0]
    if re.fullmatch(r"P[0-9YMWD]*[YM][0-9YMWD]*", date_part):
        return say(_MONTHS, text=shown)
    return say(_NO_LENGTH, text=shown)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Annotation of a duration field: `Annotated[str, Bounds("PT1M", "P30D")]`; both ends are allowed."""

    least: str = "PT1S"
    most: str = "P365D"

    def check(self, value: str) -> str:
        """The value itself, or the sentence a form shows."""
        try:
            length = seconds(value)
        except ValueError as error:
            raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None
        if not seconds(self.least) <= length <= seconds(self.most):
            raise PydanticCustomError(
                "duration_bounds",
                "must be between {least} and {most}",
                {"least": words(self.least), "most": words(self.most), "least_iso": self.least, "most_iso": self.most},
            )
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {
            "format": "duration",
            "pattern": _PATTERN,
            "x-minimum": self.least,
            "x-maximum": self.most,
        }


Duration = Annotated[str, Bounds()]


@dataclass(frozen=True, slots=True)
class Offset:
    """A signed period, taken apart: whole months move the calendar, days and seconds follow."""

    months: int
    days: int
    seconds: int

    def move(self, moment: Moment) -> Moment:
        """The moment moved by the calendar part alone; a day that a month lacks becomes the last of that month."""
        return _months_later(moment, self.months) + timedelta(days=self.days)


@lru_cache(maxsize=4096)
def offset(period: str) -> Offset:
    """The parts of a `Period`, sign applied; ValueError says what to write instead."""
    found = _CALENDAR.fullmatch(period)
    if found is None:
        raise ValueError(say(_NO_PERIOD, text=period[:_TEXT_AT_MOST]))
    sign = -1 if found[1] == "-" else 1
    years, months, weeks, days, hours, minutes, rest = (int(part or 0) for part in found.groups()[1:])
    parts = Offset(sign * (years * 12 + months), sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + rest))
    if abs(parts.months) / 12 + abs(parts.days) / 366 + abs(parts.seconds) / 31_622_400 > YEARS_AT_MOST:
        raise ValueError(say(_FAR, years=YEARS_AT_MOST))
    return parts


def _check_period(value: str) -> str:
    try:
        offset(value)
    except ValueError as error:
        raise PydanticCustomError("period", "{reason}", {"reason": str(error)}) from None
    return value


Period = Annotated[
    str,
    AfterValidator(_check_period),
    WithJsonSchema({"type": "string", "format": "period", "maxLength": _TEXT_AT_MOST}),
]


def around(name: str, period: str) -> str:
    """A date's name and how far away from it, in the language spoken: `-P3D` is "3 days before birthday"."""
    found = _CALENDAR.fullmatch(period)
    counts = [int(part or 0) for part in found.groups()[1:]] if found else []
    if not any(counts):
        return name
    given = zip(counts, _PERIOD_WORDS[spoken()], strict=True)
    length = " ".join(f"{count}{one if count == 1 else many}" for count, (one, many) in given if count)
    return say(_BEFORE if period.startswith("-") else _AFTER, length=length, name=name)


def shift(moment: Moment, period: str) -> Moment:
    """The date (or local date and time) a period away: 29 February + P1Y is the 28th.

    A plain date moves by whole days only: `-PT2H` from it is the day before. OverflowError past the years 1 to 9999.
    """
    parts = offset(period)
    moved = parts.move(moment)
    if isinstance(moved, datetime):
        return moved + timedelta(seconds=parts.seconds)
    return moved + timedelta(days=parts.seconds // _UNIT_SECONDS[1])


def _months_later(moment: Moment, months: int) -> Moment:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not MINYEAR <= year <= date.max.year:
        raise OverflowError("date value out of range")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def anniversary(day: date, year: int) -> date:
    """The day's anniversary in a year: 29 February falls on the 28th in common years."""
    return _months_later(day, (year - day.year) * 12)
