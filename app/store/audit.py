"""The rows of the audit log: added at the end, read by pages. Never changed: the database itself refuses that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.store.rows import Connection, columns


class Row(NamedTuple):
    """One change. `before` and `after` are JSON texts, as they were hashed."""

    number: int
    at: datetime
    actor: str
    what: str
    about: str
    before: str
    after: str
    previous: str
    hash: str


class Head(NamedTuple):
    """The end of a chain."""

    number: int
    hash: str


class Wanted(NamedTuple):
    """Which rows a page shows; what is None is not asked. `what` is a whole verb or the area before its dot."""

    actor: str | None = None
    what: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None


FIELDS = "number, at, actor, what, about, before, after, previous, hash"


def next_head(connection: Connection, workspace_id: int, count: int) -> Head:
    """The last of `count` fresh numbers and the hash before them; nobody else gets one until this transaction ends."""
    row = connection.execute(
        """
        INSERT INTO audit_head (workspace_id, number, hash) VALUES (%s, %s, '')
        ON CONFLICT (workspace_id) DO UPDATE SET number = audit_head.number + excluded.number RETURNING number, hash
        """,
        (workspace_id, count),
    ).fetchone()
    assert row is not None
    return Head._make(row)


def add(connection: Connection, workspace_id: int, rows: Sequence[Row]) -> None:
    """Keep rows whose numbers `next_head` gave, in their order."""
    values = columns(rows, len(Row._fields))
    connection.execute(
        f"""
        WITH head AS (UPDATE audit_head SET hash = %s WHERE workspace_id = %s)
        INSERT INTO audit (workspace_id, {FIELDS})
        SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
                                 %s::text[], %s::text[], %s::text[])
        """,
        (rows[-1].hash, workspace_id, workspace_id, *values),
    )


def head(connection: Connection, workspace_id: int) -> Head | None:
    """The end of the chain as it was noted; None where nothing was ever recorded."""
    row = connection.execute("SELECT number, hash FROM audit_head WHERE workspace_id = %s", (workspace_id,)).fetchone()
    return Head._make(row) if row else None


def heads(connection: Connection) -> dict[int, Head]:
    """The end of every workspace's chain."""
    rows = connection.execute("SELECT workspace_id, number, hash FROM audit_head").fetchall()
    return {row[0]: Head(row[1], row[2]) for row in rows}


def hashes(connection: Connection, workspace_id: int, numbers: Sequence[int]) -> dict[int, str]:
    """The hashes of these rows, as far as they are there."""
    rows = connection.execute(
        "SELECT number, hash FROM audit WHERE workspace_id = %s AND number = ANY(%s)", (workspace_id, list(numbers))
    ).fetchall()
    return dict(rows)


def after(connection: Connection, workspace_id: int, number: int, limit: int) -> list[Row]:
    """Rows in the order of the chain."""
    rows = connection.execute(
        f"SELECT {FIELDS} FROM audit WHERE workspace_id = %s AND number > %s ORDER BY number LIMIT %s",
        (workspace_id, number, limit),
    ).fetchall()
    return [Row._make(row) for row in rows]


def page(connection: Connection, workspace_id: int, wanted: Wanted, before: int | None, limit: int) -> list[Row]:
    """The newest rows first, from below the number `before`."""
    asked: dict[str, Any] = {"w": workspace_id, "below": before, "limit": limit, **wanted._asdict()}
    rows = connection.execute(
        f"""
        SELECT {FIELDS} FROM audit
        WHERE workspace_id = %(w)s AND (%(below)s::bigint IS NULL OR number < %(below)s)
          AND (%(actor)s::text IS NULL OR actor = %(actor)s)
          AND (%(what)s::text IS NULL OR what = %(what)s OR starts_with(what, %(what)s || '.'))
          AND (%(about)s::text IS NULL OR about = %(about)s)
          AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
        ORDER BY number DESC LIMIT %(limit)s
        """,
        asked,
    ).fetchall()
    return [Row._make(row) for row in rows]


def workspaces(connection: Connection) -> list[int]:
    """The workspaces that have a log."""
    rows = connection.execute(
        "SELECT workspace_id FROM audit_head UNION SELECT workspace_id FROM audit ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in rows]
