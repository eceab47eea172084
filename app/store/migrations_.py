"""People moved between versions: who is to be moved, what was done with each, how it is undone. Never decides.

A person is taken by where they stand, so whoever was moved is not taken again; the key of `migrated` is the last line.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, LiteralString, NamedTuple

from psycopg.types.json import Jsonb

from app.store.enrollments import OF_E, Row
from app.store.rows import NULL, Connection, columns, copy_lines, instant, optional

OPEN = ("running", "reversing")


class Did(IntEnum):
    """What was done with somebody. WENT_ON: the new place let them go at once, so they are somewhere else by now."""

    MOVED = 0
    WENT_ON = 1
    EXITED = 2
    REOPENED = 3
    REOPENED_WENT_ON = 4


class Migration(NamedTuple):
    """One migration as it lies in the table."""

    id: int
    workspace_id: int
    journey_id: int
    version_id: int
    status: str
    rules: dict[str, Any]
    expected: dict[str, Any]
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None


SELECT: LiteralString = """
    SELECT m.id, m.workspace_id, m.journey_id, m.version_id, m.status, m.rules, m.expected, m.begun_at, m.begun_by,
           m.ended_at FROM migration m
"""


class Wish(NamedTuple):
    """A migration about to be begun."""

    version_id: int
    rules: Mapping[str, Any]
    expected: Mapping[str, Any]
    actor: str


def add(connection: Connection, workspace_id: int, journey_id: int, wish: Wish, now: datetime) -> int:
    """Begin one; the stage takes it from there."""
    row = connection.execute(
        """
        INSERT INTO migration (workspace_id, journey_id, version_id, status, rules, expected, begun_at, begun_by)
        VALUES (%s, %s, %s, 'running', %s, %s, %s, %s) RETURNING id
        """,
        (workspace_id, journey_id, wish.version_id, Jsonb(wish.rules), Jsonb(wish.expected), now, wish.actor),
    ).fetchone()
    assert row is not None
    return int(row[0])


def find(
    connection: Connection, workspace_id: int, journey_id: int, id: int, *, lock: bool = False
) -> Migration | None:
    """One migration; `lock` waits for the batches under way."""
    tail: LiteralString = " FOR UPDATE" if lock else ""
    row = connection.execute(
        SELECT + "WHERE m.workspace_id = %s AND m.journey_id = %s AND m.id = %s" + tail,
        (workspace_id, journey_id, id),
    ).fetchone()
    return Migration._make(row) if row else None


def of_journey(
    connection: Connection, workspace_id: int, journey_id: int, before: int | None, limit: int
) -> list[Migration]:
    """The migrations of a journey, the latest first."""
    rows = connection.execute(
        SELECT
        + """
        WHERE m.workspace_id = %s AND m.journey_id = %s AND (%s::int IS NULL OR m.id < %s) ORDER BY m.id DESC LIMIT %s
        """,
        (workspace_id, journey_id, before, before, limit),
    ).fetchall()
    return [Migration._make(row) for row in rows]


def is_open(connection: Connection, workspace_id: int, journey_id: int) -> bool:
    """Whether one is under way."""
    row = connection.execute(
        "SELECT FROM migration WHERE workspace_id = %s AND journey_id = %s AND status = ANY(%s) LIMIT 1",
        (workspace_id, journey_id, list(OPEN)),
    ).fetchone()
    return row is not None


def set_status(connection: Connection, one: Migration, status: str, now: datetime | None) -> None:
    """Another state; `now` where it ends."""
    connection.execute(
        "UPDATE migration SET status = %s, ended_at = %s WHERE workspace_id = %s AND id = %s",
        (status, now, one.workspace_id, one.id),
    )


class Count(NamedTuple):
    """How many were handled so far."""

    did: int
    back: int | None
    people: int


def counts(connection: Connection, workspace_id: int, ids: Sequence[int]) -> dict[int, list[Count]]:
    """What was done, by migration."""
    rows = connection.execute(
        """
        SELECT migration_id, did, back, count(*) FROM migrated WHERE workspace_id = %s AND migration_id = ANY(%s)
        GROUP BY 1, 2, 3
        """,
        (workspace_id, list(ids)),
    ).fetchall()
    found: dict[int, list[Count]] = {}
    for id, did, back, people in rows:
        found.setdefault(id, []).append(Count(did, back, people))
    return found


def standing(connection: Connection, workspace_id: int, versions: Sequence[int]) -> list[tuple[int, str, int, int]]:
    """Where people of these versions stand: (version, node, status, people); active, held and failed."""
    return connection.execute(
        """
        SELECT version_id, node, status::int, count(*) FROM enrollment
        WHERE workspace_id = %s AND version_id = ANY(%s) AND status IN (0, 3, 4) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        (workspace_id, list(versions)),
    ).fetchall()


