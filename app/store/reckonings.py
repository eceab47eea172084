"""What plans have reached and spent, counted set-wise: all plans that are due in four statements. Never a contact at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from app.store.rows import Connection, columns

WORK_MEMORY = "64MB"
LARGEST_AMOUNT = 10**12  # beyond it an amount is a mistake: a sum of such would end the count of every plan
RECKON_LOCK = 0x4A43_504C  # one process counts at a time


def alone(connection: Connection) -> bool:
    """Whether nobody else is counting; until the transaction ends."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (RECKON_LOCK,)).fetchone()
    return bool(row and row[0])


class Open(NamedTuple):
    """A plan that is to be counted."""

    workspace_id: int
    id: int
    details: dict[str, Any]
    created_at: datetime
    timezone: str
    as_of: datetime | None
    took_ms: int


def countable(connection: Connection) -> list[Open]:
    """Every plan with a target or a budget that is in sight, the one counted longest ago first."""
    rows = connection.execute(
        """
        SELECT p.workspace_id, p.id, p.details, p.created_at, w.timezone, r.as_of, coalesce(r.took_ms, 0)
        FROM plan p JOIN workspace w ON w.id = p.workspace_id
        LEFT JOIN plan_reading r ON r.workspace_id = p.workspace_id AND r.plan_id = p.id
        WHERE p.archived_at IS NULL AND p.details ?| ARRAY['measure', 'budget']
        ORDER BY r.as_of NULLS FIRST, p.id
        """
    ).fetchall()
    return [Open._make(row) for row in rows]


class Window(NamedTuple):
    """The stretch of time a plan counts in: whole UTC days in the middle, hours at both edges."""

    workspace_id: int
    plan_id: int
    since: datetime
    first_day: datetime
    last_day: datetime
    until: datetime


Day = tuple[int, str, str, float]  # plan, day, what, how many


def tallied(connection: Connection, windows: Sequence[Window]) -> list[Day]:
    """By plan and UTC day: who entered and reached the goal, which messages went out and were clicked. From rollups."""
    if not windows:
        return []
    return connection.execute(
        """
        WITH own AS (
            SELECT w.*, j.id AS journey FROM unnest(%s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[]) AS w(workspace_id, plan_id, since, first_day, last_day, until)
            JOIN journey j ON j.workspace_id = w.workspace_id AND j.plan_id = w.plan_id
        ), counted AS (
            SELECT own.plan_id, t.minute AS at, t.node, t.port, t.count FROM own JOIN tally t
              ON t.workspace_id = own.workspace_id AND t.journey_id = own.journey
             AND t.minute >= own.since AND t.minute < own.until
            UNION ALL
            SELECT own.plan_id, t.at, t.node, t.port, t.count FROM own JOIN tally_span t
              ON t.workspace_id = own.workspace_id AND t.minutes = 1440 AND t.journey_id = own.journey
             AND t.at >= own.first_day AND t.at < own.last_day
            UNION ALL
            SELECT own.plan_id, t.hour, t.node, t.port, t.count FROM own JOIN tally_hour t
              ON t.workspace_id = own.workspace_id AND t.journey_id = own.journey
             AND t.hour >= own.since AND t.hour < least(own.first_day, own.until)
            UNION ALL
            SELECT own.plan_id, t.hour, t.node, t.port, t.count FROM own JOIN tally_hour t
              ON t.workspace_id = own.workspace_id AND t.journey_id = own.journey
             AND t.hour >= greatest(own.last_day, own.first_day) AND t.hour < own.until
        )
        SELECT plan_id, ((at AT TIME ZONE 'UTC')::date)::text, port, sum(count)::float FROM counted
        WHERE (node = '' AND port IN ('entered', '!goal')) OR (node <> '' AND port IN ('!sent', '!clicked'))
        GROUP BY 1, 2, 3
        """,
        columns(windows, 6),
    ).fetchall()


class Asked(NamedTuple):
    """An event metric: people who did it first on a day (`property` None), or the sum of a number of its properties."""

    workspace_id: int
    plan_id: int
    event: str
    property: str | None
    since: datetime
    until: datetime


