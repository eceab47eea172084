"""The rows of the audit log: added at the end, read by pages. Never changed: the database itself refuses that."""

from datetime import datetime
from typing import Any, NamedTuple

from app.store.rows import Connection


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


def next_head(connection: Connection, workspace_id: int) -> Head:
    """The number of the row that comes next and the hash before it; nobody else gets one until this transaction ends."""
    row = connection.execute(
        """
        INSERT INTO audit_head (workspace_id, number, hash) VALUES (%s, 1, '')
        ON CONFLICT (workspace_id) DO UPDATE SET number = audit_head.number + 1 RETURNING number, hash
        """,
        (workspace_id,),
    ).fetchone()
    assert row is not None
    return Head._make(row)


def add(connection: Connection, workspace_id: int, row: Row) -> None:
    """Keep a row whose number `next_head` gave."""
    connection.execute(
        f"""
        WITH head AS (UPDATE audit_head SET hash = %(hash)s WHERE workspace_id = %(w)s)
        INSERT INTO audit (workspace_id, {FIELDS})
        VALUES (%(w)s, %(number)s, %(at)s, %(actor)s, %(what)s, %(about)s, %(before)s, %(after)s, %(previous)s, %(hash)s)
        """,
        {"w": workspace_id, **row._asdict()},
    )


def head(connection: Connection, workspace_id: int) -> Head | None:
    """The end of the chain as it was noted; None where nothing was ever recorded."""
    row = connection.execute("SELECT number, hash FROM audit_head WHERE workspace_id = %s", (workspace_id,)).fetchone()
    return Head._make(row) if row else None


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
