"""What the local sink caught in place of a provider. Only written in `journey run`; never read by a stage."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.store.rows import Connection, copy_lines, escape, instant

KEPT_AT_MOST = 50_000


class Catch(NamedTuple):
    """One caught message as the contact would have got it."""

    id: int
    channel: str
    recipient: str
    title: str
    content: dict[str, Any]
    caught_at: datetime


def add(connection: Connection, catch: Catch) -> int:
    """Keep one (its id is ignored); the oldest make room."""
    row = connection.execute(
        """
        INSERT INTO caught (channel, recipient, title, content, caught_at) VALUES (%s, %s, %s, %s::jsonb, %s)
        RETURNING id
        """,
        (catch.channel, catch.recipient, catch.title, msgspec.json.encode(catch.content).decode(), catch.caught_at),
    ).fetchone()
    assert row is not None
    if row[0] % 1_000 == 0:
        connection.execute("DELETE FROM caught WHERE id <= %s", (row[0] - KEPT_AT_MOST,))
    return int(row[0])


def newest(
    connection: Connection, *, channel: str | None = None, before: int | None = None, limit: int = 50
) -> list[Catch]:
    """The newest first; `before` pages on."""
    rows = connection.execute(
        """
        SELECT id, channel, recipient, title, '{}'::jsonb, caught_at FROM caught
        WHERE (%(channel)s::text IS NULL OR channel = %(channel)s) AND (%(before)s::bigint IS NULL OR id < %(before)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"channel": channel, "before": before, "limit": limit},
    ).fetchall()
    return [Catch._make(row) for row in rows]


def find(connection: Connection, id: int) -> Catch | None:
    """One, whole."""
    row = connection.execute(
        "SELECT id, channel, recipient, title, content, caught_at FROM caught WHERE id = %s", (id,)
    ).fetchone()
    return Catch._make(row) if row else None


def channels(connection: Connection) -> list[str]:
    """Which channels anything was caught of."""
    return [str(row[0]) for row in connection.execute("SELECT DISTINCT channel FROM caught ORDER BY 1").fetchall()]


def add_many(connection: Connection, catches: Iterable[Catch]) -> None:
    """Keep a batch (the ids are ignored)."""
    copy_lines(
        connection,
        "caught (channel, recipient, title, content, caught_at)",
        (
            f"{escape(one.channel)}\t{escape(one.recipient)}\t{escape(one.title)}"
            f"\t{escape(msgspec.json.encode(one.content).decode())}\t{instant(one.caught_at)}"
            for one in catches
        ),
    )
