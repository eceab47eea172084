"""Messages on their way out: claimed in one statement with all the gate asks for, written back in one (rule D7).

A claim is a lease and counts as an attempt; `begin` makes it `sending`, the last thing committed before its bytes go out.
Whoever writes an outcome names the attempt it speaks of, so a late writer changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.store.rows import Connection, columns
from app.store.tallies import withheld

NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")  # due then: nobody will touch it again
Place = tuple[int, str, str]  # workspace, channel, account ("" for none)


class Claimed(NamedTuple):
    """A message in our hands until the lease ends. `was` is the status it was found in."""

    workspace_id: int
    lane: int
    enrollment_id: int
    node: str
    visit: int
    id: int
    contact_id: int
    origin: int | None
    journey_id: int
    version_id: int
    channel: str
    account: str | None
    marketing: bool
    attempt: int
    was: int
    created_at: datetime
    reason: str | None
    content: dict[str, Any] | None
    recipient: str | None
    attributes: dict[str, Any]
    consents: dict[str, Any]
    user_id: str | None
    suppressed: str | None
    since: datetime
    entry_event: int | None
    erased: str | None = None

    @property
    def place(self) -> Place:
        """Whose patience it needs: one provider account."""
        return self.workspace_id, self.channel, self.account or ""


class Settled(NamedTuple):
    """What became of one attempt. `outcome` counts what has been reached: 1 sent, 2 delivered."""

    message: Claimed
    status: int
    due_at: datetime
    sent_at: datetime | None = None
    reason: str | None = None
    provider_id: str | None = None
    outcome: int = 0


def storable(text: str | None) -> str | None:
    """Text as the database can hold it: one NUL out of a template or a provider must not fail a whole batch."""
    return None if text is None else text.replace("\x00", "").encode("utf-8", "replace").decode()


# The rows that were locked are found again by their place: by their key, a planner without statistics (a young table) has been
# seen to read all of a lane for each of them.
CLAIM = """
WITH kinds AS (SELECT * FROM unnest(%(channels)s::text[], %(kinds)s::text[]) AS one(channel, kind)),
resting AS (
    SELECT * FROM unnest(%(workspaces)s::int[], %(rested)s::text[], %(accounts)s::text[])
      AS one(workspace_id, channel, account)
), due AS (
    SELECT m.ctid AS row, m.workspace_id, m.lane, m.contact_id, m.channel, m.status AS was
    FROM message m
    WHERE m.status IN (0, 1, 6) AND m.due_at <= %(now)s AND m.channel = ANY(%(channels)s)
      AND (m.workspace_id, m.channel, coalesce(m.account, '')) NOT IN (SELECT * FROM resting)
      AND m.journey_id <> ALL(%(held)s::int[])
      AND NOT EXISTS (SELECT FROM instance WHERE held IS NOT NULL)
    ORDER BY m.due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), known AS (
    SELECT due.*, c.attributes, c.consents, users.value AS user_id, CASE WHEN kinds.kind IS NULL
        THEN coalesce(users.value, due.contact_id::text)
        ELSE coalesce(c.attributes ->> kinds.kind, named.value) END AS address
    FROM due
    JOIN contact c ON c.workspace_id = due.workspace_id AND c.lane = due.lane AND c.id = due.contact_id
    JOIN kinds ON kinds.channel = due.channel
    LEFT JOIN LATERAL (
        SELECT i.value FROM identity i WHERE i.workspace_id = due.workspace_id AND i.contact_id = due.contact_id
          AND i.kind = 'user_id' ORDER BY i.created_at DESC LIMIT 1
    ) AS users ON true
    LEFT JOIN LATERAL (
        SELECT i.value FROM identity i WHERE i.workspace_id = due.workspace_id AND i.contact_id = due.contact_id
          AND i.kind = kinds.kind ORDER BY i.created_at DESC LIMIT 1
    ) AS named ON true
), taken AS (
    UPDATE message m SET attempt = least(m.attempt + 1, 32000), due_at = %(lease)s,
           lease_until = %(lease)s, recipient = coalesce(m.recipient, known.address)
    FROM known WHERE m.ctid = known.row
    RETURNING m.*, known.was, known.attributes, known.consents, known.user_id
)
SELECT t.workspace_id, t.lane, t.enrollment_id, t.node, t.visit, t.id, t.contact_id, t.origin, t.journey_id,
       t.version_id, t.channel, t.account, t.marketing, t.attempt, t.was, t.created_at, t.reason, t.content,
       t.recipient, t.attributes, t.consents, t.user_id, s.reason, e.since, e.entry_event
