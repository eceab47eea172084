"""A rule as one WHERE clause of bound SQL for PostgreSQL 15, equal to its closure for every contact (a property test).

Only operators and shapes from the fixed tables here reach the text of a statement; every name and value is a parameter
(T07). Whatever lies in the JSON, no cast can fail: each stands behind a test of type or shape. Never who is enrolled.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any as Json

from psycopg.types.json import Jsonb

from app.lanes import ALL_LANES
from app.store.rows import Connection, array
from flows.calendar import LOCAL_SHAPE, ZONED_SHAPE, as_instant, elapsed
from flows.rules import Rule
from flows.rules.audience import check_audience
from flows.rules.tree import All, Any, Compare, Happened, Not, Scalar, Tagged, Tree, Value

COMPARE = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
ATTRIBUTES, PROPERTIES = "c.attributes", "e.properties"

_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition over `contact c`, never null, and its values by name (`rule_0`, `rule_1`, … or as the prefix says)."""

    sql: str
    parameters: Mapping[str, Json]


def clause(tree: Tree, *, at: datetime, prefix: str = "rule") -> Clause:
    """The condition as of the moment `at`; RuleError where the rule cannot choose an audience.

    `prefix` keeps the values of several conditions in one statement apart; it is ours, never an operator's.
    """
    check_audience(tree)
    writer = _Writer(at)
    text = _PLACEHOLDER.sub(rf"%({prefix}_\1)s", writer.condition(tree))
    return Clause(text, {f"{prefix}_{number}": value for number, value in enumerate(writer.values)})


def count(
    connection: Connection, workspace_id: int, rule: Rule | None, at: datetime, lanes: Sequence[int] = ALL_LANES
) -> int:
    """How many contacts of a workspace a rule holds for; without a rule, all. `lanes`: only of these, a fair sample."""
    chosen = clause(rule.tree, at=at) if rule else Clause("true", {})
    row = connection.execute(
        # Made of fixed parts; every value is bound.
        "SELECT count(*) FROM contact c WHERE c.workspace_id = %(workspace_id)s"
        f" AND c.lane = ANY(%(lanes)s::smallint[]) AND c.merged_into IS NULL AND {chosen.sql}",
        {**chosen.parameters, "workspace_id": workspace_id, "lanes": array(lanes)},
    ).fetchone()
    return int(row[0]) if row else 0


def be_quick(connection: Connection, milliseconds: int) -> None:
    """Let the database give up on what takes longer, until the transaction ends."""
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))


