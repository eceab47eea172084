"""A template and what an operator typed become a flow document. Pure; the blanks are checked here, the flow by `flows`.

Only accounts that exist are offered. Where there is none for e-mail, its steps speak in the app instead, so that what
comes out can be published at once.
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.copywriting import check
from app.gallery import Blank, Template, spoken
from app.gallery.pointers import put
from flows.calendar import as_instant, time_of_day
from flows.contract import Json
from flows.durations import elapsed, offset, seconds
from flows.words import _

ACCOUNT = "account"
UNITS = (("D", 86_400), ("H", 3_600), ("M", 60))
PERIOD = re.compile(r"P(\d+)([DWMY])")
AHEAD = re.compile(r"(P\d+D) (\d\d:\d\d)")
CRON = re.compile(r"(\d{1,2}) (\d{1,2}) (\d{1,2}) \* \*")
LAST_DAY = 28
TEXT_AT_MOST = {"text": 300, "long": 10_000, "url": 2_000, "event": 200, "attribute": 200}
COPY = frozenset({"text", "long", "url"})
NEEDED = _("is needed")
OPTIONAL = frozenset({"url", "long"})
Typed = Mapping[str, str]
Say = Callable[[str], str]


class BlankError(ValueError):
    """What was typed cannot stand there; the text is for the operator (a message of gettext)."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The document, and what was wrong with the blanks: texts by id."""

    document: dict[str, Json]
    wrong: Mapping[str, str]


def defaults(blank: Blank, language: str, now: datetime, zone: str) -> dict[str, str]:
    """What stands in the form's fields of a blank to begin with."""
    value = spoken(blank.default, language)
    if blank.kind == "duration":
        return _amount(blank.id, str(value))
    if blank.kind == "period":
        found = PERIOD.fullmatch(str(value))
        return {f"{blank.id}.amount": found[1] if found else "1", f"{blank.id}.unit": found[2] if found else "D"}
    if blank.kind == "monthly":
        found = CRON.fullmatch(str(value))
        minute, hour, day = found.groups() if found else ("0", "10", "1")
        return {f"{blank.id}.day": day, f"{blank.id}.time": f"{int(hour):02}:{int(minute):02}"}
    if blank.kind == "moment" and (ahead := AHEAD.fullmatch(str(value))):
        day = (now.astimezone(ZoneInfo(zone)) + elapsed(ahead[1])).date()
        return {blank.id: f"{day.isoformat()}T{ahead[2]}"}
    return {blank.id: str(value)}


def fill(template: Template, typed: Typed, language: str, accounts: Sequence[str]) -> Filled:
    """The template with what was typed, or with its defaults where nothing was; `accounts` are those for e-mail."""
    document = template.words(language)
    document = copy.deepcopy(document)
    wrong: dict[str, str] = {}
    for blank in template.blanks:
        try:
            value = read(blank, typed)
        except BlankError as error:
            wrong[blank.id] = str(error)
            continue
        for pointer in blank.at:
            put(document, pointer, value)
    chosen = typed.get(ACCOUNT, accounts[0] if accounts else "")
    address(document, chosen if chosen in accounts else "")
    return Filled(document, wrong)


def shown(template: Template, language: str) -> dict[str, Json]:
    """The template's document as a picture shows it: its blanks as they are."""
    document = copy.deepcopy(template.words(language))
    for blank in template.blanks:
        if blank.kind in ("text", "long"):
            for pointer in blank.at:
                put(document, pointer, spoken(blank.default, language))
    for node in document["nodes"]:
        if node["type"] == "send.email":
            node["settings"] |= {"account": ACCOUNT}
            node["settings"].pop("url", None)
    return document


def mails(document: Mapping[str, Json]) -> int:
    """How many of its steps send e-mail."""
    return sum(node["type"] == "send.email" for node in document["nodes"])


def address(document: dict[str, Json], account: str) -> None:
    """Give the e-mail steps their account; without one they become messages in the app."""
    for node in document["nodes"]:
        if node["type"] != "send.email":
            continue
        settings = node["settings"]
        link = settings.pop("url", "")
        if account:
            settings["account"] = account
            settings["text"] = f"{settings['text']}\n\n{link}" if link else settings["text"]
        else:
            node["type"] = "send.inapp"
            kept = {name: settings[name] for name in ("wait_for", "timeout", "message_class") if name in settings}
            words = {"title": settings["subject"], "body": settings["text"], "url": link}
            node["settings"] = {**words, "expires": "P7D", **kept}


