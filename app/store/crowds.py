"""Whom the entries of a flow let in, as conditions over contacts: counted, a few of them, and who else writes to them.

Each function is one statement, whatever there is; over a sample of lanes where the workspace is large. Never lets anybody in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.store import scopes
from app.store.rows import Connection, array, columns
from app.store.segments import Clause

NEIGHBOURS_AT_MOST = 20


class Area(NamedTuple):
    """Where is looked: a workspace, some of its lanes, and since when what happened counts."""

    workspace_id: int
    lanes: Sequence[int]
    since: datetime
    journey_id: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What the statements bind."""
        return {"w": self.workspace_id, "lanes": array(self.lanes), "since": self.since, "j": self.journey_id}


OURS = Clause(  # who entered this journey of late
    """EXISTS (SELECT FROM enrollment o WHERE o.workspace_id = c.workspace_id AND o.contact_id = c.id
       AND o.journey_id = %(j)s AND (o.status IN (0, 4) OR o.entered_at > %(since)s))""",
    {},
)


def any_of(clauses: Iterable[Clause]) -> Clause:
    """Who is in at least one of these; of none, nobody."""
    clauses = list(clauses)
    bound = {name: value for one in clauses for name, value in one.parameters.items()}
    return Clause("(" + " OR ".join(one.sql for one in clauses) + ")" if clauses else "false", bound)


def count(connection: Connection, area: Area, clauses: Sequence[Clause]) -> tuple[list[int], int]:
    """How many are in each, and how many in any of them."""
    whole = any_of(clauses)
    asked = clauses if len(clauses) == 1 else (*clauses, whole)
    parts = [f"count(*) FILTER (WHERE {one.sql})" for one in asked]
    row = connection.execute(
        # Made of fixed parts; every value is bound.
        f"SELECT {', '.join(parts)} FROM contact c"
        " WHERE c.workspace_id = %(w)s AND c.lane = ANY(%(lanes)s::smallint[]) AND c.merged_into IS NULL",
        {**whole.parameters, **area.parameters},
    ).fetchone()
    assert row is not None
    return list(row[: len(clauses)]), row[-1]


class Doors(NamedTuple):
    """The entry nodes of another live journey; `firing`: those which a schedule lets people in by within the time asked for."""

    journey_id: int
    nodes: list[dict[str, Any]]
    firing: list[str]


def doors(connection: Connection, area: Area, until: datetime, limit: int) -> tuple[list[Doors], int]:
    """The ways in of other live journeys, those published last first, and how many more there are."""
    rows = connection.execute(
        f"""
        SELECT j.id, (
            SELECT coalesce(jsonb_agg(one.node), '[]') FROM jsonb_array_elements(v.document -> 'nodes') AS one(node)
            WHERE one.node ->> 'type' LIKE 'entry.%%'
        ), ARRAY(
            SELECT s.node FROM schedule s
            WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.id AND s.next_at <= %(until)s
            UNION
            SELECT r.node FROM run r
            WHERE r.workspace_id = j.workspace_id AND r.journey_id = j.id AND r.finished_at IS NULL
        ), j.others - row_number() OVER (ORDER BY v.id DESC)
        FROM (SELECT j.*, count(*) OVER () AS others FROM journey j
              WHERE j.workspace_id = %(w)s AND j.id <> %(j)s AND j.status = 'live' {scopes.JOURNEY}) AS j
        JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        ORDER BY v.id DESC LIMIT %(limit)s
        """,
        {**area.parameters, "until": until, "limit": limit},
    ).fetchall()
    return [Doors._make(row[:3]) for row in rows], rows[-1][3] if rows else 0


def not_joined(journey_id: int, node: str, prefix: str) -> Clause:
    """Who is not known yet as a member of an audience that is let in one by one."""
    sql = f"""NOT EXISTS (SELECT FROM audience_member k WHERE k.workspace_id = c.workspace_id AND k.lane = c.lane
        AND k.journey_id = %({prefix}_journey)s AND k.node = %({prefix}_node)s AND k.contact_id = c.id)"""
    return Clause(sql, {f"{prefix}_journey": journey_id, f"{prefix}_node": node})


def in_both(connection: Connection, area: Area, crowd: Clause, others: Sequence[Clause]) -> list[int]:
    """How many of the crowd are in each of the others too. Contacts are read once, whatever the number of others."""
    parts = [f"count(*) FILTER (WHERE {one.sql})" for one in others]
    bound = {name: value for one in others for name, value in one.parameters.items()}
    row = connection.execute(
        # Made of fixed parts; every value is bound.
        f"""
        WITH crowd AS MATERIALIZED (
            SELECT c.workspace_id, c.lane, c.id, c.attributes, c.tags FROM contact c
            WHERE c.workspace_id = %(w)s AND c.lane = ANY(%(lanes)s::smallint[]) AND c.merged_into IS NULL AND {crowd.sql}
        )
        SELECT {", ".join(parts)} FROM crowd c
        """,
        {**crowd.parameters, **bound, **area.parameters},
    ).fetchone()
    assert row is not None
    return list(row)


class Neighbour(NamedTuple):
    """Another live journey: since when, how many of the same people it has now, and has let in of late; with its flow."""

    id: int
    name: str
    version: int
    live_since: datetime
    same_event: bool
    shared: int
    shared_now: int
    more: int
    document: dict[str, Any]


