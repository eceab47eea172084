"""The people behind a number of a journey: who waits, who came by, who is through; keyset pages of bounded work.

Who stands somewhere is read by the index over nodes, who left early or failed by that over ends, the latest first. Who came
to the end, or by a step, stands in no index (a blast would pay for it): there a page looks through so many enrollments and no
more, and says where the next one goes on. Never counts.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from app.store.rows import Connection

WINDOW = 3_000  # enrollments that one page of a filtered list looks through
WIDE = 30_000  # the same, where a look at the row itself is enough
OPEN, OVER, DONE = 0, 1, 2
COMPLETED = 1


class Wanted(NamedTuple):
    """Whom a list is about. `arrived`: who came to `node`; `port`: who left it by that port; else who stands or ended there."""

    workspace_id: int
    versions: Sequence[int]
    statuses: Sequence[int]
    node: str | None = None
    port: str | None = None
    arrived: bool = False
    reason: str | None = None
    in_place: bool = False  # ended at the node itself, not by a port that leads nowhere
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filtered(self) -> bool:
        """Whether each enrollment has to be looked at."""
        passed = self.arrived or self.port is not None or self.since is not None or self.until is not None
        return passed or self.in_place or self.reason is not None

    @property
    def of_trail(self) -> bool:
        """Whether it is about who came by, wherever they are now."""
        return self.arrived or self.port is not None


class Found(NamedTuple):
    """Somebody in a list. `at`: since when they stand there, or when they came by or ended; `times` they came by."""

    version_id: int
    node: str
    lane: int
    id: int
    contact_id: int
    status: int
    entered_at: datetime
    at: datetime
    wake_at: datetime | None
    reason: str | None
    key: str
    name: str | None
    identity: list[str] | None
    times: int


class Slice(NamedTuple):
    """A part of a list, and the place where the next one begins."""

    people: list[Found]
    next: list[Any] | None
    looked_at: int


COLUMNS: LiteralString = """
    e.version_id, e.node, e.lane, e.id, e.contact_id, e.status, e.entered_at, e.rested_at, e.wake_at, e.reason, e.key, e.walks
"""
STANDING: LiteralString = f"""
    SELECT {COLUMNS}, true AS fits FROM unnest(%(versions)s::int[]) AS v(id) CROSS JOIN LATERAL (
        SELECT * FROM enrollment e
        WHERE e.workspace_id = %(w)s AND e.version_id = v.id AND e.status IN (0, 3, 4) AND e.status = ANY(%(statuses)s)
          AND (%(at_node)s::text IS NULL OR e.node = %(at_node)s)
          AND e.node >= CASE WHEN v.id = %(a)s THEN %(b)s ELSE '' END
          AND (v.id > %(a)s OR (e.node, e.lane, e.id) > (%(b)s, %(c)s::smallint, %(d)s::bigint))
        ORDER BY e.node, e.lane, e.id LIMIT %(window)s
    ) AS e WHERE v.id >= %(a)s ORDER BY e.version_id, e.node, e.lane, e.id LIMIT %(window)s
"""
STANDING_AT: LiteralString = f"""
    SELECT {COLUMNS}, true AS fits FROM unnest(%(versions)s::int[]) AS v(id) CROSS JOIN LATERAL (
        SELECT * FROM enrollment e
        WHERE e.workspace_id = %(w)s AND e.version_id = v.id AND e.status IN (0, 3, 4) AND e.status = ANY(%(statuses)s)
          AND e.node = %(at_node)s AND e.lane >= CASE WHEN v.id = %(a)s AND %(b)s <> '' THEN %(c)s ELSE -1 END
          AND (v.id > %(a)s OR (e.lane, e.id) > (%(c)s::smallint, %(d)s::bigint))
        ORDER BY e.lane, e.id LIMIT %(window)s
    ) AS e WHERE v.id >= %(a)s ORDER BY e.version_id, e.node, e.lane, e.id LIMIT %(window)s
