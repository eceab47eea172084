"""The people who work in a workspace. Never contacts."""

from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection

FIELDS = "id, email, name, role, created_at"


class User(NamedTuple):
    """A person who works here."""

    id: int
    email: str
    name: str
    role: str
    created_at: datetime


def add(connection: Connection, workspace_id: int, *, email: str, name: str, role: str, now: datetime) -> User | None:
    """A new user; None where the address is taken."""
    row = connection.execute(
        f"""
        INSERT INTO users (workspace_id, email, name, role, created_at) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (workspace_id, email) DO NOTHING RETURNING {FIELDS}
        """,
        (workspace_id, email, name, role, now),
    ).fetchone()
    return User._make(row) if row else None


def find(connection: Connection, workspace_id: int, user_id: int) -> User | None:
    """One user of the workspace."""
    row = connection.execute(
        f"SELECT {FIELDS} FROM users WHERE workspace_id = %s AND id = %s", (workspace_id, user_id)
    ).fetchone()
    return User._make(row) if row else None


def page(connection: Connection, workspace_id: int, after: int, limit: int) -> list[User]:
    """Users by id."""
    rows = connection.execute(
        f"SELECT {FIELDS} FROM users WHERE workspace_id = %s AND id > %s ORDER BY id LIMIT %s",
        (workspace_id, after, limit),
    ).fetchall()
    return [User._make(row) for row in rows]


def set_role(connection: Connection, workspace_id: int, user_id: int, role: str) -> User | None:
    """Change what a user may do; it holds for all of their keys with the next request."""
    row = connection.execute(
        f"UPDATE users SET role = %s WHERE workspace_id = %s AND id = %s RETURNING {FIELDS}",
        (role, workspace_id, user_id),
    ).fetchone()
    return User._make(row) if row else None


def admins(connection: Connection, workspace_id: int) -> int:
    """How many ways in an admin still has: users of that role and live admin keys that stand for nobody."""
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM users WHERE workspace_id = %(w)s AND role = 'admin')
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
