"""What the list of journeys shows: rows in pages, how many there are of each state, numbers and lines. Never reads a draft."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, LiteralString, NamedTuple

from app.store import versions
from app.store.rows import Connection


class Row(NamedTuple):
    """A journey as a line of the list. `review`: the state of what was handed in last."""

    id: int
    name: str
    status: str
    number: int | None
    published_at: datetime | None
    plan_id: int | None
    plan: str | None
    created_at: datetime
    updated_at: datetime
    updated_by: str
    archived: bool
    review: str | None
    sort_name: str
    scope: str


class Wish(NamedTuple):
    """Which journeys are wanted. `plan` 0: those of no plan. `mine`: the actor whose journeys they are."""

    name: str | None = None
    status: str | None = None
    plan: int | None = None
    mine: str | None = None
    archived: bool = False


# What a wish adds to the question; what is not asked for is not in it, so that counting all of them reads an index alone.
ASKED: dict[str, LiteralString] = {
    "name": " AND strpos(lower(j.name), lower(%(name)s)) > 0",
    "plan": " AND COALESCE(j.plan_id, 0) = %(plan)s",
    "mine": " AND (j.created_by = %(mine)s OR j.updated_by = %(mine)s OR %(mine)s = ANY(j.editors))",
}
STATUS: LiteralString = " AND j.status = %(status)s"
COLUMNS: LiteralString = """
    SELECT j.id, j.name, j.status, v.number, v.published_at, j.plan_id, p.name, j.created_at, j.updated_at, j.updated_by,
           j.archived_at IS NOT NULL,
           (SELECT s.status FROM submission s WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.id
            ORDER BY s.id DESC LIMIT 1),
           lower(j.name), j.scope
    FROM journey j
    LEFT JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
    LEFT JOIN plan p ON p.workspace_id = j.workspace_id AND p.id = j.plan_id
    WHERE
"""
# Each order with the place where the page before ended.
ORDERS: dict[str, tuple[LiteralString, LiteralString]] = {
    "changed": (
        " AND (j.updated_at, j.id) < (%(a)s::timestamptz, %(b)s::int)",
        " ORDER BY j.updated_at DESC, j.id DESC",
    ),
    "name": (" AND (lower(j.name), j.id) > (%(a)s::text, %(b)s::int)", " ORDER BY lower(j.name), j.id"),
    "new": (" AND (j.created_at, j.id) < (%(a)s::timestamptz, %(b)s::int)", " ORDER BY j.created_at DESC, j.id DESC"),
}


def _where(wish: Wish) -> LiteralString:
    """Which journeys are wanted, whatever their state."""
    shelf: LiteralString = "IS NOT NULL" if wish.archived else "IS NULL"
    asked: LiteralString = ""
    for name, clause in ASKED.items():
        asked += clause if getattr(wish, name) is not None else ""
    return f"j.workspace_id = %(w)s AND in_scope(j.scope) AND j.archived_at {shelf}{asked}"


def place(row: Row, order: str) -> list[Any]:
    """Where the page after this row begins."""
    first: Any = {"changed": row.updated_at, "new": row.created_at, "name": row.sort_name}[order]
    return [first.isoformat() if isinstance(first, datetime) else first, row.id]


def rows(
    connection: Connection, workspace_id: int, wish: Wish, order: str, after: Sequence[Any] | None, limit: int
) -> list[Row]:
    """One page of journeys in one of the orders."""
    beyond, by = ORDERS[order]
    values: dict[str, Any] = {"w": workspace_id, **wish._asdict(), "limit": limit}
    if after is not None:
        values |= {"a": after[0], "b": after[1]}
    wanted = _where(wish) + (STATUS if wish.status else "") + (beyond if after is not None else "")
    statement = COLUMNS + wanted + by + " LIMIT %(limit)s"
    return [Row._make(row) for row in connection.execute(statement, values).fetchall()]


def one(connection: Connection, workspace_id: int, journey_id: int) -> Row | None:
    """One journey as the list has it."""
    row = connection.execute(
        COLUMNS + "j.workspace_id = %(w)s AND j.id = %(id)s AND in_scope(j.scope)",
        {"w": workspace_id, "id": journey_id},
    ).fetchone()
    return Row._make(row) if row else None


def states(connection: Connection, workspace_id: int, wish: Wish) -> dict[str, int]:
    """How many journeys of each state there are among those wanted, whatever state is asked for."""
    found = connection.execute(
        f"SELECT j.status, count(*) FROM journey j WHERE {_where(wish)} GROUP BY 1",
        {"w": workspace_id, **wish._asdict()},
    ).fetchall()
    return dict(found)


def any_at_all(connection: Connection, workspace_id: int) -> bool:
    """Whether there is any journey, archived ones too."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM journey WHERE workspace_id = %s AND in_scope(scope))", (workspace_id,)
    ).fetchone()
    return bool(row and row[0])


