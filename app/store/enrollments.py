"""Enrollments: taken when due, found when an event comes, written once per batch. Never moves anybody by itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from app.store.rows import NULL, Connection, columns, copy_lines, escape, instant, instants, ints, optional, texts
from flows.interpret import Status, Traveller

FIELDS = (
    "workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at, wake_at, entry_event,"
    " journey_id, version_id, status, walks, node, key, visits, reason"
)
OF_E = ", ".join("e." + name.strip() for name in FIELDS.split(","))


# `status + 0`: an expression that no partial index can serve. On a table without statistics the planner takes the index of active
# people for cheaper than the key, and reads everybody who waits for each row it looks up.
class Row(NamedTuple):
    """An enrollment as it lies in the table."""

    workspace_id: int
    lane: int
    id: int
    contact_id: int
    slot: int
    entered_at: datetime
    since: datetime
    rested_at: datetime
    wake_at: datetime | None
    entry_event: int | None
    journey_id: int
    version_id: int
    status: int
    walks: int
    node: str
    key: str
    visits: str | None
    reason: str | None


def due(connection: Connection, lanes: Sequence[int], now: datetime, limit: int) -> list[Row]:
    """Active enrollments whose `wake_at` has come, the oldest of each lane, at most `limit` in all."""
    rows = connection.execute(
        f"""
        SELECT {FIELDS} FROM unnest(%s::smallint[]) AS mine(mine_lane) CROSS JOIN LATERAL (
            SELECT * FROM enrollment WHERE lane = mine_lane AND status = 0 AND wake_at IS NOT NULL AND wake_at <= %s
            ORDER BY wake_at LIMIT %s
        ) AS oldest
        """,
        (list(lanes), now, share(lanes, limit)),
    ).fetchall()
    return [Row._make(row) for row in rows]


def share(lanes: Sequence[int], limit: int) -> int:
    """How many rows of a limit each lane may have."""
    return max(1, limit // len(lanes))


def beside(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Other active enrollments of the same contacts whose waits end at the very same instants."""
    if not rows:
        return []
    found = connection.execute(
        f"""
        SELECT {OF_E} FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[], %s::bigint[])
          AS one(workspace_id, contact_id, wake_at, id)
        CROSS JOIN LATERAL (
            SELECT * FROM enrollment WHERE workspace_id = one.workspace_id AND contact_id = one.contact_id
              AND slot = 0 AND status = 0 AND wake_at = one.wake_at AND id <> one.id
            OFFSET 0
        ) AS e
        """,
        (
            ints([row.workspace_id for row in rows]),
            ints([row.contact_id for row in rows]),
            instants([row.wake_at for row in rows]),
            ints([row.id for row in rows]),
        ),
    ).fetchall()
    known = {row.id for row in rows} if found else set()
    return list({row.id: row for row in map(Row._make, found) if row.id not in known}.values())


def next_due(connection: Connection, lanes: Sequence[int]) -> datetime | None:
    """When the next wait of these lanes ends."""
    row = connection.execute(
        """
        SELECT min(wake_at) FROM unnest(%s::smallint[]) AS mine(mine_lane) CROSS JOIN LATERAL (
            SELECT wake_at FROM enrollment WHERE lane = mine_lane AND status = 0 AND wake_at IS NOT NULL
            ORDER BY wake_at LIMIT 1
        ) AS first
        """,
        (list(lanes),),
    ).fetchone()
    return row[0] if row else None


def walking(connection: Connection, contacts: Sequence[tuple[int, int, datetime | None]]) -> list[Row]:
    """Active and held enrollments of `(workspace, contact, before)`, in order of id: all, or those due before then."""
    if not contacts:
        return []
    # OFFSET 0 keeps this a look-up by contact: as a plain join, a planner without statistics (a young table) has been seen
    # to hold everybody who walks against every contact of the batch, 700 ms for 400 contacts.
    rows = connection.execute(
        f"""
        SELECT {OF_E}
        FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[]) AS one(workspace_id, contact_id, before) CROSS JOIN LATERAL (
            SELECT * FROM enrollment
            WHERE workspace_id = one.workspace_id AND contact_id = one.contact_id AND slot = 0 AND status IN (0, 4)
              AND (one.before IS NULL OR wake_at < one.before)
            OFFSET 0
        ) AS e ORDER BY e.id
        """,
        columns(contacts, 3),
    ).fetchall()
    return [Row._make(row) for row in rows]