class _Writer:
    """Writes one clause with numbered placeholders (`{3}`) and gathers their values."""

    def __init__(self, at: datetime) -> None:
        self.values: list[Json] = []
        self._at = at
        self._kinds: dict[type, Callable[[Json], str]] = {
            All: self._all,
            Any: self._any,
            Not: self._not,
            Tagged: self._tagged,
            Happened: self._happened,
        }

    def condition(self, tree: Tree, source: str = ATTRIBUTES) -> str:
        """One node of the tree; `source` is the JSON that comparisons look into."""
        if isinstance(tree, Compare):
            return self._compare(tree, source)
        if source == PROPERTIES:
            return self._inner(tree)
        return self._kinds[type(tree)](tree)

    def _inner(self, tree: Json) -> str:
        # Inside a `where` there are but comparisons and what joins them.
        if isinstance(tree, Not):
            return f"NOT {self.condition(tree.part, PROPERTIES)}"
        word = " AND " if isinstance(tree, All) else " OR "
        return f"({word.join(self.condition(part, PROPERTIES) for part in tree.parts)})"

    def _all(self, tree: All) -> str:
        return f"({' AND '.join(self.condition(part) for part in tree.parts)})"

    def _any(self, tree: Any) -> str:
        return f"({' OR '.join(self.condition(part) for part in tree.parts)})"

    def _not(self, tree: Not) -> str:
        return f"NOT {self.condition(tree.part)}"

    def _tagged(self, leaf: Tagged) -> str:
        return f"({self._bind(leaf.tag)}::text = ANY(c.tags))"

    def _happened(self, leaf: Happened) -> str:
        asked = [
            "e.workspace_id = c.workspace_id AND e.lane = c.lane AND e.contact_id = c.id",
            f"e.name = {self._bind(leaf.event)}::text",
            f"e.timestamp <= {self._bind(self._at)}::timestamptz",
        ]
        if leaf.within is not None:
            asked.append(f"e.timestamp > {self._bind(self._at - elapsed(leaf.within))}::timestamptz")
        asked += [self.condition(tree, PROPERTIES) for tree in leaf.where]
        rows = f"FROM event e WHERE {' AND '.join(asked)}"
        if (leaf.op, leaf.count) in (("gte", 1), ("gt", 0)):
            return f"EXISTS (SELECT {rows})"
        if (leaf.op, leaf.count) in (("eq", 0), ("lt", 1), ("lte", 0)):
            return f"NOT EXISTS (SELECT {rows})"
        # Counting one past the wanted number settles every operator.
        enough = self._bind(leaf.count + 1)
        found = f"(SELECT count(*) FROM (SELECT {rows} LIMIT {enough}::bigint) few)"
        return f"({found} {COMPARE[leaf.op]} {self._bind(leaf.count)}::bigint)"

    def _compare(self, leaf: Compare, source: str) -> str:
        # One step at a time: `#>` would read "0" as a place in a list, `->` with text looks into objects only.
        json = source + "".join(f" -> {self._bind(part)}::text" for part in leaf.path)
        if leaf.op in ("exists", "missing"):
            known = f"COALESCE(jsonb_typeof({json}), 'null') <> 'null'"
            return f"({known})" if leaf.op == "exists" else f"(NOT {known})"
        if leaf.op in ("before", "after", "within"):
            return self._dated(leaf, json, str(leaf.value))
        if leaf.op in ("in", "not_in"):
            return self._listed(leaf, json)
        if leaf.op == "contains":
            return self._contains(json, leaf.value)
        if leaf.op == "starts_with":
            start = self._bind(leaf.value)
            return _guarded(json, "string", f"starts_with({_text(json)}, {start}::text)")
        return self._ordered(json, COMPARE[leaf.op], leaf.value)

    def _ordered(self, json: str, operator: str, value: Value) -> str:
        if isinstance(value, str):
            return _guarded(json, "string", f'{_text(json)} {operator} {self._bind(value)}::text COLLATE "C"')
        if isinstance(value, bool):
            return _guarded(json, "boolean", f"({json})::boolean {operator} {self._bind(value)}::boolean")
        return _guarded(json, "number", f"({json})::numeric {operator} {self._bind(_decimal(value))}::numeric")

    def _listed(self, leaf: Compare, json: str) -> str:
        values: tuple[Scalar, ...] = leaf.value if isinstance(leaf.value, tuple) else ()
        texts = [value for value in values if isinstance(value, str)]
        truths = [value for value in values if isinstance(value, bool)]
        numbers = [_decimal(value) for value in values if not isinstance(value, str | bool)]
        groups = []
        operator = "= ANY" if leaf.op == "in" else "<> ALL"
        if texts:
            groups.append(("string", f'{_text(json)} COLLATE "C" {operator}({self._bind(texts)}::text[])'))
        if truths:
            groups.append(("boolean", f"({json})::boolean {operator}({self._bind(truths)}::boolean[])"))
        if numbers:
            groups.append(("number", f"({json})::numeric {operator}({self._bind(numbers)}::numeric[])"))
        cases = "".join(f" WHEN '{kind}' THEN {test}" for kind, test in groups)
        return f"(CASE jsonb_typeof({json}){cases} ELSE false END)"

    def _contains(self, json: str, value: Value) -> str:
        member = f"{json} @> {self._bind(Jsonb(value))}::jsonb"
        if not isinstance(value, str):
            return _guarded(json, "array", member)
        part = f"strpos({_text(json)}, {self._bind(value)}::text) > 0"
        return f"(CASE jsonb_typeof({json}) WHEN 'string' THEN {part} WHEN 'array' THEN {member} ELSE false END)"

    def _dated(self, leaf: Compare, json: str, value: str) -> str:
        text = f"regexp_replace({_text(json)}, {self._bind(_FINE)}, {self._bind(_FINE_KEPT)})"
        zoned, local = self._bind(f"^{ZONED_SHAPE}$"), self._bind(f"^{LOCAL_SHAPE}$")
        if leaf.op == "within":
            floor = self._bind(self._at - elapsed(value))
            now = self._bind(self._at)
            test = f"MOMENT > {floor}::timestamptz AND MOMENT <= {now}::timestamptz"
        else:
            moment = self._bind(as_instant(value))
            test = f"MOMENT {'<' if leaf.op == 'before' else '>'} {moment}::timestamptz"
        # A text without an offset is UTC, whatever the zone of the session.
        when_zoned = test.replace("MOMENT", f"({text})::timestamptz")
        when_local = test.replace("MOMENT", f"(({text})::timestamp AT TIME ZONE 'UTC')")
        return (
            f"(CASE WHEN jsonb_typeof({json}) <> 'string' THEN false WHEN {_text(json)} ~ {zoned} THEN {when_zoned}"
            f" WHEN {_text(json)} ~ {local} THEN {when_local} ELSE false END)"
        )

    def _bind(self, value: Json) -> str:
        self.values.append(value)
        return f"{{{len(self.values) - 1}}}"


# What lies behind a microsecond is cut off, as Python does; PostgreSQL would round.
_FINE, _FINE_KEPT = r"([.][0-9]{6})[0-9]+", r"\1"


def _text(json: str) -> str:
    return f"({json} #>> '{{}}')"


def _guarded(json: str, kind: str, test: str) -> str:
    return f"(CASE WHEN jsonb_typeof({json}) = '{kind}' THEN {test} ELSE false END)"


def _decimal(value: Json) -> Decimal:
    # By its shortest text: 0.1 is the 0.1 that stands in the JSON, not the float nearest to it.
    return Decimal(repr(value))
