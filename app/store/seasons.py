"""Seasons as published versions have them, which journeys are not as a season wants them, and whom one kept out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.store.pauses import SEASON
from app.store.rows import Connection, columns

IN_FORCE = f"(j.status = 'live' OR (j.status = 'paused' AND j.pause_reason LIKE '{SEASON}%%'))"


def in_force(connection: Connection) -> list[tuple[int, int, dict[str, Any], str]]:
    """The seasons of live journeys, and of those that only a season pauses: (workspace, journey, season, zone)."""
    return connection.execute(
        f"""
        SELECT j.workspace_id, j.id, v.season, w.timezone FROM version v
        JOIN journey j ON j.workspace_id = v.workspace_id AND j.id = v.journey_id AND j.live_version_id = v.id
        JOIN workspace w ON w.id = j.workspace_id
        WHERE v.season IS NOT NULL AND {IN_FORCE} ORDER BY j.workspace_id, j.id
        """,
        (),
    ).fetchall()


def published(connection: Connection, workspace_id: int) -> list[tuple[int, str, dict[str, Any], str]]:
    """The seasons of a workspace's live journeys: (journey, name, season, zone). Also those the caller's scope hides:

    what they do to the caller's own journeys must be said.
    """
    return connection.execute(
        f"""
        SELECT j.id, j.name, v.season, w.timezone FROM version v
        JOIN journey j ON j.workspace_id = v.workspace_id AND j.id = v.journey_id AND j.live_version_id = v.id
        JOIN workspace w ON w.id = j.workspace_id
        WHERE v.workspace_id = %s AND v.season IS NOT NULL AND {IN_FORCE} ORDER BY j.id
        """,
        (workspace_id,),
    ).fetchall()


def out_of_step(
    connection: Connection, aims: Sequence[tuple[int, int, int | None, int | None]]
) -> tuple[int, int, int | None] | None:
    """The first journey that is live though one of `aims` (workspace, by, journey or plan) pauses it, or the other way round."""
    row = connection.execute(
        """
        WITH aim AS (
            SELECT * FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[]) AS aim(workspace_id, by, journey, plan)
        ), meant AS (
            SELECT j.workspace_id, j.id, j.status, min(aim.by) AS by FROM aim
            JOIN journey j ON j.workspace_id = aim.workspace_id AND j.id <> aim.by
             AND (j.id = aim.journey OR j.plan_id = aim.plan)
            WHERE j.status IN ('live', 'paused') GROUP BY 1, 2, 3
        )
        SELECT workspace_id, id, by FROM meant WHERE status = 'live'
        UNION ALL
        SELECT j.workspace_id, j.id, NULL FROM journey j
        WHERE j.status = 'paused' AND j.pause_reason LIKE %s
          AND NOT EXISTS (SELECT FROM meant m WHERE m.workspace_id = j.workspace_id AND m.id = j.id)
        ORDER BY 1, 2 LIMIT 1
        """,
        (*columns(list(aims), 4), f"{SEASON}%"),
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def plan_of(connection: Connection, workspace_id: int, journey_id: int) -> int | None:
    """In which plan a journey lies."""
    row = connection.execute(
        "SELECT plan_id FROM journey WHERE workspace_id = %s AND id = %s", (workspace_id, journey_id)
    ).fetchone()
    return row[0] if row else None


class Seen(NamedTuple):
    """The journeys and plans of a workspace by name, who lies where, and the seasons that are published."""

    journeys: dict[int, str]
    plans: dict[int, str]
    plan_of: dict[int, int]
    seasons: dict[int, dict[str, Any]]


def seen(connection: Connection, workspace_id: int) -> Seen:
    """What the season of a draft may speak of; only what the caller's scope shows."""
    rows = connection.execute(
        """
        SELECT j.id, j.name, j.plan_id, CASE WHEN j.status IN ('live', 'paused') THEN v.season END FROM journey j
        LEFT JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        WHERE j.workspace_id = %s AND in_scope(j.scope)
        """,
        (workspace_id,),
    ).fetchall()
    plans = connection.execute(
        "SELECT id, name FROM plan WHERE workspace_id = %s AND in_scope(scope)", (workspace_id,)
    ).fetchall()
    return Seen(
        {id: name for id, name, _, _ in rows},
        dict(plans),
        {id: plan for id, _, plan, _ in rows if plan is not None},
        {id: season for id, _, _, season in rows if season is not None},
    )


class Turned(NamedTuple):
    """Somebody who was not let in."""

    workspace_id: int
    lane: int
    contact_id: int
    journey_id: int
    reason: str
    version_id: int
    at: datetime


def turn_away(connection: Connection, turned: Iterable[Turned]) -> None:
    """Keep why people did not come in: one row for each person, journey and reason, with the last time and how often."""
    latest: dict[tuple[Any, ...], tuple[Turned, int]] = {}
    for one in turned:
        before = latest.get(one[:5])
        latest[one[:5]] = one, (before[1] if before else 0) + 1
    if not latest:
        return
    connection.execute(
        """
        INSERT INTO turned_away AS kept (workspace_id, lane, contact_id, journey_id, reason, version_id, at, times)
        SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::int[], %s::text[], %s::int[], %s::timestamptz[],
                             %s::int[])
        ON CONFLICT (workspace_id, lane, contact_id, journey_id, reason)
        DO UPDATE SET at = excluded.at, version_id = excluded.version_id, times = kept.times + excluded.times
        """,
        columns([(*one, times) for one, times in latest.values()], 8),
    )