"""
THROUGH: LiteralString = f"""
    SELECT {COLUMNS}, true AS fits
    FROM unnest(%(versions)s::int[]) AS v(id) CROSS JOIN unnest(%(statuses)s::smallint[]) AS s(status)
    CROSS JOIN LATERAL (
        SELECT * FROM enrollment e
        WHERE e.workspace_id = %(w)s AND e.version_id = v.id AND e.status = s.status AND e.status IN (2, 3)
          AND e.id < %(before)s
        ORDER BY e.id DESC LIMIT %(window)s
    ) AS e ORDER BY e.id DESC LIMIT %(window)s
"""
ARRIVED: LiteralString = f"""
    SELECT {COLUMNS}, e.status = 1 AND e.version_id = ANY(%(versions)s) AS fits FROM enrollment e
    WHERE e.workspace_id = %(w)s AND (e.lane, e.id) > (%(c)s::smallint, %(d)s::bigint)
    ORDER BY e.lane, e.id LIMIT %(window)s
"""
# A step stands in the trail as ["node","port",…]; words of people are escaped there, so the text can be searched for it.
# The first step of a later walk is where the last one came to rest: no arrival.
PASSED: LiteralString = """
    SELECT max(t.at) AS at, sum((length(t.steps) - length(replace(t.steps, %(step)s, ''))) / length(%(step)s)
        - CASE WHEN %(arrived)s AND t.walk > 1 AND starts_with(t.steps, '[' || %(step)s) THEN 1 ELSE 0 END)::int AS times
    FROM trail t
    WHERE t.workspace_id = %(w)s AND t.lane = e.lane AND t.enrollment_id = e.id
      AND (%(since)s::timestamptz IS NULL OR t.at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR t.at < %(until)s)
      AND strpos(t.steps, %(step)s) > 0
      AND NOT (%(arrived)s AND t.walk > 1 AND starts_with(t.steps, '[' || %(step)s)
               AND strpos(substr(t.steps, 2 + length(%(step)s)), %(step)s) = 0)
"""
LASTLY: LiteralString = """
    SELECT CASE WHEN e.status IN (0, 4) THEN e.rested_at ELSE
        (SELECT t.at FROM trail t WHERE t.workspace_id = %(w)s AND t.lane = e.lane AND t.enrollment_id = e.id
         AND t.walk = e.walks) END AS at, 1 AS times
"""
NAMED: LiteralString = """
    SELECT p.version_id, p.node, p.lane, p.id, p.contact_id, p.status, p.entered_at, coalesce(p.at, p.entered_at), p.wake_at,
           p.reason, p.key, c.attributes ->> 'name', i.identity, p.times, p.row
    FROM picked p
    LEFT JOIN contact c ON c.workspace_id = %(w)s AND c.lane = p.lane AND c.id = p.contact_id
    LEFT JOIN LATERAL (
        SELECT ARRAY[i.kind, i.value] AS identity FROM identity i
        WHERE i.workspace_id = %(w)s AND i.contact_id = p.contact_id
        ORDER BY array_position(ARRAY['user_id', 'email', 'phone', 'anonymous_id'], i.kind), i.created_at LIMIT 1
    ) AS i ON true
    ORDER BY p.row