# Who completed, and neither came in again since nor walks anew: only they can be let go on.
THROUGH: LiteralString = """
    e.status = 1 AND NOT EXISTS (
        SELECT FROM enrollment x WHERE x.workspace_id = e.workspace_id AND x.contact_id = e.contact_id
          AND x.journey_id = e.journey_id AND x.key = e.key AND x.id <> e.id AND (x.slot = 0 OR x.id > e.id))
"""


def finished(connection: Connection, workspace_id: int, versions: Sequence[int]) -> list[tuple[int, str, int]]:
    """Where people of these versions completed, as far as they could be let go on: (version, node, people)."""
    return connection.execute(
        "SELECT e.version_id, e.node, count(*) FROM enrollment e WHERE "
        + THROUGH
        + " AND e.workspace_id = %s AND e.version_id = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2",
        (workspace_id, list(versions)),
    ).fetchall()


def next_open(connection: Connection) -> Migration | None:
    """The oldest under way whose journey is not paused; held until the batch is committed, so that a stop waits for it."""
    row = connection.execute(
        SELECT
        + """
        JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        WHERE m.status IN ('running', 'reversing') AND j.status <> 'paused' ORDER BY m.id LIMIT 1 FOR SHARE OF m
        """
    ).fetchone()
    return Migration._make(row) if row else None


Places = Sequence[tuple[int, str]]  # version and node


# The index of places serves only a query that asks in its own words; who failed stays where they are all the same.
STAND: LiteralString = "status IN (0, 3, 4) AND status <> 3"


