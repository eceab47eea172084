"""How the engine is, for people who look: workers with their lanes, what is stuck, what could not be handled. No secrets."""

from datetime import datetime
from typing import NamedTuple

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
        ) AS most JOIN journey j ON j.workspace_id = %(w)s AND j.id = most.journey_id
        WHERE most.people > 0 ORDER BY 3 DESC, 1
        """,
        {"w": workspace_id, "limit": limit},
    ).fetchall()
