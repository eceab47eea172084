"""Turns the tree into Python closures once, so that a cohort is decided at the price of a few calls per person.

Comparing across types or with a missing value is false, never an error. Truth values are not numbers; 1 equals 1.0.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any as Json

from flows.calendar import as_instant, elapsed
from flows.contract import Event, Facts
from flows.rules.tree import All, Any, Compare, Happened, InSegment, Not, Reached, Scalar, Tagged, Tree, Value

Properties = Mapping[str, Json]
Messages = Mapping[str, frozenset[str]]
Condition = Callable[[Facts, datetime, Properties | None, Messages | None], bool]
Matcher = Callable[[Properties], bool]
Test = Callable[[Json], bool]
Read = Callable[[Properties], Json]

NOTHING: Mapping[str, Json] = {}
COMPARE: dict[str, Callable[[Json, Json], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def condition(tree: Tree) -> Condition:
    """The closure of a tree."""
    if isinstance(tree, All):
        return _all([condition(part) for part in tree.parts])
    if isinstance(tree, Any):
        return _any([condition(part) for part in tree.parts])
    if isinstance(tree, Not):
        inner = condition(tree.part)
        return lambda facts, at, properties, messages: not inner(facts, at, properties, messages)
    if isinstance(tree, Compare):
        return _compare(tree)
    if isinstance(tree, Tagged):
        tag = tree.tag
        return lambda facts, _at, _properties, _messages: tag in facts.tags
    if isinstance(tree, InSegment):
        segment = tree.segment
        return lambda facts, _at, _properties, _messages: segment in facts.segments
    if isinstance(tree, Reached):
        node, outcome = tree.message, tree.outcome
        return lambda _facts, _at, _properties, messages: outcome in (messages or NOTHING).get(node, ())
    return _happened(tree)


def matcher(trees: Sequence[Tree]) -> Matcher | None:
    """The closure of a `where`, every rule of which must hold; None where there is nothing to ask."""
    if not trees:
        return None
    parts = [_property_matcher(tree) for tree in trees]
    if len(parts) == 1:
        return parts[0]
    return lambda properties: all(part(properties) for part in parts)


def _property_matcher(tree: Tree) -> Matcher:
    if isinstance(tree, All):
        inner = matcher(tree.parts)
        return inner or (lambda _properties: True)
    if isinstance(tree, Any):
        parts = [_property_matcher(part) for part in tree.parts]
        return lambda properties: any(part(properties) for part in parts)
    if isinstance(tree, Not):
        negated = _property_matcher(tree.part)
        return lambda properties: not negated(properties)
    if not isinstance(tree, Compare):
        raise TypeError(f"not a rule on properties: {tree}")
    read, test = reader(tree.path), value_test(tree.op, tree.value)
    return lambda properties: test(read(properties))


def _all(parts: list[Condition]) -> Condition:
    # Written out for the usual lengths: a loop would cost as much as the leaves themselves.
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        a, b = parts
        return lambda facts, at, properties, messages: (
            a(facts, at, properties, messages) and b(facts, at, properties, messages)
        )
    if len(parts) > 4:
        return _all([_all(parts[:4]), _all(parts[4:])])
    first, rest = parts[0], _all(parts[1:])
    if len(parts) == 3:
        return lambda facts, at, properties, messages: (
            first(facts, at, properties, messages) and rest(facts, at, properties, messages)
        )
    a, b, c, d = parts
    return lambda facts, at, properties, messages: (
        a(facts, at, properties, messages)
        and b(facts, at, properties, messages)
        and c(facts, at, properties, messages)
        and d(facts, at, properties, messages)
    )


def _any(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        a, b = parts
        return lambda facts, at, properties, messages: (
            a(facts, at, properties, messages) or b(facts, at, properties, messages)
        )
    half = len(parts) // 2
    return _any([_any(parts[:half]), _any(parts[half:])])


def _compare(leaf: Compare) -> Condition:
    read = reader(leaf.path)
    name = leaf.path[0] if len(leaf.path) == 1 else None
    if leaf.op == "within":
        window = elapsed(str(leaf.value))
        if leaf.of == "attribute":
            return lambda facts, at, _properties, _messages: _within(read(facts.attributes), at, window)
        return lambda _facts, at, properties, _messages: _within(read(properties or NOTHING), at, window)
    test = value_test(leaf.op, leaf.value)
    if leaf.of == "property":
        return lambda _facts, _at, properties, _messages: test(read(properties or NOTHING))
    if name is None:
        return lambda facts, _at, _properties, _messages: test(read(facts.attributes))
    if leaf.op == "eq" and type(leaf.value) is str:
        text = leaf.value
        return lambda facts, _at, _properties, _messages: facts.attributes.get(name) == text
    return lambda facts, _at, _properties, _messages: test(facts.attributes.get(name))


def _within(value: Json, at: datetime, window: timedelta) -> bool:
    moment = as_instant(value)
    return moment is not None and at - window < moment <= at


def reader(path: tuple[str, ...]) -> Read:
    """Reads a dotted path; None where any step of it is missing. Only objects are walked into, never lists."""
    first, rest = path[0], path[1:]
    if not rest:
        return lambda values: values.get(first)

    def read(values: Properties) -> Json:
        value = values.get(first)
        for part in rest:
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value

    return read


def value_test(op: str, value: Value) -> Test:
    """What an operator asks of a value (None: missing); for all operators but `within`, which needs a moment."""
    if op == "exists":
        return lambda seen: seen is not None
    if op == "missing":
        return lambda seen: seen is None
    if op in ("before", "after"):
        return _date_test(op, str(value))
    if op in ("in", "not_in"):
        return _list_test(op, value if isinstance(value, tuple) else ())
    if op == "contains":
        return _contains(value)
    if op == "starts_with":
        start = str(value)
        return lambda seen: type(seen) is str and seen.startswith(start)
    compare = COMPARE[op]
    if isinstance(value, str):
        return lambda seen: type(seen) is str and compare(seen, value)
    if isinstance(value, bool):
        return lambda seen: type(seen) is bool and compare(seen, value)
    return lambda seen: (type(seen) is int or type(seen) is float) and compare(seen, value)


def _date_test(op: str, value: str) -> Test:
    moment = as_instant(value)
    compare: Callable[[Json, Json], bool] = operator.lt if op == "before" else operator.gt

    def test(seen: Json) -> bool:
        instant = as_instant(seen)
        return instant is not None and compare(instant, moment)

    return test


def _list_test(op: str, values: tuple[Scalar, ...]) -> Test:
    # By type, because to Python True and 1 are one value of a set.
    texts = frozenset(value for value in values if isinstance(value, str))
    truths = frozenset(value for value in values if isinstance(value, bool))
    numbers = frozenset(value for value in values if isinstance(value, int | float) and not isinstance(value, bool))
    groups: dict[type, frozenset[Scalar]] = {str: texts, bool: truths, int: numbers, float: numbers}
    nothing: frozenset[Scalar] = frozenset()
    if op == "in":
        return lambda seen: type(seen) in groups and seen in groups[type(seen)]

    def test(seen: Json) -> bool:
        # A type that the list does not speak of cannot be compared, so it is not "not in" either.
        group = groups.get(type(seen), nothing)
        return bool(group) and seen not in group

    return test


def _contains(value: Value) -> Test:
    if isinstance(value, str):
        return lambda seen: (type(seen) is str or type(seen) is list) and value in seen
    if isinstance(value, bool):
        return lambda seen: type(seen) is list and any(item is value for item in seen)
    return lambda seen: type(seen) is list and any(item == value and type(item) is not bool for item in seen)


def _happened(leaf: Happened) -> Condition:
    name, wanted, compare = leaf.event, leaf.count, COMPARE[leaf.op]
    where = matcher(leaf.where)
    window = None if leaf.within is None else elapsed(leaf.within)
    # Counting one past the wanted number settles every operator.
    enough = max(wanted if leaf.op in ("gte", "lt") else wanted + 1, 1)

    def holds(facts: Facts, at: datetime, _properties: Properties | None, _messages: Messages | None) -> bool:
        events = facts.events.get(name)
        return compare(count(events, at, window, where, enough) if events else 0, wanted)

    return holds


def count(events: Sequence[Event], at: datetime, window: timedelta | None, where: Matcher | None, enough: float) -> int:
    """How many events lie in the window and match, counted from the latest back until there are enough."""
    found = 0
    floor = None if window is None else at - window
    for event in reversed(events):
        moment = event.timestamp
        if moment > at:
            continue
        if floor is not None and moment <= floor:
            break
        if where is None or where(event.properties):
            found += 1
            if found >= enough:
                break
    return found
