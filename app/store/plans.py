"""Marketing plans, the folders of journeys: made, listed, changed, put out of sight. Never the engine's compiled plans."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg.types.json import Jsonb

from app.store import scopes
from app.store.rows import Connection


class Plan(NamedTuple):
    """A plan. `details`: target in words and as a number, days, cadence, budget."""

    id: int
    name: str
    scene: str
    details: dict[str, Any]
    created_at: datetime
    created_by: str
    archived_at: datetime | None
    journeys: int
    scope: str


class Written(NamedTuple):
    """What a plan says."""

    name: str
    scene: str
    details: Mapping[str, Any]


PLAN: LiteralString = """
    SELECT p.id, p.name, p.scene, p.details, p.created_at, p.created_by, p.archived_at,
           (SELECT count(*) FROM journey j
            WHERE j.workspace_id = p.workspace_id AND j.plan_id = p.id AND j.archived_at IS NULL AND in_scope(j.scope)),
           p.scope
    FROM plan p WHERE p.workspace_id = %(w)s AND in_scope(p.scope)
"""


def add(connection: Connection, workspace_id: int, written: Written, actor: str, now: datetime) -> Plan:
    """A new plan."""
    row = connection.execute(
        f"""
        INSERT INTO plan (workspace_id, name, scene, details, created_at, created_by, scope)
        VALUES (%s, %s, %s, %s, %s, %s, {scopes.OWN}) RETURNING id, name, scene, details, created_at, created_by, archived_at, 0,
                  scope
        """,
        (workspace_id, written.name, written.scene, Jsonb(written.details), now, actor),
    ).fetchone()
    assert row is not None
    return Plan._make(row)


def find(connection: Connection, workspace_id: int, plan_id: int, *, lock: bool = False) -> Plan | None:
    """One plan; `lock` holds it until the transaction ends."""
    tail: LiteralString = " AND p.id = %(id)s FOR UPDATE OF p" if lock else " AND p.id = %(id)s"
    row = connection.execute(PLAN + tail, {"w": workspace_id, "id": plan_id}).fetchone()
    return Plan._make(row) if row else None


def page(
    connection: Connection,
    workspace_id: int,
    before: int | None,
    limit: int,
    *,
    archived: bool | None = False,
    scene: str | None = None,
) -> list[Plan]:
    """Plans, the newest first; `archived` None: both kinds; `scene` None: all."""
    rows = connection.execute(
        PLAN
        + """
        AND (%(archived)s::boolean IS NULL OR (p.archived_at IS NOT NULL) = %(archived)s)
        AND (%(scene)s::text IS NULL OR p.scene = %(scene)s)
        AND (%(before)s::bigint IS NULL OR p.id < %(before)s)
        ORDER BY p.id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "before": before, "limit": limit, "archived": archived, "scene": scene},
    ).fetchall()
    return [Plan._make(row) for row in rows]


def change(connection: Connection, workspace_id: int, plan_id: int, written: Written) -> Plan | None:
    """Say something else; None where there is no such plan."""
    row = connection.execute(
        """
        UPDATE plan SET name = %s, scene = %s, details = %s
        WHERE workspace_id = %s AND id = %s AND in_scope(scope) RETURNING id
        """,
        (written.name, written.scene, Jsonb(written.details), workspace_id, plan_id),
    ).fetchone()
    return find(connection, workspace_id, plan_id) if row else None


def forget_reading(connection: Connection, workspace_id: int, plan_id: int) -> None:
    """What was counted says nothing of the plan as it is now; it is counted anew with the next beat."""
    connection.execute("DELETE FROM plan_reading WHERE workspace_id = %s AND plan_id = %s", (workspace_id, plan_id))


def readings(connection: Connection, workspace_id: int, ids: list[int]) -> dict[int, dict[str, Any]]:
    """What these plans had reached when they were counted last; absent where they were not."""
    rows = connection.execute(
        "SELECT plan_id, as_of, detail FROM plan_reading WHERE workspace_id = %s AND plan_id = ANY(%s)",
        (workspace_id, ids),
    ).fetchall()
    return {id: {"as_of": as_of, **detail} for id, as_of, detail in rows}


