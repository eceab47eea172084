"""What tests share: one real PostgreSQL and one real Valkey per run, a migrated database per worker, clean tables.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name servers to use instead of the local ones. If there is no server, tests
fail; they are never skipped.
"""

import gc
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from argon2 import PasswordHasher
from psycopg import sql
from psycopg.rows import tuple_row
from pydantic import SecretStr

from app import database, localservers, passwords
from app.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SECRET = "bY7kQ2-xr9Wd_4mZ1uTn8Pv6Hs3Lc5Ga"
TEMPLATE_PREFIX = "journey_template_"
TEMPLATE_LOCK = 0x4A43_7E57
REDIS_DATABASES = 16
LOCK_SECONDS = 10
LARGE_BYTES = 65_536
COSTLY = passwords.HASHER
PREPARED_AT = 5  # what the driver begins with
# The first worker begins with these, in this order; the second takes over from the end of what is left. A browser and its
# town are costly to set up, so these tests stay together; what takes long by itself must not come last.
LONGEST = ("tests/run/", "tests/simulation/", "tests/browser/", "tests/js/")


gc.disable()  # until all is loaded: of that nothing is ever garbage, and looking for some takes a quarter of the time


def pytest_collection_finish() -> None:
    """What is loaded stays; the collector need not look at it again and again."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: next((n for n, one in enumerate(LONGEST) if item.nodeid.startswith(one)), len(LONGEST)))


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Both addresses. All workers of a run name the same folder: the first starts the servers, the last stops them."""
    postgres, valkey = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if postgres and valkey:
        yield postgres, valkey
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    major = os.environ.get("PGSERVER_POSTGRES_VERSION")
    with localservers.start(
        shared / "servers",
        fsync=False,
        postgres=not postgres,
        valkey=not valkey,
        major=int(major) if major else None,
    ) as servers:
        yield postgres or str(servers.database_url), valkey or str(servers.redis_url)


@pytest.fixture(scope="session")
def server_url(_servers: tuple[str, str]) -> str:
    """The PostgreSQL server itself, for tests that make databases of their own."""
    return _servers[0]


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0")


@pytest.fixture(scope="session")
def _worker_database(server_url: str, worker_name: str) -> Iterator[str]:
    """A migrated database for this worker, copied from a template that is migrated once."""
    # The process id keeps two runs on one server apart; dropping first covers a run that was killed.
    name = f"journey_test_{os.getpid()}_{worker_name}"
    with database.connect(server_url, autocommit=True, statement_seconds=60) as admin:
        template = _template(admin, server_url)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        yield with_database(server_url, name)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _template(admin: database.Connection, server_url: str) -> str:
    """The name of the template for these very migrations; made under a lock by whoever comes first."""
    name = TEMPLATE_PREFIX + _fingerprint()
    admin.execute("SELECT pg_advisory_lock(%s)", (TEMPLATE_LOCK,))
    try:
        found = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (TEMPLATE_PREFIX,))
        existing = {str(row[0]) for row in found}
        if name not in existing:
            for old in existing:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
            half = f"half_{name}"
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(half)))
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(half)))
            database.migrate(with_database(server_url, half))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half), sql.Identifier(name)))
    finally:
        admin.execute("SELECT pg_advisory_unlock(%s)", (TEMPLATE_LOCK,))
    return name


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "migrations").rglob("*.py"), *(ROOT / "app" / "models").rglob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def _cleaner(_worker_database: str) -> Iterator[Callable[[], None]]:
    """Empties all tables; over one connection, which knows its way about them after the first time."""
    opened: list[database.Connection] = []

    def clean() -> None:
        if not opened or opened[0].closed:
            opened[:] = [database.connect(_worker_database, lock_timeout=f"{LOCK_SECONDS}s", statement_seconds=60)]
        try:
            _empty_tables(opened[0])
        except psycopg.errors.LockNotAvailable:
            opened[0].rollback()
            pytest.fail("The test left a transaction open, so its tables cannot be emptied.")

    yield clean
    for connection in opened:
        connection.close()


@pytest.fixture
def database_url(_worker_database: str, _cleaner: Callable[[], None]) -> Iterator[str]:
    """A migrated database with empty tables; they are emptied again after the test."""
    yield _worker_database
    _cleaner()


@pytest.fixture(scope="session")
def _spare() -> Iterator[list[database.Connection]]:
    """The connection of the test before, if it is as new; a server process knows nothing of the tables when it is born."""
    kept: list[database.Connection] = []
    yield kept
    for connection in kept:
        connection.close()


@pytest.fixture
def connection(database_url: str, _spare: list[database.Connection]) -> Iterator[database.Connection]:
    """An open connection on that database; what it has not committed is rolled back."""
    opened = _spare.pop() if _spare else database.connect(database_url)
    yield opened
    if opened.closed or not _as_new(opened):
        opened.close()
    else:
        _spare.append(opened)


def _as_new(connection: database.Connection) -> bool:
    """Whether the next test may have it: what one may set on it is as it was, or has been set back."""
    connection.rollback()
    if (connection.autocommit, connection.read_only, connection.isolation_level) != (False, None, None):
        return False
    if connection.row_factory is not tuple_row or connection.prepare_threshold != PREPARED_AT:
        return False
    try:
        for command in ("RESET ALL", "SELECT pg_advisory_unlock_all()", "UNLISTEN *", "DISCARD TEMP"):
            connection.execute(command)
        connection.commit()
        connection.execute("SELECT 1")
        connection.rollback()  # with this the driver lets go of what it had prepared
    except psycopg.OperationalError:
        return False
    return True


def _empty_tables(cleaner: database.Connection) -> None:
    # Truncating makes every file of a table anew, with those of all that refer to it: for a few rows, deleting is several
    # times cheaper. Whoever has grown is truncated, so that dead rows do not pile up.
    with database.transaction(cleaner):
        used = cleaner.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0"
        ).fetchall()
        if not used:
            return
        cleaner.execute(sql.SQL("LOCK TABLE {}").format(_listed([name for name, _ in used])))
        # Everything goes, so nobody needs to ask who refers to whom, nor what may only grow.
        cleaner.execute("SET LOCAL session_replication_role = replica")
        if large := [name for name, size in used if size > LARGE_BYTES]:
            cleaner.execute(sql.SQL("TRUNCATE {} CASCADE").format(_listed(large)))
        for name, size in used:
            if size <= LARGE_BYTES:
                cleaner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        cleaner.execute(
            "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"
        )


def _listed(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


@pytest.fixture
def redis_url(_servers: tuple[str, str], worker_name: str) -> Iterator[str]:
    """An empty logical database of the Valkey server, one per worker; emptied again after the test."""
    number = int(worker_name.removeprefix("gw"))
    assert number < REDIS_DATABASES, f"at most {REDIS_DATABASES} workers"
    url = f"{_servers[1]}{'&' if '?' in _servers[1] else '?'}db={number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """To hash one costs what it should, by design; tests sign in a thousand times. `costly_passwords` are the real ones."""
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords hashed as they are outside of tests."""
    monkeypatch.setattr(passwords, "HASHER", COSTLY)
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A Chromium for browser tests; `make test` installs one where it may."""
    found = subprocess.run([ROOT / ".ci" / "browser"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(found.stderr)
    return found.stdout.strip()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a program under test; `settings.model_copy(update={…})` for others."""
    # Neither the caller's environment nor a `.env` file may change what a test means.
    for name in [name for name in os.environ if name.startswith("JOURNEY_")]:
        monkeypatch.delenv(name)
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        data=tmp_path,
        secret=SecretStr(SECRET),
        sink=True,
    )
