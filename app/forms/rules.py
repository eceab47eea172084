"""The rule builder: a rule as groups and lines to draw, and back. Knows no shapes; decides nothing about anybody.

A line that nobody touched keeps its exact source; one that cannot be drawn (a word the builder lacks) is shown as JSON.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.forms.leaves import join_duration, number_of, shown_number, split_duration
from app.forms.posted import Inputs
from flows.contract import Json

DEPTH_AT_MOST = 8
VALUELESS = ("exists", "missing")
NOT_TYPED = ("before", "after", "starts_with")
KEYS = {
    "attribute": {"attribute", "op", "value"},
    "property": {"property", "op", "value"},
    "tag": {"tag"},
    "segment": {"segment"},
    "event": {"event", "where", "count", "within"},
    "message": {"message", "outcome"},
}
# How often, as one choice: what it stands for, and whether a number belongs to it.
ONCE, NEVER = "once", "never"
OPPOSITE = {ONCE: NEVER, NEVER: ONCE}


@dataclass(slots=True)
class Line:
    """One condition. `inputs` by suffix; `where` are the conditions on an event's properties."""

    name: str
    place: str
    kind: str
    negated: bool
    inputs: Inputs
    was: str = ""
    where: "Group | None" = None
    error: str = ""


@dataclass(slots=True)
class Group:
    """Conditions joined by all or any. `wrapped`: the source is the only line itself, no group is written around it."""

    name: str
    place: str
    join: str
    negated: bool = False
    parts: list["Line | Group"] = field(default_factory=list)
    where: bool = False
    error: str = ""
    depth: int = 1

    def walk(self) -> Iterator["Line | Group"]:
        """All below it, and below the events among them."""
        for part in self.parts:
            yield part
            if isinstance(part, Group):
                yield from part.walk()
            elif part.where is not None:
                yield part.where
                yield from part.where.walk()

    def complain(self, text: str) -> str:
        """Put an error beside the line its place names; what is left for the field itself is given back."""
        place, colon, reason = text.partition(": ")
        if not colon or not place.startswith(("rule", "where")):
            return text
        fit = [one for one in self.walk() if place == one.place or place.startswith((f"{one.place}.", f"{one.place}["))]
        if fit:
            max(fit, key=lambda one: len(one.place)).error = reason
            return ""
        self.error = reason
        return ""


def draft(source: Json, name: str, *, where: bool = False) -> Group:
    """A rule (or a `where`) as a group to draw, whatever it is."""
    if where:
        parts = source if isinstance(source, list | tuple) else []
        root = Group(name, "where", "all", where=True)
        root.parts = [part_of(one, f"{name}/{number}", f"where[{number}]", 2) for number, one in enumerate(parts)]
        return root
    if not source:
        return Group(name, "rule", "all")
    made = part_of(source, name, "rule", 1)
    if isinstance(made, Group):
        return made
    made.name = f"{name}/0"
    if made.where is not None:
        made.where = _renamed(source, made)
    return Group(name, "rule", "all", parts=[made])


def _renamed(source: Json, line: Line) -> Group:
    inner = source
    while isinstance(inner, dict) and "not" in inner:
        inner = inner["not"]
    return _where_of(inner, line.name, line.place)


def part_of(source: Json, name: str, place: str, depth: int) -> "Line | Group":
    """A rule inside another: a group, or a line."""
    inner, negated, here = source, False, place
    while isinstance(inner, dict) and set(inner) == {"not"}:
        inner, negated, here = inner["not"], not negated, f"{here}.not"
    if isinstance(inner, dict) and len(inner) == 1 and depth < DEPTH_AT_MOST:
        join = next(iter(inner))
        if join in ("all", "any") and isinstance(inner[join], list | tuple):
            made = Group(name, here, join, negated, depth=depth)
            made.parts = [
                part_of(one, f"{name}/{number}", f"{here}.{join}[{number}]", depth + 1)
                for number, one in enumerate(inner[join])
            ]
            return made
    return _line(inner, name, here, negated, source)


def _line(source: Json, name: str, place: str, negated: bool, whole: Json) -> Line:
    kind = _kind(source)
    was = json.dumps(whole, ensure_ascii=False)
    if kind == "json":
        return Line(name, place, kind, False, {".json": json.dumps(whole, ensure_ascii=False)}, was)
    if kind in ("attribute", "property"):
        return Line(name, place, kind, negated, _comparison(source, kind), was)
    inputs = {".name": str(source[kind])}
    if kind == "message":
        inputs[".outcome"] = str(source.get("outcome", ""))
    if kind != "event":
        return Line(name, place, kind, negated, inputs, was)
    inputs |= _times(source.get("count")) | _window(source.get("within"))
    if negated and inputs[".times"] in OPPOSITE:  # “not at least once” is “never”
        negated, inputs[".times"] = False, OPPOSITE[inputs[".times"]]
    return Line(name, place, kind, negated, inputs, was, _where_of(source, name, place))


def _where_of(source: Json, name: str, place: str) -> Group:
    made = draft(source.get("where") or [], f"{name}.where", where=True)
    made.place = f"{place}.where"
    for one in made.walk():
        one.place = f"{place}.{one.place}"
    return made


