"""The filters operators may use in copy, each with a bound on what goes in and what comes out.

Takes the library's harmless filters and writes the others anew: those that could multiply text without end, that read
the machine's clock or locale, or that would let text pass unescaped. Never sees anything but JSON values.
"""

import functools
import html
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import nh3
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, is_currency
from liquid import Environment
from liquid.filter import with_context
from liquid.undefined import Undefined

LONGEST_TEXT = 64 * 1024
LONGEST_LIST = 1000
LARGEST_NUMBER = 10**30
DROPPED = ("safe", "escapejs", "escape_once")
STYLES = ("short", "medium", "long", "full")
PARTS = {  # of strftime, as babel patterns: the machine's own would read its locale and honour widths of any size
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "e": "d", "B": "MMMM", "b": "MMM", "A": "EEEE", "a": "EEE",
    "H": "HH", "I": "hh", "l": "h", "M": "mm", "S": "ss", "p": "a", "j": "DDD",
    "F": "yyyy-MM-dd", "T": "HH:mm:ss", "R": "HH:mm", "D": "MM/dd/yy",
}  # fmt: skip


class CopyError(Exception):
    """This template cannot be rendered for this person; the text says why."""


class MissingVariable(CopyError):
    """A value the template needs is not there, and no `default` stands in for it."""

    def __init__(self, path: str) -> None:
        super().__init__(f"missing variable: {path}")
        self.path = path


class Missing(Undefined):
    """What a path without a value leads to: false in conditions, replaced by `default`, an error anywhere else."""

    __slots__ = ()
    force_liquid_default = True

    def _refuse(self, *_: object) -> Any:
        raise MissingVariable(self.name)

    __contains__ = __getitem__ = __len__ = __iter__ = __str__ = __int__ = __reversed__ = _refuse

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Missing)

    def __hash__(self) -> int:
        return hash(self.name)


class Ready(str):
    """Text already escaped for where it goes."""

    __slots__ = ()


def as_text(value: object) -> str:
    """A JSON value as a person would write it."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_NUMBER:
        return str(int(value))
    if isinstance(value, int | float | Decimal | Undefined):
        return str(value)
    if isinstance(value, list | tuple):
        return "".join(as_text(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    raise CopyError("a value is not JSON")


def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing missing arguments and anything too large, before and after."""

    @functools.wraps(function)
    def guarded(value: Any, *args: Any, **given: Any) -> Any:
        for argument in (value, *args, *given.values()):
            _check(argument)
        result = function(value, *args, **given)
        _check(result)
        return result

    return guarded


def _check(value: object) -> int:
    """The weight of a value, or `CopyError` where it has too much of it."""
    if isinstance(value, str):
        weight = len(value)
    elif isinstance(value, Missing):
        raise MissingVariable(value.name)
    elif isinstance(value, int | float | Decimal):
        if not (math.isfinite(value) and -LARGEST_NUMBER < value < LARGEST_NUMBER):
            raise CopyError("a number is out of range")
        return 8
    elif isinstance(value, list | tuple | range):
        if len(value) > LONGEST_LIST:
            raise CopyError(f"a list is longer than {LONGEST_LIST}")
        weight = sum(_check(item) for item in value)
    elif isinstance(value, Mapping):
        weight = sum(_check(item) for item in value.values() if item is not None)
    else:
        return 1
    if weight > LONGEST_TEXT:
        raise CopyError("a text grows too long")
    return weight


def replace(value: object, old: object, new: object = "") -> str:
    text, before, after = as_text(value), as_text(old), as_text(new)
    if len(text) + text.count(before) * max(0, len(after) - len(before)) > LONGEST_TEXT:
        raise CopyError("a text grows too long")
    return text.replace(before, after)


def join(value: object, glue: object = " ") -> str:
    parts = [as_text(part) for part in value] if isinstance(value, list | tuple | range) else [as_text(value)]
    between = as_text(glue)
    if sum(map(len, parts)) + len(between) * len(parts) > LONGEST_TEXT:
        raise CopyError("a text grows too long")
    return between.join(parts)


