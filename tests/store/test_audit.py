"""The audit log: rows are only added, the chain names the first broken row and never forks."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from app import audit, database
from app.database import Connection, transaction
from app.store import audit as rows
from app.store import workspaces
from app.store.audit import Head

COPY = "INSERT INTO audit (workspace_id, number, at, actor, what, about, before, after, previous, hash) SELECT workspace_id,"
REST = "at, actor, what, about, before, after, previous, hash"
AT = datetime(2026, 11, 22, 8, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def workspace(connection: Connection) -> int:
    with transaction(connection):
        return workspaces.add(connection, "shop", timezone="UTC", now=AT)


def write(connection: Connection, workspace: int, count: int) -> None:
    with transaction(connection):
        for number in range(count):
            said = {"pipe": number, "name": "Zoë 张", "at": AT}
            audit.record(connection, workspace, "user:1", "journey.pause", f"journey:{number}", None, said, AT)


def tamper(connection: Connection, statement: str) -> None:
    """What somebody with the database's own keys could do."""
    with transaction(connection):
        for able in ("DISABLE", "ENABLE"):
            for table in ("audit", "audit_head"):
                connection.execute(f"ALTER TABLE {table} {able} TRIGGER USER".encode())
            if able == "DISABLE":
                connection.execute(statement.encode())


def test_a_sound_log_is_called_sound_and_reads_as_it_was_written(connection: Connection, workspace: int) -> None:
    assert audit.verify(connection, workspace) == audit.Verdict(0, None, None)
    write(connection, workspace, 5)
    verdict = audit.verify(connection, workspace)
    assert verdict.sound == 5
    assert verdict.broken is None
    assert verdict.head is not None
    assert audit.holds(connection, workspace, verdict.head)
    assert not audit.holds(connection, workspace, Head(3, verdict.head.hash))
    newest = rows.page(connection, workspace, rows.Wanted(what="journey"), None, 2)
    assert [row.number for row in newest] == [5, 4]
    assert newest[0].after == '{"at":"2026-11-22T08:30:15.123456+00:00","name":"Zoë 张","pipe":4}'
    assert rows.page(connection, workspace, rows.Wanted(what="jour"), None, 2) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'user:2'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE audit_head",
        "TRUNCATE audit, audit_head, workspace CASCADE",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = 1",
    ],
)
def test_the_database_refuses_to_change_or_drop_a_row_t28(
    connection: Connection, workspace: int, statement: str
) -> None:
    write(connection, workspace, 2)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added to"):
        connection.execute(statement.encode())
    connection.rollback()
    assert audit.verify(connection, workspace).sound == 2


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE audit SET actor = 'user:2' WHERE number = 3", 3),
        ("UPDATE audit SET after = '{}' WHERE number = 2", 2),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE number = 4", 4),
        ("UPDATE audit SET hash = repeat('0', 64) WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 5", 5),
        ("DELETE FROM audit", 1),
        ("TRUNCATE audit", 1),
        # Put in, in place of another and at the end; two rows in each other's place; the last ones cut off.
        (f"DELETE FROM audit WHERE number = 3; {COPY} 3, {REST} FROM audit WHERE number = 4", 3),  # noqa: S608 a test
        (f"{COPY} 6, {REST} FROM audit WHERE number = 5", 6),
        (
            "UPDATE audit SET number = CASE number WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE number IN (2, 3);"
            " UPDATE audit SET number = -number WHERE number < 0",
            2,
        ),
        ("DELETE FROM audit WHERE number > 2", 3),
        ("DELETE FROM audit_head", 6),
        ("UPDATE audit_head SET number = 4, hash = (SELECT hash FROM audit WHERE number = 4)", 6),
    ],
)
def test_the_verifier_names_the_first_row_that_was_tampered_with_t28(
    connection: Connection, workspace: int, statement: str, first: int
) -> None:
    write(connection, workspace, 5)
    tamper(connection, statement)
    broken = audit.verify(connection, workspace).broken
    assert broken is not None
    assert broken.number == first


def test_writers_at_once_make_one_chain_without_a_fork_t28(
    connection: Connection, workspace: int, database_url: str
) -> None:
    def work() -> None:
        with database.connect(database_url) as own:
            for _ in range(15):
                write(own, workspace, 2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = audit.verify(connection, workspace)
    assert (verdict.sound, verdict.broken) == (120, None)


def test_secrets_and_whole_documents_are_not_kept(connection: Connection, workspace: int) -> None:
    with transaction(connection):
        said = {"password": "correct horse", "name": "Li"}
        audit.record(connection, workspace, "user:1", "user.password", "user:1", None, said, AT)
        audit.record(connection, workspace, "user:1", "journey.edit", "journey:1", None, {"document": "x" * 9_000}, AT)
    kept = rows.after(connection, workspace, 0, 10)
    assert kept[0].after == '{"name":"Li"}'
    assert "sha256" in kept[1].after
    assert len(kept[1].after) < 200
