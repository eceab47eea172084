"""D15, F35: a copy, or a backup put back, sends nothing until somebody confirms it; the original sends on."""

import json
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import generation
from app.database import Connection, transaction
from app.store import instances
from tests.faults import story
from tests.faults.conftest import Workers, count, until

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def look(connection: Connection, data: Path, *, local: bool = False, now: datetime = NOW) -> str | None:
    """A worker starts; why it is held, None where it is not."""
    data.mkdir(exist_ok=True)
    with transaction(connection):
        generation.look(connection, data, now, local=local)
        held = instances.held(connection)
    return held[0] if held else None


def rows(connection: Connection) -> list[Any]:
    with transaction(connection):
        return connection.execute(
            "SELECT token, epoch, number, place, beat_at, held, held_at, seen FROM instance"
        ).fetchall()


def put_back(connection: Connection, saved: list[Any]) -> None:
    """The database as it was then."""
    with transaction(connection):
        connection.execute("DELETE FROM instance")
        connection.execute(
            "INSERT INTO instance (id, token, epoch, number, place, beat_at, held, held_at, seen)"
            " VALUES (1, %s, %s, %s, %s, %s, %s, %s, %s)",
            saved[0],
        )


def confirm(connection: Connection) -> bool:
    with transaction(connection):
        return generation.confirm(connection, NOW)


def test_ordinary_restarts_and_further_machines_hold_nothing(connection: Connection, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, one, two, one, two, two, one):
        assert look(connection, folder, local=folder == one) is None
    (one / generation.NAME).unlink()
    assert look(connection, one, local=True) is None
    (one / generation.NAME).write_text("half a fi")
    assert look(connection, one, local=True) is None


def test_a_database_that_went_back_in_time_is_held_until_it_is_confirmed_d15(
    connection: Connection, tmp_path: Path
) -> None:
    look(connection, tmp_path)
    backup = rows(connection)
    for _ in range(3):
        look(connection, tmp_path)
    put_back(connection, backup)
    assert look(connection, tmp_path) == generation.BACK
    assert look(connection, tmp_path) == generation.BACK  # a restart is no confirmation
    assert confirm(connection)
    assert look(connection, tmp_path) is None
    assert not confirm(connection)


def test_a_database_copied_to_another_server_is_held_f35(connection: Connection, tmp_path: Path) -> None:
    look(connection, tmp_path)
    connection.execute("UPDATE instance SET place = 'another server/5'")
    connection.commit()
    assert look(connection, tmp_path / "fresh folder") == generation.MOVED
    assert confirm(connection)
    assert look(connection, tmp_path / "fresh folder") is None


def test_a_copied_data_folder_with_the_database_in_it_is_held_f35(connection: Connection, tmp_path: Path) -> None:
    look(connection, tmp_path / "var", local=True)
    shutil.copytree(tmp_path / "var", tmp_path / "copy")
    assert look(connection, tmp_path / "copy", local=True) == generation.COPIED
    shutil.rmtree(tmp_path / "copy")
    assert confirm(connection)
    (tmp_path / "var").rename(tmp_path / "moved")  # moving it is no copy
    assert look(connection, tmp_path / "moved", local=True) is None


def test_a_folder_of_another_installation_is_held(connection: Connection, tmp_path: Path) -> None:
    look(connection, tmp_path)
    file = json.loads((tmp_path / generation.NAME).read_text())
    (tmp_path / generation.NAME).write_text(json.dumps(file | {"token": "somebody else's"}))
    assert look(connection, tmp_path) == generation.OTHER


@pytest.mark.timeout(60)
def test_a_process_killed_between_the_file_and_its_commit_holds_nothing_f02(
    connection: Connection, tmp_path: Path
) -> None:
    look(connection, tmp_path)
    generation.look(connection, tmp_path, NOW, local=False)
    connection.rollback()  # what a kill does: the file is written, its row is not
    assert look(connection, tmp_path) is None
    assert look(connection, tmp_path) is None


def test_a_worker_on_a_restored_backup_moves_people_and_sends_nothing_until_confirmed_f35(
    connection: Connection, workers: Workers, tmp_path: Path
) -> None:
    look(connection, tmp_path)
    backup = rows(connection)
    look(connection, tmp_path)
    look(connection, tmp_path)
    put_back(connection, backup)
    story.tell(connection)
    worker = workers.start()
    until(lambda: story.over(connection))
    until(lambda: count(connection, "SELECT count(*) FROM message WHERE status = 0") > 0)
    assert count(connection, "SELECT count(*) FROM message WHERE status NOT IN (0, 4)") == 0
    assert count(connection, "SELECT count(*) FROM message WHERE attempt > 0") == 0
    assert confirm(connection)
    until(lambda: count(connection, "SELECT count(*) FROM message WHERE status = 0") == 0)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


def test_the_moment_anything_worked_last_is_told_once(connection: Connection, tmp_path: Path) -> None:
    look(connection, tmp_path, now=NOW)
    with transaction(connection):
        assert generation.look(connection, tmp_path, NOW + timedelta(hours=8), local=False) == NOW
        assert generation.look(connection, tmp_path, NOW + timedelta(hours=8), local=False) == NOW + timedelta(hours=8)