def neighbours(
    connection: Connection, area: Area, crowd: Clause, events: Sequence[str], ahead: Mapping[int, int]
) -> list[Neighbour]:
    """Other live journeys that somebody of the crowd walks, entered of late or may enter, or that begin with the same event.

    Those that share most come first; `ahead`: by journey, how many of the crowd it may let in; `more`: how many follow after.
    Crowd and walks are read once each and laid side by side: no join whose size a planner could get wrong.
    """
    rows = connection.execute(
        f"""
        WITH one AS (
            SELECT e.contact_id, e.journey_id, e.status IN (0, 4) AS walking FROM enrollment e
            WHERE e.workspace_id = %(w)s AND e.lane = ANY(%(lanes)s::smallint[])
              AND (e.status IN (0, 4) OR e.entered_at > %(since)s)
            UNION ALL
            SELECT c.id, %(j)s, false FROM contact c
            WHERE c.workspace_id = %(w)s AND c.lane = ANY(%(lanes)s::smallint[]) AND c.merged_into IS NULL AND {crowd.sql}
        ), beside AS (
            SELECT *, bool_or(journey_id = %(j)s) OVER (PARTITION BY contact_id) AS ours FROM one
        ), walks AS MATERIALIZED (
            SELECT journey_id, count(DISTINCT contact_id) AS shared,
                   count(DISTINCT contact_id) FILTER (WHERE walking) AS now
            FROM beside WHERE ours AND journey_id <> %(j)s GROUP BY 1
        )
        SELECT j.id, j.name, v.number, coalesce(j.opened_at, v.published_at), begins.same, coalesce(walks.shared, 0),
               coalesce(walks.now, 0), greatest(count(*) OVER () - %(most)s, 0), v.document
        FROM journey j JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        LEFT JOIN walks ON walks.journey_id = j.id
        LEFT JOIN unnest(%(ahead)s::int[], %(people)s::bigint[]) AS ahead(journey_id, people) ON ahead.journey_id = j.id
        CROSS JOIN LATERAL (SELECT EXISTS (
            SELECT FROM jsonb_array_elements(v.document -> 'nodes') AS one(node)
            WHERE one.node ->> 'type' LIKE 'entry.%%' AND one.node -> 'settings' ->> 'event' = ANY(%(events)s)
        ) AS same) AS begins
        WHERE j.workspace_id = %(w)s AND j.id <> %(j)s AND j.status = 'live' {scopes.JOURNEY}
          AND (walks.shared > 0 OR ahead.people > 0 OR begins.same)
        ORDER BY greatest(walks.shared, ahead.people, 0) DESC, begins.same DESC, j.id LIMIT %(most)s
        """,
        {
            **crowd.parameters,
            **area.parameters,
            "events": list(events),
            "most": NEIGHBOURS_AT_MOST,
            "ahead": list(ahead),
            "people": list(ahead.values()),
        },
    ).fetchall()
    return [Neighbour._make(row) for row in rows]


class Sample(NamedTuple):
    """A contact as a message is made for them: names are those of each kind that came last."""

    lane: int
    id: int
    attributes: dict[str, Any]
    consents: dict[str, Any]
    names: dict[str, str]


def some(connection: Connection, area: Area, crowd: Clause, limit: int) -> list[Sample]:
    """A few of the crowd, as somebody limited to scopes may see them."""
    rows = connection.execute(
        f"""
        SELECT few.lane, few.id, few.attributes, few.consents, (
            SELECT coalesce(jsonb_object_agg(last.kind, last.value), '{{}}') FROM (
                SELECT DISTINCT ON (i.kind) i.kind, i.value FROM identity i
                WHERE i.workspace_id = %(w)s AND i.contact_id = few.id ORDER BY i.kind, i.created_at DESC
            ) AS last)
        FROM (
            SELECT c.lane, c.id, c.attributes, c.consents FROM contact c
            WHERE c.workspace_id = %(w)s AND c.lane = ANY(%(lanes)s::smallint[]) AND c.merged_into IS NULL
              AND {crowd.sql} {scopes.CONTACT} LIMIT %(limit)s
        ) AS few ORDER BY few.id
        """,
        {**crowd.parameters, **area.parameters, "limit": limit},
    ).fetchall()
    return [Sample._make(row) for row in rows]


class Came(NamedTuple):
    """What brought somebody in, or would have."""

    name: str
    timestamp: datetime
    properties: dict[str, Any]
    id: int


def last_events(connection: Connection, area: Area, people: Sequence[Sample], names: Sequence[str]) -> dict[int, Came]:
    """The last event of one of these names of each of these people, of late."""
    rows = connection.execute(
        """
        SELECT one.id, last.name, last.timestamp, last.properties, last.id
        FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id) CROSS JOIN LATERAL (
            SELECT name, timestamp, properties, e.id FROM event e
            WHERE e.workspace_id = %s AND e.lane = one.lane AND e.contact_id = one.id AND e.timestamp > %s
              AND e.name = ANY(%s) ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
        ) AS last
        """,
        (*columns([(one.lane, one.id) for one in people], 2), area.workspace_id, area.since, list(names)),
    ).fetchall()
    return {contact: Came._make(found) for contact, *found in rows}


def suppressed(
    connection: Connection, workspace_id: int, addresses: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], str]:
    """Why nothing more goes to some of these (channel, address)."""
    rows = connection.execute(
        """
        SELECT one.channel, one.address, s.reason FROM unnest(%s::text[], %s::text[]) AS one(channel, address)
        JOIN suppression s ON s.workspace_id = %s AND s.channel = one.channel AND s.address = lower(btrim(one.address))
        """,
        (*columns(sorted(set(addresses)), 2), workspace_id),
    ).fetchall()
    return {(channel, address): reason for channel, address, reason in rows}
