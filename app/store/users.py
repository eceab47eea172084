"""The people who work in a workspace. Never contacts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from app.store.rows import Connection

SAME_EMAIL_AT_MOST = 5
CHANGEABLE = ("name", "role", "scopes", "disabled_at", "language", "password")
FIELDS = """id, email, name, role, created_at, scopes, disabled_at, joined_at, language, password IS NOT NULL,
    EXISTS (SELECT FROM second_step s WHERE s.workspace_id = users.workspace_id AND s.user_id = users.id
            AND s.since IS NOT NULL)"""


class User(NamedTuple):
    """A person who works here. `scopes` None sees everything; who never came in has no `joined_at`."""

    id: int
    email: str
    name: str
    role: str
    created_at: datetime
    scopes: list[str] | None
    disabled_at: datetime | None
    joined_at: datetime | None
    language: str | None
    has_password: bool
    second_step: bool


class Known(NamedTuple):
    """What sign-in needs of somebody with this address."""

    id: int
    workspace_id: int
    password: str | None
    disabled_at: datetime | None


def add(
    connection: Connection,
    workspace_id: int,
    *,
    email: str,
    name: str,
    role: str,
    now: datetime,
    scopes: Sequence[str] | None = None,
) -> User | None:
    """A new user; None where the address is taken."""
    row = connection.execute(
        f"""
        INSERT INTO users (workspace_id, email, name, role, created_at, scopes)
        SELECT %(w)s, %(email)s, %(name)s, %(role)s, %(now)s, %(scopes)s
        WHERE NOT EXISTS (SELECT FROM users WHERE workspace_id = %(w)s AND lower(email) = lower(%(email)s))
        ON CONFLICT (workspace_id, email) DO NOTHING RETURNING {FIELDS}
        """,
        {
            "w": workspace_id,
            "email": email,
            "name": name,
            "role": role,
            "now": now,
            "scopes": None if scopes is None else list(scopes),
        },
    ).fetchone()
    return User._make(row) if row else None


def find(connection: Connection, workspace_id: int, user_id: int, *, lock: bool = False) -> User | None:
    """One user of the workspace."""
    tail: LiteralString = " FOR UPDATE" if lock else ""
    row = connection.execute(
        f"SELECT {FIELDS} FROM users WHERE workspace_id = %s AND id = %s" + tail, (workspace_id, user_id)
    ).fetchone()
    return User._make(row) if row else None


def page(connection: Connection, workspace_id: int, after: int, limit: int) -> list[User]:
    """Users by id."""
    rows = connection.execute(
        f"SELECT {FIELDS} FROM users WHERE workspace_id = %s AND id > %s ORDER BY id LIMIT %s",
        (workspace_id, after, limit),
    ).fetchall()
    return [User._make(row) for row in rows]


def with_email(connection: Connection, email: str) -> list[Known]:
    """Everybody with this address, in whatever workspace: sign-in does not know the workspace yet."""
    rows = connection.execute(
        "SELECT id, workspace_id, password, disabled_at FROM users WHERE lower(email) = lower(%s) ORDER BY id LIMIT %s",
        (email, SAME_EMAIL_AT_MOST),
    ).fetchall()
    return [Known._make(row) for row in rows]


def password(connection: Connection, workspace_id: int, user_id: int) -> str | None:
    """The hash of somebody's password."""
    row = connection.execute(
        "SELECT password FROM users WHERE workspace_id = %s AND id = %s", (workspace_id, user_id)
    ).fetchone()
    return row[0] if row else None


def change(connection: Connection, workspace_id: int, user_id: int, fields: Mapping[str, Any]) -> User | None:
    """Change some of `CHANGEABLE`; it holds for all of their keys with the next request."""
    names = [name for name in CHANGEABLE if name in fields]
    parts = ", ".join(f"{name} = %({name})s" for name in names)
    row = connection.execute(
        f"UPDATE users SET {parts} WHERE workspace_id = %(w)s AND id = %(id)s RETURNING {FIELDS}",
        {**{name: fields[name] for name in names}, "w": workspace_id, "id": user_id},
    ).fetchone()
    return User._make(row) if row else None


def joined(connection: Connection, workspace_id: int, user_id: int, now: datetime) -> None:
    """They came in for the first time; later times change nothing."""
    connection.execute(
        "UPDATE users SET joined_at = %s WHERE workspace_id = %s AND id = %s AND joined_at IS NULL",
        (now, workspace_id, user_id),
    )


def admins(connection: Connection, workspace_id: int) -> int:
    """How many ways in an admin still has: users of that role and live admin keys that stand for nobody.

    The workspace is held until the transaction ends, so that two admins cannot take each other away at once.
    """
    connection.execute("SELECT FROM workspace WHERE id = %s FOR UPDATE", (workspace_id,))
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM users WHERE workspace_id = %(w)s AND role = 'admin' AND disabled_at IS NULL)
             + (SELECT count(*) FROM key WHERE workspace_id = %(w)s AND role = 'admin' AND user_id IS NULL
                AND revoked_at IS NULL AND expires_at IS NULL AND prefix LIKE %(keys)s)
        """,
        {"w": workspace_id, "keys": "jc\\_%"},
    ).fetchone()
    return int(row[0]) if row else 0


def timezone(connection: Connection, workspace_id: int) -> str:
    """The zone of the workspace, where neither the contact nor the journey names one."""
    row = connection.execute("SELECT timezone FROM workspace WHERE id = %s", (workspace_id,)).fetchone()
    return str(row[0]) if row else "UTC"