def take(connection: Connection, workspace_id: int, places: Places, lanes: Sequence[int], limit: int) -> list[Row]:
    """People who wait at these places, in my lanes. Whom an event met while the journey was paused goes on by it first."""
    if not places:
        return []
    rows = connection.execute(
        f"""
        SELECT {OF_E} FROM unnest(%s::int[], %s::text[]) AS place(version_id, node)
        CROSS JOIN unnest(%s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT * FROM enrollment WHERE version_id = place.version_id AND node = place.node AND lane = mine.lane
              AND {STAND} AND slot = 0 AND reason IS NULL AND workspace_id = %s LIMIT %s
        ) AS e LIMIT %s
        """,
        (*columns(list(places), 2), list(lanes), workspace_id, max(1, limit // len(lanes)), limit),
    ).fetchall()
    return [Row._make(row) for row in rows]


def take_finished(
    connection: Connection, workspace_id: int, places: Places, lanes: Sequence[int], limit: int
) -> list[Row]:
    """People who completed at these places and may be let go on, in my lanes."""
    if not places:
        return []
    rows = connection.execute(
        f"SELECT {OF_E} FROM unnest(%s::int[], %s::text[]) AS place(version_id, node)"
        " JOIN enrollment e ON e.version_id = place.version_id AND e.node = place.node AND e.lane = ANY(%s) WHERE "
        + THROUGH
        + " AND e.workspace_id = %s LIMIT %s",
        (*columns(list(places), 2), list(lanes), workspace_id, limit),
    ).fetchall()
    return [Row._make(row) for row in rows]


def any_left(connection: Connection, workspace_id: int, waiting: Places, through: Places) -> bool:
    """Whether anybody is still to be handled, in any lane; those on their way to another lane count."""
    row = connection.execute(
        f"""
        SELECT EXISTS (
            SELECT FROM unnest(%s::int[], %s::text[]) AS place(version_id, node) JOIN enrollment e
              ON e.version_id = place.version_id AND e.node = place.node WHERE {STAND} AND e.workspace_id = %s
        ) OR EXISTS (
            SELECT FROM unnest(%s::int[], %s::text[]) AS place(version_id, node) JOIN enrollment e
              ON e.version_id = place.version_id AND e.node = place.node WHERE {THROUGH} AND e.workspace_id = %s
        )
        """,
        (*columns(list(waiting), 2), workspace_id, *columns(list(through), 2), workspace_id),
    ).fetchone()
    return bool(row and row[0])


def switch(connection: Connection, rows: Sequence[Row], version_id: int) -> int:
    """Pin these people to another version; those who had completed walk again. Says how many that were."""
    if not rows:
        return 0
    return connection.execute(
        """
        UPDATE enrollment e SET version_id = %s, status = 0, slot = 0, reason = NULL
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::int[], %s::smallint[])
          AS one(workspace_id, lane, id, version_id, walks)
        WHERE e.workspace_id = one.workspace_id AND e.lane = one.lane AND e.id = one.id
          AND e.version_id = one.version_id AND e.walks = one.walks AND e.status + 0 IN (0, 1, 4)
        """,
        (version_id, *columns([(one[0], one[1], one[2], one.version_id, one.walks) for one in rows], 5)),
    ).rowcount


class Handled(NamedTuple):
    """What was done with somebody, and how far they had walked after it."""

    row: Row
    did: Did
    walks: int


def keep(connection: Connection, migration: Migration, handled: Iterable[Handled]) -> None:
    """Write down what was done with whom, and how they stood before."""
    copy_lines(
        connection,
        "migrated (workspace_id, migration_id, enrollment_id, lane, did, walks, version_id, status, slot, rested_at, wake_at,"
        " node, reason, visits)",
        (
            f"{row.workspace_id}\t{migration.id}\t{row.id}\t{row.lane}\t{did.value}\t{walks}\t{row.version_id}\t{row.status}"
            f"\t{row.slot}\t{instant(row.rested_at)}\t{instant(row.wake_at) if row.wake_at else NULL}\t{row.node}"
            f"\t{optional(row.reason)}\t{optional(row.visits)}"
            for row, did, walks in handled
        ),
    )


class Moved(NamedTuple):
    """Somebody who was moved, as they stood before; `walks` right after it."""

    workspace_id: int
    lane: int
    enrollment_id: int
    did: int
    walks: int
    version_id: int
    node: str
    status: int
    slot: int
    rested_at: datetime
    wake_at: datetime | None
    reason: str | None
    visits: str | None


def to_put_back(connection: Connection, migration: Migration, lanes: Sequence[int], limit: int) -> list[Moved]:
    """People of my lanes to whom a reversal has not come yet."""
    rows = connection.execute(
        """
        SELECT m.workspace_id, m.lane, m.enrollment_id, m.did::int, m.walks::int, m.version_id, m.node, m.status::int,
               m.slot, m.rested_at, m.wake_at, m.reason, m.visits
        FROM unnest(%s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
            SELECT * FROM migrated WHERE workspace_id = %s AND migration_id = %s AND lane = mine.lane AND back IS NULL
            LIMIT %s
        ) AS m LIMIT %s
        """,
        (list(lanes), migration.workspace_id, migration.id, max(1, limit // len(lanes)), limit),
    ).fetchall()
    return [Moved._make(row) for row in rows]


def put_back(connection: Connection, some: Sequence[Moved]) -> set[int]:
    """Put these people back as they stood, where nothing has walked them since; returns whom."""
    # status + 0: see `enrollments`; an exit is undone only where they have not come in again.
    rows = connection.execute(
        """
        UPDATE enrollment e SET version_id = one.version_id, node = one.node, slot = one.slot, rested_at = one.rested_at,
            wake_at = one.wake_at, reason = one.reason, visits = one.visits, walks = e.walks + 1,
            status = CASE WHEN one.did = 3 THEN one.status ELSE 0 END
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::int[], %s::text[],
                    %s::smallint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
          AS one(workspace_id, lane, id, did, walks, version_id, node, status, slot, rested_at, wake_at, reason, visits)
        WHERE e.workspace_id = one.workspace_id AND e.lane = one.lane AND e.id = one.id AND e.walks = one.walks
          AND CASE WHEN one.did IN (0, 3) THEN e.status + 0 IN (0, 4) AND e.slot = 0 AND e.reason IS NULL
              ELSE one.did = 2 AND e.status + 0 = 2 AND e.reason = 'manual' AND NOT EXISTS (
                  SELECT FROM enrollment x WHERE x.workspace_id = e.workspace_id AND x.contact_id = e.contact_id
                    AND x.journey_id = e.journey_id AND x.key = e.key AND x.id <> e.id AND (x.slot = 0 OR x.id > e.id)) END
        RETURNING e.id
        """,
        columns(list(some), 13),
    ).fetchall()
    return {id for (id,) in rows}


def note_back(connection: Connection, migration: Migration, came: Sequence[tuple[int, bool]]) -> None:
    """Write down to whom the reversal came: (enrollment, whether they were put back)."""
    connection.execute(
        """
        UPDATE migrated m SET back = CASE WHEN one.back THEN 1 ELSE 2 END
        FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bool[]) AS one(workspace_id, migration_id, id, back)
        WHERE m.workspace_id = one.workspace_id AND m.migration_id = one.migration_id AND m.enrollment_id = one.id
        """,
        columns([(migration.workspace_id, migration.id, id, back) for id, back in came], 4),
    )


def any_to_put_back(connection: Connection, migration: Migration) -> bool:
    """Whether a reversal has still to come to somebody."""
    row = connection.execute(
        "SELECT FROM migrated WHERE workspace_id = %s AND migration_id = %s AND back IS NULL LIMIT 1",
        (migration.workspace_id, migration.id),
    ).fetchone()
    return row is not None


def had(connection: Connection, enrollments: Sequence[tuple[int, int, int]]) -> dict[int, dict[str, int]]:
    """For `(workspace, lane, enrollment)`: by enrollment and node, the latest visit that a message was written for."""
    rows = connection.execute(
        """
        SELECT m.enrollment_id, m.node, max(m.visit)::int
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        JOIN message m ON m.workspace_id = one.workspace_id AND m.lane = one.lane AND m.enrollment_id = one.id
        GROUP BY 1, 2
        """,
        columns(list(enrollments), 3),
    ).fetchall()
    found: dict[int, dict[str, int]] = {}
    for enrollment, node, visit in rows:
        found.setdefault(enrollment, {})[node] = visit
    return found
