"""Workspaces: made and found, and what is set for each as a whole. Never what is in them."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

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


def policies(connection: Connection, workspace_id: int, *, lock: bool = False) -> dict[str, Any]:
    """The sending policies as they were saved; empty where there are none. `lock`: until the transaction ends."""
    return _setting(connection, workspace_id, "policies", lock=lock)


def set_policies(connection: Connection, workspace_id: int, policies: Mapping[str, Any]) -> None:
    """Keep the sending policies; workers hear of it by the generation (`versions.bump`)."""
    _set(connection, workspace_id, "policies", policies)


def second_over(connection: Connection, workspace_id: int) -> int | None:
    """Over how many reachable people an approval takes two; None where one is always enough."""
    return _setting(connection, workspace_id, "review").get("second_over")


def set_second_over(connection: Connection, workspace_id: int, people: int | None) -> None:
    """Keep from how many reachable people on an approval takes two."""
    _set(connection, workspace_id, "review", {"second_over": people})


def privacy(connection: Connection, workspace_id: int, *, lock: bool = False) -> dict[str, Any]:
    """What contacts are asked about, and which attributes are personal, as it was saved; empty where nothing was."""
    return _setting(connection, workspace_id, "privacy", lock=lock)


def set_privacy(connection: Connection, workspace_id: int, privacy: Mapping[str, Any]) -> None:
    """Keep it; pages and doors read it anew each time."""
    _set(connection, workspace_id, "privacy", privacy)


def _setting(connection: Connection, workspace_id: int, name: str, *, lock: bool = False) -> dict[str, Any]:
    tail: LiteralString = " FOR UPDATE" if lock else ""
    row = connection.execute(
        "SELECT settings -> %s::text FROM workspace WHERE id = %s" + tail, (name, workspace_id)
    ).fetchone()
    return dict(row[0]) if row and row[0] else {}


def _set(connection: Connection, workspace_id: int, name: str, value: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE workspace SET settings = settings || jsonb_build_object(%s::text, %s::jsonb) WHERE id = %s",
        (name, Jsonb(value), workspace_id),
    )
