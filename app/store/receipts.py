"""What was said about messages after they went out: kept once each, then settled. Status only climbs (I11)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.store.rows import Connection, array, columns

OPEN_AT_MOST = 5_000


class Said(NamedTuple):
    """One word about one message. `event_id` tells repeats of the same word from new ones."""

    workspace_id: int
    message_id: int
    kind: str
    event_id: str
    at: datetime
    detail: dict[str, Any]


class Receipt(NamedTuple):
    """An unsettled receipt with the message it speaks of."""

    workspace_id: int
    id: int
    kind: str
    at: datetime
    detail: dict[str, Any]
    message_id: int
    lane: int
    enrollment_id: int
    node: str
    visit: int
    contact_id: int
    journey_id: int
    version_id: int
    status: int
    outcome: int
    channel: str
    recipient: str | None


def add(connection: Connection, said: Iterable[Said], *, account: str | None = None) -> int:
    """Keep receipts of messages that exist (and went through the account, if one is named); a repeat changes nothing.

    Returns how many were new.
    """
    rows = [
        (one.workspace_id, one.message_id, one.kind, one.event_id, one.at, msgspec.json.encode(one.detail).decode())
        for one in said
    ]
    if not rows:
        return 0
    return connection.execute(
        """
        INSERT INTO receipt (workspace_id, message_id, kind, provider_event_id, at, detail)
        SELECT one.workspace_id, one.message_id, one.kind, one.event_id, one.at, one.detail::jsonb
        FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
          AS one(workspace_id, message_id, kind, event_id, at, detail)
        JOIN message m ON m.workspace_id = one.workspace_id AND m.id = one.message_id
        WHERE %s::text IS NULL OR m.account = %s
        ON CONFLICT DO NOTHING
        """,
        (*columns(rows, 6), account, account),
    ).rowcount


def take(connection: Connection, limit: int, now: datetime) -> list[Receipt]:
    """Mark the oldest open receipts as settled and return them with their messages, in order."""
    rows = connection.execute(
        """
        WITH open AS (
            SELECT workspace_id, id FROM receipt WHERE settled_at IS NULL
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE receipt r SET settled_at = %s FROM open
            WHERE r.workspace_id = open.workspace_id AND r.id = open.id RETURNING r.*
        )
        SELECT t.workspace_id, t.id, t.kind, t.at, t.detail, m.id, m.lane, m.enrollment_id, m.node, m.visit,
               m.contact_id, m.journey_id, m.version_id, m.status, m.outcome, m.channel, m.recipient
        FROM taken t JOIN message m ON m.workspace_id = t.workspace_id AND m.id = t.message_id
        ORDER BY t.id
        """,
        (min(limit, OPEN_AT_MOST), now),
    ).fetchall()
    return [Receipt._make(row) for row in rows]


def climb(
    connection: Connection,
    reached: Iterable[tuple[int, int, int]],
    failed: Iterable[tuple[int, int, str]],
    now: datetime,
) -> None:
    """Raise outcomes of `(workspace, message, outcome)`, and end `(workspace, message, reason)` as failed; count both.

    What is delivered for the first time, and what is complained about, counts for the standing of the channel
    (`reputations`). A receipt also settles what nobody knew: an unknown or stale message that was opened has been sent.
    """
    up = sorted(reached)
    if up:
        connection.execute(UP, (*columns(up, 3), now, now))
    down = sorted(failed)
    if down:
        connection.execute(DOWN, (*columns(down, 3), now, now))


# What a message had reached before is read under its lock, so that each step is counted once.
UP = """
WITH before AS (
    SELECT m.workspace_id, m.id, m.status, m.outcome, one.outcome AS said
    FROM unnest(%s::int[], %s::bigint[], %s::smallint[]) AS one(workspace_id, id, outcome)
    JOIN message m ON m.workspace_id = one.workspace_id AND m.id = one.id
    WHERE m.status IN (1, 2, 6) FOR UPDATE OF m
), climbed AS (
    UPDATE message m SET outcome = greatest(before.outcome, before.said), status = 2,
           sent_at = coalesce(m.sent_at, m.due_at)
    FROM before WHERE m.workspace_id = before.workspace_id AND m.id = before.id
    RETURNING m.workspace_id, m.journey_id, m.version_id, m.node, m.channel, m.marketing, before.status,
              before.outcome AS had, m.outcome AS has
), arrived AS (
    INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)
    SELECT workspace_id, channel, journey_id, marketing, %s::timestamptz, count(*), 0
    FROM climbed WHERE had < 2 AND has >= 2 GROUP BY 1, 2, 3, 4
)
INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)
SELECT workspace_id, journey_id, version_id, node, port, date_trunc('minute', %s::timestamptz), count(*)
FROM climbed JOIN (VALUES (1, '!sent'), (2, '!delivered'), (3, '!opened'), (4, '!clicked')) AS rungs(rung, port)
  ON CASE rung WHEN 1 THEN status <> 2 ELSE rung > had AND rung <= has END
