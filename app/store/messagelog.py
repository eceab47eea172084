"""The log of messages for people who search it: the newest first, by journey, step, channel, fate, reason, time and person.

Messages of chosen contacts are found by their walks; everything else is looked for in so many messages a page and no more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from app.lanes import lane_of
from app.store import scopes
from app.store.rows import Connection, columns
from app.store.tallies import grouped

WINDOW = 40_000
PUT_OFF_AT_MOST = 100_000

# What became of a message, as tallies count it: who was handed over counts as sent, also when it bounced afterwards.
FATES: dict[str, LiteralString] = {
    "pending": "m.status IN (0, 1, 6, 7)",
    "deferred": "m.status = 7",
    "sent": "(m.status = 2 OR (m.status = 3 AND m.sent_at IS NOT NULL))",
    "delivered": "m.outcome >= 2",
    "opened": "m.outcome >= 3",
    "clicked": "m.outcome >= 4",
    "failed": "(m.status = 3 AND m.sent_at IS NULL)",
    "bounced": "(m.status = 3 AND m.sent_at IS NOT NULL)",
    "suppressed": "m.status = 4",
    "expired": "m.status = 5",
}


class Asked(NamedTuple):
    """Which messages are wanted; None wants all. `contacts`: only theirs."""

    journey_id: int | None = None
    node: str | None = None
    version_id: int | None = None
    channel: str | None = None
    fate: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    contacts: Sequence[int] | None = None


class Line(NamedTuple):
    """A message as the log shows it."""

    id: int
    journey_id: int
    version_id: int
    journey: str
    lane: int
    enrollment_id: int
    node: str
    contact_id: int
    name: str | None
    channel: str
    account: str | None
    recipient: str | None
    status: int
    outcome: int
    attempt: int
    reason: str | None
    title: str | None
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    visit: int
    content: dict[str, Any] | None
    origin: int | None


class Slice(NamedTuple):
    """A part of the log, and before which message the next one begins."""

    lines: list[Line]
    next: int | None


FITS: LiteralString = (
    """
    (%(journey_id)s::int IS NULL OR m.journey_id = %(journey_id)s) AND (%(node)s::text IS NULL OR m.node = %(node)s)
    AND (%(version_id)s::int IS NULL OR m.version_id = %(version_id)s)
    AND (%(channel)s::text IS NULL OR m.channel = %(channel)s)
    AND (%(reason)s::text IS NULL OR m.reason = %(reason)s OR starts_with(m.reason, %(reason)s || ':')
         OR starts_with(m.reason, %(reason)s || ' '))
    AND (%(since)s::timestamptz IS NULL OR m.created_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR m.created_at < %(until)s)
"""
    + scopes.MESSAGE
)
SHOWN: LiteralString = """
    SELECT m.id, m.journey_id, m.version_id, j.name, m.lane, m.enrollment_id, m.node, m.contact_id, c.attributes ->> 'name',
           m.channel, m.account, m.recipient, m.status, m.outcome, m.attempt, m.reason, m.title, m.created_at, m.due_at,
           m.sent_at, m.visit, m.content, m.origin
    FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
    LEFT JOIN contact c ON c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
