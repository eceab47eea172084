"""How many a capped version has let in, exactly, and whom it turned away. Never decides who may enter."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection, array, columns


class Turned(NamedTuple):
    """Somebody who would have entered."""

    workspace_id: int
    lane: int
    contact_id: int
    journey_id: int
    version_id: int
    at: datetime


class Fill(NamedTuple):
    """How full a capped version is."""

    most: int
    taken: int
    turned_away: int


COUNTED_AT_MOST = 100_000


def open_cap(connection: Connection, workspace_id: int, version_id: int, most: int) -> None:
    """This version lets in so many, and nobody has come yet."""
    connection.execute(
        "INSERT INTO admission (workspace_id, version_id, most) VALUES (%s, %s, %s)", (workspace_id, version_id, most)
    )


def hold(connection: Connection, versions: Iterable[tuple[int, int]]) -> dict[int, int]:
    """How many places each `(workspace, version)` has left, held until the end of the transaction; absent: none.

    In order of version, so that two batches cannot wait for each other. What is full is not held: it stays full.
    """
    wanted = sorted(set(versions))
    if not wanted:
        return {}
    rows = connection.execute(
        """
        SELECT a.version_id, a.most - a.taken FROM admission a
        JOIN unnest(%s::int[], %s::int[]) AS one(workspace_id, version_id)
          ON a.workspace_id = one.workspace_id AND a.version_id = one.version_id
        WHERE a.taken < a.most ORDER BY a.version_id FOR UPDATE OF a
        """,
        columns(wanted, 2),
    ).fetchall()
    return dict(rows)


def take(connection: Connection, entered: Mapping[tuple[int, int], int]) -> None:
    """So many more have entered by each `(workspace, version)`; their rows are held."""
    if not entered:
        return
    connection.execute(
        """
        UPDATE admission a SET taken = a.taken + one.entered
        FROM unnest(%s::int[], %s::int[], %s::int[]) AS one(workspace_id, version_id, entered)
        WHERE a.workspace_id = one.workspace_id AND a.version_id = one.version_id
        """,
        columns([(*key, count) for key, count in sorted(entered.items())], 3),
    )


def turn_away(connection: Connection, turned: Sequence[Turned]) -> None:
    """Keep who was not let in; of one person and journey the last time counts."""
    if not turned:
        return
    latest = {(one.workspace_id, one.contact_id, one.journey_id): one for one in turned}
    connection.execute(
        """
        INSERT INTO turned_away (workspace_id, lane, contact_id, journey_id, version_id, at)
        SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::int[], %s::int[], %s::timestamptz[])
        ON CONFLICT (workspace_id, lane, contact_id, journey_id)
        DO UPDATE SET version_id = excluded.version_id, at = excluded.at
        """,
        columns(list(latest.values()), 6),
    )


def fill(connection: Connection, workspace_id: int, journey_id: int) -> Fill | None:
    """How full the live version is; None where it has no cap. Who was turned away is counted up to a bound."""
    row = connection.execute(
        """
        SELECT a.most, a.taken, (SELECT count(*) FROM (
            SELECT FROM turned_away t WHERE t.workspace_id = j.workspace_id AND t.journey_id = j.id LIMIT %s) AS counted)
        FROM journey j JOIN admission a ON a.workspace_id = j.workspace_id AND a.version_id = j.live_version_id
        WHERE j.workspace_id = %s AND j.id = %s
        """,
        (COUNTED_AT_MOST, workspace_id, journey_id),
    ).fetchone()
    return Fill._make(row) if row else None


def page(
    connection: Connection, workspace_id: int, journey_id: int, after: int, limit: int
) -> list[tuple[int, int, datetime]]:
    """Who was turned away from a journey: (contact, number of the version, when), in order of contact."""
    return connection.execute(
        """
        SELECT t.contact_id, v.number, t.at FROM turned_away t
        JOIN version v ON v.workspace_id = t.workspace_id AND v.id = t.version_id
        WHERE t.workspace_id = %s AND t.journey_id = %s AND t.contact_id > %s ORDER BY t.contact_id LIMIT %s
        """,
        (workspace_id, journey_id, after, limit),
    ).fetchall()


def of_contacts(
    connection: Connection, workspace_id: int, lanes: Sequence[int], contacts: Sequence[int]
) -> list[tuple[int, str, datetime]]:
    """Which journeys turned somebody away: (journey, its name, when), the latest first."""
    return connection.execute(
        """
        SELECT j.id, j.name, t.at FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id)
        JOIN turned_away t ON t.workspace_id = %s AND t.lane = one.lane AND t.contact_id = one.id
        JOIN journey j ON j.workspace_id = t.workspace_id AND j.id = t.journey_id AND in_scope(j.scope)
        ORDER BY t.at DESC LIMIT 50
        """,
        (array(lanes), array(contacts), workspace_id),
    ).fetchall()
