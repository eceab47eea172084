"""The inbox: what was accepted and is not matched yet, in order of arrival inside a lane. Never decides anything."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.store.rows import NULL, Connection, array, copy_lines, escape, instant


class Letter(NamedTuple):
    """One inbox row. `kind`: track, identify, enroll, merge_out, merge_in; `properties` is JSON text."""

    lane: int
    id: int
    workspace_id: int
    contact_id: int
    kind: str
    name: str
    timestamp: datetime
    received_at: datetime
    properties: str
    digest: UUID | None


def take(connection: Connection, lanes: Sequence[int], limit: int) -> list[Letter]:
    """Remove and return the oldest letters of each lane, at most `limit` in all, in order of arrival.

    They are gone when the caller commits, and back when it does not.
    """
    each = max(1, limit // len(lanes))
    rows = connection.execute(
        """
        WITH taken AS (
            DELETE FROM inbox USING (
                SELECT oldest.lane, oldest.id, oldest.workspace_id
                FROM unnest(%s::smallint[]) AS mine(lane) CROSS JOIN LATERAL (
                    SELECT lane, id, workspace_id FROM inbox WHERE inbox.lane = mine.lane ORDER BY id LIMIT %s
                ) AS oldest
            ) AS first
            WHERE inbox.lane = first.lane AND inbox.id = first.id AND inbox.workspace_id = first.workspace_id
            RETURNING inbox.*
        )
        SELECT lane, id, workspace_id, contact_id, kind, name, timestamp, received_at, properties, digest
        FROM taken ORDER BY id
        """,
        (list(lanes), each),
    ).fetchall()
    return [Letter._make(row) for row in rows]


def put(connection: Connection, letters: Iterable[Letter]) -> None:
    """Add letters in the order given; their ids are given by the database (the `id` field is ignored)."""
    copy_lines(
        connection,
        "inbox (lane, workspace_id, contact_id, kind, name, timestamp, received_at, properties, digest)",
        (
            f"{one.lane}\t{one.workspace_id}\t{one.contact_id}\t{one.kind}\t{escape(one.name)}\t{instant(one.timestamp)}"
            f"\t{instant(one.received_at)}\t{escape(one.properties)}\t{one.digest or NULL}"
            for one in letters
        ),
    )


def waiting_contacts(connection: Connection, contacts: Sequence[tuple[int, int]]) -> set[int]:
    """Which of the `(lane, contact)` still have letters: their timers must not overtake them."""
    # Not a join: the inbox has no index by contact, so it is read once and each letter looked up among the contacts.
    rows = connection.execute(
        "SELECT DISTINCT contact_id FROM inbox WHERE lane = ANY(%s::smallint[]) AND contact_id = ANY(%s::bigint[])",
        (array({lane for lane, _ in contacts}), array(contact for _, contact in contacts)),
    ).fetchall()
    return {contact for (contact,) in rows}


def depth(connection: Connection) -> int:
    """How many letters lie unread (an estimate of the planner when large)."""
    row = connection.execute("SELECT count(*) FROM (SELECT 1 FROM inbox LIMIT 100000) AS counted").fetchone()
    return int(row[0]) if row else 0
