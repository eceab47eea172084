"""Contacts one at a time and page by page. Never facts for batches: `contacts` does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
