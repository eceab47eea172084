"""What a workspace speaks of: names of its events, their properties, attributes and tags, out of a sample of bounded cost.

A few rows of every lane, whatever the tables hold; a name that is rare may be missing. Never a list of everything.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.lanes import LANES
from app.store import scopes
from app.store.rows import Connection, array

CONTACTS_A_LANE = 40
EVENTS_A_LANE = 60
NAMES_AT_MOST = 300
EXAMPLES = 6
TEXT_AT_MOST = 60


class Name(NamedTuple):
    """A name that occurs: what kind its values are (as `jsonb_typeof` says), how often it was seen, some values."""

    name: str
    kind: str
    seen: int
    examples: list[str]


class Property(NamedTuple):
    """A property of an event."""

    event: str
    name: str
    kind: str
    seen: int
    examples: list[str]


def attributes(connection: Connection, workspace_id: int) -> list[Name]:
    """Attributes of contacts, the most frequent first; one of several kinds comes once for each."""
    rows = connection.execute(
        """
        SELECT one.key, jsonb_typeof(one.value), count(*),
               (array_agg(DISTINCT left(one.value #>> '{}', %(text)s))
                  FILTER (WHERE jsonb_typeof(one.value) IN ('string', 'number')))[1:%(examples)s]
        FROM unnest(%(lanes)s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT c.attributes FROM contact c
            WHERE c.workspace_id = %(w)s AND c.lane = mine.lane AND c.merged_into IS NULL LIMIT %(each)s
        ) AS c CROSS JOIN LATERAL jsonb_each(c.attributes) AS one
        WHERE one.value <> 'null'::jsonb
        GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT %(most)s
        """,
        _bounds(workspace_id, CONTACTS_A_LANE),
    ).fetchall()
    return [Name(key, kind, seen, examples or []) for key, kind, seen, examples in rows]


def tags(connection: Connection, workspace_id: int) -> list[Name]:
    """Tags, the most frequent first."""
    rows = connection.execute(
        """
        SELECT tag, count(*) FROM unnest(%(lanes)s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT c.tags FROM contact c
            WHERE c.workspace_id = %(w)s AND c.lane = mine.lane AND c.merged_into IS NULL LIMIT %(each)s
        ) AS c CROSS JOIN LATERAL unnest(c.tags) AS tag
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
        """,
        _bounds(workspace_id, CONTACTS_A_LANE),
    ).fetchall()
    return [Name(tag, "string", seen, []) for tag, seen in rows]


def events(connection: Connection, workspace_id: int) -> list[Name]:
    """Events, the most frequent first."""
    rows = connection.execute(
        """
        SELECT e.name, count(*) FROM unnest(%(lanes)s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT name FROM event WHERE workspace_id = %(w)s AND lane = mine.lane LIMIT %(each)s
        ) AS e GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
        """,
        _bounds(workspace_id, EVENTS_A_LANE),
    ).fetchall()
    return [Name(name, "", seen, []) for name, seen in rows]


def properties(connection: Connection, workspace_id: int) -> list[Property]:
    """Properties of events, the most frequent first."""
    rows = connection.execute(
        """
        SELECT e.name, one.key, jsonb_typeof(one.value), count(*),
               (array_agg(DISTINCT left(one.value #>> '{}', %(text)s))
                  FILTER (WHERE jsonb_typeof(one.value) IN ('string', 'number')))[1:%(examples)s]
        FROM unnest(%(lanes)s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT name, properties FROM event WHERE workspace_id = %(w)s AND lane = mine.lane LIMIT %(each)s
        ) AS e CROSS JOIN LATERAL jsonb_each(e.properties) AS one
        WHERE jsonb_typeof(e.properties) = 'object' AND one.value <> 'null'::jsonb
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2 LIMIT %(most)s
        """,
        _bounds(workspace_id, EVENTS_A_LANE),
    ).fetchall()
    return [Property(event, key, kind, seen, examples or []) for event, key, kind, seen, examples in rows]


class Someone(NamedTuple):
    """A contact by a name of theirs, to choose from."""

    id: int
    label: str


def people(connection: Connection, workspace_id: int, text: str, kinds: Sequence[str], limit: int) -> list[Someone]:
    """Contacts one of whose names starts with a text."""
    rows = connection.execute(
        f"""
        SELECT found.contact_id, found.value FROM unnest(%(kinds)s::text[]) AS one(kind) CROSS JOIN LATERAL (
            SELECT contact_id, value FROM identity i
            WHERE workspace_id = %(w)s AND kind = one.kind AND value >= %(text)s AND value < %(end)s {scopes.NAMED_CONTACT}
            ORDER BY value LIMIT %(limit)s
        ) AS found WHERE starts_with(found.value, %(text)s) ORDER BY found.value LIMIT %(limit)s
        """,
        {"w": workspace_id, "kinds": list(kinds), "text": text, "end": f"{text}\U0010ffff", "limit": limit},
    ).fetchall()
    return [Someone(id, value) for id, value in rows]


def latest_properties(
    connection: Connection, workspace_id: int, lane: int, contact_id: int, event: str
) -> dict[str, object]:
    """The properties of a contact's latest event of a name; none where there was none in a while."""
    row = connection.execute(
        """
        SELECT properties FROM (
            SELECT name, properties, timestamp FROM event
            WHERE workspace_id = %s AND lane = %s AND contact_id = %s ORDER BY timestamp DESC LIMIT 200
        ) AS last WHERE name = %s ORDER BY timestamp DESC LIMIT 1
        """,
        (workspace_id, lane, contact_id, event),
    ).fetchone()
    return dict(row[0]) if row and isinstance(row[0], dict) else {}


def _bounds(workspace_id: int, each: int) -> dict[str, object]:
    return {
        "w": workspace_id,
        "lanes": array(range(LANES)),
        "each": each,
        "most": NAMES_AT_MOST,
        "text": TEXT_AT_MOST,
        "examples": EXAMPLES,
    }
