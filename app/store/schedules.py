"""Schedules and runs: when entries fire next, and how far each firing has come in each lane. Never decides when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.lanes import ALL_LANES
from app.store.rows import Connection, columns


class Due(NamedTuple):
    """A schedule whose time has come."""

    workspace_id: int
    journey_id: int
    node: str
    version_id: int
    next_at: datetime


class Run(NamedTuple):
    """An unfinished firing with its open lanes among those asked for: `(lane, after_id)`."""

    workspace_id: int
    id: int
    journey_id: int
    version_id: int
    node: str
    planned_at: datetime
    detail: dict[str, Any]
    lanes: list[tuple[int, int]]


def replace(
    connection: Connection,
    workspace_id: int,
    journey_id: int,
    version_id: int,
    firings: Sequence[tuple[str, str, datetime | None]],
) -> None:
    """The schedules of a journey are these `(node, kind, next)` of this version from now on."""
    connection.execute("DELETE FROM schedule WHERE workspace_id = %s AND journey_id = %s", (workspace_id, journey_id))
    connection.execute(
        """
        INSERT INTO schedule (workspace_id, journey_id, version_id, node, kind, next_at)
        SELECT %s, %s, %s, * FROM unnest(%s::text[], %s::text[], %s::timestamptz[])
        """,
        (workspace_id, journey_id, version_id, *columns(firings, 3)),
    )


def due(connection: Connection, now: datetime, limit: int = 100) -> list[Due]:
    """Schedules whose time has come, locked so that two workers do not fire one twice."""
    rows = connection.execute(
        """
        SELECT workspace_id, journey_id, node, version_id, next_at FROM schedule
        WHERE next_at <= %s ORDER BY next_at LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        (now, limit),
    ).fetchall()
    return [Due._make(row) for row in rows]


def next_due(connection: Connection) -> datetime | None:
    """When the next schedule fires."""
    row = connection.execute("SELECT min(next_at) FROM schedule").fetchone()
    return row[0] if row else None


def advance(connection: Connection, fired: Sequence[tuple[Due, datetime | None]]) -> None:
    """Set the next firing of each."""
    connection.execute(
        """
        UPDATE schedule s SET next_at = one.next_at
        FROM unnest(%s::int[], %s::int[], %s::text[], %s::timestamptz[]) AS one(workspace_id, journey_id, node, next_at)
        WHERE s.workspace_id = one.workspace_id AND s.journey_id = one.journey_id AND s.node = one.node
        """,
        columns([(due.workspace_id, due.journey_id, due.node, next_at) for due, next_at in fired], 4),
    )


def open_runs(connection: Connection, fired: Sequence[tuple[Due, dict[str, Any], bool]]) -> None:
    """Begin a run for each firing; one that was begun before (same node, same instant) is not begun again.

    In a one-off plan an entry runs once for its whole audience; a second such run (true in the third place) is refused.
    """
    connection.execute(
        """
        WITH begun AS (
            INSERT INTO run (workspace_id, journey_id, version_id, node, planned_at, detail)
            SELECT workspace_id, journey_id, version_id, node, planned_at, detail
            FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::boolean[])
              AS one(workspace_id, journey_id, version_id, node, planned_at, detail, whole)
            WHERE NOT (one.whole AND EXISTS (
                SELECT FROM journey j JOIN plan p ON p.workspace_id = j.workspace_id AND p.id = j.plan_id
                JOIN run r ON r.workspace_id = j.workspace_id AND r.journey_id = j.id AND r.node = one.node
                WHERE j.workspace_id = one.workspace_id AND j.id = one.journey_id AND p.details ->> 'cadence' = 'one_off'))
            ON CONFLICT (workspace_id, journey_id, node, planned_at) DO NOTHING RETURNING workspace_id, id
        )
        INSERT INTO run_lane (workspace_id, run_id, lane, after_id, entered, done)
        SELECT workspace_id, id, lane, 0, 0, false FROM begun CROSS JOIN unnest(%s::smallint[]) AS every(lane)
        """,
        (
            *columns(
                [
                    (
                        d.workspace_id,
                        d.journey_id,
                        d.version_id,
                        d.node,
                        d.next_at,
                        msgspec.json.encode(detail).decode(),
                        whole,
                    )
                    for d, detail, whole in fired
                ],
                7,
            ),
            list(ALL_LANES),
        ),
    )


