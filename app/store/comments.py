"""What people say about a journey and its steps: threads of remarks and answers, settled or open. Never decides who may."""

from datetime import datetime
from typing import LiteralString, NamedTuple

from app.store.rows import Connection

AT_MOST = 1_000  # a page shows them all; nobody reads more than this of one journey


class Comment(NamedTuple):
    """A remark, or an answer to one (`parent`). `node` empty: about the whole journey."""

    id: int
    node: str
    parent: int | None
    author: str
    text: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


FIELDS: LiteralString = "id, node, parent, author, text, created_at, resolved_at, resolved_by"


class Said(NamedTuple):
    """A remark about to be kept."""

    node: str
    parent: int | None
    author: str
    text: str


def of_journey(connection: Connection, workspace_id: int, journey_id: int) -> list[Comment]:
    """Everything said about a journey, in order."""
    rows = connection.execute(
        f"SELECT {FIELDS} FROM comment WHERE workspace_id = %s AND journey_id = %s ORDER BY id LIMIT %s",
        (workspace_id, journey_id, AT_MOST),
    ).fetchall()
    return [Comment._make(row) for row in rows]


def add(connection: Connection, workspace_id: int, journey_id: int, said: Said, now: datetime) -> Comment | None:
    """Keep a remark; an answer goes to the first of its thread and to that one's step. None where there is no such thread."""
    row = connection.execute(
        f"""
        WITH thread AS (
            SELECT COALESCE(parent, id) AS id, node FROM comment
            WHERE workspace_id = %(w)s AND journey_id = %(j)s AND id = %(parent)s
        )
        INSERT INTO comment (workspace_id, journey_id, node, parent, author, text, created_at)
        SELECT %(w)s, %(j)s, COALESCE((SELECT node FROM thread), %(node)s), (SELECT id FROM thread), %(author)s, %(text)s,
               %(now)s
        WHERE (%(parent)s::int IS NULL OR EXISTS (SELECT FROM thread))
          AND EXISTS (SELECT FROM journey WHERE workspace_id = %(w)s AND id = %(j)s)
        RETURNING {FIELDS}
        """,
        {"w": workspace_id, "j": journey_id, "now": now, **said._asdict()},
    ).fetchone()
    return Comment._make(row) if row else None


def settle(
    connection: Connection, workspace_id: int, journey_id: int, comment_id: int, settled: tuple[str, datetime] | None
) -> bool:
    """Say that a thread is done with (by whom, when), or open again (None)."""
    by, at = settled or (None, None)
    row = connection.execute(
        """
        UPDATE comment SET resolved_by = %s, resolved_at = %s
        WHERE workspace_id = %s AND journey_id = %s AND id = %s AND parent IS NULL RETURNING id
        """,
        (by, at, workspace_id, journey_id, comment_id),
    ).fetchone()
    return row is not None