def happened(connection: Connection, asked: Sequence[Asked]) -> list[Day]:
    """By plan and UTC day: people who did the event for the first time, or sums. From the history, a partition at a time."""
    if not asked:
        return []
    # Sorting a million people in the usual few megabytes would go to disk.
    connection.execute("SELECT set_config('work_mem', %s, true), set_config('jit', 'off', true)", (WORK_MEMORY,))
    return connection.execute(
        """
        WITH one AS MATERIALIZED (
            SELECT * FROM unnest(%(workspaces)s::int[], %(plans)s::int[], %(events)s::text[], %(properties)s::text[],
                %(sinces)s::timestamptz[], %(untils)s::timestamptz[]) AS one(workspace_id, plan_id, event, property, since, until)
        )
        SELECT plan_id, ((first AT TIME ZONE 'UTC')::date)::text, 'people', count(*)::float FROM (
            SELECT one.plan_id, e.contact_id, min(e.timestamp) AS first
            FROM event e JOIN one ON e.workspace_id = one.workspace_id AND e.name = one.event
             AND e.timestamp >= one.since AND e.timestamp < one.until
            WHERE one.property IS NULL AND e.timestamp >= %(since)s AND e.timestamp < %(until)s AND e.name = ANY(%(people)s)
            GROUP BY 1, 2
        ) AS people GROUP BY 1, 2
        UNION ALL
        SELECT one.plan_id, ((e.timestamp AT TIME ZONE 'UTC')::date)::text, 'sum',
               coalesce(sum(CASE WHEN abs((e.properties ->> one.property)::numeric) <= %(most)s
                   THEN (e.properties ->> one.property)::float END), 0)
        FROM event e JOIN one ON e.workspace_id = one.workspace_id AND e.name = one.event
         AND e.timestamp >= one.since AND e.timestamp < one.until
        WHERE one.property IS NOT NULL AND e.timestamp >= %(since)s AND e.timestamp < %(until)s AND e.name = ANY(%(summed)s)
          AND jsonb_typeof(e.properties -> one.property) = 'number'
        GROUP BY 1, 2
        """,
        {
            **dict(
                zip(("workspaces", "plans", "events", "properties", "sinces", "untils"), columns(asked, 6), strict=True)
            ),
            "people": sorted({one.event for one in asked if one.property is None}),
            "summed": sorted({one.event for one in asked if one.property is not None}),
            "most": LARGEST_AMOUNT,
            "since": min(one.since for one in asked),
            "until": max(one.until for one in asked),
        },
    ).fetchall()


def messages(
    connection: Connection, plans: Sequence[tuple[int, int]], channels: Mapping[str, str]
) -> list[tuple[int, str, str, int]]:
    """By plan, channel and fate how many messages its journeys ever wrote; `channels` by type of step. From rollups."""
    if not plans:
        return []
    return connection.execute(
        """
        WITH own AS (
            SELECT p.workspace_id, p.plan_id, j.id AS journey FROM unnest(%s::int[], %s::int[]) AS p(workspace_id, plan_id)
            JOIN journey j ON j.workspace_id = p.workspace_id AND j.plan_id = p.plan_id
        ), counted AS (
            SELECT own.plan_id, t.version_id, t.node, t.port, t.count FROM own JOIN tally t
              ON t.workspace_id = own.workspace_id AND t.journey_id = own.journey
            UNION ALL
            SELECT own.plan_id, t.version_id, t.node, t.port, t.count FROM own JOIN tally_span t
              ON t.workspace_id = own.workspace_id AND t.minutes = 0 AND t.journey_id = own.journey
        ), sums AS (
            SELECT plan_id, version_id, node, CASE WHEN left(port, 12) = '!suppressed:' THEN '!suppressed' ELSE port END AS port,
                   sum(count) AS count
            FROM counted WHERE node <> '' AND left(port, 1) = '!' GROUP BY 1, 2, 3, 4
        ), steps AS (
            SELECT v.id, n ->> 'id' AS node, c.channel FROM version v
            CROSS JOIN LATERAL jsonb_array_elements(v.document -> 'nodes') AS n
            JOIN unnest(%s::text[], %s::text[]) AS c(type, channel) ON c.type = n ->> 'type'
            WHERE v.id IN (SELECT version_id FROM sums)
        )
        SELECT s.plan_id, steps.channel, s.port, sum(s.count)::bigint FROM sums s
        JOIN steps ON steps.id = s.version_id AND steps.node = s.node GROUP BY 1, 2, 3
        """,
        (*columns(plans, 2), *columns(sorted(channels.items()), 2)),
    ).fetchall()


def keep(
    connection: Connection, readings: Sequence[tuple[int, int, dict[str, Any]]], now: datetime, took_ms: int
) -> None:
    """What was counted of each plan (workspace, plan, detail)."""
    if not readings:
        return
    connection.execute(
        """
        INSERT INTO plan_reading AS kept (workspace_id, plan_id, as_of, took_ms, detail)
        SELECT workspace_id, plan_id, %s, %s, detail
        FROM jsonb_to_recordset(%s) AS one(workspace_id int, plan_id int, detail jsonb)
        ON CONFLICT (workspace_id, plan_id)
        DO UPDATE SET as_of = excluded.as_of, took_ms = excluded.took_ms, detail = excluded.detail
        """,
        (
            now,
            took_ms,
            Jsonb([{"workspace_id": w, "plan_id": p, "detail": detail} for w, p, detail in readings]),
        ),
    )
