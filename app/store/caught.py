"""What the local sink caught in place of a provider. Only written in `journey run`; never read by a stage."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.store.rows import Connection, copy_lines, escape, instant

KEPT_AT_MOST = 50_000
MAIL_ID = re.compile(r"[.]([0-9]{1,19})@")
NUMBER = re.compile(r"([0-9]{1,19})")


class Catch(NamedTuple):
    """One caught message as the contact would have got it."""

    id: int
    channel: str
    recipient: str
    title: str
    content: dict[str, Any]
    caught_at: datetime
    workspace_id: int | None = None  # whose it is, where that is known


def add(connection: Connection, catch: Catch) -> int:
    """Keep one (its id is ignored); the oldest make room.

    Whose it is, the message that it names says; what names none (an invitation) is the first workspace's.
    """
    row = connection.execute(
        """
        INSERT INTO caught (workspace_id, channel, recipient, title, content, caught_at)
        VALUES (COALESCE(%s, (SELECT m.workspace_id FROM workspace w JOIN message m ON m.workspace_id = w.id AND m.id = %s),
                         (SELECT min(id) FROM workspace)), %s, %s, %s, %s::jsonb, %s)
        RETURNING id
        """,
        (
            *(catch.workspace_id, _named(catch), catch.channel, catch.recipient, catch.title),
            *(msgspec.json.encode(catch.content).decode(), catch.caught_at),
        ),
    ).fetchone()
    assert row is not None
    if row[0] % 1_000 == 0:
        connection.execute("DELETE FROM caught WHERE id <= %s", (row[0] - KEPT_AT_MOST,))
    return int(row[0])


def _named(catch: Catch) -> int | None:
    """The message that a caught one says it is."""
    headers = catch.content.get("headers")
    said = headers if isinstance(headers, dict) else {}
    found = MAIL_ID.search(str(said.get("Message-ID", ""))) or NUMBER.fullmatch(str(said.get("X-Journey-Message", "")))
    return min(int(found[1]), 2**63 - 1) if found else None


def newest(
    connection: Connection,
    workspace_id: int,
    *,
    channel: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Catch]:
    """The newest first; `before` pages on."""
    rows = connection.execute(
        """
        SELECT id, channel, recipient, title, '{}'::jsonb, caught_at, workspace_id FROM caught
        WHERE workspace_id = %(w)s AND (%(channel)s::text IS NULL OR channel = %(channel)s)
          AND (%(before)s::bigint IS NULL OR id < %(before)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "channel": channel, "before": before, "limit": limit},
    ).fetchall()
    return [Catch._make(row) for row in rows]


def find(connection: Connection, workspace_id: int, id: int) -> Catch | None:
    """One, whole."""
    row = connection.execute(
        "SELECT id, channel, recipient, title, content, caught_at, workspace_id FROM caught WHERE workspace_id = %s AND id = %s",
        (workspace_id, id),
    ).fetchone()
    return Catch._make(row) if row else None


def channels(connection: Connection, workspace_id: int) -> list[str]:
    """Which channels anything was caught of."""
    rows = connection.execute("SELECT DISTINCT channel FROM caught WHERE workspace_id = %s ORDER BY 1", (workspace_id,))
    return [str(row[0]) for row in rows.fetchall()]


def add_many(connection: Connection, catches: Iterable[Catch]) -> None:
    """Keep a batch whose workspaces are known (the ids are ignored)."""
    copy_lines(
        connection,
        "caught (workspace_id, channel, recipient, title, content, caught_at)",
        (
            f"{one.workspace_id}\t{escape(one.channel)}\t{escape(one.recipient)}\t{escape(one.title)}"
            f"\t{escape(msgspec.json.encode(one.content).decode())}\t{instant(one.caught_at)}"
            for one in catches
        ),
    )
