"""Keys, sessions and login links: found by prefix, kept as hashes. Never a secret, never another workspace's row."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection

API_KEYS = "jc\\_%"  # sessions and login links lie in the same table under other leads

NAMED = ("user", "key", "journey", "plan")


class Found(NamedTuple):
    """A key as sign-in needs it, with what its user may do now."""

    id: int
    workspace_id: int
    user_id: int | None
    name: str
    role: str
    digest: str
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str] | None
    seen_at: datetime | None
    idle_seconds: int | None
    maker: str | None
    user_role: str | None
    user_name: str | None
    user_scopes: list[str] | None
    user_disabled_at: datetime | None
    unready: bool


class Listed(NamedTuple):
    """A key as lists show it."""

    id: int
    name: str
    role: str
    prefix: str
    user_id: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str] | None


class Device(NamedTuple):
    """What a session came from: the browser as it calls itself, and the net."""

    agent: str
    place: str


class New(NamedTuple):
    """A key to be kept."""

    workspace_id: int
    name: str
    role: str
    prefix: str
    digest: str
    user_id: int | None = None
    expires_at: datetime | None = None
    scopes: Sequence[str] | None = None
    device: Device | None = None
    idle_seconds: int | None = None
    maker: str | None = None


LISTED = "id, name, role, prefix, user_id, created_at, expires_at, revoked_at, scopes"


def find(connection: Connection, prefix: str) -> Found | None:
    """The key with this prefix, whatever its state: the only look-up that does not know the workspace yet."""
    row = connection.execute(
        """
        SELECT k.id, k.workspace_id, k.user_id, k.name, k.role, k.digest, k.expires_at, k.revoked_at, k.scopes, k.seen_at,
               k.idle_seconds, k.maker, u.role, u.name, u.scopes, u.disabled_at,
               COALESCE(u.role IN ('admin', 'reviewer'), false) AND left(k.prefix, 3) = 'js_'
               AND EXISTS (SELECT FROM workspace w WHERE w.id = k.workspace_id AND w.settings ->> 'second_step' = 'required')
               AND NOT EXISTS (SELECT FROM second_step s WHERE s.workspace_id = k.workspace_id AND s.user_id = k.user_id
                               AND s.since IS NOT NULL)
        FROM key k LEFT JOIN users u ON u.workspace_id = k.workspace_id AND u.id = k.user_id
        WHERE k.prefix = %s
        """,
        (prefix,),
    ).fetchone()
    return Found._make(row) if row else None


def add(connection: Connection, new: New, now: datetime) -> Listed:
    """Keep a key."""
    device = new.device or Device("", "")
    row = connection.execute(
        f"""
        INSERT INTO key (workspace_id, user_id, name, role, prefix, digest, created_at, expires_at, scopes, seen_at,
                         idle_seconds, agent, place, maker)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {LISTED}
        """,
        (
            *(new.workspace_id, new.user_id, new.name, new.role, new.prefix, new.digest, now, new.expires_at),
            None if new.scopes is None else list(new.scopes),
            now if new.idle_seconds is not None else None,
            *(new.idle_seconds, device.agent, device.place, new.maker),
        ),
    ).fetchone()
    assert row is not None
    return Listed._make(row)


def page(connection: Connection, workspace_id: int, after: int, limit: int) -> list[Listed]:
    """The API and write keys of a workspace by id."""
    rows = connection.execute(
        f"SELECT {LISTED} FROM key WHERE workspace_id = %s AND prefix LIKE %s AND id > %s ORDER BY id LIMIT %s",
        (workspace_id, API_KEYS, after, limit),
    ).fetchall()
    return [Listed._make(row) for row in rows]


def revoke(connection: Connection, workspace_id: int, key_id: int, now: datetime) -> Listed | None:
    """Take a key out of use; doing it twice changes nothing. None where the workspace has no such key."""
    row = connection.execute(
        f"""
        UPDATE key SET revoked_at = COALESCE(revoked_at, %s) WHERE workspace_id = %s AND id = %s AND prefix LIKE %s
        RETURNING {LISTED}
        """,
        (now, workspace_id, key_id, API_KEYS),
    ).fetchone()
    return Listed._make(row) if row else None


def use_up(connection: Connection, key_id: int, now: datetime) -> bool:
    """Take a login link or a session out of use; True for the one caller who was first."""
    row = connection.execute(
        "UPDATE key SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL RETURNING id", (now, key_id)
    ).fetchone()
    return row is not None


def names(connection: Connection, workspace_id: int, things: Sequence[str]) -> dict[str, str]:
    """What people call these: `user:3`, `key:7`, `journey:4`, `plan:2`."""
    split = [thing.partition(":") for thing in things]
    ids = {kind: [int(id) for one, _, id in split if one == kind and id.isdecimal()] for kind in NAMED}
    rows = connection.execute(
        """
        SELECT 'user:' || id, name FROM users WHERE workspace_id = %(w)s AND id = ANY(%(user)s)
        UNION ALL
        SELECT 'key:' || id, name FROM key WHERE workspace_id = %(w)s AND id = ANY(%(key)s)
        UNION ALL
        SELECT 'journey:' || id, name FROM journey WHERE workspace_id = %(w)s AND id = ANY(%(journey)s) AND in_scope(scope)
        UNION ALL
        SELECT 'plan:' || id, name FROM plan WHERE workspace_id = %(w)s AND id = ANY(%(plan)s) AND in_scope(scope)
        """,
        {"w": workspace_id, **ids},
    ).fetchall()
    return dict(rows)
