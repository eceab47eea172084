"""Contacts: facts for whole batches in, differences out. Never a query per contact."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from app.store.rows import Connection, columns
from flows.contract import Facts
from flows.interpret import Change

COLUMNS_AT_MOST = 12  # more attributes than this are read as one object
ContactKey = tuple[int, int, int]  # workspace, lane, id


@lru_cache(maxsize=50_000)
def _parsed(text: str) -> Any:
    """A scalar attribute's value; few distinct ones in a cohort, so most rows cost a look-up."""
    return msgspec.json.decode(text)


def _value(text: str) -> Any:
    # Arrays and objects can be changed by whoever holds them, so each contact gets its own.
    return msgspec.json.decode(text) if text[0] in "[{" or len(text) > 200 else _parsed(text)


class Wanted:
    """Which facts to read: attribute names, tags, consents; out of the `reads` of the steps ahead."""

    def __init__(self, reads: Iterable[str]) -> None:
        reads = set(reads)
        self.attributes = sorted({one.split(".")[1] for one in reads if one.startswith("attributes.")})
        self.whole = len(self.attributes) > COLUMNS_AT_MOST
        self.tags = "tags" in reads
        self.consents = "consents" in reads

    @property
    def select(self) -> str:
        """The column list, and in `parameters` what it binds."""
        parts = ["c.tags" if self.tags else "NULL", "c.consents::text" if self.consents else "NULL"]
        parts += (
            ["c.attributes::text"]
            if self.whole
            else [f"(c.attributes -> %(attribute_{number})s)::text" for number in range(len(self.attributes))]
        )
        return ", ".join(parts)

    @property
    def parameters(self) -> dict[str, str]:
        """The attribute names that `select` binds."""
        return {} if self.whole else {f"attribute_{number}": name for number, name in enumerate(self.attributes)}

    def facts(self, row: Sequence[Any]) -> Facts:
        """The facts of one row of `select`."""
        tags, consents, *values = row
        if self.whole:
            attributes = msgspec.json.decode(values[0])
        else:
            attributes = {
                name: _value(text) for name, text in zip(self.attributes, values, strict=True) if text is not None
            }
        return Facts(
            attributes,
            set(tags) if tags else None,
            consents=_parsed(consents) if consents and consents != "{}" else None,
        )

    def cohorts(self) -> Callable[[Sequence[Any]], Facts]:
        """Like `facts`, but contacts with equal rows share one object: a blast has few kinds of people."""
        known: dict[tuple[Any, ...], Facts] = {}

        def shared(row: Sequence[Any]) -> Facts:
            key = (
                tuple(row) if row[0] is None else (tuple(row[0]), *row[1:])
            )  # tags come as a list, also as an empty one
            facts = known.get(key)
            if facts is None:
                facts = known[key] = self.facts(row)
                facts.shared = True
            return facts

        return shared


def read(connection: Connection, keys: Sequence[ContactKey], wanted: Wanted) -> dict[int, tuple[Facts, int | None]]:
    """Facts of contacts by id, and whom they were merged into."""
    if not keys:
        return {}
    rows = connection.execute(
        f"""
        SELECT c.id, c.merged_into, {wanted.select}
        FROM unnest(%(workspaces)s::int[], %(lanes)s::smallint[], %(ids)s::bigint[]) AS one(workspace_id, lane, id)
        JOIN contact c ON c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
        """,
        {**wanted.parameters, **dict(zip(("workspaces", "lanes", "ids"), columns(keys, 3), strict=True))},
    ).fetchall()
    return {row[0]: (wanted.facts(row[2:]), row[1]) for row in rows}


def apply(connection: Connection, changes: Mapping[ContactKey, Change], at: datetime) -> None:
    """Write differences of attributes and tags, one statement for all contacts."""
    rows = []
    for key, change in changes.items():
        patch = {name: value for name, value in change.attributes.items() if value is not None}
        gone = [name for name, value in change.attributes.items() if value is None]
        rows.append(
            (*key, _text(patch), (gone and _text(gone)) or "[]", _text(sorted(change.give)), _text(sorted(change.take)))
        )
    if not rows:
        return
    connection.execute(
        """
        UPDATE contact c SET
            attributes = (c.attributes || one.patch::jsonb)
                - ARRAY(SELECT jsonb_array_elements_text(one.gone::jsonb)),
            tags = CASE WHEN one.give = '[]' AND one.take = '[]' THEN c.tags ELSE ARRAY(
                SELECT tag FROM (
                    SELECT unnest(c.tags) AS tag UNION SELECT jsonb_array_elements_text(one.give::jsonb)
                ) AS both_ WHERE NOT one.take::jsonb ? tag ORDER BY tag) END,
            updated_at = %s
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
          AS one(workspace_id, lane, id, patch, gone, give, take)
        WHERE c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
        """,
        (at, *columns(rows, 7)),
    )


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
