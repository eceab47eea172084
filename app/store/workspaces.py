"""Workspaces: made and found. Never what is in them."""

import secrets
from datetime import datetime

from app.store.rows import Connection


def add(connection: Connection, name: str, *, timezone: str, now: datetime) -> int:
    """A new workspace with a secret of its own; returns its id."""
    row = connection.execute(
        "INSERT INTO workspace (name, timezone, secret, created_at) VALUES (%s, %s, %s, %s) RETURNING id",
        (name, timezone, secrets.token_urlsafe(32), now),
    ).fetchone()
    if row is None:
        raise RuntimeError("INSERT returned nothing")
    return int(row[0])


def first(connection: Connection) -> int | None:
    """The oldest workspace, which the command line means where none is named."""
    row = connection.execute("SELECT id FROM workspace ORDER BY id LIMIT 1").fetchone()
    return int(row[0]) if row else None