def _kind(source: Json) -> str:
    """What a line asks about; `json` where the builder could not write it again."""
    if not isinstance(source, dict):
        return "json"
    kinds = [kind for kind, keys in KEYS.items() if kind in source and set(source) <= keys]
    if len(kinds) != 1 or not isinstance(source[kinds[0]], str):
        return "json"
    kind = kinds[0]
    if kind == "event":
        count, within = source.get("count"), source.get("within")
        counted = count is None or (isinstance(count, dict) and set(count) == {"op", "value"})
        listed = isinstance(source.get("where", []), list | tuple)
        return kind if counted and listed and (within is None or split_duration(within)[1]) else "json"
    if kind in ("attribute", "property"):
        value = source.get("value", "")
        within = source.get("op") == "within"
        flat = not isinstance(value, dict) and not (isinstance(value, list | tuple) and _listed(value) is None)
        return kind if flat and value is not None and not (within and not split_duration(value)[1]) else "json"
    return kind


def _comparison(source: dict[str, Json], kind: str) -> Inputs:
    op, value = str(source.get("op", "")), source.get("value", "")
    inputs = {".name": source[kind], ".op": op}
    if op in VALUELESS:
        return inputs
    if op == "within":
        count, unit = split_duration(value)
        return inputs | {".value.n": count, ".value.u": unit}
    if isinstance(value, list | tuple):
        kind_of, lines = _listed(value) or ("text", [])
        return inputs | {".as": kind_of, ".value": "\n".join(lines)}
    kind_of, text = _scalar(value)
    return inputs | ({".value": text} if op in NOT_TYPED else {".as": kind_of, ".value": text})


def _scalar(value: Json) -> tuple[str, str]:
    if isinstance(value, bool):
        return "flag", "true" if value else "false"
    if isinstance(value, int | float):
        return "number", shown_number(value)
    return "text", str(value)


def _listed(values: Json) -> tuple[str, list[str]] | None:
    """The one type of a list and its lines; None where it has several, or lines that would not come back."""
    pairs = [_scalar(value) for value in values if not isinstance(value, dict | list | None)]
    kinds = {kind for kind, _text in pairs}
    lines = [text for _kind_of, text in pairs]
    if len(kinds) > 1 or len(pairs) < len(values) or any(not line.strip() or "\n" in line for line in lines):
        return None
    return (kinds.pop() if kinds else "text"), lines


def _times(count: Json) -> Inputs:
    if count is None:
        return {".times": ONCE, ".count": ""}
    op, value = str(count.get("op")), count.get("value")
    if (op, value) in (("gte", 1), ("gt", 0)):
        return {".times": ONCE, ".count": ""}
    if (op, value) in (("eq", 0), ("lt", 1), ("lte", 0)):
        return {".times": NEVER, ".count": ""}
    return {".times": op, ".count": shown_number(value)}


def _window(within: Json) -> Inputs:
    count, unit = split_duration(within)
    return {".within.n": count, ".within.u": unit or "D"}


def written(group: Group) -> Json:
    """The JSON of a draft; empty where nothing is asked."""
    if group.where:
        return [_json(part) for part in group.parts]
    if not group.parts:
        return {}
    if len(group.parts) == 1 and not group.negated and group.depth == 1:
        return _json(group.parts[0])
    return _json(group)


def _json(part: "Line | Group") -> Json:
    if isinstance(part, Group):
        made: Json = {part.join: [_json(one) for one in part.parts]}
        return {"not": made} if part.negated else made
    if part.was:
        return json.loads(part.was)
    return {"not": built(part)} if part.negated else built(part)


def built(line: Line) -> dict[str, Any]:
    """The JSON of a line as it was typed; `UnreadableError` where that cannot be."""
    inputs, kind = line.inputs, line.kind
    made: dict[str, Any] = {kind: inputs.get(".name", "").strip()}
    if kind == "message":
        made["outcome"] = inputs.get(".outcome", "clicked")
    elif kind == "event":
        if line.where is not None and line.where.parts:
            made["where"] = written(line.where)
        times = inputs.get(".times", ONCE)
        if times == NEVER:
            made["count"] = {"op": "eq", "value": 0}
        elif times != ONCE:
            made["count"] = {"op": times, "value": number_of(inputs.get(".count", "") or "1", whole=True)}
        if inputs.get(".within.n", "").strip():
            made["within"] = join_duration(inputs[".within.n"], inputs.get(".within.u", "D"))
    elif kind in ("attribute", "property"):
        made |= _compared(inputs)
    return made


def _compared(inputs: Inputs) -> dict[str, Any]:
    op = inputs.get(".op", "eq")
    if op in VALUELESS:
        return {"op": op}
    if op == "within":
        return {"op": op, "value": join_duration(inputs.get(".value.n") or "7", inputs.get(".value.u", "D"))}
    text, kind = inputs.get(".value", ""), "text" if op in NOT_TYPED else inputs.get(".as", "text")
    if op in ("in", "not_in"):
        return {"op": op, "value": [_typed(line.strip(), kind) for line in text.split("\n") if line.strip()]}
    return {"op": op, "value": _typed(text.split("\n")[0] if kind != "text" else text, kind)}


def _typed(text: str, kind: str) -> Json:
    if kind == "number":
        return number_of(text) if text.strip() else ""
    return text == "true" if kind == "flag" else text
