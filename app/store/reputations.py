"""What receivers think of a workspace's messages: delivered and complained about, per channel, over seven days.

Rows are appended by the statements that settle receipts (`receipts`) and folded here. Counts only; never whose.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.rows import Connection

WEEK = timedelta(days=7)
FOLDED_BACK = timedelta(hours=6)
LEAST = 1_000  # delivered messages; fewer say nothing
WARN, STOP = 0.001, 0.003  # what large mailbox providers ask of senders


class Standing(NamedTuple):
    """A workspace's messages by one channel in the last seven days."""

    workspace_id: int
    channel: str
    delivered: int
    complained: int

    @property
    def rate(self) -> float:
        """Complaints for each delivered message."""
        return self.complained / self.delivered


class Blamed(NamedTuple):
    """A live journey with marketing on such a channel that is complained about no less than that."""

    workspace_id: int
    journey_id: int
    channel: str
    delivered: int
    complained: int


STANDINGS = """
    SELECT workspace_id, channel, sum(delivered)::bigint AS delivered, sum(complained)::bigint AS complained
    FROM reputation WHERE at > %(since)s AND (%(w)s::int IS NULL OR workspace_id = %(w)s)
    GROUP BY 1, 2 HAVING sum(delivered) >= %(least)s
"""


def standings(connection: Connection, workspace_id: int | None, now: datetime) -> list[Standing]:
    """Every channel by which enough was delivered; of all workspaces where none is named."""
    rows = connection.execute(
        STANDINGS + " ORDER BY 1, 2", {"w": workspace_id, "since": now - WEEK, "least": LEAST}
    ).fetchall()
    return [Standing._make(row) for row in rows]


def blamed(connection: Connection, now: datetime) -> list[Blamed]:
    """Live journeys to be paused, wherever a workspace's rate on a channel has reached `STOP`.

    Where the whole has, at least one journey has: those are. What somebody has seen before they resumed a journey is not
    held against it again; from then on it needs a thousand messages of its own.
    """
    rows = connection.execute(
        f"""
        WITH bad AS (SELECT * FROM ({STANDINGS}) AS found WHERE complained >= delivered * %(stop)s)
        SELECT j.workspace_id, j.id, r.channel, sum(r.delivered)::bigint, sum(r.complained)::bigint
        FROM bad JOIN reputation r ON r.workspace_id = bad.workspace_id AND r.channel = bad.channel
          AND r.at > %(since)s AND r.marketing
        JOIN journey j ON j.workspace_id = r.workspace_id AND j.id = r.journey_id AND j.status = 'live'
        WHERE j.complaints_seen_at IS NULL OR r.at > j.complaints_seen_at
        GROUP BY 1, 2, 3, j.complaints_seen_at
        HAVING sum(r.complained) > 0 AND sum(r.complained) >= sum(r.delivered) * %(stop)s
           AND (j.complaints_seen_at IS NULL OR sum(r.delivered) >= %(least)s)
        ORDER BY 1, 2, 3
        """,
        {"w": None, "since": now - WEEK, "least": LEAST, "stop": STOP},
    ).fetchall()
    return [Blamed._make(row) for row in rows]


def seen(connection: Connection, workspace_id: int, journey_id: int, now: datetime) -> None:
    """Somebody has looked and resumed: what was complained about by now is not held against the journey again."""
    connection.execute(
        "UPDATE journey SET complaints_seen_at = %s WHERE workspace_id = %s AND id = %s",
        (now, workspace_id, journey_id),
    )


def fold(connection: Connection, now: datetime) -> int:
    """Make one row an hour of what batches appended, and forget what is older than a week; how many rows went."""
    done = connection.execute(
        """
        WITH old AS (
            DELETE FROM reputation WHERE at < %(week)s OR (at >= %(back)s AND at < date_trunc('hour', %(now)s::timestamptz))
            RETURNING workspace_id, channel, journey_id, marketing, at, delivered, complained
        ), folded AS (
            INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)
            SELECT workspace_id, channel, journey_id, marketing, min(at), sum(delivered), sum(complained)
            FROM old WHERE at >= %(week)s GROUP BY 1, 2, 3, 4, date_trunc('hour', at) RETURNING 1
        )
        SELECT (SELECT count(*) FROM old) - (SELECT count(*) FROM folded)
        """,
        {"week": now - WEEK, "back": now - FOLDED_BACK, "now": now},
    ).fetchone()
    return int(done[0]) if done else 0
