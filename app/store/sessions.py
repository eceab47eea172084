"""Sessions of people: listed, touched, ended. They lie among the keys under a lead of their own. Never a secret."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.rows import Connection

SESSIONS = "js\\_%"
LINKS = "jl\\_%"
PENDING = "jp\\_%"  # half-done sign-ins
TOUCH_EVERY = timedelta(minutes=1)
SHOWN = 50
# What people call who made it.
MAKER = """coalesce((SELECT m.name FROM users m WHERE m.workspace_id = k.workspace_id AND 'user:' || m.id = k.maker), k.maker)"""


class Session(NamedTuple):
    """A browser that somebody is signed in with."""

    id: int
    user_id: int
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime
    agent: str
    place: str
    maker: str | None


class Link(NamedTuple):
    """A sign-in link that somebody else made for a user; `used_at`: when it was used, or came to nothing."""

    maker: str
    made_at: datetime
    used_at: datetime | None


def links_of(connection: Connection, workspace_id: int, user_id: int, since: datetime) -> list[Link]:
    """Links that others made for somebody who was here before, the latest first."""
    rows = connection.execute(
        f"""
        SELECT {MAKER}, k.created_at, k.revoked_at FROM key k
        JOIN users u ON u.workspace_id = k.workspace_id AND u.id = k.user_id
        WHERE k.workspace_id = %s AND k.user_id = %s AND k.prefix LIKE %s AND k.maker IS NOT NULL AND k.created_at > %s
          AND k.created_at > u.joined_at ORDER BY k.id DESC LIMIT 3
        """,
        (workspace_id, user_id, LINKS, since),
    ).fetchall()
    return [Link._make(row) for row in rows]


def of_users(connection: Connection, workspace_id: int, user_ids: list[int], now: datetime) -> list[Session]:
    """The sessions of these people that are open now, the one seen last first."""
    rows = connection.execute(
        f"""
        SELECT id, user_id, created_at, seen_at, expires_at, agent, place, {MAKER} FROM key k
        WHERE workspace_id = %(w)s AND user_id = ANY(%(users)s) AND prefix LIKE %(kind)s AND revoked_at IS NULL
          AND expires_at > %(now)s
          AND (idle_seconds IS NULL OR seen_at IS NULL OR seen_at + idle_seconds * interval '1 second' > %(now)s)
        ORDER BY COALESCE(seen_at, created_at) DESC, id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "users": user_ids, "kind": SESSIONS, "now": now, "limit": SHOWN * max(len(user_ids), 1)},
    ).fetchall()
    return [Session._make(row) for row in rows]


def touch(connection: Connection, key_id: int, now: datetime) -> None:
    """Somebody is there."""
    connection.execute(
        "UPDATE key SET seen_at = %s WHERE id = %s AND revoked_at IS NULL AND (seen_at IS NULL OR seen_at < %s)",
        (now, key_id, now - TOUCH_EVERY),
    )


def end_all(connection: Connection, workspace_id: int, user_id: int, now: datetime, *, links: bool = True) -> int:
    """End every session of somebody, and void the links they were given; how many there were."""
    kinds = [SESSIONS, PENDING, LINKS] if links else [SESSIONS, PENDING]
    done = connection.execute(
        """
        UPDATE key SET revoked_at = %s WHERE workspace_id = %s AND user_id = %s AND revoked_at IS NULL
          AND prefix LIKE ANY(%s)
        """,
        (now, workspace_id, user_id, kinds),
    )
    return done.rowcount


def end(connection: Connection, workspace_id: int, user_id: int, session_id: int, now: datetime) -> bool:
    """End one session of somebody."""
    row = connection.execute(
        """
        UPDATE key SET revoked_at = COALESCE(revoked_at, %s)
        WHERE workspace_id = %s AND user_id = %s AND id = %s AND prefix LIKE %s RETURNING id
        """,
        (now, workspace_id, user_id, session_id, SESSIONS),
    ).fetchone()
    return row is not None


def forget(connection: Connection, before: datetime) -> int:
    """Forget sessions and links that are long over."""
    return connection.execute(
        "DELETE FROM key WHERE prefix LIKE ANY(%s) AND expires_at < %s", ([SESSIONS, PENDING, LINKS], before)
    ).rowcount
