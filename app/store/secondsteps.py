"""Second steps of signing in: one row a person, the key sealed, recovery codes as hashes. Never a code, never a key in clear."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple

from app.store.rows import Connection

REQUIRED = "required"


class Kept(NamedTuple):
    """What is kept of somebody's second step; it counts once there is a `since`."""

    sealed: str
    since: datetime | None
    codes: list[str]


def find(connection: Connection, workspace_id: int, user_id: int, *, lock: bool = False) -> Kept | None:
    """Somebody's second step; None where they never began one."""
    tail: LiteralString = " FOR UPDATE" if lock else ""
    row = connection.execute(
        "SELECT sealed, since, codes FROM second_step WHERE workspace_id = %s AND user_id = %s" + tail,
        (workspace_id, user_id),
    ).fetchone()
    return Kept._make(row) if row else None


def begin(connection: Connection, workspace_id: int, user_id: int, sealed: str, now: datetime) -> bool:
    """Keep a key that is not proven yet, in place of one that was not either; False where one counts already."""
    row = connection.execute(
        """
        INSERT INTO second_step (workspace_id, user_id, sealed, begun_at) VALUES (%s, %s, %s, %s)
        ON CONFLICT (workspace_id, user_id) DO UPDATE SET sealed = excluded.sealed, begun_at = excluded.begun_at
        WHERE second_step.since IS NULL RETURNING user_id
        """,
        (workspace_id, user_id, sealed, now),
    ).fetchone()
    return row is not None


def confirm(
    connection: Connection, workspace_id: int, user_id: int, used: int, codes: Sequence[str], now: datetime
) -> None:
    """From now on it counts."""
    connection.execute(
        """
        UPDATE second_step SET since = %s, last_used = %s, codes = %s
        WHERE workspace_id = %s AND user_id = %s AND since IS NULL
        """,
        (now, used, list(codes), workspace_id, user_id),
    )


def use(connection: Connection, workspace_id: int, user_id: int, step: int) -> bool:
    """Take the code of this half minute; False where it, or a later one, was taken before."""
    row = connection.execute(
        """
        UPDATE second_step SET last_used = %s
        WHERE workspace_id = %s AND user_id = %s AND since IS NOT NULL AND last_used < %s RETURNING user_id
        """,
        (step, workspace_id, user_id, step),
    ).fetchone()
    return row is not None


def use_code(connection: Connection, workspace_id: int, user_id: int, digest: str) -> bool:
    """Take a recovery code; False where there is none like it any more."""
    row = connection.execute(
        """
        UPDATE second_step SET codes = array_remove(codes, %s)
        WHERE workspace_id = %s AND user_id = %s AND since IS NOT NULL AND %s = ANY(codes) RETURNING user_id
        """,
        (digest, workspace_id, user_id, digest),
    ).fetchone()
    return row is not None


def set_codes(connection: Connection, workspace_id: int, user_id: int, codes: Sequence[str]) -> None:
    """Other recovery codes; the ones before open nothing any more."""
    connection.execute(
        "UPDATE second_step SET codes = %s WHERE workspace_id = %s AND user_id = %s AND since IS NOT NULL",
        (list(codes), workspace_id, user_id),
    )


def remove(connection: Connection, workspace_id: int, user_id: int) -> bool:
    """No second step any more; False where none counted."""
    row = connection.execute(
        "DELETE FROM second_step WHERE workspace_id = %s AND user_id = %s RETURNING since", (workspace_id, user_id)
    ).fetchone()
    return bool(row and row[0])


def required(connection: Connection, workspace_id: int) -> bool:
    """Whether the workspace asks admins and reviewers for one."""
    row = connection.execute(
        "SELECT settings ->> 'second_step' FROM workspace WHERE id = %s", (workspace_id,)
    ).fetchone()
    return row is not None and row[0] == REQUIRED


def require(connection: Connection, workspace_id: int, *, on: bool) -> None:
    """Ask for it, or not; holds with the next request."""
    connection.execute(
        "UPDATE workspace SET settings = settings || jsonb_build_object('second_step', %s::text) WHERE id = %s",
        (REQUIRED if on else "free", workspace_id),
    )
