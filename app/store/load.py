"""How much waits to be done, for gauges and the readiness check. Bounded counts: asking costs little, however much waits."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.rows import Connection

COUNTED_AT_MOST = 100_000
WORKER_ALIVE = timedelta(minutes=1)


class Load(NamedTuple):
    """What waits now."""

    inbox: int
    messages: int
    timers: int
    oldest_seconds: float
    workers: int


def load(connection: Connection, now: datetime) -> Load:
    """Letters unread, messages and timers due, how late the latest is, and who works on it."""
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM (SELECT FROM inbox LIMIT %(most)s) AS counted),
               (SELECT count(*) FROM (
                    SELECT FROM message WHERE status IN (0, 1, 6) AND due_at <= %(now)s LIMIT %(most)s) AS counted),
               (SELECT count(*) FROM (
                    SELECT FROM enrollment WHERE status = 0 AND wake_at <= %(now)s LIMIT %(most)s) AS counted),
               (SELECT COALESCE(extract(epoch FROM %(now)s - min(at)), 0) FROM (
                    (SELECT min(received_at) AS at FROM (SELECT received_at FROM inbox ORDER BY lane, id LIMIT 1000) AS f)
                    UNION ALL (SELECT min(due_at) FROM message WHERE status IN (0, 1, 6) AND due_at <= %(now)s)) AS due),
               (SELECT count(*) FROM worker WHERE progress_at > %(alive)s)
        """,
        {"most": COUNTED_AT_MOST, "now": now, "alive": now - WORKER_ALIVE},
    ).fetchone()
    assert row is not None
    return Load(row[0], row[1], row[2], max(0.0, float(row[3])), row[4])


def revision(connection: Connection) -> str | None:
    """The migration the tables stand at; None where there are no tables of ours."""
    known = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not known or not known[0]:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None
