"""The doctor: each line that fails names its fix, and nothing is changed by looking."""

import socket
from pathlib import Path

import pytest

from app.commands import doctor
from app.commands.doctor import Line
from app.database import Connection, transaction
from app.settings import Settings
from app.store.databases import Server, Work
from tests.cli.conftest import Journey


def lines(settings: Settings) -> dict[str, Line]:
    return {line.name: line for line in doctor.examine(settings)}


def test_a_sound_installation_is_well(journey: Journey, settings: Settings) -> None:
    del settings
    called = journey("check")
    # The tests' server runs without fsync, and that is the one thing the doctor must notice.
    assert [line.split()[1] for line in called.out.splitlines() if line.startswith("✗")] == ["durability"]
    assert "→ set fsync = on" in called.out
    assert called.code == 1


def test_every_line_that_fails_names_its_fix(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o644)
    away = settings.model_copy(
        update={
            "secret": None,
            "database_url": "postgresql://nobody@127.0.0.1:1/none",
            "redis_url": "redis://127.0.0.1:1/0",
        }
    )
    found = lines(away)
    assert {name for name, line in found.items() if line.state == "bad"} >= {"secret", "database", "valkey"}
    assert all(line.fix for line in found.values() if line.state == "bad")
    assert found["secret"].fix == f"chmod 600 {tmp_path / 'secret'}"


def test_passwords_are_not_repeated(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody:hush@127.0.0.1:1/none"})
    assert "hush" not in " ".join(line.said for line in doctor.examine(away))


def test_a_port_in_use_is_told(settings: Settings) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        busy = settings.model_copy(update={"port": holder.getsockname()[1]})
        assert "is in use" in lines(busy)["port"].said


def test_tables_behind_the_program_are_told(settings: Settings, connection: Connection) -> None:
    kept = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert kept is not None
    try:
        with transaction(connection):
            connection.execute("DELETE FROM alembic_version")
        assert lines(settings)["tables"].fix == "journey migrate"
        with transaction(connection):
            connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        assert "newer release" in lines(settings)["tables"].fix
    finally:
        with transaction(connection):
            connection.execute("DELETE FROM alembic_version")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", kept)


SOUND = Work(1, 1, 1, 1, 1, 2, 64, None)


@pytest.mark.parametrize(
    ("work", "name", "fix"),
    [
        (SOUND._replace(workers=0, lanes=0), "workers", "journey worker"),
        (SOUND._replace(users=0), "access", "journey user add"),
        (SOUND._replace(write_keys=0), "access", "journey key add"),
    ],
)
def test_what_nobody_does_is_told(work: Work, name: str, fix: str) -> None:
    bad = [line for line in doctor._work(work) if line.state == "bad"]
    assert [line.name for line in bad] == [name]
    assert fix in bad[0].fix


def test_an_old_server_and_a_wrong_clock_are_told(settings: Settings, connection: Connection) -> None:
    del settings
    row = connection.execute("SELECT now() - interval '1 minute'").fetchone()
    assert row is not None
    server = Server(140_000, True, "off", row[0], 190, 200)
    bad = {line.name for line in doctor._server("postgresql://somewhere/db", server) if line.state == "bad"}
    assert bad == {"database", "durability", "clock", "connections"}
