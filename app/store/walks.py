"""Lists of enrollments and messages for people who look: keyset pages, filters from fixed maps. Never moves anybody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from app.lanes import lane_of
from app.store import scopes
from app.store.rows import Connection

# The words of the API for what the rows keep as numbers.
STANDING = {"active": 0, "completed": 1, "exited": 2, "failed": 3, "held": 4}
SENDING = {
    "pending": 0,
    "sending": 1,
    "sent": 2,
    "failed": 3,
    "suppressed": 4,
    "expired": 5,
    "unknown": 6,
    "deferred": 7,
}
STANDING_WORDS = {number: word for word, number in STANDING.items()}
SENDING_WORDS = {number: word for word, number in SENDING.items()}
OPEN = ("active", "failed", "held")  # the index `ix_enrollment_node` holds these


class Standing(NamedTuple):
    """An enrollment as a list shows it."""

    lane: int
    id: int
    contact_id: int
    node: str
    status: int
    version_id: int
    wake_at: datetime | None
    entered_at: datetime
    reason: str | None
    key: str

    @property
    def open_place(self) -> list[Any]:
        """Where the next page of an open list begins."""
        return [self.version_id, self.node, self.lane, self.id]

    @property
    def place(self) -> list[Any]:
        """Where the next page of any other list begins."""
        return [self.lane, self.id]


class Where(NamedTuple):
    """Which enrollments are wanted: of the journey's versions, perhaps at one node, perhaps in one status."""

    workspace_id: int
    journey_id: int
    versions: Sequence[int]
    node: str | None
    status: str | None
    limit: int


COLUMNS: LiteralString = """
    SELECT e.lane, e.id, e.contact_id, e.node, e.status, e.version_id, e.wake_at, e.entered_at, e.reason, e.key
    FROM enrollment e WHERE e.workspace_id = %(workspace_id)s
"""


def standing(connection: Connection, where: Where, after: Sequence[Any] | None) -> list[Standing]:
    """Enrollments of a journey. Those on the way (or failed) are read by the index over nodes, in its order."""
    values: dict[str, Any] = {**where._asdict(), "number": STANDING.get(where.status or ""), "after": None}
    if where.status in OPEN:
        start: Sequence[Any] = after if after is not None else (-1, "", -1, -1)
        statement = (
            COLUMNS
            + """
            AND e.version_id = ANY(%(versions)s) AND e.status IN (0, 3, 4) AND e.status = %(number)s
            AND (%(node)s::text IS NULL OR e.node = %(node)s)
            AND (e.version_id, e.node, e.lane, e.id) > (%(a)s::int, %(b)s::text, %(c)s::smallint, %(d)s::bigint)
            ORDER BY e.version_id, e.node, e.lane, e.id LIMIT %(limit)s
            """
        )
        values |= dict(zip("abcd", start, strict=True))
    else:
        start = after if after is not None else (-1, -1)
        statement = (
            COLUMNS
            + """
            AND e.journey_id = %(journey_id)s
            AND (%(number)s::smallint IS NULL OR e.status = %(number)s)
            AND (%(node)s::text IS NULL OR e.node = %(node)s)
            AND (e.lane, e.id) > (%(a)s::smallint, %(b)s::bigint)
            ORDER BY e.lane, e.id LIMIT %(limit)s
            """
        )
        values |= dict(zip("ab", start, strict=True))
    rows = connection.execute(statement, values).fetchall()
    return [Standing._make(row) for row in rows]


class Sent(NamedTuple):
    """A message as a list shows it, with all that its idempotency key is made of."""

    id: int
    journey_id: int
    version_id: int
    enrollment_id: int
    node: str
    visit: int
    contact_id: int
    origin: int | None
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


class Asked(NamedTuple):
    """Which messages are wanted; None wants all."""

    journey_id: int | None
    node: str | None
    status: str | None
    before: int | None
    limit: int


MESSAGE: LiteralString = """
    SELECT m.id, m.journey_id, m.version_id, m.enrollment_id, m.node, m.visit, m.contact_id, m.origin, m.channel,
           m.account, m.recipient, m.status, m.outcome, m.attempt, m.reason, m.title, m.created_at, m.due_at, m.sent_at
    FROM message m
"""
WANTED: LiteralString = """
    AND (%(journey_id)s::int IS NULL OR m.journey_id = %(journey_id)s)
    AND (%(node)s::text IS NULL OR m.node = %(node)s)
    AND (%(number)s::smallint IS NULL OR m.status = %(number)s)
    AND (%(before)s::bigint IS NULL OR m.id < %(before)s)
    ORDER BY m.id DESC LIMIT %(limit)s
"""


def messages(connection: Connection, workspace_id: int, asked: Asked, contact_id: int | None = None) -> list[Sent]:
    """Messages, the newest first; those of one contact are found by its enrollments."""
    values = {**asked._asdict(), "number": SENDING.get(asked.status or ""), "w": workspace_id}
    if contact_id is None:
        statement = MESSAGE + "WHERE m.workspace_id = %(w)s" + scopes.MESSAGE + WANTED
    else:
        values |= {"contact": contact_id, "lane": lane_of(workspace_id, contact_id)}
        statement = (
            MESSAGE
            + """
            JOIN enrollment e ON e.workspace_id = m.workspace_id AND e.lane = m.lane AND e.id = m.enrollment_id
            WHERE e.workspace_id = %(w)s AND e.contact_id = %(contact)s AND m.lane = %(lane)s
            """
            + scopes.MESSAGE
            + WANTED
        )
    rows = connection.execute(statement, values).fetchall()
    return [Sent._make(row) for row in rows]


def message(connection: Connection, workspace_id: int, message_id: int) -> Sent | None:
    """One message."""
    row = connection.execute(
        MESSAGE + "WHERE m.workspace_id = %s AND m.id = %s" + scopes.MESSAGE, (workspace_id, message_id)
    ).fetchone()
    return Sent._make(row) if row else None
