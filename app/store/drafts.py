"""The history of drafts: how each stood after a sitting, and how far back. Never the draft itself: `journeys` keeps it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from app.store.journeys import Saving
from app.store.rows import Connection

SITTING = timedelta(minutes=5)  # saves of one person no further apart than this are one sitting
KEPT = 200


class Saved(NamedTuple):
    """A draft as somebody left it."""

    revision: int
    begun_at: datetime
    saved_at: datetime
    saved_by: str
    steps: int


def keep(connection: Connection, workspace_id: int, journey_id: int, revision: int, saving: Saving) -> None:
    """Note a save. It takes the place of the sitting's last one; the oldest beyond `KEPT` are forgotten."""
    document, actor, now = saving
    connection.execute(
        """
        WITH last AS (
            SELECT revision, begun_at, saved_at, saved_by FROM draft_save
            WHERE workspace_id = %(w)s AND journey_id = %(j)s ORDER BY revision DESC LIMIT 1
        ), sitting AS (
            DELETE FROM draft_save d USING last
            WHERE d.workspace_id = %(w)s AND d.journey_id = %(j)s AND d.revision = last.revision
              AND last.saved_by = %(actor)s AND last.saved_at > %(since)s
            RETURNING d.begun_at
        ), too_old AS (
            DELETE FROM draft_save WHERE workspace_id = %(w)s AND journey_id = %(j)s AND revision <= (
                SELECT revision FROM draft_save WHERE workspace_id = %(w)s AND journey_id = %(j)s
                ORDER BY revision DESC OFFSET %(kept)s LIMIT 1)
        )
        INSERT INTO draft_save (workspace_id, journey_id, revision, begun_at, saved_at, saved_by, document)
        SELECT %(w)s, %(j)s, %(revision)s, COALESCE((SELECT begun_at FROM sitting), %(now)s), %(now)s, %(actor)s, %(document)s
        """,
        {
            "w": workspace_id,
            "j": journey_id,
            "revision": revision,
            "actor": actor,
            "now": now,
            "since": now - SITTING,
            "document": Jsonb(document),
            "kept": KEPT - 1,
        },
    )


def page(connection: Connection, workspace_id: int, journey_id: int, before: int | None, limit: int) -> list[Saved]:
    """The sittings of a journey's draft, the latest first."""
    rows = connection.execute(
        """
        SELECT revision, begun_at, saved_at, saved_by,
               CASE jsonb_typeof(document -> 'nodes') WHEN 'array' THEN jsonb_array_length(document -> 'nodes') ELSE 0 END
        FROM draft_save WHERE workspace_id = %s AND journey_id = %s AND (%s::int IS NULL OR revision < %s)
        ORDER BY revision DESC LIMIT %s
        """,
        (workspace_id, journey_id, before, before, limit),
    ).fetchall()
    return [Saved._make(row) for row in rows]


def document(connection: Connection, workspace_id: int, journey_id: int, revision: int) -> dict[str, Any] | None:
    """The draft as it stood then."""
    row = connection.execute(
        "SELECT document FROM draft_save WHERE workspace_id = %s AND journey_id = %s AND revision = %s",
        (workspace_id, journey_id, revision),
    ).fetchone()
    return row[0] if row else None
