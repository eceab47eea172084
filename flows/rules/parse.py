"""Reads the JSON form of rules (DESIGN §5) into the tree; refuses what it does not know, with place and fix."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any as Json
from typing import get_args

from flows.calendar import as_instant
from flows.contract import OUTCOMES
from flows.durations import Bounds
from flows.errors import RuleError
from flows.rules.tree import (
    All,
    Any,
    Compare,
    CountOperator,
    Happened,
    InSegment,
    Not,
    Operator,
    Reached,
    Scalar,
    Tagged,
    Tree,
    Value,
)
from flows.words import _, say

DEPTH_AT_MOST = 8
LEAVES_AT_MOST = 200
TEXT_AT_MOST = 1000
NAME_AT_MOST = 200
PATH_PARTS_AT_MOST = 8
LIST_AT_MOST = 1000
COUNT_AT_MOST = 1_000_000
NUMBER_AT_MOST = 10**15  # up to here floats, whole numbers and PostgreSQL's numeric all mean the same
WINDOW = Bounds("PT1S", "P3660D")

_EXAMPLE = '{"attribute": "plan", "op": "eq", "value": "pro"}'
_COMPARE_KEYS = frozenset({"op", "value"})
_NO_VALUE = ("exists", "missing")
_OPERATORS: tuple[str, ...] = tuple(op for group in get_args(Operator) for op in (get_args(group) or (group,)))
_COUNT_OPERATORS: tuple[str, ...] = get_args(CountOperator)


class Parser:
    """Reads one rule, or one list of rules on properties (`where`). `numbers` counts the leaves of the whole."""

    def __init__(self, *, where: bool = False, numbers: Iterator[int] | None = None) -> None:
        self._where = where
        self._numbers = numbers or itertools.count(1)
        self._kinds: dict[str, Callable[[Mapping[str, Json], str, int], Tree]] = {
            "all": self._all,
            "any": self._any,
            "not": self._not,
            "attribute": self._compare,
            "property": self._compare,
            "tag": self._tag,
            "segment": self._segment,
            "event": self._event,
            "message": self._message,
        }

    def rule(self, source: Json, place: str, depth: int = 1) -> Tree:
        """The tree of one rule."""
        if not isinstance(source, Mapping):
            raise _refusal(place, _("a rule is an object such as {example}"), example=_EXAMPLE)
        kinds = [kind for kind in self._kinds if kind in source]
        if len(kinds) != 1:
            known = ", ".join(self._kinds)
            if not kinds:
                raise _refusal(place, _("write exactly one of {known}; found none of them"), known=known)
            found = say(_(" and ")).join(kinds)
            raise _refusal(place, _("write exactly one of {known}; found {found}"), known=known, found=found)
        kind = kinds[0]
        if depth > DEPTH_AT_MOST:
            raise _refusal(place, _("rules are nested at most {most} deep"), most=DEPTH_AT_MOST)
        if kind not in ("all", "any", "not"):
            if next(self._numbers) > LEAVES_AT_MOST:
                raise _refusal(
                    place, _("a rule has at most {most} conditions; use an audience instead"), most=LEAVES_AT_MOST
                )
            if self._where and kind != "property":
                raise _refusal(f"{place}.{kind}", _("a where asks for properties of the event only"))
        return self._kinds[kind](source, place, depth)

    def rules(self, source: Json, place: str, depth: int) -> tuple[Tree, ...]:
        """The trees of a list of rules."""
        if not isinstance(source, list | tuple):
            raise _refusal(place, _("write a list of rules"))
        return tuple(self.rule(part, f"{place}[{index}]", depth) for index, part in enumerate(source))

    def _all(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        return All(self._parts(source, place, depth, "all"), place)

    def _any(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        return Any(self._parts(source, place, depth, "any"), place)

    def _parts(self, source: Mapping[str, Json], place: str, depth: int, key: str) -> tuple[Tree, ...]:
        _only_keys(source, place, {key})
        parts = self.rules(source[key], f"{place}.{key}", depth + 1)
        if not parts:
            raise _refusal(f"{place}.{key}", _("write at least one rule; for everybody leave the rule out"))
        return parts

    def _not(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        _only_keys(source, place, {"not"})
        return Not(self.rule(source["not"], f"{place}.not", depth + 1), place)

    def _compare(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        del depth
        of: Json = "attribute" if "attribute" in source else "property"
        _only_keys(source, place, {of} | _COMPARE_KEYS)
        path = _path(source[of], f"{place}.{of}")
        op = _one_of(source.get("op"), _OPERATORS, f"{place}.op")
        if op in _NO_VALUE:
            if "value" in source:
                raise _refusal(f"{place}.value", _("{op} takes no value; remove it"), op=op)
            return Compare(of, path, op, None, place)
        if "value" not in source:
            raise _refusal(f"{place}.value", _("{op} needs a value"), op=op)
        if op == "within" and self._where:
            raise _refusal(
                f"{place}.op", _("a property has no window; put within on the event, or use before or after")
            )
        return Compare(of, path, op, _value(op, source["value"], f"{place}.value"), place)

    def _tag(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        del depth
        _only_keys(source, place, {"tag"})
        return Tagged(_name(source["tag"], f"{place}.tag"), place)

    def _segment(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        del depth
        _only_keys(source, place, {"segment"})
        return InSegment(_name(source["segment"], f"{place}.segment"), place)

    def _message(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        del depth
        _only_keys(source, place, {"message", "outcome"})
        outcome = _one_of(source.get("outcome"), OUTCOMES, f"{place}.outcome")
        return Reached(_name(source["message"], f"{place}.message"), outcome, place)

    def _event(self, source: Mapping[str, Json], place: str, depth: int) -> Tree:
        _only_keys(source, place, {"event", "where", "count", "within"})
        inner = Parser(where=True, numbers=self._numbers)
        where = inner.rules(source.get("where") or [], f"{place}.where", depth + 1)
        op, count = _count(source.get("count"), f"{place}.count")
        within = source.get("within")
        if within is not None:
            within = _duration(within, f"{place}.within")
        return Happened(_name(source["event"], f"{place}.event"), where, op, count, within, place)


def _refusal(place: str, template: str, **values: Json) -> RuleError:
    return RuleError(f"{place}: {say(template, **values)}")


def _only_keys(source: Mapping[str, Json], place: str, known: set[str]) -> None:
    for key in source:
        if key not in known:
            raise _refusal(
                f"{place}.{str(key)[:40]}", _("unknown; here one writes {known}"), known=", ".join(sorted(known))
            )


def _one_of(value: Json, known: tuple[str, ...], place: str) -> Json:
    if not isinstance(value, str) or value not in known:
        raise _refusal(place, _("write one of {known}"), known=", ".join(known))
    return value


def _name(value: Json, place: str) -> str:
    text = _text(value, place, NAME_AT_MOST)
    if not text.strip():
        raise _refusal(place, _("must not be empty"))
    return text


def _text(value: Json, place: str, at_most: int) -> str:
    if not isinstance(value, str):
        raise _refusal(place, _("must be text"))
    if len(value) > at_most:
        raise _refusal(place, _("text is at most {most} characters long"), most=at_most)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _refusal(place, _("text holds a character that cannot be stored (NUL or half a surrogate pair)"))
    return value


def _path(value: Json, place: str) -> tuple[str, ...]:
    parts = tuple(_name(value, place).split("."))
    if not all(parts) or len(parts) > PATH_PARTS_AT_MOST:
        raise _refusal(place, _("write a name, or names joined by single dots such as address.city"))
    return parts


def _count(value: Json, place: str) -> tuple[CountOperator, int]:
    if value is None:
        return "gte", 1
    if not isinstance(value, Mapping):
        raise _refusal(place, _("write an object such as {example}"), example='{"op": "gte", "value": 3}')
    _only_keys(value, place, {"op", "value"})
    op = _one_of(value.get("op"), _COUNT_OPERATORS, f"{place}.op")
    count = value.get("value")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= COUNT_AT_MOST:
        raise _refusal(f"{place}.value", _("write a whole number from 0 to {most}"), most=COUNT_AT_MOST)
    return op, count


def _duration(value: Json, place: str) -> str:
    text = _text(value, place, TEXT_AT_MOST)
    try:
        return WINDOW.check(text)
    except ValueError as error:
        raise RuleError(f"{place}: {error}") from None


def _value(op: Operator, value: Json, place: str) -> Value:
    if op in ("in", "not_in"):
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= LIST_AT_MOST:
            raise _refusal(place, _("write a list of 1 to {most} values"), most=LIST_AT_MOST)
        return tuple(_scalar(item, f"{place}[{index}]") for index, item in enumerate(value))
    if op == "within":
        return _duration(value, place)
    if op in ("before", "after"):
        if as_instant(value) is None:
            raise _refusal(place, _("write a date such as 2026-03-05 or an instant such as 2026-03-05T09:00:00+08:00"))
        return str(value)
    if op == "starts_with":
        return _text(value, place, TEXT_AT_MOST)
    if op in ("gt", "gte", "lt", "lte") and isinstance(value, bool):
        raise _refusal(place, _("true and false have no order; use eq"))
    return _scalar(value, place)


def _scalar(value: Json, place: str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not isfinite(value) or abs(value) > NUMBER_AT_MOST:
            raise _refusal(place, _("numbers reach from -10^15 to 10^15"))
        return value
    if value is None:
        raise _refusal(place, _("null is not a value; use exists or missing"))
    if isinstance(value, str):
        return _text(value, place, TEXT_AT_MOST)
    raise _refusal(place, _("write text, a number, true or false"))
