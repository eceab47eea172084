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
    assert journey("audit", "verify", "--noted", noted).code == 0
    assert journey("audit", "verify", "--noted", noted[:-1] + "x").code == 1
    with transaction(connection):
        connection.execute("ALTER TABLE audit DISABLE TRIGGER only_added_to")
        connection.execute("UPDATE audit SET after = '{}' WHERE number = 3")
        connection.execute("ALTER TABLE audit ENABLE TRIGGER only_added_to")
    broken = journey("audit", "verify")
    assert broken.code == 1
    assert "broken at row 3" in broken.out