def next_run(connection: Connection, lanes: Sequence[int], paused: Sequence[int], broken: Sequence[int]) -> Run | None:
    """The oldest unfinished run with open lanes among these. Of paused versions only those that let nobody in."""
    row = connection.execute(
        """
        SELECT r.workspace_id, r.id, r.journey_id, r.version_id, r.node, r.planned_at, r.detail,
               array_agg(l.lane ORDER BY l.lane), array_agg(l.after_id ORDER BY l.lane)
        FROM run_lane l JOIN run r ON r.workspace_id = l.workspace_id AND r.id = l.run_id
        WHERE NOT l.done AND l.lane = ANY(%s) AND r.version_id <> ALL(%s)
          AND (r.version_id <> ALL(%s) OR r.detail ? 'absorb')
        GROUP BY r.workspace_id, r.id ORDER BY r.id LIMIT 1
        """,
        (list(lanes), list(broken), list(paused)),
    ).fetchone()
    if row is None:
        return None
    *fields, numbers, after = row
    return Run._make([*fields, list(zip(numbers, after, strict=True))])


def alone(connection: Connection, run: Run) -> bool:
    """Whether nobody but this run has ever let people into the journey: then no one of the next slice has been there.

    Entries and progress are committed together, so the two sums are equal only when there were no others.
    """
    row = connection.execute(
        """
        SELECT (SELECT coalesce(sum(count), 0) FROM tally WHERE workspace_id = %(w)s AND journey_id = %(j)s
                AND node = '' AND port = 'entered')
             + (SELECT coalesce(sum(count), 0) FROM tally_hour WHERE workspace_id = %(w)s AND journey_id = %(j)s
                AND node = '' AND port = 'entered')
             = (SELECT coalesce(sum(entered), 0) FROM run_lane WHERE workspace_id = %(w)s AND run_id = %(r)s)
        """,
        {"w": run.workspace_id, "j": run.journey_id, "r": run.id},
    ).fetchone()
    return bool(row and row[0])


def progress(connection: Connection, run: Run, lanes: Sequence[tuple[int, int, int, bool]]) -> None:
    """How far the run has come: `(lane, after_id, entered, done)`; the run is over when its last lane is."""
    connection.execute(
        """
        UPDATE run_lane l SET after_id = one.after_id, entered = l.entered + one.entered, done = one.done
        FROM unnest(%s::smallint[], %s::bigint[], %s::int[], %s::bool[]) AS one(lane, after_id, entered, done)
        WHERE l.workspace_id = %s AND l.run_id = %s AND l.lane = one.lane
        """,
        (*columns(lanes, 4), run.workspace_id, run.id),
    )


def finish(connection: Connection, now: datetime) -> int:
    """Close runs whose lanes are all done and forget the lanes; returns how many."""
    row = connection.execute(
        """
        WITH over AS (
            UPDATE run r SET finished_at = %s WHERE finished_at IS NULL AND NOT EXISTS (
                SELECT FROM run_lane l WHERE l.workspace_id = r.workspace_id AND l.run_id = r.id AND NOT l.done)
            RETURNING workspace_id, id
        ), gone AS (
            DELETE FROM run_lane l USING over o WHERE l.workspace_id = o.workspace_id AND l.run_id = o.id
        )
        SELECT count(*) FROM over
        """,
        (now,),
    ).fetchone()
    return int(row[0]) if row else 0


def zones(connection: Connection, workspace_ids: Sequence[int]) -> dict[int, list[str]]:
    """The zones that contacts of these workspaces name."""
    if not workspace_ids:
        return {}
    rows = connection.execute(
        """
        SELECT workspace_id, array_agg(DISTINCT attributes ->> 'timezone') FROM contact
        WHERE workspace_id = ANY(%s) AND attributes ? 'timezone' GROUP BY 1
        """,
        (list(workspace_ids),),
    ).fetchall()
    return {workspace: [name for name in names if name] for workspace, names in rows}


def zones_changed(connection: Connection, workspace_ids: Sequence[int], now: datetime) -> None:
    """Contacts took on zones: date entries of these workspaces look again who is where."""
    connection.execute(
        "UPDATE schedule SET next_at = %s WHERE workspace_id = ANY(%s) AND next_at > %s AND kind = 'date'",
        (now, list(workspace_ids), now),
    )
