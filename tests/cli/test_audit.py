"""`journey audit verify`: sound logs are called sound, the first broken row is named, noted ends and anchors must stand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import anchors, audit
from app.database import Connection, transaction
from app.store import audit as rows
from app.store import workspaces
from tests.cli.conftest import Journey

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_verifier_names_the_first_broken_row_t28(journey: Journey, connection: Connection) -> None:
    assert "empty" in journey("audit", "verify").out
    with transaction(connection):
        workspace = workspaces.add(connection, "shop", timezone="UTC", now=AT)
        for number in range(4):
            audit.record(connection, workspace, "user:1", "plan.change", f"plan:{number}", None, {"n": number}, AT)
    called = journey("audit", "verify")
    assert called.code == 0
    assert "4 rows, sound" in called.out
    noted = called.out.rpartition(" ")[2].strip()
    for said in (noted, noted.partition(":")[2]):  # the workspace may be left out where there is one
        assert journey("audit", "verify", "--head", said).code == 0
    assert journey("audit", "verify", "--noted", noted[:-1] + "x").code == 1
    assert "looks like" in journey("audit", "verify", "--head", "7").err
    with transaction(connection):
        connection.execute("ALTER TABLE audit DISABLE TRIGGER only_added_to")
        connection.execute("UPDATE audit SET after = '{}' WHERE number = 3")
        connection.execute("ALTER TABLE audit ENABLE TRIGGER only_added_to")
    broken = journey("audit", "verify")
    assert broken.code == 1
    assert "broken at row 3" in broken.out


def test_a_log_written_anew_from_end_to_end_is_found_by_a_head_noted_elsewhere_t28(
    journey: Journey, connection: Connection
) -> None:
    """With the database's own keys all can be made to fit: only what was noted outside of it cannot."""
    with transaction(connection):
        workspace = workspaces.add(connection, "shop", timezone="UTC", now=AT)
        for number in range(4):
            audit.record(connection, workspace, "user:1", "plan.change", f"plan:{number}", None, {"n": number}, AT)
    noted = journey("audit", "verify").out.rpartition(" ")[2].strip()
    for forged in (range(3), range(5)):  # the last row gone; another one put in before
        with transaction(connection):
            for table in ("audit", "audit_head"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER; DELETE FROM {table}".encode())  # noqa: S608
            for number in forged:
                audit.record(connection, workspace, "user:2", "plan.change", f"plan:{number}", None, {"n": number}, AT)
            for table in ("audit", "audit_head"):
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
        assert journey("audit", "verify").code == 0
        called = journey("audit", "verify", "--head", noted)
        assert called.code == 1
        assert "row 4 is not the one that was noted" in called.out


def grown(connection: Connection, data: Path, days: int = 3, a_day: int = 4) -> int:
    """A log that grew for some days and was anchored at the beginning of each next one."""
    with transaction(connection):
        workspace = workspaces.add(connection, "shop", timezone="UTC", now=AT)
    for day in range(days):
        at = AT + timedelta(days=day)
        with transaction(connection):
            anchors.daily(connection, data, at)
            for number in range(a_day):
                audit.record(connection, workspace, "user:1", "plan.change", f"plan:{number}", None, {"day": day}, at)
    with transaction(connection):
        anchors.daily(connection, data, AT + timedelta(days=days))
    return workspace


def without_triggers(connection: Connection, *statements: str) -> None:
    """What whoever owns the database can do."""
    with transaction(connection):
        for table in ("audit", "audit_head"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        for statement in statements:
            connection.execute(statement.encode())
        for table in ("audit", "audit_head"):
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())


def test_an_end_that_was_cut_off_with_its_head_is_missed_by_the_anchors_t28(
    journey: Journey, connection: Connection, tmp_path: Path
) -> None:
    grown(connection, tmp_path)
    sound = journey("audit", "verify")
    assert (sound.code, "3 anchors hold, the last of 2026-11-25" in sound.out) == (0, True)
    without_triggers(
        connection,
        "DELETE FROM audit WHERE number > 6",
        "UPDATE audit_head SET number = 6, hash = (SELECT hash FROM audit WHERE number = 6)",
    )
    assert audit.verify(connection, 1).broken is None, "the chain alone does not know"
    connection.rollback()
    cut = journey("audit", "verify")
    assert cut.code == 1
    assert "cut below the anchor of 2026-11-24: row 8 is missing." in cut.out
    assert "The anchor of 2026-11-23 (row 4) still holds." in cut.out


def test_a_log_that_was_rewritten_whole_is_found_by_its_day_t28(
    journey: Journey, connection: Connection, tmp_path: Path
) -> None:
    workspace = grown(connection, tmp_path)
    kept = [row._replace(hash="") for row in _rows(connection, workspace)]
    kept[5] = kept[5]._replace(actor="user:2")
    previous = ""
    with transaction(connection):
        connection.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        for row in kept:
            forged = row._replace(previous=previous)
            previous = audit.digest(workspace, forged)
            said = (forged.actor, forged.previous, previous, forged.number)
            connection.execute("UPDATE audit SET actor = %s, previous = %s, hash = %s WHERE number = %s", said)
        connection.execute("UPDATE audit_head SET hash = %s", (previous,))
        connection.execute("ALTER TABLE audit ENABLE TRIGGER USER")
    assert audit.verify(connection, workspace).broken is None
    connection.rollback()
    found = journey("audit", "verify")
    assert found.code == 1
    assert "rewritten below the anchor of 2026-11-24: row 8 is another one. The anchor of 2026-11-23" in found.out


def test_a_log_that_was_emptied_is_found_t28(journey: Journey, connection: Connection, tmp_path: Path) -> None:
    grown(connection, tmp_path)
    without_triggers(connection, "DELETE FROM audit", "DELETE FROM audit_head")
    assert "cut below the anchor of 2026-11-23: row 4 is missing" in journey("audit", "verify").out


def test_anchors_are_written_once_a_day_whoever_asks_and_damage_is_named(
    journey: Journey, connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grown(connection, tmp_path)
    file = tmp_path / anchors.NAME
    before = file.read_text()
    assert len(before.splitlines()) == 3
    assert [json.loads(line)["number"] for line in before.splitlines()] == [4, 8, 12]
    with transaction(connection):
        assert anchors.daily(connection, tmp_path, AT + timedelta(days=3, hours=5)) == []
    assert file.read_text() == before
    capsys.readouterr()
    with transaction(connection):
        assert len(anchors.daily(connection, tmp_path, AT + timedelta(days=4))) == 1
    assert file.read_text().startswith(before), "only ever added to"
    assert "audit anchor" in "".join(capsys.readouterr()), "the log of the process is the second witness"
    file.write_text(before.replace(before.splitlines()[1], "{}"))
    damaged = journey("audit", "verify")
    assert damaged.code == 1
    assert "line 2: not an anchor" in damaged.out


def _rows(connection: Connection, workspace: int) -> list[rows.Row]:
    found = rows.after(connection, workspace, 0, 100)
    connection.rollback()
    return found
