"""The parsed form of a rule: frozen values that closures, SQL and sentences are all made from; nothing is decided here.

Every leaf knows its place in the source (`rule.all[1]`), so that errors and explanations can point at it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | None
CountOperator = Literal["eq", "ne", "gt", "gte", "lt", "lte"]
Operator = Literal[
    CountOperator, "in", "not_in", "contains", "starts_with", "exists", "missing", "before", "after", "within"
]


@dataclass(frozen=True, slots=True)
class Compare:
    """An attribute of the contact, or a property of an event, against a value.

    `value` is as written: a date stays text, `within` keeps its duration; None where the operator takes no value.
    """

    of: Literal["attribute", "property"]
    path: tuple[str, ...]
    op: Operator
    value: Value = None
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class Tagged:
    """The contact has a tag."""

    tag: str
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class InSegment:
    """The contact belongs to a named audience."""

    segment: str
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class Reached:
    """A message node of this enrollment reached an outcome."""

    message: str
    outcome: str
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """How often an event happened, in the window `at - within < timestamp <= at` (None: ever)."""

    event: str
    where: tuple["Tree", ...] = ()
    op: CountOperator = "gte"
    count: int = 1
    within: str | None = None
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Tree", ...]
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple["Tree", ...]
    place: str = field(default="rule", compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Tree"
    place: str = field(default="rule", compare=False)


Leaf = Compare | Tagged | InSegment | Reached | Happened
Tree = Leaf | All | Any | Not


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves in the order they are written; the `where` of an event is part of its leaf."""
    if isinstance(tree, All | Any):
        for part in tree.parts:
            yield from leaves(part)
    elif isinstance(tree, Not):
        yield from leaves(tree.part)
    else:
        yield tree


def fact(leaf: Leaf) -> str:
    """The name of the fact a leaf needs, as in `NodeType.reads`."""
    if isinstance(leaf, Compare):
        return f"attributes.{leaf.path[0]}" if leaf.of == "attribute" else "entry"
    if isinstance(leaf, Tagged):
        return "tags"
    if isinstance(leaf, InSegment):
        return f"segment:{leaf.segment}"
    if isinstance(leaf, Reached):
        return f"message:{leaf.message}"
    return f"event:{leaf.event} within {leaf.within}" if leaf.within else f"event:{leaf.event}"
