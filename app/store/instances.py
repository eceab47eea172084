"""The one row that says which installation this database belongs to, and when anything worked last. Never decides."""

from datetime import datetime
from typing import NamedTuple

from app.store.rows import Connection


class Instance(NamedTuple):
    """The row as it lies there."""

    token: str
    epoch: int
    number: int
    place: str
    beat_at: datetime
    held: str | None
    seen: int


def read(connection: Connection, *, lock: bool = False) -> Instance | None:
    """The row; None where no worker has ever started here."""
    row = connection.execute(
        "SELECT token, epoch, number, place, beat_at, held, seen FROM instance WHERE id = 1"
        + (" FOR UPDATE" if lock else "")
    ).fetchone()
    return Instance._make(row) if row else None


def place(connection: Connection) -> str:
    """Which database of which server this is; a copy has another one."""
    row = connection.execute(
        "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::text,"
        " has_function_privilege('pg_control_system()', 'execute')"
    ).fetchone()
    assert row is not None
    database, allowed = row
    if not allowed:
        return str(database)
    system = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return f"{system[0] if system else ''}/{database}"


def begin(connection: Connection, token: str, place: str, now: datetime) -> None:
    """The first start; whoever comes second keeps the first one's row."""
    connection.execute(
        """
        INSERT INTO instance (id, token, epoch, number, place, beat_at) VALUES (1, %s, 1, 1, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        (token, place, now),
    )


def beat(connection: Connection, now: datetime) -> int:
    """Another beat; its number."""
    row = connection.execute(
        "UPDATE instance SET number = number + 1, beat_at = greatest(beat_at, %s) WHERE id = 1 RETURNING number", (now,)
    ).fetchone()
    return int(row[0]) if row else 0


def hold(connection: Connection, why: str, seen: int, now: datetime) -> None:
    """Send nothing until it is confirmed; `seen`: the number of the file that told of it."""
    connection.execute(
        """
        UPDATE instance SET held = coalesce(held, %s), held_at = coalesce(held_at, %s), seen = greatest(seen, %s)
        WHERE id = 1
        """,
        (why, now, seen),
    )


def confirm(connection: Connection, place: str, now: datetime) -> bool:
    """This is the installation from now on: files of before are older than it. False where nothing was held."""
    row = connection.execute(
        """
        UPDATE instance SET held = NULL, held_at = NULL, epoch = epoch + 1, number = greatest(number, seen) + 1,
            place = %s, beat_at = %s WHERE id = 1 AND held IS NOT NULL RETURNING id
        """,
        (place, now),
    ).fetchone()
    return row is not None


def held(connection: Connection) -> tuple[str, datetime] | None:
    """Why nothing is sent, and since when."""
    row = connection.execute("SELECT held, held_at FROM instance WHERE id = 1 AND held IS NOT NULL").fetchone()
    return (row[0], row[1]) if row else None