def escape(value: object) -> str:
    return Ready(html.escape(as_text(value)))


def newline_to_br(value: object) -> str:
    text = value if isinstance(value, Ready) else html.escape(as_text(value))
    return Ready(re.sub(r"\r?\n", "<br>\n", text))


def strip_html(value: object) -> str:
    return html.unescape(nh3.clean(as_text(value), tags=set(), clean_content_tags={"script", "style"}))


def as_json(value: object) -> str:
    return Ready(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))


@with_context
def money(value: object, currency: str = "CNY", locale: str = "", *, context: Any) -> str:
    """`1234.5 | money: "CNY"` → ¥1,234.50, in the reader's language."""
    try:
        amount = Decimal(as_text(value).strip())
    except InvalidOperation as error:
        raise CopyError("money needs a number") from error
    if not amount.is_finite() or abs(amount) >= LARGEST_NUMBER:
        raise CopyError("money needs a number")
    code = as_text(currency).upper()
    if not is_currency(code):
        raise CopyError(f"unknown currency {code[:8]}")
    return format_currency(amount, code, locale=locale_of(locale or context.locale))


@with_context
def date(value: object, form: str = "medium", locale: str = "", *, context: Any) -> str:
    """`entry.timestamp | date: "long"`, or with the letters of strftime: `date: "%Y-%m-%d"`; in the reader's zone."""
    instant = _instant(value, context).astimezone(context.zone)
    language = locale_of(locale or context.locale)
    if form in STYLES:
        return format_date(instant, form, language)
    if form in [f"{style}_time" for style in STYLES]:
        return format_time(instant, form.removesuffix("_time"), context.zone, language)
    words = [_part(piece, instant, language) for piece in re.findall(r"%-?.|[^%]+|%$", as_text(form)[:100])]
    return "".join(words)


def _part(piece: str, instant: datetime, language: str) -> str:
    if not piece.startswith("%"):
        return piece
    pattern = PARTS.get(piece[-1])
    if pattern is None:
        if piece == "%%":
            return "%"
        raise CopyError(f"unknown date part {piece}")
    if piece.startswith("%-"):
        pattern = pattern[:1]
    return format_datetime(instant, pattern, locale=language)


def _instant(value: object, context: Any) -> datetime:
    if value in ("now", "today"):
        return context.now  # type: ignore[no-any-return]
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=context.zone)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CopyError("date needs a time") from error
    raise CopyError("date needs a time")


def mask(value: object, first: int = 3, last: int = 4) -> str:
    """Hide the middle: 138****5678; of a mail address, all of the name but its first letter."""
    text = as_text(value)
    name, at, domain = text.rpartition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    head, tail = max(0, int(first)), max(0, int(last))
    if head + tail >= len(text):
        head, tail = min(1, len(text) - 1), 0
    return f"{text[:head]}****{text[len(text) - tail :] if tail else ''}"


def locale_of(name: object) -> str:
    """One of the two languages this product speaks; anything else reads English."""
    return "zh" if str(name).lower().startswith("zh") else "en"


def zone_of(name: str) -> ZoneInfo:
    """The named zone, UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def url_encode(value: object) -> str:
    return quote(as_text(value), safe="")


OURS: dict[str, Callable[..., Any]] = {
    "replace": replace, "join": join, "escape": escape, "newline_to_br": newline_to_br, "strip_html": strip_html,
    "json": as_json, "money": money, "date": date, "mask": mask, "url_encode": url_encode,
}  # fmt: skip


def install(environment: Environment) -> None:
    """Bound every filter, take away the few that cannot be, add ours."""
    for name in DROPPED:
        environment.filters.pop(name, None)
    for name, function in {**environment.filters, **OURS}.items():
        if name != "default":  # the one filter whose business is what is missing
            environment.filters[name] = bounded(function)
