"""Fields with one value: how each kind is shown in inputs, and read back. Never lists, models or rules.

What was not touched is never read: then the value stays what it was, however it was written.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from app.forms.posted import Inputs
from app.forms.shapes import ABSENT, Shape
from flows.contract import Json
from flows.errors import DocumentError
from flows.raw import parse_text, refuse_unsafe
from flows.words import _, say

Show = Callable[[Shape, Json], Inputs]
Read = Callable[[Shape, Inputs], Json]

UNITS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}
DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
PERIOD = re.compile(r"([+-])?P(?:(\d+)([YMWD])|T(\d+)([HMS]))")
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
CLOCK_UNITS = {"h": "H", "m": "M", "s": "S"}  # of a period: PT2H; capitals are the calendar's
NOT_A_NUMBER = _("must be a number")
NOT_WHOLE = _("must be a whole number")
NOT_JSON = _("is not JSON")


class UnreadableError(Exception):
    """What was typed is no value of this kind; the text says why, in the language spoken."""


class Leaf(NamedTuple):
    """How one kind goes into inputs, and out of them."""

    show: Show
    read: Read


def number_of(text: str, *, whole: bool = False) -> int | float:
    """The number a person typed; whole ones stay whole."""
    try:
        value = float(text.strip().replace("_", "x"))
    except ValueError:
        raise UnreadableError(say(NOT_A_NUMBER)) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise UnreadableError(say(NOT_A_NUMBER))
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    if whole:
        raise UnreadableError(say(NOT_WHOLE))
    return value


def shown_number(value: Json) -> str:
    """A number as a person would type it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None or value is ABSENT else str(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _show_text(_shape: Shape, value: Json) -> Inputs:
    return {"": as_text(value).replace("\r\n", "\n")}


def _read_text(shape: Shape, inputs: Inputs) -> Json:
    text = inputs.get("", "")
    return None if shape.nullable and not text.strip() else text


def _show_number(_shape: Shape, value: Json) -> Inputs:
    return {"": shown_number(value)}


def _read_number(shape: Shape, inputs: Inputs) -> Json:
    text = inputs.get("", "")
    if not text.strip() and shape.nullable:
        return None
    return number_of(text, whole=shape.whole)


def _show_flag(_shape: Shape, value: Json) -> Inputs:
    return {"": "on" if value is True else ""}


def _read_flag(_shape: Shape, inputs: Inputs) -> Json:
    return inputs.get("") == "on"


def _show_time(_shape: Shape, value: Json) -> Inputs:
    return {"": _short(as_text(value))}


def _short(clock: str) -> str:
    # As browsers write it back: without seconds that are none.
    return clock[:5] if re.fullmatch(r"\d\d:\d\d:00", clock) else clock


def _show_choice(_shape: Shape, value: Json) -> Inputs:
    return {"": "" if value is None else as_text(value)}


def _read_choice(shape: Shape, inputs: Inputs) -> Json:
    text = inputs.get("", "")
    if not text and shape.nullable:
        return None
    return next((option for option in shape.options if as_text(option) == text), text)


def _show_choices(shape: Shape, value: Json) -> Inputs:
    chosen = [as_text(one) for one in value] if isinstance(value, list) else []
    return {"": "1"} | {f":{as_text(option)}": "on" if as_text(option) in chosen else "" for option in shape.options}


def _read_choices(shape: Shape, inputs: Inputs) -> Json:
    chosen = [option for option in shape.options if inputs.get(f":{as_text(option)}") == "on"]
    return None if shape.nullable and not chosen else chosen


def split_duration(value: Json) -> tuple[str, str]:
    """A duration as a number of one unit; no unit where it is not one."""
    found = DURATION.fullmatch(value) if isinstance(value, str) and value != "P" else None
    parts = [(int(count), unit) for count, unit in zip(found.groups(), UNITS, strict=True) if count] if found else []
    if not parts:
        return ("", "D") if not value else ("", "")
    given = [part for part in parts if part[0]] or parts[-1:]
    unit = given[-1][1]
    return str(sum(count * UNITS[one] for count, one in given) // UNITS[unit]), unit


def join_duration(text: str, unit: str) -> str:
    """ISO 8601 of a number and a unit; a fraction becomes the same time in seconds."""
    count, step = number_of(text), UNITS.get(unit, 86_400)
    if isinstance(count, float):
        count, unit = round(count * step), "S"
    if count < 0:
        raise UnreadableError(say(NOT_A_NUMBER))
    return f"P{count}{unit}" if unit in "WD" else f"PT{count}{unit}"


def _show_duration(_shape: Shape, value: Json) -> Inputs:
    count, unit = split_duration(value)
    return {".n": count, ".u": unit} if unit else {".iso": as_text(value)}


def _read_duration(shape: Shape, inputs: Inputs) -> Json:
    if ".iso" in inputs:
        return inputs[".iso"].strip() or (None if shape.nullable else "")
    text = inputs.get(".n", "").strip()
    if not text:
        return None if shape.nullable else ""
    return join_duration(text, inputs.get(".u", "D"))


def _show_period(_shape: Shape, value: Json) -> Inputs:
    if not value or value in ("P0D", "-P0D"):
        return {".s": "", ".n": "", ".u": "D"}
    found = PERIOD.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return {".iso": as_text(value)}
    unit = found[3] or found[5].lower()
    return {".s": "-" if found[1] == "-" else "+", ".n": found[2] or found[4], ".u": unit}


def _read_period(shape: Shape, inputs: Inputs) -> Json:
    if ".iso" in inputs:
        return inputs[".iso"].strip() or (None if shape.nullable else "P0D")
    sign, text, unit = inputs.get(".s", ""), inputs.get(".n", "").strip(), inputs.get(".u", "D")
    if not sign:
        return None if shape.nullable else "P0D"
    count = number_of(text, whole=True)
    before = "-" if sign == "-" else ""
    return f"{before}PT{count}{CLOCK_UNITS[unit]}" if unit in CLOCK_UNITS else f"{before}P{count}{unit}"


def _show_instant(_shape: Shape, value: Json) -> Inputs:
    if not value:
        return {".t": "", ".z": ""}
    found = INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return {".iso": as_text(value)}
    return {".t": f"{found[1]}T{_short(found[2] or '00:00')}", ".z": found[3] or ""}


def _read_instant(shape: Shape, inputs: Inputs) -> Json:
    if ".iso" in inputs:
        return inputs[".iso"].strip() or (None if shape.nullable else "")
    moment = inputs.get(".t", "").strip()
    if not moment:
        return None if shape.nullable else ""
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise UnreadableError(say(_("write a date and a time"))) from None
    return moment + inputs.get(".z", "")


def _show_value(shape: Shape, value: Json) -> Inputs:
    if value is ABSENT or value == "":
        return {".as": shape.options[0] if shape.options else "text", "": ""}
    if isinstance(value, bool):
        return {".as": "flag", "": "true" if value else "false"}
    if isinstance(value, int | float):
        return {".as": "number", "": shown_number(value)}
    if isinstance(value, str):
        return {".as": "text", "": value.replace("\r\n", "\n")}
    if value is None:
        return {".as": "none", "": ""}
    if isinstance(value, list) and all(isinstance(one, str) and one and "\n" not in one for one in value):
        return {".as": "list", "": "\n".join(value)}
    return {".as": "json", "": _dumped(value)}


def _read_value(_shape: Shape, inputs: Inputs) -> Json:
    kind, text = inputs.get(".as", "text"), inputs.get("", "")
    if kind == "number":
        return number_of(text)
    if kind == "flag":
        return text == "true"
    if kind == "none":
        return None
    if kind == "list":
        return [line.strip() for line in text.split("\n") if line.strip()]
    return _parsed(text) if kind == "json" else text


def _show_json(shape: Shape, value: Json) -> Inputs:
    return {"": "" if value is ABSENT or (value is None and shape.nullable) else _dumped(value)}


def _read_json(shape: Shape, inputs: Inputs) -> Json:
    text = inputs.get("", "")
    return None if shape.nullable and not text.strip() else _parsed(text)


def as_text(value: Json) -> str:
    """Any value as the text of an input."""
    if value is ABSENT or value is None:
        return ""
    return value if isinstance(value, str) else _dumped(value)


def _dumped(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) and value else None)


def _parsed(text: str) -> Json:
    try:
        value = parse_text(text)
        refuse_unsafe(value)
    except DocumentError:
        raise UnreadableError(say(NOT_JSON)) from None
    return value


LEAVES: dict[str, Leaf] = {
    "text": Leaf(_show_text, _read_text),
    "time": Leaf(_show_time, _read_text),
    "date": Leaf(_show_text, _read_text),
    "number": Leaf(_show_number, _read_number),
    "flag": Leaf(_show_flag, _read_flag),
    "choice": Leaf(_show_choice, _read_choice),
    "choices": Leaf(_show_choices, _read_choices),
    "duration": Leaf(_show_duration, _read_duration),
    "period": Leaf(_show_period, _read_period),
    "instant": Leaf(_show_instant, _read_instant),
    "value": Leaf(_show_value, _read_value),
    "json": Leaf(_show_json, _read_json),
}
