"""How a pause or a journey ends: waits and messages shifted, spread, skipped, taken out, a statement each; how many that are."""

from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from app.store.rows import Connection

LONG_SECONDS = 300  # a pause of a million people is one UPDATE; it may take longer than a page
# Begins the reason of a pause that a season of another journey began; it ends by itself.
SEASON = "season"
# Carried in front of a reason by people whose wait ended in a pause that skips: their next messages do not go out.
SKIP = "skip: "
LEAVE = "pause: exit"
SKIPPED = "pause: skipped"


class Pause(NamedTuple):
    """A pause that ends: since when it was, when it ends, over how long what is due is spread."""

    workspace_id: int
    journey_id: int
    paused_at: datetime
    now: datetime
    spread: timedelta = timedelta()

    @property
    def values(self) -> dict[str, Any]:
        """As parameters of a statement."""
        return {"w": self.workspace_id, "j": self.journey_id, **self._asdict()}


# A moment of the spread that is each one's own: repeatable, and even enough.
SHARE: LiteralString = "%(now)s + (id %% 997) / 997.0 * %(spread)s"


def freeze(connection: Connection, pause: Pause) -> int:
    """The clock stood still: everybody's wait began, and ends, as much later; held people walk again.

    Whom an awaited event met during the pause (they carry a reason) goes on at once.
    """
    later: LiteralString = "wake_at + (%(now)s - %(paused_at)s)"
    change: LiteralString = (
        "status = 0, rested_at = LEAST(rested_at + (%(now)s - %(paused_at)s), %(now)s), wake_at = CASE WHEN reason IS NULL"
        f" AND (%(spread)s = interval '0' OR {later} > %(now)s OR wake_at IS NULL) THEN {later} ELSE {SHARE} END"
    )
    return _everybody(connection, change, pause.values)


def late(connection: Connection, pause: Pause, *, skip: bool) -> int:
    """The clock went on: whose wait is over, or whom an awaited event met, goes on now; `skip`: without their next messages."""
    due: LiteralString = "(reason IS NOT NULL OR wake_at <= %(now)s)"
    change: LiteralString = (
        f"status = 0, wake_at = CASE WHEN {due} THEN {SHARE} ELSE wake_at END,"
        f" reason = CASE WHEN %(skip)s AND {due} THEN %(mark)s || coalesce(reason, '') ELSE reason END"
    )
    return _everybody(connection, change, {**pause.values, "skip": skip, "mark": SKIP})


def leave(connection: Connection, workspace_id: int, journey_id: int, now: datetime) -> int:
    """Everybody on the way leaves with the next pass of the timers, though the journey is paused."""
    values = {"w": workspace_id, "j": journey_id, "now": now, "leave": LEAVE}
    return _everybody(connection, "status = 0, wake_at = %(now)s, reason = %(leave)s", values)


def call_in(connection: Connection, workspace_id: int, journey_id: int, now: datetime) -> int:
    """Stop: everybody on the way is due now, so that timers take them out."""
    values = {"w": workspace_id, "j": journey_id, "now": now}
    return _everybody(connection, "status = 0, wake_at = %(now)s", values)


def _everybody(connection: Connection, change: LiteralString, values: dict[str, Any]) -> int:
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{LONG_SECONDS}s",))
    done = connection.execute(
        "UPDATE enrollment SET "
        + change
        + """
        WHERE workspace_id = %(w)s AND status IN (0, 4) AND slot = 0
          AND version_id IN (SELECT id FROM version WHERE workspace_id = %(w)s AND journey_id = %(j)s)
        """,
        values,
    )
    return done.rowcount


def spread_messages(connection: Connection, pause: Pause) -> int:
    """Messages that are due go out over the spread instead of at once."""
    return connection.execute(
        f"UPDATE message SET due_at = {SHARE} WHERE workspace_id = %(w)s AND journey_id = %(j)s AND status IN (0, 7)"
        " AND due_at <= %(now)s AND lease_until IS NULL",
        pause.values,
    ).rowcount


def drop_messages(connection: Connection, pause: Pause, reason: str, *, every: bool = False) -> int:
    """Messages that are due (`every`: all that wait) do not go out any more, with the reason; they take nobody's place."""
    row = connection.execute(
        """
        WITH dropped AS (
            UPDATE message SET status = 4, reason = %(reason)s WHERE workspace_id = %(w)s AND journey_id = %(j)s
              AND status IN (0, 7) AND (%(every)s OR due_at <= %(now)s) AND lease_until IS NULL
            RETURNING workspace_id, lane, contact_id, id, version_id, node
        ), freed AS (
            DELETE FROM sending s USING dropped d WHERE s.workspace_id = d.workspace_id AND s.lane = d.lane
              AND s.contact_id = d.contact_id AND s.message_id = d.id
        ), counted AS (
            INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)
            SELECT %(w)s, %(j)s, version_id, node, '!suppressed:' || %(reason)s, date_trunc('minute', %(now)s::timestamptz),
                   count(*) FROM dropped GROUP BY version_id, node
        )
        SELECT count(*) FROM dropped
        """,
        {**pause.values, "reason": reason, "every": every},
    ).fetchone()
    return int(row[0]) if row else 0


class Due(NamedTuple):
    """People of one place whose wait would be over at a resume, by what becomes of the clock."""

    version_id: int
    node: str
    met: int
    before: int  # over before the pause began, but not seen to
    since: int  # over since


def due(connection: Connection, pause: Pause) -> list[Due]:
    """Who would go on at once, by place."""
    rows = connection.execute(
        """
        SELECT version_id, node, count(*) FILTER (WHERE reason IS NOT NULL),
               count(*) FILTER (WHERE reason IS NULL AND wake_at <= %(paused_at)s),
               count(*) FILTER (WHERE reason IS NULL AND wake_at > %(paused_at)s AND wake_at <= %(now)s)
        FROM enrollment WHERE workspace_id = %(w)s AND status IN (0, 4) AND slot = 0
          AND version_id IN (SELECT id FROM version WHERE workspace_id = %(w)s AND journey_id = %(j)s)
        GROUP BY 1, 2
        """,
        pause.values,
    ).fetchall()
    return [Due._make(row) for row in rows]


def pending(connection: Connection, pause: Pause) -> int:
    """Messages written already that would go out at once."""
    row = connection.execute(
        """
        SELECT count(*) FROM message WHERE workspace_id = %(w)s AND journey_id = %(j)s AND status IN (0, 7)
          AND due_at <= %(now)s
        """,
        pause.values,
    ).fetchone()
    return int(row[0]) if row else 0


def set_mode(connection: Connection, workspace_id: int, journey_id: int, mode: str, reason: str | None) -> None:
    """What becomes of waits in this pause, and why a fuse began it."""
    connection.execute(
        "UPDATE journey SET pause_mode = %s, pause_reason = %s WHERE workspace_id = %s AND id = %s",
        (mode, reason, workspace_id, journey_id),
    )
