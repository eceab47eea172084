"""What is late after an outage: counted, held until somebody releases it, or dropped with the reason (rule D14)."""

from datetime import datetime
from typing import NamedTuple

from app.store.outbox import NEVER
from app.store.rows import Connection

HELD = "late: held"
DROPPED = "late: dropped"


def count(connection: Connection, before: datetime, most: int) -> dict[int, int]:
    """By workspace, messages and waits of journeys that go on which were due before then; counted up to `most` in all."""
    rows = connection.execute(
        """
        SELECT workspace_id, count(*) FROM (
            (SELECT m.workspace_id FROM message m JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
             WHERE m.status IN (0, 1, 6) AND m.status = 0 AND m.due_at < %(before)s AND j.status = 'live' LIMIT %(most)s)
            UNION ALL
            (SELECT e.workspace_id FROM enrollment e
             JOIN journey j ON j.workspace_id = e.workspace_id AND j.id = e.journey_id
             WHERE e.status = 0 AND e.wake_at IS NOT NULL AND e.wake_at < %(before)s AND j.status = 'live' LIMIT %(most)s)
        ) AS late GROUP BY 1
        """,
        {"before": before, "most": most},
    ).fetchall()
    return dict(rows)


def hold(connection: Connection, workspace_id: int, before: datetime) -> int:
    """Put off for good what is late, and note that what late waits write is put off too; how many messages that were."""
    connection.execute(
        "UPDATE workspace SET settings = settings || jsonb_build_object('late_before', %s::text) WHERE id = %s",
        (before.isoformat(), workspace_id),
    )
    return connection.execute(
        """
        UPDATE message SET status = 7, due_at = %s, reason = %s
        WHERE workspace_id = %s AND status IN (0, 1, 6) AND status = 0 AND due_at < %s AND lease_until IS NULL
        """,
        (NEVER, HELD, workspace_id, before),
    ).rowcount


def moments(connection: Connection) -> dict[int, datetime]:
    """By workspace, before which moment a wait had to end for its messages to be held."""
    rows = connection.execute(
        "SELECT id, (settings ->> 'late_before')::timestamptz FROM workspace WHERE settings ? 'late_before'"
    ).fetchall()
    return dict(rows)


class Held(NamedTuple):
    """Messages of one journey that are held as late."""

    journey_id: int
    name: str
    messages: int


def held(connection: Connection, workspace_id: int) -> list[Held]:
    """What is held, by journey, the most first."""
    rows = connection.execute(
        """
        SELECT j.id, j.name, count(*) FROM message m
        JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        WHERE m.workspace_id = %s AND m.status = 7 AND m.due_at = %s AND m.reason = %s
        GROUP BY 1, 2 ORDER BY 3 DESC, 1
        """,
        (workspace_id, NEVER, HELD),
    ).fetchall()
    return [Held._make(row) for row in rows]


def release(connection: Connection, workspace_id: int, journey_id: int | None, now: datetime) -> int:
    """Let them ask the gate now: caps and quiet hours of this moment hold for them."""
    return connection.execute(
        """
        UPDATE message SET due_at = %s, reason = NULL
        WHERE workspace_id = %s AND status = 7 AND due_at = %s AND reason = %s AND (%s::int IS NULL OR journey_id = %s)
        """,
        (now, workspace_id, NEVER, HELD, journey_id, journey_id),
    ).rowcount


def drop(connection: Connection, workspace_id: int, journey_id: int | None, now: datetime) -> int:
    """Send them not at all; each says why."""
    row = connection.execute(
        """
        WITH dropped AS (
            UPDATE message SET status = 4, reason = %(why)s, due_at = %(now)s
            WHERE workspace_id = %(w)s AND status = 7 AND due_at = %(never)s AND reason = %(held)s
              AND (%(j)s::int IS NULL OR journey_id = %(j)s)
            RETURNING journey_id, version_id, node
        ), counted AS (
            INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)
            SELECT %(w)s, journey_id, version_id, node, '!suppressed:' || %(why)s, date_trunc('minute', %(now)s::timestamptz),
                   count(*) FROM dropped GROUP BY journey_id, version_id, node
        )
        SELECT count(*) FROM dropped
        """,
        {"w": workspace_id, "j": journey_id, "now": now, "never": NEVER, "held": HELD, "why": DROPPED},
    ).fetchone()
    return int(row[0]) if row else 0


def forget(connection: Connection, workspace_id: int) -> None:
    """Nothing more of this workspace is held as late."""
    connection.execute("UPDATE workspace SET settings = settings - 'late_before' WHERE id = %s", (workspace_id,))
