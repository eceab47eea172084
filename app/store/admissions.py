"""How many a capped version has let in, exactly, and who was not let into a journey. Never decides who may enter."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection, columns
from flows.conditions import OVER


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


def fill(connection: Connection, workspace_id: int, journey_id: int) -> Fill | None:
    """How full the live version is; None where it has no cap. Who was turned away is counted up to a bound."""
    row = connection.execute(
        """
        SELECT a.most, a.taken, (SELECT count(*) FROM (
            SELECT FROM turned_away t WHERE t.workspace_id = j.workspace_id AND t.journey_id = j.id AND t.reason = %s
            LIMIT %s) AS counted)
        FROM journey j JOIN admission a ON a.workspace_id = j.workspace_id AND a.version_id = j.live_version_id
        WHERE j.workspace_id = %s AND j.id = %s
        """,
        (OVER, COUNTED_AT_MOST, workspace_id, journey_id),
    ).fetchone()
    return Fill._make(row) if row else None


class Away(NamedTuple):
    """Who was not let into a journey, and why: the last time, and how often."""

    contact_id: int
    reason: str
    version: int
    at: datetime
    times: int


def page(connection: Connection, workspace_id: int, journey_id: int, after: tuple[int, str], limit: int) -> list[Away]:
    """Who was not let in, after a place (contact, reason), in order of both."""
    rows = connection.execute(
        """
        SELECT t.contact_id, t.reason, v.number, t.at, t.times FROM turned_away t
        JOIN version v ON v.workspace_id = t.workspace_id AND v.id = t.version_id
        WHERE t.workspace_id = %s AND t.journey_id = %s AND (t.contact_id, t.reason) > (%s, %s)
        ORDER BY t.contact_id, t.reason LIMIT %s
        """,
        (workspace_id, journey_id, *after, limit),
    ).fetchall()
    return [Away._make(row) for row in rows]
