"""Published versions as the engine reads them, and the generation that says when to read them again. Never a draft."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.store.rows import Connection

FIELDS = """
    v.workspace_id, v.journey_id, v.id, v.number, w.timezone, v.document,
    j.live_version_id = v.id AND j.status IN ('live', 'paused') AS is_live, j.status = 'paused', j.status = 'stopped',
    j.opened_at, v.conditions, j.pause_reason, p.id,
    CASE WHEN p.details -> 'budget' ->> 'over' = 'hold' THEN p.details -> 'budget' END
    FROM version v JOIN journey j ON j.id = v.journey_id AND j.workspace_id = v.workspace_id
    JOIN workspace w ON w.id = v.workspace_id
    LEFT JOIN plan p ON p.workspace_id = j.workspace_id AND p.id = j.plan_id
"""


class Saved(NamedTuple):
    """A version with what its journey and workspace say about it now."""

    workspace_id: int
    journey_id: int
    version_id: int
    number: int
    timezone: str
    document: dict[str, Any]
    is_live: bool
    paused: bool
    stopped: bool
    opened_at: datetime | None
    conditions: dict[str, Any]
    pause_reason: str | None = None
    plan_id: int | None = None
    budget: dict[str, Any] | None = None  # of its plan, where that holds back what goes beyond


def generation(connection: Connection) -> int:
    """Counts up with every publish, pause, resume and stop."""
    row = connection.execute("SELECT number FROM generation WHERE id = 1").fetchone()
    return int(row[0]) if row else 0


def bump(connection: Connection) -> None:
    """Tell every worker that its plans are old; in the transaction of the change itself."""
    connection.execute(
        "INSERT INTO generation AS g (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = g.number + 1"
    )


def in_use(connection: Connection) -> list[Saved]:
    """Live versions, older ones that somebody still walks on, and those that people are being moved to or put back to."""
    rows = connection.execute(
        f"""
        SELECT {FIELDS} WHERE (j.live_version_id = v.id AND j.status IN ('live', 'paused')) OR EXISTS (
            SELECT FROM enrollment e WHERE e.version_id = v.id AND e.status IN (0, 3, 4))
        OR EXISTS (SELECT FROM migration m WHERE m.workspace_id = v.workspace_id AND m.journey_id = v.journey_id
            AND m.status IN ('running', 'reversing'))
        ORDER BY v.id
        """
    ).fetchall()
    return [Saved._make(row) for row in rows]


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Saved]:
    """The named versions, whatever their state."""
    rows = connection.execute(f"SELECT {FIELDS} WHERE v.id = ANY(%s)", (list(ids),)).fetchall()
    return [Saved._make(row) for row in rows]


def policies(connection: Connection) -> dict[int, dict[str, Any]]:
    """The sending policies of the workspaces that have any."""
    rows = connection.execute(
        "SELECT id, settings -> 'policies' FROM workspace WHERE settings ? 'policies' ORDER BY id"
    ).fetchall()
    return dict(rows)
