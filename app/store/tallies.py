"""Counted transitions: appended by every batch, folded into spans of time, summed for pages. Never counts enrollments.

Ports with a meaning: `""` an arrival at the node, `!end` an end in place; under the node `""` stand the journey's own
numbers: `entered`, `completed`, `exited`, `failed`, and `!goal`, `!manual` … (of those who exited). What became of messages is
counted at their node: `!message` written, then `!sent`, `!delivered`, `!opened`, `!clicked`, `!failed` (never went out),
`!bounced` (failed afterwards), `!unsubscribed`, `!suppressed:<reason>` (`withheld`). Of all ports with `!` only `!end` is a
way out of the node. `periods` asks for parts of the time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.store.rows import Connection, copy_lines, escape, instant

FOLD_AFTER = timedelta(minutes=5)  # minutes stay apart this long, for live pages; then the spans are enough
SHORT_MINUTES, DAY_MINUTES, EVER = 5, 1440, 0  # the spans of `tally_span`; hours have a table of their own
SHORT_KEPT = timedelta(days=2)
GROUPED = frozenset({"fuse", "quiet hours"})
PORT_AT_MOST = 72


def withheld(reason: str | None) -> str:
    """The port under which a message that did not go out is counted."""
    return f"!suppressed:{grouped(reason)}"[:PORT_AT_MOST]


def grouped(reason: str | None) -> str:
    """A reason without what differs from person to person."""
    head, _colon, _rest = (reason or "").partition(": ")
    return head if head in GROUPED else reason or ""


class Counted(Protocol):
    """What names the journey of a version: its plan, or an enrollment's bare row."""

    @property
    def workspace_id(self) -> int: ...
    @property
    def journey_id(self) -> int: ...


def append(
    connection: Connection, plans: Mapping[int, Counted], tally: Mapping[tuple[int, str, str], int], at: datetime
) -> None:
    """One row for each transition counted in a batch; `plans` by version."""
    minute = instant(at.replace(second=0, microsecond=0))
    copy_lines(
        connection,
        "tally (workspace_id, journey_id, version_id, node, port, minute, count)",
        (
            f"{plans[version].workspace_id}\t{plans[version].journey_id}\t{version}\t{escape(node)}\t{escape(port)}\t{minute}\t{count}"
            for (version, node, port), count in sorted(tally.items())
            if count
        ),
    )


def fold(connection: Connection, now: datetime, limit: int = 50_000) -> int:
    """Fold rows older than `FOLD_AFTER` into their hours and spans; returns how many rows went."""
    row = connection.execute(
        """
        WITH old AS (
            DELETE FROM tally USING (SELECT id FROM tally WHERE minute < %s ORDER BY id LIMIT %s) AS first
            WHERE tally.id = first.id
            RETURNING workspace_id, journey_id, version_id, node, port, minute, count
        ), folded AS (
            INSERT INTO tally_hour AS hour (workspace_id, journey_id, version_id, node, port, hour, count)
            SELECT workspace_id, journey_id, version_id, node, port, date_trunc('hour', minute, 'UTC'), sum(count)
            FROM old GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
            ON CONFLICT (workspace_id, journey_id, version_id, node, port, hour)
            DO UPDATE SET count = hour.count + excluded.count
        ), spanned AS (
            INSERT INTO tally_span AS span (workspace_id, journey_id, minutes, at, version_id, node, port, count)
            SELECT workspace_id, journey_id, minutes, CASE minutes WHEN 0 THEN to_timestamp(0)
                ELSE date_bin(make_interval(mins => minutes), minute, to_timestamp(0)) END, version_id, node, port, sum(count)
            FROM old CROSS JOIN (VALUES (0), (5), (1440)) AS spans(minutes)
            GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
            ON CONFLICT (workspace_id, minutes, journey_id, at, version_id, node, port)
            DO UPDATE SET count = span.count + excluded.count
        )
        SELECT count(*) FROM old
        """,
        (now - FOLD_AFTER, limit),
    ).fetchone()
    return int(row[0]) if row else 0


def forget_short(connection: Connection, now: datetime, limit: int = 50_000) -> int:
    """Forget spans of five minutes that are older than `SHORT_KEPT`: the hours know; returns how many rows went."""
    return connection.execute(
        """
        DELETE FROM tally_span WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM tally_span WHERE minutes = 5 AND at < %s ORDER BY at LIMIT %s))
        """,
        (now - SHORT_KEPT, limit),
    ).rowcount


def of_journey(connection: Connection, workspace_id: int, journey_id: int) -> list[tuple[int, str, str, int]]:
    """All counts of a journey: (version, node, port, count)."""
    rows = connection.execute(
        """
        SELECT version_id, node, port, sum(count)::bigint FROM (
            SELECT version_id, node, port, count FROM tally WHERE workspace_id = %(w)s AND journey_id = %(j)s
            UNION ALL
            SELECT version_id, node, port, count FROM tally_span
            WHERE workspace_id = %(w)s AND journey_id = %(j)s AND minutes = 0
        ) AS counted GROUP BY 1, 2, 3
        """,
        {"w": workspace_id, "j": journey_id},
    ).fetchall()
    return [(version, node, port, count) for version, node, port, count in rows]


def of_journeys(
    connection: Connection, workspace_id: int, journey_ids: Sequence[int]
) -> dict[int, list[tuple[int, str, str, int]]]:
    """The counts of several journeys in one question, by journey: (version, node, port, count)."""
    rows = connection.execute(
        """
        SELECT journey_id, version_id, node, port, sum(count)::bigint FROM (
            SELECT journey_id, version_id, node, port, count FROM tally
            WHERE workspace_id = %(w)s AND journey_id = ANY(%(ids)s)
            UNION ALL
            SELECT journey_id, version_id, node, port, count FROM tally_span
            WHERE workspace_id = %(w)s AND journey_id = ANY(%(ids)s) AND minutes = 0
        ) AS counted GROUP BY 1, 2, 3, 4
        """,
        {"w": workspace_id, "ids": list(journey_ids)},
    ).fetchall()
    found: dict[int, list[tuple[int, str, str, int]]] = {}
    for journey, *row in rows:
        found.setdefault(journey, []).append((row[0], row[1], row[2], row[3]))
    return found
