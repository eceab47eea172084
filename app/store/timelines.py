"""What happened to one contact, for people who read it: events, entries, walks with their reasons, messages; chosen by kind.

One statement a page, whatever is asked for. The order is that of time; at one moment an entry comes before the event that
is told with it, steps after both, messages last, and the latest stands first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from app.lanes import lane_of
from app.store import scopes
from app.store.rows import Connection


class Moment(NamedTuple):
    """Something that happened to a contact: what kind decides what `detail` holds."""

    at: datetime
    rank: int
    id: int
    detail: dict[str, Any]


LAST = (datetime.max.replace(tzinfo=UTC), 9, 0)
Kind = Literal["entered", "event", "walk", "message", "kept_out"]
KINDS: dict[int, Kind] = {
    1: "entered", 2: "event", 3: "walk", 4: "message", 5: "kept_out",
}  # fmt: skip
CHOICES = {"event": 2, "entered": 1, "step": 3, "message": 4}  # as a reader chooses; who is kept out counts as an entry


class Asked(NamedTuple):
    """Whose timeline, which kinds (ranks), of which journey; all of them unless it says so."""

    contact_id: int
    kinds: Sequence[int] = tuple(CHOICES.values())
    journey_id: int | None = None


def page(
    connection: Connection, workspace_id: int, asked: Asked, before: tuple[datetime, int, int], limit: int
) -> list[Moment]:
    """What happened before a place in time, the newest first. Events belong to no journey."""
    rows = connection.execute(
        f"""
        WITH mine AS (
            SELECT lane, id, journey_id, version_id, entered_at, node, status, reason, key, wake_at FROM enrollment e
            WHERE workspace_id = %(w)s AND contact_id = %(contact)s
              AND (%(journey)s::int IS NULL OR journey_id = %(journey)s) {scopes.ENROLLMENT}
        ), happened AS (
            (SELECT timestamp AS at, 2 AS rank, id,
                jsonb_build_object('name', name, 'properties', properties, 'received_at', received_at) AS detail
             FROM event WHERE 2 = ANY(%(kinds)s) AND %(journey)s::int IS NULL
               AND workspace_id = %(w)s AND lane = %(lane)s AND contact_id = %(contact)s
               AND timestamp <= %(at)s AND (timestamp, 2, id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY timestamp DESC, id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT entered_at, 1, id, jsonb_build_object('journey_id', journey_id, 'enrollment_id', id, 'lane', lane,
                'version_id', version_id, 'status', status, 'node', node, 'reason', reason, 'key', key, 'wake_at', wake_at)
             FROM mine WHERE 1 = ANY(%(kinds)s) AND (entered_at, 1, id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY entered_at DESC, id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT t.at, 3, t.enrollment_id * 65536 + t.walk, jsonb_build_object('journey_id', mine.journey_id,
                'enrollment_id', mine.id, 'lane', mine.lane, 'version_id', mine.version_id, 'cause', t.cause,
                'walk', t.walk, 'steps', t.steps::jsonb)
             FROM mine JOIN trail t ON t.workspace_id = %(w)s AND t.lane = mine.lane AND t.enrollment_id = mine.id
             WHERE 3 = ANY(%(kinds)s) AND (t.at, 3, t.enrollment_id * 65536 + t.walk) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY t.at DESC, t.enrollment_id DESC, t.walk DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT m.created_at, 4, m.id, jsonb_build_object('message_id', m.id, 'journey_id', m.journey_id,
                'version_id', m.version_id, 'contact_id', m.contact_id, 'enrollment_id', mine.id, 'lane', mine.lane,
                'node', m.node, 'channel', m.channel, 'title', m.title, 'status', m.status, 'outcome', m.outcome,
                'reason', m.reason, 'sent_at', m.sent_at, 'recipient', m.recipient)
             FROM mine JOIN message m ON m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id
             WHERE 4 = ANY(%(kinds)s) AND (m.created_at, 4, m.id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT t.at, 5, t.journey_id, jsonb_build_object('journey_id', t.journey_id, 'version_id', t.version_id,
                'reason', t.reason, 'times', t.times)
             FROM turned_away t JOIN journey j ON j.workspace_id = %(w)s AND j.id = t.journey_id AND in_scope(j.scope)
             WHERE 1 = ANY(%(kinds)s) AND (%(journey)s::int IS NULL OR t.journey_id = %(journey)s)
               AND t.workspace_id = %(w)s AND t.lane = %(lane)s AND t.contact_id = %(contact)s
               AND (t.at, 5, t.journey_id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY t.at DESC, t.journey_id DESC LIMIT %(limit)s)
        )
        SELECT at, rank, id, detail FROM happened ORDER BY at DESC, rank DESC, id DESC LIMIT %(limit)s
        """,
        {
            "w": workspace_id,
            "lane": lane_of(workspace_id, asked.contact_id),
            "contact": asked.contact_id,
            "kinds": list(asked.kinds),
            "journey": asked.journey_id,
            **dict(zip(("at", "rank", "id"), before, strict=True)),
            "limit": limit,
        },
    ).fetchall()
    return [Moment._make(row) for row in rows]


class Walk(NamedTuple):
    """An enrollment of a contact, as its profile lists it."""

    lane: int
    id: int
    journey_id: int
    journey: str
    version_id: int
    node: str
    status: int
    reason: str | None
    entered_at: datetime
    wake_at: datetime | None


def walks(connection: Connection, workspace_id: int, contact_id: int, limit: int) -> list[Walk]:
    """In which journeys a contact is, and was last."""
    rows = connection.execute(
        """
        SELECT e.lane, e.id, e.journey_id, j.name, e.version_id, e.node, e.status, e.reason, e.entered_at, e.wake_at
        FROM (SELECT * FROM enrollment WHERE workspace_id = %(w)s AND contact_id = %(c)s OFFSET 0) AS e
        JOIN journey j ON j.workspace_id = %(w)s AND j.id = e.journey_id AND in_scope(j.scope)
        ORDER BY e.status IN (0, 4) DESC, e.entered_at DESC, e.id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "c": contact_id, "limit": limit},
    ).fetchall()
    return [Walk._make(row) for row in rows]


class Way(NamedTuple):
    """One enrollment with all that it left in its trail."""

    id: int
    lane: int
    contact_id: int
    name: str | None
    version_id: int
    node: str
    status: int
    reason: str | None
    entered_at: datetime
    wake_at: datetime | None
    walks: list[dict[str, Any]]


def way(connection: Connection, workspace_id: int, journey_id: int, lane: int, id: int, limit: int) -> Way | None:
    """How one enrollment went, walk by walk."""
    row = connection.execute(
        """
        SELECT e.id, e.lane, e.contact_id, c.attributes ->> 'name', e.version_id, e.node, e.status, e.reason, e.entered_at,
               e.wake_at, (SELECT COALESCE(jsonb_agg(jsonb_build_object('at', t.at, 'cause', t.cause, 'walk', t.walk,
                    'steps', t.steps::jsonb) ORDER BY t.walk), '[]') FROM (
                    SELECT * FROM trail WHERE workspace_id = %(w)s AND lane = e.lane AND enrollment_id = e.id
                    ORDER BY walk LIMIT %(limit)s) AS t)
        FROM enrollment e LEFT JOIN contact c ON c.workspace_id = %(w)s AND c.lane = e.lane AND c.id = e.contact_id
        WHERE e.workspace_id = %(w)s AND e.lane = %(lane)s AND e.id = %(id)s AND e.journey_id = %(j)s
        """,
        {"w": workspace_id, "j": journey_id, "lane": lane, "id": id, "limit": limit},
    ).fetchone()
    return Way._make(row) if row else None