GROUP BY 1, 2, 3, 4, 5
"""
DOWN = """
WITH before AS (
    SELECT m.workspace_id, m.id, m.status, one.reason
    FROM unnest(%s::int[], %s::bigint[], %s::text[]) AS one(workspace_id, id, reason)
    JOIN message m ON m.workspace_id = one.workspace_id AND m.id = one.id
    WHERE m.status IN (1, 2, 6) FOR UPDATE OF m
), ended AS (
    UPDATE message m SET status = 3, reason = before.reason
    FROM before WHERE m.workspace_id = before.workspace_id AND m.id = before.id
    RETURNING m.workspace_id, m.journey_id, m.version_id, m.node, m.channel, m.marketing, before.status, before.reason
), complained AS (
    INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)
    SELECT workspace_id, channel, journey_id, marketing, %s::timestamptz, 0, count(*)
    FROM ended WHERE starts_with(reason, 'complaint') GROUP BY 1, 2, 3, 4
)
INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)
SELECT workspace_id, journey_id, version_id, node, CASE status WHEN 2 THEN '!bounced' ELSE '!failed' END,
       date_trunc('minute', %s::timestamptz), count(*)
FROM ended GROUP BY 1, 2, 3, 4, 5
"""


def channel_of(connection: Connection, workspace_id: int, message_id: int) -> str | None:
    """By which channel a message went; None where it has been forgotten since."""
    row = connection.execute(
        "SELECT channel FROM message WHERE workspace_id = %s AND id = %s", (workspace_id, message_id)
    ).fetchone()
    return str(row[0]) if row else None


def first_time(connection: Connection, workspace_id: int, digest: UUID, now: datetime) -> bool:
    """Whether this call-back was never heard before; remembered from now on."""
    return bool(
        connection.execute(
            "INSERT INTO seen (workspace_id, digest, received_on) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (workspace_id, digest, now.date()),
        ).rowcount
    )


class Spoken(NamedTuple):
    """The message a receipt is about: whose, by which channel, to which address."""

    message_id: int
    contact_id: int
    channel: str
    recipient: str | None


def spoken_of(connection: Connection, workspace_id: int, messages: Iterable[int], account: str) -> dict[int, Spoken]:
    """Those of these messages that went through the account."""
    rows = connection.execute(
        """
        SELECT m.id, m.contact_id, m.channel, m.recipient FROM unnest(%s::bigint[]) AS one(id)
        JOIN message m ON m.workspace_id = %s AND m.id = one.id WHERE m.account = %s
        """,
        (array(set(messages)), workspace_id, account),
    ).fetchall()
    return {row[0]: Spoken._make(row) for row in rows}


def named_by(connection: Connection, workspace_id: int, kind: str, values: Iterable[str]) -> dict[str, int]:
    """Whom addresses belong to."""
    rows = connection.execute(
        """
        SELECT i.value, i.contact_id FROM unnest(%s::text[]) AS one(value)
        JOIN identity i ON i.workspace_id = %s AND i.kind = %s AND i.value = one.value
        """,
        (array(set(values)), workspace_id, kind),
    ).fetchall()
    return dict(rows)


def turned_off(connection: Connection, people: Iterable[tuple[int, int, int]], channel: str, at: datetime) -> None:
    """`(workspace, lane, contact)` turned the channel off at the device: counted where its last message came from."""
    connection.execute(
        """
        INSERT INTO receipt (workspace_id, message_id, kind, provider_event_id, at, detail)
        SELECT last.workspace_id, last.id, 'unsubscribed', 'device', %s, '{}'
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, contact_id) CROSS JOIN LATERAL (
            SELECT m.workspace_id, m.id FROM enrollment e
            JOIN message m ON m.workspace_id = e.workspace_id AND m.lane = e.lane AND m.enrollment_id = e.id
            WHERE e.workspace_id = one.workspace_id AND e.contact_id = one.contact_id AND m.channel = %s
              AND m.status IN (1, 2, 6) ORDER BY m.sent_at DESC NULLS LAST, m.id DESC LIMIT 1
        ) AS last
        ON CONFLICT DO NOTHING
        """,
        (at, *columns(sorted(set(people)), 3), channel),
    )
