"""The form of sending rules: its fields out of the policies, the policies out of its fields, each mistake at its field. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from flows import policies
from flows.durations import seconds
from flows.errors import DocumentError
from flows.policies import CALENDAR, LIMIT_AT_MOST, LONGEST_WINDOW, RULES_AT_MOST, Cap, Policies, Quiet
from flows.words import _

UNITS = {
    "D": _("days, rolling"),
    "H": _("hours, rolling"),
    "M": _("minutes, rolling"),
    "day": _("one day of their calendar"),
    "week": _("one week of their calendar"),
}
SPANS = {"D": 86_400, "H": 3_600, "M": 60}
SPAN_WORDS = {"D": _("days"), "H": _("hours"), "M": _("minutes")}
OVERS = {"skip": _("it is not sent, and says why"), "defer": _("it waits until it may go out")}
CAP_FIELDS = ("limit", "count", "unit", "channel", "over")
QUIET_FIELDS = ("from", "to", "channel", "over")
NEW_CAP = {"limit": "3", "count": "7", "unit": "D", "channel": "", "over": "skip"}
NEW_QUIET = {"from": "21:00", "to": "08:00", "channel": "", "over": "defer"}
UNEVEN = _("The page is not whole any more; load it again.")
Fields = dict[str, str]


class Form(NamedTuple):
    """What the form says, field by field, as it was typed."""

    caps: list[Fields]
    quiet: list[Fields]
    single: Fields


def of(rules: Policies) -> Form:
    """The policies as fields."""
    return Form(
        [
            {
                "limit": str(one.limit),
                **_window(one.per),
                "channel": one.channel or "",
                "over": one.over,
            }
            for one in rules.caps
        ],
        [{"from": one.since, "to": one.until, "channel": one.channel or "", "over": one.over} for one in rules.quiet],
        {
            "defer": _span(rules.defer_at_most)["count"],
            "defer_unit": _span(rules.defer_at_most)["unit"],
            "marketing": str(rules.fuse.marketing),
            "transactional": str(rules.fuse.transactional),
            "reach_times": str(rules.fuse.reach_times),
        },
    )


def _window(per: str) -> Fields:
    return {"count": "1", "unit": per} if per in CALENDAR else _span(per)


def _span(duration: str) -> Fields:
    """In the largest unit that says it whole; one that no unit does (it came by the API) stands in minutes."""
    length = seconds(duration)
    unit = next((name for name, long in SPANS.items() if length % long == 0), "M")
    return {"count": str(max(1, length // SPANS[unit])), "unit": unit}


def posted(given: Mapping[str, Sequence[str]]) -> Form:
    """The form as a browser sends it: lists of equal length for rows."""
    single = {name: (given.get(name) or [""])[0].strip() for name in ("defer", "defer_unit", *FUSE)}
    return Form(_rows(given, "cap", CAP_FIELDS), _rows(given, "quiet", QUIET_FIELDS), single)


FUSE = ("marketing", "transactional", "reach_times")


def _rows(given: Mapping[str, Sequence[str]], kind: str, names: Sequence[str]) -> list[Fields]:
    columns = [given.get(f"{kind}_{name}", []) for name in names]
    if len({len(one) for one in columns}) != 1:
        raise DocumentError([(kind, UNEVEN)])
    return [dict(zip(names, (text.strip() for text in row), strict=True)) for row in zip(*columns, strict=True)]


def changed(form: Form, deed: str) -> Form:
    """The form after a button: `cap+`, `quiet+`, `cap- 2`."""
    kind, _space, number = deed.partition(" ")
    rows = form.caps if kind.startswith("cap") else form.quiet
    if kind == "cap+":
        rows.append(dict(NEW_CAP))
    elif kind == "quiet+":
        rows.append(dict(NEW_QUIET))
    elif kind in ("cap-", "quiet-") and number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
    return form


def raw(form: Form) -> dict[str, Any]:
    """What the API would be sent."""
    return {
        "caps": [raw_cap(one) for one in form.caps],
        "quiet": [raw_quiet(one) for one in form.quiet],
        "defer_at_most": _duration(form.single["defer"], form.single["defer_unit"]),
        "fuse": {name: _number(form.single[name]) for name in FUSE},
    }


def raw_cap(one: Fields) -> dict[str, Any]:
    """A cap as JSON."""
    per = one["unit"] if one["unit"] in CALENDAR else _duration(one["count"], one["unit"])
    return {"limit": _number(one["limit"]), "per": per, "channel": one["channel"] or None, "over": one["over"]}


def raw_quiet(one: Fields) -> dict[str, Any]:
    """Quiet hours as JSON."""
    return {**one, "channel": one["channel"] or None}


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _duration(count: str, unit: str) -> str:
    return f"PT{count}{unit}" if unit in ("H", "M") else f"P{count}{unit}"


def mistakes(form: Form) -> dict[str, str]:
    """What is wrong, by the field's name in the page: `cap-0-limit`, `marketing`; texts are marked, not translated."""
    wrong: dict[str, str] = {}
    for number, row in enumerate(form.caps):
        wrong |= {f"cap-{number}-{name}": text for name, text in _cap_mistakes(row).items()}
    for number, row in enumerate(form.quiet):
        wrong |= {f"quiet-{number}-{name}": text for name, text in _quiet_mistakes(row).items()}
    wrong |= {name: COUNT for name in FUSE if not _counts(form.single[name])}
    if not _counts(form.single["defer"]) or form.single["defer_unit"] not in SPANS:
        wrong["defer"] = COUNT
    if len(form.caps) > RULES_AT_MOST or len(form.quiet) > RULES_AT_MOST:
        wrong[""] = TOO_MANY
    if not wrong:
        wrong = _refused(form)
    return wrong


def _cap_mistakes(row: Fields) -> dict[str, str]:
    wrong = {} if _counts(row["limit"]) else {"limit": COUNT}
    if row["unit"] not in CALENDAR:
        known = row["unit"] in SPANS and _counts(row["count"])
        if not known or timedelta(seconds=int(row["count"]) * SPANS[row["unit"]]) > LONGEST_WINDOW:
            wrong["count"] = TOO_LONG if known else COUNT
    return wrong


def _quiet_mistakes(row: Fields) -> dict[str, str]:
    wrong = {name: CLOCK for name in ("from", "to") if not CLOCK_TEXT.fullmatch(row[name])}
    return wrong or ({"to": ALL_DAY} if row["from"] == row["to"] else {})


def _counts(text: str) -> bool:
    number = _number(text)
    return isinstance(number, int) and 1 <= number <= LIMIT_AT_MOST


def _refused(form: Form) -> dict[str, str]:
    """What only the policies themselves know to refuse; a field nobody types into, such as a channel that is not there."""
    try:
        policies.load(raw(form))
    except DocumentError as error:
        return {"": error.errors[0][1]}
    return {}


COUNT = _("Write a whole number from 1 to 1000.")
CLOCK = _("Write a time of day such as 21:00.")
ALL_DAY = _("The end is the beginning: that would be the whole day.")
TOO_LONG = _("A window may be 31 days long at most.")
TOO_MANY = _("Fifty rules of a kind are the most.")
CLOCK_TEXT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def one_cap(fields: Fields) -> Cap | None:
    """The cap of a row; None where something is wrong with it."""
    try:
        return policies.load({"caps": [raw_cap(fields)]}).caps[0]
    except DocumentError:
        return None


def one_quiet(fields: Fields) -> Quiet | None:
    """The quiet hours of a row; None where something is wrong with them."""
    try:
        return policies.load({"quiet": [raw_quiet(fields)]}).quiet[0]
    except DocumentError:
        return None
