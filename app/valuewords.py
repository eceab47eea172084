"""A setting's value in words: durations, choices, rules as sentences, anything else as short as it can be. Pure."""

import json
import re
from collections.abc import Callable, Mapping

from app.forms import Shape
from flows import rules
from flows.contract import Json
from flows.durations import around, words
from flows.words import _, clip, say

AT_MOST = 160
LENGTH = re.compile(r"P(?=[0-9T])([0-9]+[YMWD])*(T([0-9]+[HMS])+)?")
YES, NO, NOTHING = _("yes"), _("no"), _("nothing")


def shown(shape: Shape, value: Json) -> str:
    """The value; whatever cannot be read as its field says is shown as it stands."""
    if value is None or value == "" or value == []:
        return say(shape.none) if shape.none else say(NOTHING)
    if isinstance(value, bool):
        return say(YES) if value else say(NO)
    try:
        said = _WAYS.get(shape.kind, _plain)(shape, value)
    except (ValueError, TypeError, LookupError):
        said = _plain(shape, value)
    return clip(said, AT_MOST)


def _plain(shape: Shape, value: Json) -> str:

    if isinstance(value, str):
        return words(value) if LENGTH.fullmatch(value) else f"“{value}”"
    if isinstance(value, dict) and not any(isinstance(one, dict | list) and one for one in value.values()):
        return "; ".join(f"{key.replace('_', ' ')}: {_plain(shape, one)}" for key, one in value.items() if one != [])
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _choice(shape: Shape, value: Json) -> str:
    return say(shape.labels[str(value)]) if str(value) in shape.labels else str(value)


def _choices(shape: Shape, value: Json) -> str:
    return ", ".join(_choice(shape, one) for one in value)


def _model(shape: Shape, value: Json) -> str:
    if not isinstance(value, Mapping):
        return _plain(shape, value)
    parts = []
    for key, one in value.items():
        part = shape.fields.get(key, Shape("json"))
        parts.append(f"{say(part.title) if part.title else key}: {shown(part, one)}")
    return "; ".join(parts)


def _list(shape: Shape, value: Json) -> str:
    return ", ".join(shown(shape.item or Shape("json"), one) for one in value)


_WAYS: Mapping[str, Callable[[Shape, Json], str]] = {
    "duration": lambda _shape, value: words(value),
    "period": lambda _shape, value: around("", value).strip(),
    "choice": _choice,
    "choices": _choices,
    "rule": lambda _shape, value: rules.parse(value).sentence(),
    "where": lambda _shape, value: rules.parse_where(value).sentence(),
    "model": _model,
    "list": _list,
}
