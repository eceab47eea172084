"""Mails that ask whether it was really them: written beside the message whose link they came by, sent by the same account.

They are messages like all others, transactional, with their words in them; at most a few a day for one walk.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from app.store.rows import Connection, take_ids

VISITS = 20_000  # no walk comes by a step so often: from here on visits are ours
A_DAY = timedelta(days=1)
AT_MOST = 3
CHANNEL = "email"


def new_id(connection: Connection) -> int:
    """The number of the next one, for the link that it will hold."""
    return next(take_ids(connection, "message_block", 1))


def ask(
    connection: Connection, workspace_id: int, message_id: int, id: int, content: Mapping[str, Any], now: datetime
) -> str | None:
    """Write one to the address that the message `message_id` went to; the address, or None where there is none or too many."""
    row = connection.execute(
        """
        INSERT INTO message (workspace_id, lane, enrollment_id, node, visit, id, contact_id, created_at, due_at, journey_id,
            version_id, status, marketing, channel, account, recipient, content, origin)
        SELECT m.workspace_id, m.lane, m.enrollment_id, m.node, %(visits)s + (
                SELECT count(*) FROM message o WHERE o.workspace_id = m.workspace_id AND o.lane = m.lane
                  AND o.enrollment_id = m.enrollment_id AND o.node = m.node AND o.visit >= %(visits)s
            ), %(id)s, m.contact_id, %(now)s, %(now)s, m.journey_id, m.version_id, 0, false, m.channel, m.account,
            m.recipient, %(content)s, m.origin
        FROM message m
        JOIN contact c ON c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
        WHERE m.workspace_id = %(w)s AND m.id = %(message)s AND m.channel = %(channel)s AND m.recipient IS NOT NULL
          AND (SELECT count(*) FROM message o WHERE o.workspace_id = m.workspace_id AND o.lane = m.lane
                 AND o.enrollment_id = m.enrollment_id AND o.visit >= %(visits)s AND o.created_at > %(since)s) < %(most)s
        ON CONFLICT DO NOTHING RETURNING recipient
        """,
        {
            "w": workspace_id,
            "message": message_id,
            "id": id,
            "content": Jsonb(dict(content)),
            "now": now,
            "since": now - A_DAY,
            "visits": VISITS,
            "most": AT_MOST,
            "channel": CHANNEL,
        },
    ).fetchone()
    return str(row[0]) if row else None


def asked(connection: Connection, workspace_id: int, id: int, since: datetime) -> tuple[int, dict[str, Any]] | None:
    """The contact and the content of one that was written since then."""
    row = connection.execute(
        "SELECT contact_id, content FROM message WHERE workspace_id = %s AND id = %s AND visit >= %s AND created_at > %s",
        (workspace_id, id, VISITS, since),
    ).fetchone()
    return (int(row[0]), dict(row[1] or {})) if row else None
