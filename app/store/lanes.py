"""Who owns which lanes: advisory locks of the database, and the row that says how a worker gets on. Never decides anything.

A lock belongs to the session that took it: it outlives transactions and rollbacks and ends with the connection. That is the
fencing: whoever has lost the connection has lost the lanes, and cannot commit what it began.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection

LANE_LOCK = 0x4A43_4C41  # first key of a lane's lock; the second is the lane
PRESENCE_LOCK = 0x4A43_5057  # first key of the lock that says “a worker lives here”; the second is its backend


class Owner(NamedTuple):
    """A living worker as the database sees it. `id` and `progress_at` are None until it has written its row."""

    backend_pid: int
    lanes: frozenset[int]
    id: str | None
    progress_at: datetime | None


def announce(connection: Connection, id: str) -> int:
    """Say that a worker lives on this connection; returns its backend. Rows of the dead who had the same number go."""
    row = connection.execute(
        "SELECT pg_backend_pid(), pg_try_advisory_lock(%s, pg_backend_pid())", (PRESENCE_LOCK,)
    ).fetchone()
    assert row is not None
    connection.execute("DELETE FROM worker WHERE backend_pid = %s AND id <> %s", (row[0], id))
    return int(row[0])


def take(connection: Connection, lanes: Iterable[int]) -> frozenset[int]:
    """Those of the lanes that were free and are now this connection's. Never asks for one it has: locks would count up."""
    rows = connection.execute(
        "SELECT lane, pg_try_advisory_lock(%s, lane) FROM unnest(%s::int[]) AS wanted(lane)", (LANE_LOCK, list(lanes))
    ).fetchall()
    return frozenset(lane for lane, got in rows if got)


def give_back(connection: Connection, lanes: Iterable[int]) -> None:
    """Let others have these lanes; outside a stage's transaction, so that nothing of theirs is under way."""
    connection.execute(
        "SELECT pg_advisory_unlock(%s, lane) FROM unnest(%s::int[]) AS given(lane)", (LANE_LOCK, list(lanes))
    )


def leave(connection: Connection, id: str) -> None:
    """Give everything back and take the row away."""
    connection.execute("SELECT pg_advisory_unlock_all()")
    connection.execute("DELETE FROM worker WHERE id = %s", (id,))


def owners(connection: Connection) -> list[Owner]:
    """Every living worker, by its locks."""
    rows = connection.execute(
        """
        SELECT held.pid, held.lanes, w.id, w.progress_at FROM (
            SELECT pid, array_agg(objid::bigint) FILTER (WHERE classid::bigint = %s) AS lanes
            FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND classid::bigint IN (%s, %s) GROUP BY pid
        ) AS held LEFT JOIN worker w ON w.backend_pid = held.pid
        ORDER BY held.pid
        """,
        (LANE_LOCK, LANE_LOCK, PRESENCE_LOCK),
    ).fetchall()
    return [Owner(pid, frozenset(lanes or ()), id, at) for pid, lanes, id, at in rows]


def report(connection: Connection, id: str, *, backend_pid: int, lanes: Sequence[int], at: datetime) -> None:
    """Write that the worker's loop has come round again, and what it holds; not worth a wait for the disk."""
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute(
        """
        INSERT INTO worker (id, backend_pid, lanes, started_at, progress_at) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE
        SET backend_pid = excluded.backend_pid, lanes = excluded.lanes, progress_at = excluded.progress_at
        """,
        (id, backend_pid, list(lanes), at, at),
    )


def forget_dead(connection: Connection) -> None:
    """Take away the rows of workers whose connection is gone."""
    connection.execute(
        """
        DELETE FROM worker WHERE NOT EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND classid::bigint = %s AND pid = worker.backend_pid
        )
        """,
        (PRESENCE_LOCK,),
    )


def end(connection: Connection, owner: Owner) -> bool:
    """End the backend of an owner if it still holds lanes and has still not moved; true if it was ended.

    Asked in one statement, because the number of a backend that is gone may belong to somebody else a moment later.
    """
    row = connection.execute(
        """
        SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN worker w ON w.backend_pid = a.pid
        WHERE a.pid = %s AND a.datname = current_database() AND w.id = %s AND w.progress_at = %s
          AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND classid::bigint = %s AND pg_locks.pid = a.pid)
        """,
        (owner.backend_pid, owner.id, owner.progress_at, LANE_LOCK),
    ).fetchone()
    return bool(row and row[0])