"""


def page(connection: Connection, workspace_id: int, asked: Asked, before: int | None, limit: int) -> Slice:
    """A page of the log. It may be short, or empty, and go on all the same."""
    values = {**asked._asdict(), "w": workspace_id, "before": before or 2**63 - 1, "limit": limit + 1, "window": WINDOW}
    fate: LiteralString = FATES[asked.fate] if asked.fate else "true"
    if asked.contacts is not None:
        return _of_contacts(connection, asked.contacts, f"{FITS} AND {fate}", values, limit)
    # Read from the newest on, and no further than the page needs; only where the page is not full, how far it was looked.
    rows = connection.execute(
        f"""
        SELECT m.id FROM (
            SELECT * FROM message WHERE workspace_id = %(w)s AND id < %(before)s ORDER BY id DESC LIMIT %(window)s
        ) AS m WHERE {FITS} AND {fate} ORDER BY m.id DESC LIMIT %(limit)s
        """,
        values,
    ).fetchall()
    ids = [id for (id,) in rows]
    lines = _lines(connection, workspace_id, ids[:limit])
    if len(ids) > limit:
        return Slice(lines, ids[limit - 1])
    return Slice(lines, _end(connection, values))


def _end(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """The last message that was looked at; None where there is none behind it."""
    row = connection.execute(
        """
        SELECT min(id) FROM (
            SELECT id FROM message WHERE workspace_id = %(w)s AND id < %(before)s ORDER BY id DESC LIMIT %(window)s
        ) AS looked HAVING count(*) = %(window)s
        """,
        values,
    ).fetchone()
    return row[0] if row else None


def _of_contacts(
    connection: Connection, contacts: Sequence[int], fits: LiteralString, values: dict[str, Any], limit: int
) -> Slice:
    lanes = [(lane_of(values["w"], id), id) for id in contacts]
    values |= dict(zip(("lanes", "ids"), columns(lanes, 2), strict=True))
    rows = connection.execute(
        f"""
        SELECT m.id FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) AS one(lane, id) CROSS JOIN LATERAL (
            SELECT lane, id FROM enrollment WHERE workspace_id = %(w)s AND contact_id = one.id OFFSET 0
        ) AS e JOIN message m ON m.workspace_id = %(w)s AND m.lane = e.lane AND m.enrollment_id = e.id
        WHERE m.id < %(before)s AND {fits} ORDER BY m.id DESC LIMIT %(limit)s
        """,
        values,
    ).fetchall()
    ids = [id for (id,) in rows]
    lines = _lines(connection, values["w"], ids[:limit])
    return Slice(lines, ids[limit - 1] if len(ids) > limit else None)


def _lines(connection: Connection, workspace_id: int, ids: Sequence[int]) -> list[Line]:
    if not ids:
        return []
    rows = connection.execute(
        f"""
        {SHOWN} JOIN unnest(%s::bigint[]) AS one(id) ON one.id = m.id
        WHERE m.workspace_id = %s AND in_scope(j.scope) ORDER BY m.id DESC
        """,
        (list(ids), workspace_id),
    ).fetchall()
    return [Line._make(row) for row in rows]


def one(connection: Connection, workspace_id: int, message_id: int) -> Line | None:
    """One message."""
    found = _lines(connection, workspace_id, [message_id])
    return found[0] if found else None


def put_off(
    connection: Connection, workspace_id: int, journey_id: int, node: str, version_id: int | None
) -> dict[str, int]:
    """Messages of a step that ask the gate again later, by what they are put off for; counted up to `PUT_OFF_AT_MOST`."""
    rows = connection.execute(
        """
        SELECT reason, count(*) FROM (
            SELECT reason FROM message WHERE status = 7 AND workspace_id = %s AND journey_id = %s AND node = %s
              AND (%s::int IS NULL OR version_id = %s) LIMIT %s) AS counted GROUP BY 1
        """,
        (workspace_id, journey_id, node, version_id, version_id, PUT_OFF_AT_MOST),
    ).fetchall()
    found: dict[str, int] = {}
    for reason, count in rows:
        kind = grouped(reason)
        found[kind] = found.get(kind, 0) + count
    return found


class Heard(NamedTuple):
    """What was said about a message."""

    kind: str
    at: datetime
    detail: dict[str, Any]


def receipts(connection: Connection, workspace_id: int, message_id: int, limit: int) -> list[Heard]:
    """What a provider, a link or a pixel said about a message, in order."""
    rows = connection.execute(
        "SELECT kind, at, detail FROM receipt WHERE workspace_id = %s AND message_id = %s ORDER BY at, id LIMIT %s",
        (workspace_id, message_id, limit),
    ).fetchall()
    return [Heard._make(row) for row in rows]


def entry_of(
    connection: Connection, workspace_id: int, lane: int, enrollment_id: int
) -> tuple[datetime, int | None] | None:
    """When an enrollment came in, and by which event."""
    row = connection.execute(
        "SELECT since, entry_event FROM enrollment WHERE workspace_id = %s AND lane = %s AND id = %s",
        (workspace_id, lane, enrollment_id),
    ).fetchone()
    return (row[0], row[1]) if row else None