FROM taken t
JOIN enrollment e ON e.workspace_id = t.workspace_id AND e.lane = t.lane AND e.id = t.enrollment_id
LEFT JOIN suppression s ON s.workspace_id = t.workspace_id AND s.channel = t.channel
     AND s.address = lower(btrim(t.recipient))
ORDER BY t.created_at, t.id
"""


def claim(
    connection: Connection,
    addresses: Mapping[str, str | None],
    *,
    resting: Iterable[Place],
    held: Iterable[int] = (),
    now: datetime,
    until: datetime,
    limit: int,
) -> list[Claimed]:
    """Lease due messages of the channels in `addresses` (channel → identity kind) `until` then, with all the gate asks for.

    Passed over: accounts that are `resting`, and journeys that are `held` (paused).
    """
    rows = connection.execute(
        CLAIM,
        {
            "channels": list(addresses),
            "kinds": list(addresses.values()),
            **dict(zip(("workspaces", "rested", "accounts"), columns(sorted(resting), 3), strict=True)),
            "held": sorted(held),
            "now": now,
            "lease": until,
            "limit": limit,
        },
    ).fetchall()
    return [Claimed(*row) for row in rows]


def dress(
    connection: Connection, dressed: Iterable[tuple[Claimed, str, dict[str, Any] | None]]
) -> set[tuple[int, int]]:
    """Keep titles, and the content of messages that are pulled; returns those still ours."""
    rows = [
        (*one[:5], one.attempt, title[:200], None if content is None else msgspec.json.encode(content).decode())
        for one, title, content in dressed
    ]
    if not rows:
        return set()
    found = connection.execute(
        """
        UPDATE message m SET title = one.title, content = coalesce(one.content::jsonb, m.content)
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::smallint[], %s::smallint[], %s::text[],
                    %s::text[])
          AS one(workspace_id, lane, enrollment_id, node, visit, attempt, title, content)
        WHERE m.workspace_id = one.workspace_id AND m.lane = one.lane AND m.enrollment_id = one.enrollment_id
          AND m.node = one.node AND m.visit = one.visit AND m.status IN (0, 1, 6) AND m.attempt = one.attempt
        RETURNING m.workspace_id, m.id
        """,
        columns(rows, 8),
    ).fetchall()
    return {(workspace, id) for workspace, id in found}


class Fresh(NamedTuple):
    """What the gate asks of a message that is about to go out, as it stands at this very moment."""

    consents: dict[str, Any]
    suppressed: str | None


NOW = """
    SELECT m.workspace_id, m.id, c.consents, s.reason FROM {messages} m
    JOIN contact c ON c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
    LEFT JOIN suppression s ON s.workspace_id = m.workspace_id AND s.channel = m.channel
         AND s.address = lower(btrim(m.recipient))
