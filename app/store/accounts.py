"""Provider accounts of a workspace: settings in clear, credentials sealed. Never opens a seal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from app.store.rows import Connection


class Account(NamedTuple):
    """A configured provider account. `sealed` is cipher text, or empty."""

    name: str
    channel: str
    settings: dict[str, Any]
    sealed: str
    created_at: datetime
    updated_at: datetime


def page(connection: Connection, workspace_id: int, after: str, limit: int) -> list[Account]:
    """Accounts by name."""
    rows = connection.execute(
        """
        SELECT name, channel, settings, sealed, created_at, updated_at FROM account
        WHERE workspace_id = %s AND name > %s ORDER BY name LIMIT %s
        """,
        (workspace_id, after, limit),
    ).fetchall()
    return [Account._make(row) for row in rows]


def find(connection: Connection, workspace_id: int, name: str) -> Account | None:
    """One account."""
    row = connection.execute(
        """
        SELECT name, channel, settings, sealed, created_at, updated_at FROM account
        WHERE workspace_id = %s AND name = %s
        """,
        (workspace_id, name),
    ).fetchone()
    return Account._make(row) if row else None


def named(connection: Connection, workspace_id: int, names: Sequence[str]) -> dict[str, Account]:
    """Those of these accounts that exist."""
    rows = connection.execute(
        """
        SELECT name, channel, settings, sealed, created_at, updated_at FROM account
        WHERE workspace_id = %s AND name = ANY(%s)
        """,
        (workspace_id, list(names)),
    ).fetchall()
    return {row[0]: Account._make(row) for row in rows}


def channels(connection: Connection, workspace_id: int) -> dict[str, str]:
    """The channel of each account, by its name: what validation needs."""
    rows = connection.execute("SELECT name, channel FROM account WHERE workspace_id = %s", (workspace_id,)).fetchall()
    return dict(rows)


class Configured(NamedTuple):
    """What an account is set to."""

    channel: str
    settings: Mapping[str, Any]
    sealed: str


def put(connection: Connection, workspace_id: int, name: str, configured: Configured, now: datetime) -> Account:
    """Add the account, or replace all of it."""
    row = connection.execute(
        """
        INSERT INTO account (workspace_id, name, channel, settings, sealed, created_at, updated_at)
        VALUES (%(w)s, %(name)s, %(channel)s, %(settings)s, %(sealed)s, %(now)s, %(now)s)
        ON CONFLICT (workspace_id, name) DO UPDATE SET channel = excluded.channel, settings = excluded.settings,
            sealed = excluded.sealed, updated_at = excluded.updated_at
        RETURNING name, channel, settings, sealed, created_at, updated_at
        """,
        {
            "w": workspace_id,
            "name": name,
            "channel": configured.channel,
            "settings": Jsonb(configured.settings),
            "sealed": configured.sealed,
            "now": now,
        },
    ).fetchone()
    assert row is not None
    return Account._make(row)


def remove(connection: Connection, workspace_id: int, name: str) -> bool:
    """Forget the account and its credentials."""
    row = connection.execute(
        "DELETE FROM account WHERE workspace_id = %s AND name = %s RETURNING name", (workspace_id, name)
    ).fetchone()
    return row is not None
