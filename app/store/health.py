"""How the engine is, for people who look: workers with their lanes, what is stuck, what could not be handled. No secrets."""

from datetime import datetime
from typing import LiteralString, NamedTuple

from app.store import scopes
from app.store.rows import Connection

WORKERS_AT_MOST = 100


class Working(NamedTuple):
    """A worker process and its lanes."""

    id: str
    lanes: list[int]
    started_at: datetime
    progress_at: datetime


class Aside(NamedTuple):
    """Something that could not be handled."""

    id: int
    kind: str
    reason: str
    created_at: datetime


def workers(connection: Connection) -> list[Working]:
    """All worker processes, of the whole installation: workers belong to no workspace."""
    rows = connection.execute(
        "SELECT id, lanes, started_at, progress_at FROM worker ORDER BY started_at, id LIMIT %s", (WORKERS_AT_MOST,)
    ).fetchall()
    return [Working._make(row) for row in rows]


def aside(connection: Connection, workspace_id: int, limit: int) -> list[Aside]:
    """What was put aside lately, with the reason; never what it said."""
    rows = connection.execute(
        "SELECT id, kind, reason, created_at FROM dead WHERE workspace_id = %s ORDER BY id DESC LIMIT %s",
        (workspace_id, limit),
    ).fetchall()
    return [Aside._make(row) for row in rows]


def aside_since(connection: Connection, workspace_id: int, since: datetime, limit: int) -> int:
    """How many were put aside since then; counted up to `limit`."""
    row = connection.execute(
        """
        SELECT count(*) FROM (
            SELECT created_at FROM dead WHERE workspace_id = %s ORDER BY id DESC LIMIT %s) AS last
        WHERE created_at > %s
        """,
        (workspace_id, limit, since),
    ).fetchone()
    return int(row[0]) if row else 0


class Waiting(NamedTuple):
    """Something that waits to be done: for whom, in which journey, since when it is due. Events belong to no journey."""

    id: int
    contact_id: int
    name: str | None
    journey_id: int | None
    journey: str | None
    about: str
    due_at: datetime


# What waits, and in which order it is listed.
WAITING: dict[str, tuple[LiteralString, LiteralString]] = {
    "events": (
        f"""
        SELECT i.id, i.contact_id, NULL::int AS journey_id, i.name AS about, i.received_at AS due_at, i.lane FROM inbox i
        WHERE i.workspace_id = %(w)s AND NOT {scopes.LIMITED}
        """,
        "i.lane, i.id",
    ),
    "messages": (
        f"""
        SELECT m.id, m.contact_id, m.journey_id, m.channel AS about, m.due_at, m.lane FROM message m
        WHERE m.workspace_id = %(w)s AND m.status IN (0, 1, 6) AND m.due_at <= %(now)s {scopes.MESSAGE}
        """,
        "m.due_at",
    ),
    "waits": (
        f"""
        SELECT e.id, e.contact_id, e.journey_id, e.node AS about, e.wake_at AS due_at, e.lane FROM enrollment e
        WHERE e.workspace_id = %(w)s AND e.status = 0 AND e.wake_at <= %(now)s {scopes.ENROLLMENT}
        """,
        "e.wake_at",
    ),
}


def counts(connection: Connection, workspace_id: int, now: datetime, limit: int) -> dict[str, int]:
    """How much of each kind waits in this workspace, each counted up to `limit`."""
    parts = [f"(SELECT count(*) FROM ({what} LIMIT %(limit)s) AS counted)" for what, _ in WAITING.values()]
    row = connection.execute(f"SELECT {', '.join(parts)}", {"w": workspace_id, "now": now, "limit": limit}).fetchone()
    assert row is not None
    return dict(zip(WAITING, row, strict=True))


def waiting(connection: Connection, workspace_id: int, what: str, now: datetime, limit: int) -> list[Waiting]:
    """What waits, one by one, the longest due first."""
    asked, order = WAITING[what]
    rows = connection.execute(
        f"""
        SELECT one.id, one.contact_id, c.attributes ->> 'name', one.journey_id, j.name, one.about, one.due_at
        FROM ({asked} ORDER BY {order} LIMIT %(limit)s) AS one
        LEFT JOIN journey j ON j.workspace_id = %(w)s AND j.id = one.journey_id
        LEFT JOIN contact c ON c.workspace_id = %(w)s AND c.lane = one.lane AND c.id = one.contact_id ORDER BY one.due_at
        """,
        {"w": workspace_id, "now": now, "limit": limit},
    ).fetchall()
    return [Waiting._make(row) for row in rows]


def stuck(connection: Connection, workspace_id: int, limit: int) -> list[tuple[int, str, int]]:
    """Journeys in which people are stuck, by how many: (journey, name, people). From tallies, never counting people."""
    return connection.execute(
        """
        SELECT j.id, j.name, most.people FROM (
            SELECT journey_id, sum(count)::bigint AS people FROM (
                SELECT journey_id, count FROM tally WHERE workspace_id = %(w)s AND node = '' AND port = 'failed'
                UNION ALL
                SELECT journey_id, count FROM tally_span
                WHERE workspace_id = %(w)s AND minutes = 0 AND node = '' AND port = 'failed'
            ) AS counted GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s
        ) AS most JOIN journey j ON j.workspace_id = %(w)s AND j.id = most.journey_id AND in_scope(j.scope)
        WHERE most.people > 0 ORDER BY 3 DESC, 1
        """,
        {"w": workspace_id, "limit": limit},
    ).fetchall()
