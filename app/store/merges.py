"""Who became whom, and what a merge changes: walks and history handed over, facts folded, the loser marked. Never decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.store import enrollments
from app.store.contacts import ContactKey
from app.store.rows import Connection, columns


class Pair(NamedTuple):
    """Who gives way to whom."""

    workspace_id: int
    lane: int
    loser: int
    winner_lane: int
    winner: int


class Person(NamedTuple):
    """What a contact is, as far as a merge goes."""

    attributes: dict[str, Any]
    tags: list[str]
    consents: dict[str, dict[str, bool]]
    merged_into: int | None


class Walk(NamedTuple):
    """An enrollment and whether it came from another contact."""

    row: enrollments.Row
    came_over: bool


def become(connection: Connection, workspace_id: int, contact_id: int) -> int:
    """Whom a contact has become, at whatever remove; itself where it was not merged."""
    row = connection.execute(
        """
        WITH RECURSIVE named(id) AS (
            SELECT %s::bigint UNION
            SELECT m.winner_id FROM named JOIN merge m ON m.workspace_id = %s AND m.loser_id = named.id
        ) SELECT id FROM named
          WHERE NOT EXISTS (SELECT FROM merge m WHERE m.workspace_id = %s AND m.loser_id = named.id)
        """,
        (contact_id, workspace_id, workspace_id),
    ).fetchone()
    return int(row[0]) if row else contact_id


def same_person(connection: Connection, workspace_id: int, contact_id: int) -> list[int]:
    """The contact and all that were merged into it, at whatever remove."""
    rows = connection.execute(
        """
        WITH RECURSIVE named(id) AS (
            SELECT %s::bigint UNION
            SELECT m.loser_id FROM named JOIN merge m ON m.workspace_id = %s AND m.winner_id = named.id
        ) SELECT id FROM named
        """,
        (contact_id, workspace_id),
    ).fetchall()
    return [int(id) for (id,) in rows]


def lock(connection: Connection, keys: Sequence[ContactKey]) -> dict[int, Person]:
    """The contacts by id, held until the end of the transaction: consents may not change in between."""
    rows = connection.execute(
        """
        SELECT c.id, c.attributes, c.tags, c.consents, c.merged_into
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        JOIN contact c ON c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
        ORDER BY c.workspace_id, c.lane, c.id FOR UPDATE OF c
        """,
        columns(sorted(set(keys)), 3),
    ).fetchall()
    return {row[0]: Person(*row[1:]) for row in rows}


def hand_over(connection: Connection, pairs: Sequence[Pair]) -> None:
    """Give the losers' walks, trails, messages and history to the winners, in one statement.

    The walks travel held and without a place, so that neither timer nor event moves them before the winner's lane has
    taken them in. `origin` names the first contact each of them belonged to.
    """
    connection.execute(
        """
        WITH one AS (
            SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::smallint[], %s::bigint[])
              AS one(workspace_id, lane, loser, winner_lane, winner)
        ), moved AS (
            UPDATE enrollment e SET contact_id = one.winner, lane = one.winner_lane, origin = coalesce(e.origin, one.loser),
                slot = e.id, status = CASE WHEN e.status IN (0, 4) THEN 4 ELSE e.status END
            FROM one WHERE e.workspace_id = one.workspace_id AND e.contact_id = one.loser
            RETURNING e.id, one.*
        ), trails AS (
            UPDATE trail t SET lane = moved.winner_lane FROM moved
            WHERE t.workspace_id = moved.workspace_id AND t.lane = moved.lane AND t.enrollment_id = moved.id
        ), messages AS (
            UPDATE message m SET lane = moved.winner_lane, contact_id = moved.winner, origin = coalesce(m.origin, moved.loser)
            FROM moved WHERE m.workspace_id = moved.workspace_id AND m.lane = moved.lane AND m.enrollment_id = moved.id
        ), counted AS (
            UPDATE sending s SET lane = one.winner_lane, contact_id = one.winner
            FROM one WHERE s.workspace_id = one.workspace_id AND s.lane = one.lane AND s.contact_id = one.loser
        )
        UPDATE event v SET lane = one.winner_lane, contact_id = one.winner, origin = coalesce(v.origin, one.loser)
        FROM one WHERE v.workspace_id = one.workspace_id AND v.lane = one.lane AND v.contact_id = one.loser
        """,
        columns(pairs, 5),
    )


def mark(connection: Connection, pairs: Sequence[tuple[Pair, dict[str, Any]]], now: datetime) -> None:
    """Say on the losers who they are now, and keep what they were."""
    rows = [
        (pair.workspace_id, pair.lane, pair.loser, pair.winner, msgspec.json.encode(snapshot).decode())
        for pair, snapshot in pairs
    ]
    connection.execute(
        """
        WITH one AS (
            SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::bigint[], %s::jsonb[])
              AS one(workspace_id, lane, loser, winner, snapshot)
        ), marked AS (
            UPDATE contact c SET merged_into = one.winner, updated_at = %s
            FROM one WHERE c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.loser
        )
        INSERT INTO merge (workspace_id, loser_id, winner_id, merged_at, snapshot)
        SELECT workspace_id, loser, winner, %s, snapshot FROM one ON CONFLICT (workspace_id, loser_id) DO NOTHING
        """,
        (*columns(rows, 5), now, now),
    )


def fold(connection: Connection, people: Sequence[tuple[ContactKey, Person]], now: datetime) -> None:
    """Write what the winners are after taking in the losers' facts."""
    rows = [(*key, *(msgspec.json.encode(part).decode() for part in person[:3])) for key, person in people]
    connection.execute(
        """
        UPDATE contact c SET attributes = one.attributes::jsonb, consents = one.consents::jsonb,
            tags = ARRAY(SELECT jsonb_array_elements_text(one.tags::jsonb)), updated_at = %s
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
          AS one(workspace_id, lane, id, attributes, tags, consents)
        WHERE c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
        """,
        (now, *columns(rows, 6)),
    )


def walks(connection: Connection, contacts: Sequence[tuple[int, int]]) -> list[Walk]:
    """All enrollments of `(workspace, contact)`, the earliest entered first."""
    rows = connection.execute(
        f"""
        SELECT {", ".join("e." + name.strip() for name in enrollments.FIELDS.split(","))}, e.origin IS NOT NULL
        FROM unnest(%s::int[], %s::bigint[]) AS one(workspace_id, contact_id)
        JOIN enrollment e ON e.workspace_id = one.workspace_id AND e.contact_id = one.contact_id
        ORDER BY e.entered_at, e.id
        """,
        columns(sorted(set(contacts)), 2),
    ).fetchall()
    return [Walk(enrollments.Row._make(row[:-1]), row[-1]) for row in rows]


def give_places(connection: Connection, rows: Sequence[enrollments.Row]) -> None:
    """Let finished enrollments hold the place of their contact, where people enter only once."""
    if not rows:
        return
    connection.execute(
        """
        UPDATE enrollment e SET slot = 0
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        WHERE e.workspace_id = one.workspace_id AND e.lane = one.lane AND e.id = one.id
        """,
        columns([row[:3] for row in rows], 3),
    )
