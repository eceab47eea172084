"""What is typed into the simulator's forms, read and written: people, properties, happenings. Never what comes of them."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, overload
from zoneinfo import ZoneInfo

from app.gallery.filling import BlankError, duration_of
from app.simulating.story import Person
from flows.calendar import as_instant, zone
from flows.contract import Json
from flows.durations import elapsed
from flows.words import _

PAST_ROWS = 5
LINES_AT_MOST = 100
DAY = 86_400


class FieldError(ValueError):
    """What was typed cannot be read; the text is a message of gettext."""


def values_of(text: str) -> dict[str, Json]:
    """`name = value` by lines (or commas within one line); a value that is JSON is what it says, all else is text."""
    found: dict[str, Json] = {}
    lines = text.replace("\r\n", "\n").strip()
    for line in lines.split("\n")[:LINES_AT_MOST]:
        if not line.strip():
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise FieldError(_("write each property on a line of its own, as name = value"))
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if not isinstance(value, float) or abs(value) < 1e15 else text


def lines_of(values: Mapping[str, Json]) -> str:
    """And back: one line for each."""
    return "\n".join(f"{name} = {_shown(value)}" for name, value in values.items())


def _shown(value: Json) -> str:
    plain = isinstance(value, str) and _value(value) == value and value == value.strip() and "\n" not in value
    return value if plain else json.dumps(value, ensure_ascii=False)


def person_fields(person: Person) -> dict[str, str]:
    """A person as the form shows them."""
    found = {"attributes": lines_of(person.attributes), "tags": ", ".join(person.tags), "opted_out": ""}
    for row in range(PAST_ROWS):
        past = person.past[row] if row < len(person.past) else None
        found[f"past.{row}.event"] = past.event if past else ""
        found[f"past.{row}.days"] = f"{elapsed(past.ago).total_seconds() / DAY:.3g}" if past else ""
        found[f"past.{row}.properties"] = ", ".join(lines_of(past.properties).split("\n")) if past else ""
    return found


def person_of(typed: Mapping[str, str], channels: Iterable[str]) -> Person:
    """The person of the form."""
    past = []
    for row in range(PAST_ROWS):
        if event := typed.get(f"past.{row}.event", "").strip():
            properties = values_of(typed.get(f"past.{row}.properties", "").replace(",", "\n"))
            past.append({"event": event, "ago": _ago(typed.get(f"past.{row}.days", "")), "properties": properties})
    attributes = values_of(typed.get("attributes", ""))
    opted_out = {channel: {"marketing": False} for channel in channels} if typed.get("opted_out") else {}
    tags = [tag.strip() for tag in typed.get("tags", "").replace("，", ",").split(",") if tag.strip()]
    return Person.model_validate(
        {
            "user_id": "simulated",
            "attributes": attributes,
            "tags": tags,
            "consents": opted_out,
            "identities": {"email": "mia@example.com", "phone": "+10000000000"},
            "past": past,
        }
    )


def _ago(text: str) -> str:
    try:
        seconds = float(text or "1") * DAY
    except ValueError:
        seconds = -1
    if not 1 <= seconds <= 365 * DAY:
        raise FieldError(_("how many days ago is a number up to 365"))
    return f"PT{int(seconds)}S"


def happening(typed: Mapping[str, str]) -> dict[str, Json] | None:
    """What the reader did, as a happening; None where the button is none of these."""
    match typed.get("do"):
        case "next":
            return {"do": "next"}
        case "wait":
            return {"do": "wait", "length": _length(typed)}
        case "event":
            name = typed.get("event", "").strip()
            if not name:
                raise FieldError(_("write the name of the event"))
            return {"do": "event", "name": name, "properties": values_of(typed.get("properties", ""))}
        case "opened" | "clicked" | "failed" as outcome:
            return {"do": "receipt", "node": typed.get("node", ""), "outcome": outcome}
        case "anyway":
            return {"do": "enter", "node": typed.get("node") or None, "anyway": True}
    return None


def _length(typed: Mapping[str, str]) -> str:
    amount = typed.get("amount", "")
    try:
        return duration_of(int(amount) if amount.isascii() and amount.isdecimal() else 0, typed.get("unit", ""))
    except BlankError as error:
        raise FieldError(str(error)) from None


@overload
def moment_of(given: datetime, timezone: str) -> str: ...
@overload
def moment_of(given: str, timezone: str, otherwise: datetime) -> datetime: ...
def moment_of(given: Any, timezone: str, otherwise: datetime | None = None) -> Any:
    """A moment as the field writes it, in the journey's zone; or the field's text as a moment."""
    place = zone(timezone) or ZoneInfo("UTC")
    if isinstance(given, datetime):
        return given.astimezone(place).strftime("%Y-%m-%dT%H:%M")
    found = as_instant(given, place) if given else otherwise
    if found is None:
        raise FieldError(_("the beginning must be a date and a time"))
    # The field knows no seconds: a story that begins now begins now.
    return otherwise if otherwise and abs((found - otherwise).total_seconds()) < 60 else found
