"""Connections, the one commit point, and migrations."""

import os
import re
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


# What is found by a number alone bears its workspace as a column, which every statement asks for (`test_house.py`,
# `tests/web/test_matrix.py`); the rest belongs to the installation and not to a workspace.
FOUND_BY_NUMBER = {
    "caught", "comment", "dead", "journey", "key", "merge", "migration", "plan", "reputation", "review", "side_draft",
    "submission", "tally", "users", "version",
}  # fmt: skip
OF_NOBODY = {"alembic_version", "generation", "instance", "sign_in_try", "worker", "workspace"}
HOT = {"contact", "event", "inbox", "enrollment", "trail", "message", "sending", "consent"}


def keys_of(connection: database.Connection) -> dict[str, list[tuple[bool, tuple[str, ...]]]]:
    """By table, its unique keys: whether it is the primary one, and its columns."""
    found: dict[str, list[tuple[bool, tuple[str, ...]]]] = {}
    for table, primary, columns in connection.execute(
        """
        SELECT c.relname, i.indisprimary, array_agg(a.attname::text ORDER BY k.place)
        FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique
        CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        GROUP BY c.relname, i.indexrelid, i.indisprimary
        """
    ).fetchall():
        found.setdefault(table, []).append((primary, tuple(columns)))
    return found


def test_every_key_bears_the_workspace_and_every_hot_one_the_lane(connection: database.Connection) -> None:
    keys = keys_of(connection)
    by_number = {table for table, mine in keys.items() if not all("workspace_id" in columns for _, columns in mine)}
    assert by_number == FOUND_BY_NUMBER | OF_NOBODY
    bearing = connection.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'workspace_id' AND is_nullable = 'NO'"
    ).fetchall()
    without = keys.keys() - {name for (name,) in bearing}
    assert without == OF_NOBODY | {"caught"}, "what the catcher of mail is handed may be nobody's"
    for table in HOT:
        assert any(primary and "lane" in columns for primary, columns in keys[table]), table


def test_unique_keys_are_the_last_line_d2(connection: database.Connection) -> None:
    keys = {(table, columns) for table, mine in keys_of(connection).items() for _, columns in mine}
    assert keys >= {
        ("seen", ("workspace_id", "digest")),  # an event, by its message id
        ("enrollment", ("workspace_id", "contact_id", "journey_id", "key", "slot")),  # one active, by policy
        ("trail", ("workspace_id", "lane", "enrollment_id", "walk")),  # a move
        ("message", ("workspace_id", "lane", "enrollment_id", "node", "visit")),
        ("receipt", ("workspace_id", "message_id", "kind", "provider_event_id")),
        ("identity", ("workspace_id", "kind", "value")),
        ("run", ("workspace_id", "journey_id", "node", "planned_at")),  # a firing of a schedule
        ("version", ("journey_id", "number")),
    }


def test_due_work_has_indexes_of_its_own_and_history_lies_by_month_d8(connection: database.Connection) -> None:
    partial = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL"
    ).fetchall()
    due = {name: condition for name, condition in partial if name in ("ix_enrollment_due", "ix_message_due")}
    assert due["ix_enrollment_due"] == "((status = 0) AND (wake_at IS NOT NULL))"
    assert "status = ANY" in due["ix_message_due"]
    kept = connection.execute(
        "SELECT pg_get_partkeydef(partrelid) FROM pg_partitioned_table WHERE partrelid = 'event'::regclass"
    ).fetchall()
    assert kept == [('RANGE ("timestamp")',)]


def test_what_is_written_down_never_goes_with_what_it_is_about_d17(connection: database.Connection) -> None:
    """No deletion takes rows of another table along; a version stays as it was published."""
    foreign = "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confdeltype NOT IN ('a', 'r')"
    assert connection.execute(foreign).fetchall() == []
    store = [path.read_text(encoding="utf-8") for path in (database.MIGRATIONS.parent / "app" / "store").glob("*.py")]
    changed = {word for text in store for word in re.findall(r"UPDATE version v?\s*SET (\w+)", text)}
    assert changed == {"reach"}, "nothing else of a version is ever changed"
    assert not [text for text in store if re.search(r"DELETE FROM (version|journey|submission|review)\b", text)]


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
