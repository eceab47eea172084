"""Connections, the one commit point, and migrations."""

import os
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic import command
from psycopg import sql

from app import database


@pytest.fixture
def fresh_url(server_url: str, worker_name: str) -> Iterator[str]:
    """A database without any table."""
    plain = f"journey_fresh_{os.getpid()}_{worker_name}"
    name = sql.Identifier(plain)
    with database.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{plain}"))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def numbers(url: str) -> list[int]:
    with database.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM number ORDER BY n")]


def test_a_transaction_commits_at_its_end_and_nothing_after_an_error(fresh_url: str) -> None:
    with database.connect(fresh_url) as connection:
        with database.transaction(connection):
            connection.execute("CREATE TABLE number (n int)")
            connection.execute("INSERT INTO number VALUES (1)")
        with pytest.raises(psycopg.errors.DivisionByZero), database.transaction(connection):
            connection.execute("INSERT INTO number VALUES (2); SELECT 1 / 0")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with database.transaction(connection):
            connection.execute("INSERT INTO number VALUES (3)")
        connection.execute("INSERT INTO number VALUES (4)")
        connection.rollback()
    assert numbers(fresh_url) == [1, 3]


def test_a_connection_that_broke_shows_the_first_error(fresh_url: str) -> None:
    with database.connect(fresh_url) as connection:
        pid = connection.info.backend_pid
        with pytest.raises(psycopg.errors.AdminShutdown), database.transaction(connection):
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert connection.closed


def test_a_session_has_our_time_zone_and_limits(fresh_url: str) -> None:
    with database.connect(fresh_url, name="worker 1", statement_seconds=0.2, work_mem="12 MB") as connection:
        told = connection.execute(
            "SELECT current_setting('timezone'), current_setting('idle_in_transaction_session_timeout'),"
            " current_setting('work_mem'), current_setting('application_name')"
        ).fetchone()
        assert told == ("UTC", "10s", "12MB", "worker 1")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(5)")
        connection.rollback()


def test_a_pool_lends_connections_with_the_same_limits_and_replaces_broken_ones(fresh_url: str) -> None:
    with database.pool(fresh_url, size=1, statement_seconds=3) as pool, database.connect(fresh_url) as other:
        with pool.connection() as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("3s",)
            pid = connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        with pool.connection() as connection:
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


def test_migrating_twice_at_once_is_migrating_once(fresh_url: str) -> None:
    before = database.pending(fresh_url)
    assert before[0] == "0001"
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            database.migrate(fresh_url)
        except psycopg.Error as error:
            errors.append(error)

    both = [threading.Thread(target=migrate) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not errors
    assert database.pending(fresh_url) == ()


def test_a_database_ahead_of_the_program_is_refused(fresh_url: str) -> None:
    with database.connect(fresh_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    with pytest.raises(database.DatabaseError, match="9999, which this program does not know"):
        database.pending(fresh_url)


def test_models_and_migrated_tables_are_the_same(database_url: str) -> None:
    command.check(database.alembic_config(database_url))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hunter2@db:5432/x?sslmode=require", "postgresql://me@db:5432/x?sslmode=require"),
        ("postgresql://journey@/postgres?host=/run/x", "postgresql://journey@/postgres?host=/run/x"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert database.shown_url(url) == shown
    assert database.native_url("postgresql+psycopg://a@b/c") == "postgresql://a@b/c"
    assert database.driver_url("postgres://a@b/c") == "postgresql+psycopg://a@b/c"
