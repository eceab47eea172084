"""In-app messages as the contact's own app finds them. Reads only; what becomes of them are receipts."""

from datetime import datetime
from typing import Any, NamedTuple

from app.store.rows import Connection

SHOWN_AT_MOST = 20


class Waiting(NamedTuple):
    """A message to be shown."""

    id: int
    contact_id: int
    sent_at: datetime
    content: dict[str, Any]


class Person(NamedTuple):
    """Whom an identity names, and whether the contact is known by a user id as well."""

    contact_id: int
    known: bool


def workspace_secret(connection: Connection, workspace_id: int) -> str:
    """What signs the user ids of this workspace."""
    row = connection.execute("SELECT secret FROM workspace WHERE id = %s", (workspace_id,)).fetchone()
    return str(row[0]) if row else ""


def person(connection: Connection, workspace_id: int, kind: str, value: str) -> Person | None:
    """The contact that an identity names."""
    row = connection.execute(
        """
        SELECT i.contact_id, EXISTS (
            SELECT FROM identity u WHERE u.workspace_id = i.workspace_id AND u.contact_id = i.contact_id
              AND u.kind = 'user_id')
        FROM identity i WHERE i.workspace_id = %s AND i.kind = %s AND i.value = %s
        """,
        (workspace_id, kind, value),
    ).fetchone()
    return Person(*row) if row else None


def waiting(connection: Connection, workspace_id: int, contact_id: int, now: datetime) -> list[Waiting]:
    """The newest messages that have neither expired nor been closed."""
    rows = connection.execute(
        """
        SELECT m.id, m.contact_id, m.sent_at, m.content
        FROM enrollment e
        JOIN message m ON m.workspace_id = e.workspace_id AND m.lane = e.lane AND m.enrollment_id = e.id
        WHERE e.workspace_id = %s AND e.contact_id = %s AND m.channel = 'inapp' AND m.status = 2
          AND m.content IS NOT NULL AND coalesce((m.content ->> 'expires_at')::timestamptz > %s, true)
          AND NOT EXISTS (
            SELECT FROM receipt r WHERE r.workspace_id = m.workspace_id AND r.message_id = m.id AND r.kind = 'closed')
        ORDER BY m.sent_at DESC, m.id DESC LIMIT %s
        """,
        (workspace_id, contact_id, now, SHOWN_AT_MOST),
    ).fetchall()
    return [Waiting._make(row) for row in rows]
