"""The book of marketing messages that passed the gate, and the messages that are to ask again. Never decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.contacts import ContactKey
from app.store.rows import Connection, columns, copy_lines, escape, instant, ints
from flows.policies import Sent


class Kept(NamedTuple):
    """One line of the book: whose, which message, and what counts of it."""

    key: ContactKey
    message_id: int
    sent: Sent


def past(connection: Connection, keys: Sequence[ContactKey], since: datetime) -> list[tuple[int, int, Sent]]:
    """What passed for these contacts since then: (contact, message, what counts), the earliest first."""
    rows = connection.execute(
        """
        SELECT s.contact_id, s.message_id, s.at, s.channel, s.journey_id, s.priority
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        JOIN sending s ON s.workspace_id = one.workspace_id AND s.lane = one.lane AND s.contact_id = one.id
        WHERE s.at > %s ORDER BY s.at, s.message_id
        """,
        (*_three(keys), since),
    ).fetchall()
    return [(row[0], row[1], Sent._make(row[2:])) for row in rows]


def _three(keys: Sequence[ContactKey]) -> list[str]:
    """Workspaces, lanes and ids of contacts, an array each; whole numbers all, and every message of a batch comes by here."""
    return [ints(column) for column in zip(*keys, strict=True)] if keys else ["{}"] * 3


def add(connection: Connection, kept: Iterable[Kept]) -> None:
    """Write lines of the book."""
    told: dict[Sent, str] = {}  # most messages of a batch have this in common
    lines = []
    for key, message, sent in kept:
        rest = told.get(sent)
        if rest is None:
            rest = told[sent] = f"{instant(sent.at)}\t{sent.journey}\t{sent.priority}\t{escape(sent.channel)}"
        lines.append(f"{key[0]}\t{key[1]}\t{key[2]}\t{message}\t{rest}")
    copy_lines(
        connection, "sending (workspace_id, lane, contact_id, message_id, at, journey_id, priority, channel)", lines
    )


def drop(connection: Connection, messages: Sequence[tuple[int, int, int, int]]) -> None:
    """Strike out `(workspace, lane, contact, message)`: it did not go out after all, so it takes nobody's place."""
    if not messages:
        return
    connection.execute(
        """
        DELETE FROM sending s USING unnest(%s::int[], %s::smallint[], %s::bigint[], %s::bigint[])
          AS one(workspace_id, lane, contact_id, message_id)
        WHERE s.workspace_id = one.workspace_id AND s.lane = one.lane AND s.contact_id = one.contact_id
          AND s.message_id = one.message_id
        """,
        columns(messages, 4),
    )


def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Forget lines that no cap looks back to, at most `limit`; returns how many."""
    return connection.execute(
        "DELETE FROM sending WHERE ctid = ANY(ARRAY(SELECT ctid FROM sending WHERE at < %s LIMIT %s))", (before, limit)
    ).rowcount


def places(connection: Connection, keys: Sequence[ContactKey]) -> dict[int, tuple[str | None, str | None]]:
    """Where contacts say they are: their `timezone` and `country` attributes."""
    rows = connection.execute(
        """
        SELECT c.id, c.attributes ->> 'timezone', c.attributes ->> 'country'
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        JOIN contact c ON c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
        """,
        _three(keys),
    ).fetchall()
    return {id: (timezone, country) for id, timezone, country in rows}


class Wanted(NamedTuple):
    """A marketing message that was wanted once: it went out, or a rule of this kind held it back."""

    contact_id: int
    channel: str
    journey_id: int
    at: datetime
    timezone: str | None
    country: str | None


def wanted(connection: Connection, workspace_id: int, since: datetime, limit: int) -> tuple[list[Wanted], bool]:
    """Marketing messages since then, out of the latest `limit` messages; and whether there were more than that."""
    rows = connection.execute(
        """
        SELECT m.contact_id, m.channel, m.journey_id, m.created_at, c.attributes ->> 'timezone', c.attributes ->> 'country',
               m.marketing AND (m.status IN (0, 1, 2, 6, 7) OR m.sent_at IS NOT NULL OR starts_with(m.reason, 'lost to journey')
                   OR starts_with(m.reason, 'quiet hours')), m.created_at > %(since)s
        FROM (SELECT * FROM message WHERE workspace_id = %(w)s ORDER BY id DESC LIMIT %(limit)s) AS m
        LEFT JOIN contact c ON c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
        """,
        {"w": workspace_id, "since": since, "limit": limit},
    ).fetchall()
    found = [Wanted(*row[:6]) for row in rows if row[6] and row[7]]
    return found, len(rows) == limit and all(row[7] for row in rows)


class Deferred(NamedTuple):
    """A message that asks again. Consents and suppression are asked when it is claimed, as of every message."""

    workspace_id: int
    lane: int
    enrollment_id: int
    node: str
    visit: int
    id: int
    contact_id: int
    journey_id: int
    version_id: int
    channel: str
    created_at: datetime


def deferred(connection: Connection, lanes: Sequence[int], now: datetime, limit: int) -> list[Deferred]:
    """Messages of these lanes whose time to ask again has come. What is due together is asked together: priority decides."""
    rows = connection.execute(
        """
        SELECT m.workspace_id, m.lane, m.enrollment_id, m.node, m.visit, m.id, m.contact_id, m.journey_id, m.version_id,
               m.channel, m.created_at
        FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        WHERE m.status = 7 AND m.lane = ANY(%s) AND m.due_at <= %s AND j.status <> 'paused'
        ORDER BY m.due_at, m.id LIMIT %s FOR UPDATE OF m
        """,
        (list(lanes), now, limit),
    ).fetchall()
    return [Deferred._make(row) for row in rows]


class Answer(NamedTuple):
    """What the gate said to a message that asked again."""

    message: Deferred
    status: int
    due_at: datetime
    reason: str | None


def answer(connection: Connection, answers: Sequence[Answer]) -> None:
    """Write what the gate said."""
    if not answers:
        return
    connection.execute(
        """
        UPDATE message m SET status = one.status, due_at = one.due_at,
               reason = CASE WHEN m.reason LIKE 'unknown before%%' AND one.status <> 4 THEN m.reason ELSE one.reason END
        FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::timestamptz[], %s::text[])
          AS one(workspace_id, id, status, due_at, reason)
        WHERE m.workspace_id = one.workspace_id AND m.id = one.id AND m.status = 7
        """,
        columns([(one.message.workspace_id, one.message.id, *one[1:]) for one in answers], 5),
    )


def next_due(connection: Connection, lanes: Sequence[int]) -> datetime | None:
    """When the next message asks again; None where none does."""
    row = connection.execute(
        """
        SELECT min(m.due_at) FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        WHERE m.status = 7 AND m.lane = ANY(%s) AND j.status <> 'paused' AND m.due_at < '9999-01-01Z'
        """,
        (list(lanes),),
    ).fetchone()
    return row[0] if row else None