def places(
    connection: Connection, wanted: Sequence[tuple[int, int, int, str]]
) -> dict[tuple[int, int, str], tuple[bool, datetime]]:
    """For `(workspace, contact, journey, key)`: is somebody walking there, and the last entry; absent where nobody ever was."""
    if not wanted:
        return {}
    rows = connection.execute(
        """
        SELECT one.contact_id, one.journey_id, one.key, past.walking, past.entered_at
        FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::text[]) AS one(workspace_id, contact_id, journey_id, key)
        CROSS JOIN LATERAL (
            SELECT bool_or(e.status IN (0, 4)) AS walking, max(e.entered_at) AS entered_at FROM enrollment e
            WHERE e.workspace_id = one.workspace_id AND e.contact_id = one.contact_id
              AND e.journey_id = one.journey_id AND e.key = one.key
        ) AS past WHERE past.entered_at IS NOT NULL
        """,
        columns(wanted, 4),
    ).fetchall()
    return {(contact, journey, key): (walking, entered_at) for contact, journey, key, walking, entered_at in rows}


def add(connection: Connection, travellers: Iterable[Traveller]) -> None:
    """Write new enrollments, at rest or already over."""
    copy_lines(connection, f"enrollment ({FIELDS})", map(_line, travellers))


def _line(one: Traveller) -> str:
    plan, event = one.plan, one.entry_event
    visits = visits_text(one) if one.visits else None
    tail = _tail(plan.journey_id, plan.version_id, one.status, one.walks, one.node, one.key, visits, one.reason)
    return (
        f"{plan.workspace_id}\t{one.lane}\t{one.id}\t{one.contact}\t{one.slot}"
        f"\t{_moments(one.entered_at, one.since, one.rested_at, one.wake_at)}"
        f"\t{NULL if event is None else event}\t{tail}"
    )


# What a cohort shares of its lines; most of a blast is a handful of these.
@lru_cache(maxsize=4096)
def _moments(entered: datetime, since: datetime, rested: datetime | None, wake: datetime | None) -> str:
    return "\t".join(map(instant, (entered, since, rested or entered, wake)))


@lru_cache(maxsize=4096)
def _tail(journey: int, version: int, status: Status, walks: int, *texts: str | None) -> str:
    return "\t".join([*map(str, (journey, version, status.value, walks)), *map(optional, texts)])


def visits_text(one: Traveller) -> str | None:
    """Visit counts as kept in the row: `node=count` joined by commas (node ids hold neither)."""
    return ",".join(f"{node}={count}" for node, count in one.visits.items()) if one.visits else None


def visits_of(text: str | None) -> dict[str, int] | None:
    """The visit counts back again."""
    return {node: int(count) for node, _, count in (part.rpartition("=") for part in text.split(","))} if text else None


def move(connection: Connection, travellers: Sequence[Traveller]) -> None:
    """Write where known enrollments stand now, one statement for all; a terminal state is never left (rule D4)."""
    if not travellers:
        return
    connection.execute(
        """
        UPDATE enrollment e SET node = one.node, status = one.status, slot = one.slot, walks = one.walks,
            rested_at = one.rested_at, wake_at = one.wake_at, reason = one.reason, visits = one.visits
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::smallint[], %s::bigint[], %s::smallint[],
                    %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
          AS one(workspace_id, lane, id, node, status, slot, walks, rested_at, wake_at, reason, visits)
        WHERE e.workspace_id = one.workspace_id AND e.lane = one.lane AND e.id = one.id AND e.status + 0 IN (0, 3, 4)
        """,
        (
            ints([one.plan.workspace_id for one in travellers]),
            ints([one.lane for one in travellers]),
            ints([one.id for one in travellers]),
            texts([one.node for one in travellers]),
            ints([one.status.value for one in travellers]),
            ints([one.slot for one in travellers]),
            ints([one.walks for one in travellers]),
            instants([one.rested_at for one in travellers]),
            instants([one.wake_at for one in travellers]),
            texts([one.reason for one in travellers]),
            texts([visits_text(one) if one.visits else None for one in travellers]),
        ),
    )


