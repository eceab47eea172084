"""Where a command works: your database or the local one of the data folder, and scratch databases beside it. Never data."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from app import database
from app.database import Connection, connect
from app.run import local_servers
from app.settings import Settings
from app.store import databases, workspaces

LONG_SECONDS = 600.0


class CommandError(Exception):
    """The command cannot do what it was asked for; the text says why and what to do."""


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@contextmanager
def workplace(settings: Settings, *, migrated: bool = True) -> Iterator[tuple[Settings, Connection]]:
    """Settings with addresses, and an open connection; the tables are brought up to date first."""
    with local_servers(settings) as placed:
        url = str(placed.database_url)
        if migrated:
            database.migrate(url) if database.pending(url) else None
        with connect(url, name="journey-command", statement_seconds=LONG_SECONDS) as connection:
            yield placed, connection


@contextmanager
def scratch(settings: Settings, *, fast: bool = False) -> Iterator[Connection]:
    """A connection to a database that is made now, migrated, and dropped at the end. `fast`: a crash may lose it."""
    name = f"journey_scratch_{os.getpid()}_{secrets.token_hex(3)}"
    with local_servers(settings) as placed:
        url = str(placed.database_url)
        with connect(url, name="journey-scratch", autocommit=True, statement_seconds=LONG_SECONDS) as admin:
            databases.make(admin, name)
            try:
                here = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
                database.migrate(here)
                durable = "off" if fast else "on"
                # Nobody else is kept waiting here, so a starved or halted process need not be cut off in a transaction.
                with connect(
                    here,
                    name="journey-scratch",
                    statement_seconds=LONG_SECONDS,
                    idle_in_transaction_seconds=LONG_SECONDS,
                    synchronous_commit=durable,
                ) as connection:
                    yield connection
            finally:
                databases.drop(admin, name)


def first_workspace(connection: Connection) -> int:
    """The workspace a command means."""
    found = workspaces.first(connection)
    if found is None:
        raise CommandError("There is no workspace yet; `journey run` or `journey user add` makes one.")
    return found