def next_runs(connection: Connection, workspace_id: int, ids: list[int]) -> dict[int, datetime]:
    """When the journeys of these plans run next, by audience, schedule or date."""
    rows = connection.execute(
        """
        SELECT j.plan_id, min(s.next_at) FROM journey j
        JOIN schedule s ON s.workspace_id = j.workspace_id AND s.journey_id = j.id
        WHERE j.workspace_id = %s AND j.plan_id = ANY(%s) AND j.status = 'live' AND s.next_at IS NOT NULL
          AND in_scope(j.scope) GROUP BY 1
        """,
        (workspace_id, ids),
    ).fetchall()
    return dict(rows)


def set_scope(connection: Connection, workspace_id: int, plan_id: int, scope: str) -> Plan | None:
    """Give a plan another label, or none."""
    row = connection.execute(
        "UPDATE plan SET scope = %s WHERE workspace_id = %s AND id = %s AND in_scope(scope) RETURNING id",
        (scope, workspace_id, plan_id),
    ).fetchone()
    return find(connection, workspace_id, plan_id) if row else None


def archive(connection: Connection, workspace_id: int, plan_id: int, at: datetime | None) -> Plan | None:
    """Put it out of sight, or back (`at` None). Its journeys stay where they are."""
    row = connection.execute(
        "UPDATE plan SET archived_at = %s WHERE workspace_id = %s AND id = %s AND in_scope(scope) RETURNING id",
        (at, workspace_id, plan_id),
    ).fetchone()
    return find(connection, workspace_id, plan_id) if row else None


def names(connection: Connection, workspace_id: int, limit: int = 500) -> list[tuple[int, str]]:
    """The plans a journey can be laid into: (id, name)."""
    return connection.execute(
        """
        SELECT id, name FROM plan WHERE workspace_id = %s AND archived_at IS NULL AND in_scope(scope)
        ORDER BY lower(name), id LIMIT %s
        """,
        (workspace_id, limit),
    ).fetchall()


class Summed(NamedTuple):
    """The numbers of all journeys of a plan together."""

    plan_id: int
    journeys: int
    live: int
    entered: int
    completed: int
    exited: int
    failed: int
    goal: int


def summed(connection: Connection, workspace_id: int, ids: list[int]) -> dict[int, Summed]:
    """The numbers of these plans, archived journeys included: what happened has happened."""
    rows = connection.execute(
        """
        WITH own AS (
            SELECT id, plan_id, status FROM journey
            WHERE workspace_id = %(w)s AND plan_id = ANY(%(ids)s) AND in_scope(scope)
        ), counted AS (
            SELECT journey_id, port, count FROM tally WHERE workspace_id = %(w)s AND node = ''
                AND journey_id = ANY(ARRAY(SELECT id FROM own))
            UNION ALL
            SELECT journey_id, port, count FROM tally_span WHERE workspace_id = %(w)s AND minutes = 0 AND node = ''
                AND journey_id = ANY(ARRAY(SELECT id FROM own))
        ), sums AS (
            SELECT own.plan_id, COALESCE(sum(count) FILTER (WHERE port = 'entered'), 0) AS entered,
                   COALESCE(sum(count) FILTER (WHERE port = 'completed'), 0) AS completed,
                   COALESCE(sum(count) FILTER (WHERE port = 'exited'), 0) AS exited,
                   COALESCE(sum(count) FILTER (WHERE port = '!goal'), 0) AS goal,
                   COALESCE(sum(count) FILTER (WHERE port = 'failed'), 0) AS failed
            FROM counted JOIN own ON own.id = counted.journey_id GROUP BY 1
        )
        SELECT own.plan_id, count(*), count(*) FILTER (WHERE own.status = 'live'), COALESCE(min(s.entered), 0)::bigint,
               COALESCE(min(s.completed), 0)::bigint, COALESCE(min(s.exited), 0)::bigint, COALESCE(min(s.failed), 0)::bigint,
               COALESCE(min(s.goal), 0)::bigint
        FROM own LEFT JOIN sums s ON s.plan_id = own.plan_id GROUP BY 1
        """,
        {"w": workspace_id, "ids": ids},
    ).fetchall()
    return {row[0]: Summed._make(row) for row in rows}


def find_names(connection: Connection, workspace_id: int, text: str, limit: int) -> list[tuple[int, str]]:
    """Plans whose name holds this text."""
    return connection.execute(
        """
        SELECT id, name FROM plan
        WHERE workspace_id = %(w)s AND archived_at IS NULL AND in_scope(scope) AND strpos(lower(name), lower(%(text)s)) > 0
        ORDER BY strpos(lower(name), lower(%(text)s)), id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "text": text, "limit": limit},
    ).fetchall()