"""


def people(connection: Connection, wanted: Wanted, after: Sequence[Any] | None, limit: int) -> Slice:
    """A page of people: those who stand somewhere, then who left early, then who came to the end; at most one question each."""
    source, *place = after if after is not None else [OPEN]
    found: list[Found] = []
    looked = 0
    for number, statuses in _sources(wanted):
        if number < source:
            continue
        if len(found) >= limit:
            return Slice(found, [number], looked)
        more, end, count = _slice(
            connection, wanted, number, statuses, place if number == source else [], limit - len(found)
        )
        found, looked = found + more, looked + count
        if end is not None:
            return Slice(found, [number, *end], looked)
    return Slice(found, None, looked)


def _sources(wanted: Wanted) -> list[tuple[int, list[int]]]:
    """Where people of these statuses are found, in the order of the list."""
    standing = [status for status in wanted.statuses if status in (0, 4) or (status == 3 and not _through(wanted))]
    over = [status for status in wanted.statuses if status in (2, 3) and status not in standing]
    done = [COMPLETED] if COMPLETED in wanted.statuses and wanted.reason is None else []
    return [(number, statuses) for number, statuses in ((OPEN, standing), (OVER, over), (DONE, done)) if statuses]


def _through(wanted: Wanted) -> bool:
    """Whether failed people are listed among those who are through: where no single node is asked for."""
    return wanted.node is None or wanted.of_trail or wanted.in_place


def _slice(
    connection: Connection, wanted: Wanted, source: int, statuses: Sequence[int], place: Sequence[Any], limit: int
) -> tuple[list[Found], list[Any] | None, int]:
    at_node = None if wanted.of_trail else wanted.node
    base = THROUGH if source == OVER else ARRIVED if source == DONE else STANDING_AT if at_node else STANDING
    a, b, c, d = place if source == OPEN and place else (-1, "", *(place if source == DONE and place else (-1, -1)))
    window = _window(wanted, source, limit)
    values = {
        "w": wanted.workspace_id,
        "versions": sorted(wanted.versions),
        "statuses": list(statuses),
        "at_node": at_node,
        "a": a,
        "b": b,
        "c": c,
        "d": d,
        "before": place[0] if source == OVER and place else 2**63 - 1,
        "window": window,
        "step": _step(wanted),
        "arrived": wanted.arrived,
        "since": wanted.since,
        "until": wanted.until,
        "reason": wanted.reason,
        "in_place": wanted.in_place,
        "limit": limit + 1,
    }
    rows = connection.execute(
        f"""
        WITH base AS MATERIALIZED ({base}), numbered AS (SELECT row_number() OVER () AS row, * FROM base),
        picked AS (
            SELECT e.*, met.at, met.times FROM numbered e CROSS JOIN LATERAL ({PASSED if wanted.of_trail else LASTLY}) AS met
            WHERE e.fits AND met.times > 0 AND (%(reason)s::text IS NULL OR e.reason = %(reason)s)
              AND (%(at_node)s::text IS NULL OR e.node = %(at_node)s)
              AND NOT (%(in_place)s AND coalesce(starts_with(e.reason, e.node || '.'), false))
              AND (%(since)s::timestamptz IS NULL OR met.at >= %(since)s)
              AND (%(until)s::timestamptz IS NULL OR met.at < %(until)s)
            ORDER BY e.row LIMIT %(limit)s
        ), seen AS (
            SELECT row AS n, version_id, node, lane, id FROM numbered ORDER BY row DESC LIMIT 1
        )
        SELECT seen.*, named.* FROM seen LEFT JOIN ({NAMED}) AS named ON true ORDER BY named.row
        """,
        values,
    ).fetchall()
    if not rows:
        return [], None, 0
    count, *last = rows[0][:5]
    found = [Found._make(row[5:19]) for row in rows if row[5] is not None]
    if len(found) > limit:
        found = found[:limit]
        return found, _place(found[-1], source), count
    if count < window:
        return found, None, count
    return found, last[3:] if source == OVER else last[2:] if source == DONE else last, count


def _window(wanted: Wanted, source: int, limit: int) -> int:
    """How many enrollments a question looks at."""
    if wanted.of_trail:
        return max(WINDOW, limit + 1)
    if source == DONE:
        return max(WIDE, limit + 1)
    return max(WINDOW, limit + 1) if wanted.filtered or (source == OVER and wanted.node) else limit + 1


def _step(wanted: Wanted) -> str:
    """How the beginning of the wanted step is written in the trail."""
    parts = [wanted.node] if wanted.port is None else [wanted.node, wanted.port]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))[:-1]


def _place(one: Found, source: int) -> list[Any]:
    if source == DONE:
        return [one.lane, one.id]
    return [one.id] if source == OVER else [one.version_id, one.node, one.lane, one.id]
