"""`journey audit verify`: sound logs are called sound, the first broken row is named, noted ends must still stand."""

from datetime import UTC, datetime

from app import audit
from app.database import Connection, transaction
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