def read(blank: Blank, typed: Typed) -> Json:
    """The value of a blank out of the form's fields; BlankError says what is wrong with it."""
    return _READERS.get(blank.kind, _text)(blank, typed)


def _field(blank: Blank, typed: Typed, part: str = "") -> str:
    text = typed.get(f"{blank.id}{part}", "").strip().replace("\r\n", "\n")
    if "\x00" in text:
        raise BlankError(_("holds a character that cannot be kept"))
    if not text and blank.kind not in OPTIONAL:
        raise BlankError(NEEDED)
    return text


def _text(blank: Blank, typed: Typed) -> str:
    text = _field(blank, typed)
    if len(text) > TEXT_AT_MOST.get(blank.kind, 300):
        raise BlankError(_("is too long"))
    if blank.kind in ("text", "event", "attribute") and "\n" in text:
        raise BlankError(_("must be one line"))
    if blank.kind in COPY and check(text):
        raise BlankError(_("holds a {{ … }} that cannot be read"))
    if blank.kind == "url" and text and not text.startswith(("https://", "http://")):
        raise BlankError(_("must begin with https://"))
    return text


def _number(blank: Blank, typed: Typed) -> float | int:
    try:
        value = float(_field(blank, typed))
    except ValueError as error:
        raise error if isinstance(error, BlankError) else BlankError(_("must be a number")) from None
    most = 100 if blank.kind == "percent" else 1e12
    if not 0 <= value <= most:
        raise BlankError(_("must be between 0 and 100") if most == 100 else _("must be a number"))
    return int(value) if value.is_integer() else value


def _whole(blank: Blank, typed: Typed, part: str) -> int:
    text = _field(blank, typed, part)
    if not text.isascii() or not text.isdecimal() or len(text) > 7:
        raise BlankError(_("must be a whole number"))
    return int(text)


def duration_of(amount: int, unit: str) -> str:
    """A length of time as it is written in documents; BlankError where it is none, or none that can be waited for."""
    if unit not in ("M", "H", "D"):
        raise BlankError(_("choose minutes, hours or days"))
    text = f"P{amount}D" if unit == "D" else f"PT{amount}{unit}"
    if not 1 <= seconds(text) <= seconds("P365D"):
        raise BlankError(_("must be between one minute and a year"))
    return text


def _duration(blank: Blank, typed: Typed) -> str:
    return duration_of(_whole(blank, typed, ".amount"), _field(blank, typed, ".unit"))


def _period(blank: Blank, typed: Typed) -> str:
    text = f"P{_whole(blank, typed, '.amount')}{_field(blank, typed, '.unit')}"
    if not PERIOD.fullmatch(text):
        raise BlankError(_("choose days, weeks, months or years"))
    try:
        offset(text)
    except ValueError:
        raise BlankError(_("is too long")) from None
    return text


def _time(blank: Blank, typed: Typed) -> str:
    text = _field(blank, typed)
    try:
        time_of_day(text)
    except ValueError:
        raise BlankError(_("must be a time such as 09:00")) from None
    return text[:5]


def _moment(blank: Blank, typed: Typed) -> str:
    text = _field(blank, typed)
    if as_instant(text, ZoneInfo("UTC")) is None:
        raise BlankError(_("must be a date and a time"))
    return text[:16]


def _monthly(blank: Blank, typed: Typed) -> str:
    day, text = _whole(blank, typed, ".day"), _field(blank, typed, ".time")
    if not 1 <= day <= LAST_DAY:
        raise BlankError(_("must be a day from 1 to 28, which every month has"))
    try:
        at = time_of_day(text)
    except ValueError:
        raise BlankError(_("must be a time such as 09:00")) from None
    return f"{at.minute} {at.hour} {day} * *"


_READERS: Mapping[str, Callable[[Blank, Typed], Json]] = {
    "number": _number,
    "percent": _number,
    "duration": _duration,
    "period": _period,
    "time": _time,
    "moment": _moment,
    "monthly": _monthly,
}


def _amount(id: str, duration: str) -> dict[str, str]:
    """A duration as a number and the largest unit that fits it."""
    length = int(elapsed(duration) / timedelta(seconds=1))
    unit, size = next((one for one in UNITS if length % one[1] == 0), UNITS[-1])
    return {f"{id}.amount": str(length // size), f"{id}.unit": unit}


def begin(template: Template, language: str, now: datetime, zone: str) -> dict[str, Any]:
    """All fields of a template's form as they stand to begin with."""
    fields: dict[str, Any] = {}
    for blank in template.blanks:
        fields |= defaults(blank, language, now, zone)
    return fields