def postpone(connection: Connection, rows: Sequence[Row], until: datetime) -> None:
    """Let these wait on until then: nobody can walk them now, and nobody may be dropped."""
    if not rows:
        return
    connection.execute(
        """
        UPDATE enrollment e SET wake_at = %s
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        WHERE e.workspace_id = one.workspace_id AND e.lane = one.lane AND e.id = one.id AND e.status = 0
        """,
        (until, *columns([(row.workspace_id, row.lane, row.id) for row in rows], 3)),
    )


def fail(connection: Connection, row: Row, reason: str, *, slot: int, at: datetime) -> None:
    """End one walk as failed, with the trail that says so; for a row that no batch can take."""
    steps = msgspec.json.encode([[row.node, "", reason]]).decode()
    connection.execute(
        """
        WITH failed AS (
            UPDATE enrollment SET status = 3, slot = %s, reason = %s, wake_at = NULL, walks = walks + 1
            WHERE workspace_id = %s AND lane = %s AND id = %s AND status = 0
            RETURNING workspace_id, lane, id, walks
        )
        INSERT INTO trail (workspace_id, lane, enrollment_id, walk, at, cause, steps)
        SELECT workspace_id, lane, id, walks, %s, 'timer', %s FROM failed
        """,
        (slot, reason, row.workspace_id, row.lane, row.id, at, steps),
    )


def free(connection: Connection, wanted: Sequence[tuple[int, int, int, str]]) -> None:
    """Give up the places that finished enrollments still hold, for `(workspace, contact, journey, key)`.

    Needed where a journey that was `once` lets people in again since a later version.
    """
    if not wanted:
        return
    connection.execute(
        """
        UPDATE enrollment e SET slot = e.id
        FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::text[]) AS one(workspace_id, contact_id, journey_id, key)
        WHERE e.workspace_id = one.workspace_id AND e.contact_id = one.contact_id AND e.journey_id = one.journey_id
          AND e.key = one.key AND e.slot = 0 AND e.status IN (1, 2, 3)
        """,
        columns(wanted, 4),
    )


def trail_line(one: Traveller) -> str:
    """The walk just finished as a COPY line: when, what set it off, which steps and why."""
    tail = _trail_tail(one.walks, one.arrived_at, one.cause, one.path)
    return f"{one.plan.workspace_id}\t{one.lane}\t{one.id}\t{tail}"


@lru_cache(maxsize=4096)
def _trail_tail(walk: int, at: datetime, cause: str, path: str) -> str:
    """What a cohort shares of its walks."""
    return f"{walk}\t{instant(at)}\t{escape(cause)}\t[{escape(path)}]"


def trail_text(key: tuple[int, int, int], walk: int, at: datetime, said: tuple[str, str]) -> str:
    """A walk of somebody (workspace, lane, enrollment) as a COPY line; `said`: what set it off, and its steps as JSON."""
    return "\t".join([*map(str, key), str(walk), instant(at), *map(escape, said)])


def add_trail(connection: Connection, lines: Iterable[str]) -> None:
    """Write the lines of `trail_line`: one for each walk that went somewhere."""
    copy_lines(connection, "trail (workspace_id, lane, enrollment_id, walk, at, cause, steps)", lines)


def finished_slot(one: Traveller) -> int:
    """What becomes of the place: kept for ever where people enter once (per key), given up elsewhere."""
    if one.status in (Status.ACTIVE, Status.HELD) or one.plan.reentry in ("once", "per_key"):
        return 0
    return one.id
