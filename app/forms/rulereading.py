"""What was sent of a rule builder becomes a rule again, the pressed button's change included. Draws nothing.

A line whose inputs are as they were shown keeps its source, letter for letter.
"""

import json

from app.forms import rules
from app.forms.leaves import UnreadableError
from app.forms.posted import Posted
from app.forms.shapes import ABSENT
from flows.contract import Json
from flows.errors import DocumentError
from flows.raw import parse_text, refuse_unsafe
from flows.words import _, say


def read(posted: Posted, name: str, *, where: bool = False) -> Json:
    """The rule that was sent, with the pressed button's change; None where the form had none."""
    if posted.text(f"{name}#") is None:
        return None
    return rules.written(_read_group(posted, name, where=where, depth=1))


def _read_group(posted: Posted, name: str, *, where: bool, depth: int) -> rules.Group:
    made = rules.Group(name, "", posted.text(f"{name}.join") or "all", where=where, depth=depth)
    if made.join not in ("all", "any"):
        made.join = "all"
    made.negated = posted.text(f"{name}.not") == "on"
    for number in range(posted.count(name)):
        one = f"{name}/{number}"
        if posted.deed == ("remove", one):
            continue
        if posted.text(f"{one}#") is not None and depth < rules.DEPTH_AT_MOST:
            inner = _read_group(posted, one, where=False, depth=depth + 1)
            if inner.parts:  # a group whose last line was taken out goes with it
                made.parts.append(inner)
        else:
            made.parts.append(_read_line(posted, one, depth))
    kind = "property" if where or ".where" in name else "attribute"
    fresh = rules.Line(
        f"{name}/{len(made.parts)}", "", kind, False, {".name": "", ".op": "eq", ".as": "text", ".value": ""}
    )
    if posted.deed == ("add", name):
        made.parts.append(fresh)
    elif posted.deed == ("group", name):
        made.parts.append(
            rules.Group(fresh.name, "", "any" if made.join == "all" else "all", parts=[fresh], depth=depth + 1)
        )
    return made


def _read_line(posted: Posted, name: str, depth: int) -> rules.Line:
    kind = posted.text(f"{name}.kind") or "attribute"
    negated = posted.text(f"{name}.not") == "on"
    before = _before(posted.text(f"{name}.was"))
    if kind == "json":
        return _read_json(posted, name, before)
    if kind not in rules.KEYS:
        kind = "attribute"
    suffixes = (".name", ".op", ".as", ".value", ".value.n", ".value.u", ".outcome", ".times", ".count")
    inputs = posted.inputs(name, (*suffixes, ".within.n", ".within.u")) or {}
    line = rules.Line(name, "", kind, negated, inputs)
    if kind == "event":
        line.where = _read_group(posted, f"{name}.where", where=True, depth=depth + 1)
    if before is not ABSENT:
        old = rules.part_of(before, name, "rule", depth)
        if isinstance(old, rules.Line) and (old.kind, old.negated) == (kind, negated) and _untouched(old, line):
            line.was = json.dumps(before)
            return line
    try:
        rules.built(line)
    except UnreadableError as error:
        posted.complain(name, inputs, str(error))
        line.inputs = {key: text for key, text in inputs.items() if key in (".name", ".op", ".times")}
        line.inputs |= {".as": "text", ".value": inputs.get(".value", ""), ".count": "1"}
    return line


def _untouched(old: rules.Line, new: rules.Line) -> bool:
    same = all(old.inputs.get(suffix, "") == text for suffix, text in new.inputs.items())
    if not same or old.where is None or new.where is None:
        return same
    return bool(rules.written(old.where) == rules.written(new.where))


def _read_json(posted: Posted, name: str, before: Json) -> rules.Line:
    text = posted.text(f"{name}.json") or ""
    line = rules.Line(name, "", "json", False, {".json": text})
    try:
        value = parse_text(text)
        refuse_unsafe(value)
        line.was = json.dumps(value)
    except DocumentError:
        posted.complain(name, line.inputs, say(_("is not JSON")))
        line.was = json.dumps(None if before is ABSENT else before)
    return line


def _before(text: str | None) -> Json:
    if not text:
        return ABSENT
    try:
        return parse_text(text)
    except DocumentError:
        return ABSENT
