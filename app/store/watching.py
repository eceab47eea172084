"""What an open page of a journey wants to know again and again: where it stands, its draft, its remarks. Two small statements."""

from typing import NamedTuple

from app.store.rows import Connection

REMARKS_AT_MOST = 500


class State(NamedTuple):
    """A journey at a glance. `saved_by` is who saved the draft last, an actor."""

    name: str
    status: str
    revision: int
    saved_by: str
    version: int | None


def state(connection: Connection, workspace_id: int, journey_id: int) -> State | None:
    """Where a journey stands."""
    row = connection.execute(
        """
        SELECT j.name, j.status, j.revision, j.updated_by, v.number
        FROM journey j LEFT JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        WHERE j.workspace_id = %s AND j.id = %s
        """,
        (workspace_id, journey_id),
    ).fetchone()
    return State._make(row) if row else None


def remarks(connection: Connection, workspace_id: int, journey_id: int) -> dict[int, bool]:
    """The latest remarks on a journey, and whether each is settled."""
    rows = connection.execute(
        """
        SELECT id, resolved_at IS NOT NULL FROM comment WHERE workspace_id = %s AND journey_id = %s
        ORDER BY id DESC LIMIT %s
        """,
        (workspace_id, journey_id, REMARKS_AT_MOST),
    ).fetchall()
    return dict(rows)