"""
BEGIN = f"""
WITH ours AS (
    UPDATE message m SET status = 1
    FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::smallint[], %s::smallint[], %s::bigint[])
      AS one(workspace_id, lane, enrollment_id, node, visit, attempt, contact_id)
    WHERE m.workspace_id = one.workspace_id AND m.lane = one.lane AND m.enrollment_id = one.enrollment_id
      AND m.node = one.node AND m.visit = one.visit AND m.status IN (0, 1, 6) AND m.attempt = one.attempt
      AND m.contact_id = one.contact_id
    RETURNING m.workspace_id, m.lane, m.id, m.contact_id, m.channel, m.recipient
) {NOW.format(messages="ours")}
"""
STILL = f"""
WITH one AS (
    SELECT m.workspace_id, m.lane, m.id, m.contact_id, m.channel, m.recipient
    FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::smallint[], %s::smallint[], %s::bigint[])
      AS one(workspace_id, lane, enrollment_id, node, visit, attempt, contact_id)
    JOIN message m ON m.workspace_id = one.workspace_id AND m.lane = one.lane AND m.enrollment_id = one.enrollment_id
      AND m.node = one.node AND m.visit = one.visit AND m.attempt = one.attempt
    WHERE m.status IN (0, 1, 6) AND m.contact_id = one.contact_id
) {NOW.format(messages="one")}
"""


def begin(connection: Connection, messages: Iterable[Claimed]) -> dict[tuple[int, int], Fresh]:
    """Mark as `sending` what goes out next; returns those still ours, with what the gate asks of them read again (P10)."""
    return _asked(connection, BEGIN, messages)


def still(connection: Connection, messages: Iterable[Claimed]) -> dict[tuple[int, int], Fresh]:
    """The same reading alone, of messages that are ours: for what is delivered here, and for what was begun a while ago."""
    return _asked(connection, STILL, messages)


def _asked(connection: Connection, query: str, messages: Iterable[Claimed]) -> dict[tuple[int, int], Fresh]:
    rows = [(*one[:5], one.attempt, one.contact_id) for one in messages]
    if not rows:
        return {}
    found = connection.execute(query, columns(rows, 7)).fetchall()
    return {(workspace, id): Fresh(consents, suppressed) for workspace, id, consents, suppressed in found}


def settle(connection: Connection, outcomes: Sequence[Settled], now: datetime) -> set[tuple[int, int]]:
    """Write and count outcomes of our own attempts; returns `(workspace, message)` of those still ours to write.

    By the message's own number: a merge may have given it to another contact, and so to another lane, while it was out.
    """
    rows = [
        (
            one.message.workspace_id,
            one.message.id,
            one.message.attempt,
            one.status,
            one.due_at,
            one.sent_at,
            storable(one.reason),
            storable(one.provider_id),
            one.outcome,
            storable(withheld(one.reason)),
        )
        for one in outcomes
    ]
    if not rows:
        return set()
    found = connection.execute(
        """
        WITH settled AS (
            UPDATE message m SET status = one.status, due_at = one.due_at, lease_until = NULL,
                   sent_at = coalesce(one.sent_at, m.sent_at), reason = one.reason,
                   provider_id = coalesce(one.provider_id, m.provider_id), outcome = greatest(m.outcome, one.outcome)
            FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::smallint[], %s::timestamptz[], %s::timestamptz[],
                        %s::text[], %s::text[], %s::smallint[], %s::text[])
              AS one(workspace_id, id, attempt, status, due_at, sent_at, reason, provider_id, outcome, withheld)
            WHERE m.workspace_id = one.workspace_id AND m.id = one.id AND m.status IN (0, 1, 6)
              AND m.attempt = one.attempt
            RETURNING m.workspace_id, m.id, m.journey_id, m.version_id, m.node, m.status, m.outcome, one.withheld
        ), counted AS (
            INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)
            SELECT workspace_id, journey_id, version_id, node, port, date_trunc('minute', %s::timestamptz), count(*)
            FROM settled CROSS JOIN LATERAL (
                SELECT CASE status WHEN 2 THEN '!sent' WHEN 3 THEN '!failed' WHEN 5 THEN '!expired'
                       ELSE withheld END WHERE status IN (2, 3, 4, 5)
                UNION ALL SELECT '!delivered' WHERE status = 2 AND outcome >= 2
            ) AS became(port) GROUP BY 1, 2, 3, 4, 5
        )
        SELECT workspace_id, id FROM settled
        """,
        (*columns(rows, 10), now),
    ).fetchall()
    return {(workspace, id) for workspace, id in found}


def next_due(connection: Connection) -> datetime | None:
    """When the next message wants attention; None where none will. Those of a paused journey want none."""
    row = connection.execute(
        """
        SELECT min(m.due_at) FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        WHERE m.status IN (0, 1, 6) AND m.due_at < %s AND j.status <> 'paused'
        """,
        (NEVER,),
    ).fetchone()
    return row[0] if row else None
