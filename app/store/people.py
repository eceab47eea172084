"""Contacts one at a time and page by page, and what happened to one of them. Never facts for batches: `contacts` does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from app.lanes import lane_of
from app.store import merges, scopes
from app.store.rows import Connection


class Person(NamedTuple):
    """A contact with its names."""

    lane: int
    id: int
    attributes: dict[str, Any]
    tags: list[str]
    consents: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    identities: list[list[str]]


def page(connection: Connection, workspace_id: int, after: tuple[int, int], limit: int) -> list[Person]:
    """Contacts in the order of lane and id."""
    rows = connection.execute(
        f"""
        SELECT c.lane, c.id, c.attributes, c.tags, c.consents, c.created_at, c.updated_at,
               (SELECT COALESCE(jsonb_agg(jsonb_build_array(i.kind, i.value) ORDER BY i.kind, i.value), '[]')
                FROM identity i WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id)
        FROM contact c
        WHERE c.workspace_id = %s AND (c.lane, c.id) > (%s::smallint, %s::bigint) AND c.merged_into IS NULL {scopes.CONTACT}
        ORDER BY c.lane, c.id LIMIT %s
        """,
        (workspace_id, *after, limit),
    ).fetchall()
    return [Person._make(row) for row in rows]


def owner(connection: Connection, workspace_id: int, kind: str, value: str) -> int | None:
    """Whom a name means."""
    row = connection.execute(
        "SELECT contact_id FROM identity WHERE workspace_id = %s AND kind = %s AND value = %s",
        (workspace_id, kind, value),
    ).fetchone()
    return int(row[0]) if row else None


def find(connection: Connection, workspace_id: int, contact_id: int) -> Person | None:
    """One contact; one that was merged into another is found as that other."""
    meant = merges.become(connection, workspace_id, contact_id)
    row = connection.execute(
        f"""
        SELECT c.lane, c.id, c.attributes, c.tags, c.consents, c.created_at, c.updated_at,
               (SELECT COALESCE(jsonb_agg(jsonb_build_array(i.kind, i.value) ORDER BY i.kind, i.value), '[]')
                FROM identity i WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id)
        FROM contact c WHERE c.workspace_id = %s AND c.lane = %s AND c.id = %s {scopes.CONTACT}
        """,
        (workspace_id, lane_of(workspace_id, meant), meant),
    ).fetchone()
    return Person._make(row) if row else None


def change_tags(
    connection: Connection,
    workspace_id: int,
    contact_id: int,
    changed: tuple[Sequence[str], Sequence[str]],
    now: datetime,
) -> None:
    """Give and take tags at once (`changed`: those to add, those to remove); what nodes do to tags is kept."""
    add, remove = changed
    connection.execute(
        """
        UPDATE contact c SET updated_at = %s, tags = ARRAY(
            SELECT tag FROM (SELECT unnest(c.tags) AS tag UNION SELECT unnest(%s::text[])) AS all_
            WHERE tag <> ALL(%s::text[]) ORDER BY tag)
        WHERE c.workspace_id = %s AND c.lane = %s AND c.id = %s
        """,
        (now, list(add), list(remove), workspace_id, lane_of(workspace_id, contact_id), contact_id),
    )


class Moment(NamedTuple):
    """Something that happened to a contact: what kind decides what `detail` holds."""

    at: datetime
    rank: int
    id: int
    detail: dict[str, Any]


LAST = (datetime.max.replace(tzinfo=UTC), 9, 0)
KINDS: dict[int, Literal["entered", "event", "walk", "message", "kept_out"]] = {
    1: "entered", 2: "event", 3: "walk", 4: "message", 5: "kept_out",
}  # fmt: skip


def timeline(
    connection: Connection, workspace_id: int, contact_id: int, before: tuple[datetime, int, int], limit: int
) -> list[Moment]:
    """What happened to a contact before a place in time, the newest first: events, entries, walks, messages."""
    rows = connection.execute(
        f"""
        WITH mine AS (
            SELECT lane, id, journey_id, version_id, entered_at, node, status, reason FROM enrollment e
            WHERE workspace_id = %(w)s AND contact_id = %(contact)s {scopes.ENROLLMENT}
        ), happened AS (
            (SELECT timestamp AS at, 2 AS rank, id, jsonb_build_object('name', name, 'properties', properties) AS detail
             FROM event WHERE workspace_id = %(w)s AND lane = %(lane)s AND contact_id = %(contact)s
               AND timestamp <= %(at)s AND (timestamp, 2, id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY timestamp DESC, id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT entered_at, 1, id, jsonb_build_object('journey_id', journey_id, 'enrollment_id', id,
                'version_id', version_id, 'status', status, 'node', node, 'reason', reason)
             FROM mine WHERE (entered_at, 1, id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY entered_at DESC, id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT t.at, 3, t.enrollment_id * 65536 + t.walk, jsonb_build_object('journey_id', mine.journey_id,
                'enrollment_id', mine.id, 'version_id', mine.version_id, 'cause', t.cause, 'steps', t.steps::jsonb)
             FROM mine JOIN trail t ON t.workspace_id = %(w)s AND t.lane = mine.lane AND t.enrollment_id = mine.id
             WHERE (t.at, 3, t.enrollment_id * 65536 + t.walk) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY t.at DESC, t.enrollment_id DESC, t.walk DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT m.created_at, 4, m.id, jsonb_build_object('message_id', m.id, 'journey_id', m.journey_id,
                'enrollment_id', m.enrollment_id, 'node', m.node, 'channel', m.channel, 'title', m.title,
                'version_id', m.version_id, 'contact_id', m.contact_id, 'status', m.status, 'reason', m.reason)
             FROM mine JOIN message m ON m.workspace_id = %(w)s AND m.lane = mine.lane AND m.enrollment_id = mine.id
             WHERE (m.created_at, 4, m.id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s)
            UNION ALL
            (SELECT t.at, 5, t.journey_id, jsonb_build_object('journey_id', t.journey_id, 'version_id', t.version_id,
                'reason', t.reason)
             FROM turned_away t JOIN journey j ON j.workspace_id = %(w)s AND j.id = t.journey_id AND in_scope(j.scope)
             WHERE t.workspace_id = %(w)s AND t.lane = %(lane)s AND t.contact_id = %(contact)s
               AND (t.at, 5, t.journey_id) < (%(at)s, %(rank)s, %(id)s)
             ORDER BY t.at DESC, t.journey_id DESC LIMIT %(limit)s)
        )
        SELECT at, rank, id, detail FROM happened ORDER BY at DESC, rank DESC, id DESC LIMIT %(limit)s
        """,
        {
            "w": workspace_id,
            "lane": lane_of(workspace_id, contact_id),
            "contact": contact_id,
            "at": before[0],
            "rank": before[1],
            "id": before[2],
            "limit": limit,
        },
    ).fetchall()
    return [Moment._make(row) for row in rows]


# The kinds of names people look for by hand; each is one look-up in the key of `identity`.
LOOKED_FOR = ("user_id", "email", "phone", "anonymous_id", "openid")


def named(connection: Connection, workspace_id: int, value: str, limit: int) -> list[tuple[int, str, str, str | None]]:
    """Whom this very name means, whatever kind it is: (contact, kind, value, what the contact is called)."""
    rows = connection.execute(
        """
        SELECT contact_id, kind, value FROM identity
        WHERE workspace_id = %s AND kind = ANY(%s) AND value = %s ORDER BY contact_id LIMIT %s
        """,
        (workspace_id, list(LOOKED_FOR), value, limit),
    ).fetchall()
    ids = [row[0] for row in rows]
    called: list[tuple[int, str | None]] = connection.execute(
        f"""
        SELECT c.id, c.attributes ->> 'name' FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id)
        JOIN contact c ON c.workspace_id = %s AND c.lane = one.lane AND c.id = one.id
        WHERE true {scopes.CONTACT}
        """,
        ([lane_of(workspace_id, id) for id in ids], ids, workspace_id),
    ).fetchall()
    names = dict(called)
    return [(id, kind, value, names[id]) for id, kind, value in rows if id in names]
