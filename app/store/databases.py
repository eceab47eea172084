"""Databases as a whole: scratch ones made and dropped, and what a doctor asks of a server. Never a table of ours."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from psycopg import sql

from app.store.rows import Connection


class Server(NamedTuple):
    """How a PostgreSQL is set; `now` is its clock."""

    version: int
    fsync: bool
    synchronous_commit: str
    now: datetime
    connections: int
    connections_at_most: int


class Work(NamedTuple):
    """What workers and doors have to show: lanes owned, the latest sign of life, who may come in."""

    workspaces: int
    users: int
    write_keys: int
    live: int
    accounts: int
    workers: int
    lanes: int
    progress_at: datetime | None


def make(admin: Connection, name: str) -> None:
    """A new, empty database; the connection is in autocommit mode."""
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop(admin: Connection, name: str) -> None:
    """Away with it, whoever still holds a connection to it."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def lies_in(connection: Connection, folder: Path) -> bool:
    """Whether the server keeps its data below this folder; False where it does not tell."""
    row = connection.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'").fetchone()
    return row is not None and bool(row[0]) and Path(str(row[0])).is_relative_to(folder.resolve())


def server(connection: Connection) -> Server:
    """The server behind a connection."""
    row = connection.execute(
        """
        SELECT current_setting('server_version_num')::int, current_setting('fsync')::bool,
               current_setting('synchronous_commit'), clock_timestamp(),
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
               current_setting('max_connections')::int
        """
    ).fetchone()
    assert row is not None
    return Server._make(row)


def work(connection: Connection) -> Work:
    """Who works here and who may come in."""
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM workspace), (SELECT count(*) FROM users),
               (SELECT count(*) FROM key WHERE role = 'ingest' AND revoked_at IS NULL),
               (SELECT count(*) FROM journey WHERE status = 'live'), (SELECT count(*) FROM account),
               (SELECT count(*) FROM worker), (SELECT coalesce(sum(cardinality(lanes)), 0) FROM worker),
               (SELECT max(progress_at) FROM worker)
        """
    ).fetchone()
    assert row is not None
    return Work._make(row)
