"""Tallies of a part of the time: sums of few rows whatever the period, the course of entries, when the next wait ends.

Every question is one statement of bounded work: spans of days in the middle, of hours and five minutes at the edges, and the
minutes that are not folded yet. Never counts people.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from app.lanes import ALL_LANES
from app.store.rows import Connection, columns
from app.store.tallies import DAY_MINUTES, SHORT_KEPT, SHORT_MINUTES

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
EDGE = timedelta(hours=1)  # so long before they are forgotten, short spans are not relied on any more
SHORT, HOUR, DAY = timedelta(minutes=SHORT_MINUTES), timedelta(hours=1), timedelta(minutes=DAY_MINUTES)
COURSE_AT_MOST = timedelta(days=366)
FRONT = 100  # so many of each lane's next timers are looked at to find when a crowded node's next wait ends
FEW = 200  # nodes with no more people than this are looked at directly

Count = tuple[int, str, str, int]  # version, node, port, how many


class Piece(NamedTuple):
    """A stretch of time that whole spans of one length cover."""

    minutes: int
    since: datetime
    until: datetime


def grain(since: datetime, now: datetime) -> timedelta:
    """How finely a period that begins then can be told: five minutes of late, else an hour."""
    return SHORT if since > now - SHORT_KEPT + EDGE else HOUR


def floor(at: datetime, step: timedelta) -> datetime:
    """The last moment on this step."""
    began = datetime(1970, 1, 1, tzinfo=UTC)
    return began + (at - began) // step * step


def pieces(since: datetime, until: datetime | None) -> list[Piece]:
    """The spans that make up a period, from coarse ones in the middle to fine ones at its edges."""
    end = until or FOREVER
    first_hour, first_day = _ceil(since, HOUR), _ceil(since, DAY)
    last_hour, last_day = floor(end, HOUR), floor(end, DAY)
    if first_hour >= last_hour:
        whole = [(SHORT_MINUTES, since, min(first_hour, end)), (SHORT_MINUTES, max(last_hour, since), end)]
        cut = [(SHORT_MINUTES, since, end)] if first_hour > last_hour else whole
    elif first_day > last_day:
        cut = [(SHORT_MINUTES, since, first_hour), (60, first_hour, last_hour), (SHORT_MINUTES, last_hour, end)]
    else:
        cut = [
            (SHORT_MINUTES, since, first_hour),
            (60, first_hour, first_day),
            (DAY_MINUTES, first_day, last_day),
            (60, last_day, last_hour),
            (SHORT_MINUTES, last_hour, end),
        ]
    return [Piece(*one) for one in cut if one[1] < one[2]]


def counts(
    connection: Connection, workspace_id: int, journey_id: int, since: datetime, until: datetime | None
) -> list[Count]:
    """What was counted in a period whose ends lie on `grain`."""
    cut = pieces(since, until)
    rows = connection.execute(
        """
        SELECT version_id, node, port, sum(count)::bigint FROM (
            SELECT version_id, node, port, count FROM tally
            WHERE workspace_id = %(w)s AND journey_id = %(j)s AND minute >= %(since)s AND minute < %(until)s
            UNION ALL
            SELECT h.version_id, h.node, h.port, h.count
            FROM unnest(%(hour_since)s::timestamptz[], %(hour_until)s::timestamptz[]) AS p(since, until)
            CROSS JOIN LATERAL (
                SELECT version_id, node, port, count FROM tally_hour
                WHERE workspace_id = %(w)s AND journey_id = %(j)s AND hour >= p.since AND hour < p.until
            ) AS h
            UNION ALL
            SELECT s.version_id, s.node, s.port, s.count
            FROM unnest(%(minutes)s::int[], %(span_since)s::timestamptz[], %(span_until)s::timestamptz[])
              AS p(minutes, since, until)
            CROSS JOIN LATERAL (
                SELECT version_id, node, port, count FROM tally_span
                WHERE workspace_id = %(w)s AND minutes = p.minutes AND journey_id = %(j)s
                  AND at >= p.since AND at < p.until
            ) AS s
        ) AS counted GROUP BY 1, 2, 3
        """,
        {"w": workspace_id, "j": journey_id, "since": since, "until": until or FOREVER, **_arrays(cut)},
    ).fetchall()
    return [(version, node, port, count) for version, node, port, count in rows]


class Bar(NamedTuple):
    """What happened in one stretch of a course."""

    at: datetime
    port: str
    people: int


def course(
    connection: Connection, place: tuple[int, int], version_id: int | None, over: tuple[datetime, datetime, str]
) -> list[Bar]:
    """How many entered and left in each stretch of a period, for `place`: workspace and journey.

    `over`: since, until, and `short`, `hour` or `day`.
    """
    since, until, stretch = over
    # Folded and unfolded alike, so that a course ends with this very minute.
    rows = connection.execute(
        """
        SELECT CASE %(stretch)s WHEN 'short' THEN date_bin('5 minutes', at, to_timestamp(0))
               ELSE date_trunc(%(stretch)s, at, 'UTC') END, port, sum(count)::bigint
        FROM (
            SELECT minute AS at, port, count, version_id FROM tally
            WHERE workspace_id = %(w)s AND journey_id = %(j)s AND node = '' AND minute >= %(since)s AND minute < %(until)s
            UNION ALL
            SELECT hour, port, count, version_id FROM tally_hour
            WHERE %(stretch)s = 'hour' AND workspace_id = %(w)s AND journey_id = %(j)s AND node = ''
              AND hour >= %(since)s AND hour < %(until)s
            UNION ALL
            SELECT at, port, count, version_id FROM tally_span
            WHERE %(stretch)s <> 'hour' AND workspace_id = %(w)s AND journey_id = %(j)s AND node = ''
              AND minutes = CASE %(stretch)s WHEN 'day' THEN 1440 ELSE 5 END AND at >= %(since)s AND at < %(until)s
        ) AS counted
        WHERE %(version)s::int IS NULL OR version_id = %(version)s
        GROUP BY 1, 2 ORDER BY 1
        """,
        {
            "w": place[0],
            "j": place[1],
            "version": version_id,
            "since": since,
            "until": until,
            "stretch": stretch,
        },
    ).fetchall()
    return [Bar(at, port, count) for at, port, count in rows]


def next_due(
    connection: Connection, workspace_id: int, waiting: Mapping[tuple[int, str], int]
) -> dict[tuple[int, str], datetime]:
    """When the next wait of each `(version, node)` ends; a crowded one is told if it is among the workspace's next timers."""
    few = [place for place, count in sorted(waiting.items()) if 0 < count <= FEW]
    crowded = [place for place, count in sorted(waiting.items()) if count > FEW]
    if not few and not crowded:
        return {}
    rows = connection.execute(
        """
        WITH front AS (
            SELECT mine_lane, e.wake_at, e.workspace_id, e.version_id, e.node
            FROM unnest(%(lanes)s::smallint[]) AS mine(mine_lane) CROSS JOIN LATERAL (
                SELECT wake_at, workspace_id, version_id, node FROM enrollment
                WHERE lane = mine_lane AND status = 0 AND wake_at IS NOT NULL AND %(look)s
                ORDER BY wake_at LIMIT %(front)s
            ) AS e
        ), horizon AS (
            SELECT min(last) AS last
            FROM (SELECT max(wake_at) AS last FROM front GROUP BY mine_lane HAVING count(*) = %(front)s) AS full_
        )
        SELECT f.version_id, f.node, min(f.wake_at) FROM front f CROSS JOIN horizon
        JOIN unnest(%(big_versions)s::int[], %(big_nodes)s::text[]) AS big(version_id, node)
          ON big.version_id = f.version_id AND big.node = f.node
        WHERE f.workspace_id = %(w)s AND (horizon.last IS NULL OR f.wake_at <= horizon.last)
        GROUP BY 1, 2
        UNION ALL
        SELECT one.version_id, one.node, here.wake_at
        FROM unnest(%(versions)s::int[], %(nodes)s::text[]) AS one(version_id, node) CROSS JOIN LATERAL (
            SELECT min(e.wake_at) AS wake_at FROM enrollment e
            WHERE e.workspace_id = %(w)s AND e.version_id = one.version_id AND e.node = one.node
              AND e.status IN (0, 3, 4) AND e.status = 0
        ) AS here WHERE here.wake_at IS NOT NULL
        """,
        {
            "w": workspace_id,
            "lanes": list(ALL_LANES),
            "front": FRONT,
            "look": bool(crowded),
            **dict(zip(("versions", "nodes"), columns(few, 2), strict=True)),
            **dict(zip(("big_versions", "big_nodes"), columns(crowded, 2), strict=True)),
        },
    ).fetchall()
    return {(version, node): at for version, node, at in rows}


def _ceil(at: datetime, step: timedelta) -> datetime:
    below = floor(at, step)
    return below if below == at else below + step


def _arrays(cut: Sequence[Piece]) -> dict[str, Any]:
    hours = [(one.since, one.until) for one in cut if one.minutes == 60]
    spans = [tuple(one) for one in cut if one.minutes != 60]
    return {
        **dict(zip(("hour_since", "hour_until"), columns(hours, 2), strict=True)),
        **dict(zip(("minutes", "span_since", "span_until"), columns(spans, 3), strict=True)),
    }