class Day(NamedTuple):
    """What was counted of a whole journey: for ever (`day` None), or of those who entered on a day (UTC)."""

    journey_id: int
    port: str
    day: date | None
    counted: int


def numbers(connection: Connection, workspace_id: int, ids: Sequence[int], since: date) -> list[Day]:
    """The numbers of these journeys: totals by port, and entries by day since then."""
    found = connection.execute(
        """
        SELECT journey_id, port, NULL::date, sum(count)::bigint FROM (
            SELECT journey_id, port, count FROM tally
            WHERE workspace_id = %(w)s AND journey_id = ANY(%(ids)s) AND node = ''
            UNION ALL
            SELECT journey_id, port, count FROM tally_span
            WHERE workspace_id = %(w)s AND minutes = 0 AND journey_id = ANY(%(ids)s) AND node = ''
        ) AS ever GROUP BY 1, 2
        UNION ALL
        SELECT journey_id, 'entered', (at AT TIME ZONE 'UTC')::date, sum(count)::bigint FROM (
            SELECT journey_id, minute AS at, count FROM tally
            WHERE workspace_id = %(w)s AND journey_id = ANY(%(ids)s) AND node = '' AND port = 'entered'
            UNION ALL
            SELECT journey_id, at, count FROM tally_span
            WHERE workspace_id = %(w)s AND minutes = 1440 AND journey_id = ANY(%(ids)s) AND node = '' AND port = 'entered'
              AND at >= %(since)s
        ) AS days GROUP BY 1, 3
        """,
        {"w": workspace_id, "ids": list(ids), "since": datetime.combine(since, datetime.min.time(), UTC)},
    ).fetchall()
    return [Day._make(row) for row in found]


def archive(connection: Connection, workspace_id: int, ids: Sequence[int], now: datetime) -> list[int]:
    """Put journeys out of sight, but never live ones; those that went (a journey archived already is not among them)."""
    found = connection.execute(
        """
        UPDATE journey SET archived_at = %s
        WHERE workspace_id = %s AND id = ANY(%s) AND status <> 'live' AND archived_at IS NULL AND in_scope(scope)
        RETURNING id
        """,
        (now, workspace_id, list(ids)),
    ).fetchall()
    return sorted(id for (id,) in found)


def restore(connection: Connection, workspace_id: int, ids: Sequence[int]) -> list[int]:
    """Put archived journeys back in sight."""
    found = connection.execute(
        "UPDATE journey SET archived_at = NULL WHERE workspace_id = %s AND id = ANY(%s) AND in_scope(scope) RETURNING id",
        (workspace_id, list(ids)),
    ).fetchall()
    return sorted(id for (id,) in found)


def move(connection: Connection, workspace_id: int, ids: Sequence[int], plan_id: int | None) -> list[int]:
    """Lay journeys into a plan, or take them out of theirs; the plan must be of the workspace."""
    found = connection.execute(
        """
        UPDATE journey SET plan_id = %(plan)s
        WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND in_scope(scope) AND (%(plan)s::int IS NULL
              OR EXISTS (SELECT FROM plan p WHERE p.workspace_id = %(w)s AND p.id = %(plan)s AND in_scope(p.scope)))
        RETURNING id
        """,
        {"plan": plan_id, "w": workspace_id, "ids": list(ids)},
    ).fetchall()
    versions.bump(connection)  # another budget may pay for it, another season stand over it
    return sorted(id for (id,) in found)


def find(connection: Connection, workspace_id: int, text: str, limit: int) -> list[tuple[int, str, str]]:
    """Journeys whose name holds this text: (id, name, status); names that begin with it first."""
    return connection.execute(
        """
        SELECT id, name, status FROM journey
        WHERE workspace_id = %(w)s AND archived_at IS NULL AND in_scope(scope) AND strpos(lower(name), lower(%(text)s)) > 0
        ORDER BY strpos(lower(name), lower(%(text)s)), updated_at DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "text": text, "limit": limit},
    ).fetchall()
