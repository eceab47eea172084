"""What fuses count: messages of a step to a person in a day, messages of a journey in a day beside its approved reach."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.rows import Connection, columns

DAY = timedelta(days=1)


class Place(NamedTuple):
    """A step of a journey for one person, under whatever keys they walk it: what a ceiling is counted by."""

    workspace_id: int
    contact_id: int
    journey_id: int
    node: str


def had(connection: Connection, places: Sequence[Place], now: datetime, most: int) -> dict[Place, int]:
    """How many messages each place wrote within the last day that went out or still may, counted up to `most`."""
    if not places:
        return {}
    rows = connection.execute(
        """
        SELECT one.n, counted.messages
        FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::int[], %s::text[])
          AS one(n, workspace_id, contact_id, journey_id, node)
        CROSS JOIN LATERAL (SELECT count(*) AS messages FROM (
            SELECT FROM enrollment e
            JOIN message m ON m.workspace_id = e.workspace_id AND m.lane = e.lane AND m.enrollment_id = e.id
            WHERE e.workspace_id = one.workspace_id AND e.contact_id = one.contact_id
              AND e.journey_id = one.journey_id AND m.node = one.node
              AND m.created_at > %s AND m.status IN (0, 1, 2, 6, 7)
            LIMIT %s) AS lately) AS counted WHERE counted.messages > 0
        """,
        (*columns([(number, *place) for number, place in enumerate(places)], 5), now - DAY, most),
        prepare=False,  # a plan kept from when the tables were small would read them whole for each place
    ).fetchall()
    return {places[number]: count for number, count in rows}


def trip(connection: Connection, workspace_id: int, journey_id: int, reason: str, now: datetime) -> bool:
    """Pause a live journey with the reason; False where somebody was faster."""
    row = connection.execute(
        """
        UPDATE journey SET status = 'paused', paused_at = %s, pause_mode = 'freeze', pause_reason = %s
        WHERE workspace_id = %s AND id = %s AND status = 'live' RETURNING id
        """,
        (now, reason, workspace_id, journey_id),
    ).fetchone()
    return row is not None


class Rate(NamedTuple):
    """A live journey beside what was approved: messages a day as its version has it, and those of the last day."""

    workspace_id: int
    journey_id: int
    reach: int
    messages: int


def rates(connection: Connection, now: datetime) -> list[Rate]:
    """Live journeys whose reach is known, with what they wrote in the last day. From tallies."""
    rows = connection.execute(
        """
        SELECT j.workspace_id, j.id, v.reach, coalesce(sum(
            CASE WHEN t.port = '!message' THEN t.count ELSE -t.count END), 0)::bigint
        FROM journey j JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        CROSS JOIN LATERAL (
            SELECT port, count FROM tally WHERE workspace_id = j.workspace_id AND journey_id = j.id AND minute > %(since)s
            UNION ALL
            SELECT port, count FROM tally_hour
            WHERE workspace_id = j.workspace_id AND journey_id = j.id AND hour > %(since)s
        ) AS t WHERE j.status = 'live' AND v.reach IS NOT NULL
          AND (t.port = '!message' OR left(t.port, 12) = '!suppressed:') GROUP BY 1, 2, 3
        """,
        {"since": now - DAY},
    ).fetchall()
    return [Rate._make(row) for row in rows]


def set_reach(connection: Connection, workspace_id: int, journey_id: int, people: int) -> None:
    """Keep the reach with what was handed in last."""
    connection.execute(
        """
        UPDATE submission SET reach = %s WHERE workspace_id = %s AND id = (
            SELECT max(id) FROM submission WHERE workspace_id = %s AND journey_id = %s)
        """,
        (people, workspace_id, workspace_id, journey_id),
    )


def approve(connection: Connection, workspace_id: int, journey_id: int, sends: int) -> None:
    """The live version may write so many messages a day: the reach that was approved, for each of its sends."""
    connection.execute(
        """
        UPDATE version v SET reach = s.reach * %s FROM journey j, submission s
        WHERE j.workspace_id = %s AND j.id = %s AND v.workspace_id = j.workspace_id AND v.id = j.live_version_id
          AND s.workspace_id = j.workspace_id AND s.id = (
              SELECT max(id) FROM submission WHERE workspace_id = j.workspace_id AND journey_id = j.id AND status = 'published')
        """,
        (max(1, sends), workspace_id, journey_id),
    )


def accept_rate(connection: Connection, workspace_id: int, journey_id: int, now: datetime) -> None:
    """Somebody has looked and resumed: what was written by now is the new measure of the live version."""
    connection.execute(
        """
        UPDATE version v SET reach = greatest(v.reach, (
            SELECT coalesce(sum(count), 0)::int FROM (
                SELECT count FROM tally WHERE workspace_id = %(w)s AND journey_id = %(j)s AND minute > %(since)s
                  AND port = '!message'
                UNION ALL
                SELECT count FROM tally_hour WHERE workspace_id = %(w)s AND journey_id = %(j)s AND hour > %(since)s
                  AND port = '!message') AS written))
        FROM journey j WHERE j.workspace_id = %(w)s AND j.id = %(j)s AND v.workspace_id = j.workspace_id
          AND v.id = j.live_version_id AND v.reach IS NOT NULL
        """,
        {"w": workspace_id, "j": journey_id, "since": now - DAY},
    )


def tripped(connection: Connection, workspace_id: int) -> list[tuple[int, str, str, datetime]]:
    """Journeys that a fuse paused: (journey, name, reason, since), the latest first."""
    return connection.execute(
        """
        SELECT id, name, pause_reason, paused_at FROM journey
        WHERE workspace_id = %s AND status = 'paused' AND pause_reason LIKE 'fuse%%' ORDER BY paused_at DESC LIMIT 50
        """,
        (workspace_id,),
    ).fetchall()
