"""Connections to PostgreSQL, the one place that commits, and migrations.

Everything that makes an engine, a pool or a connection stands here. It holds no query of the product: those stand in
`app/store`.

Hot paths take psycopg connections. psycopg prepares a statement on its fifth use; PostgreSQL may then settle for a plan
that knows no sizes. Statements over whole batches therefore join on `unnest(...)`, which plans the same either way, and
`prepare_threshold=None` turns preparing off where connections pass through a pooler.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
from psycopg_pool import ConnectionPool

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = ConnectionPool[Connection]

STATEMENT_SECONDS = 5.0
IDLE_IN_TRANSACTION_SECONDS = 10.0
CONNECT_SECONDS = 5
POOL_WAIT_SECONDS = 5.0
DRIVER_SCHEME = "postgresql+psycopg"
MIGRATION_LOCK = 0x4A43_0001
REVISION = re.compile(r"""^(revision|down_revision)[^=\n]*= *["']([^"']+)["']""", re.MULTILINE)
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
# A peer that vanished without a word (power, network) is noticed after 10 + 3 × 5 seconds instead of two hours.
KEEPALIVES: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# For connections that join batches (`unnest`) to big tables: always look each row up by its key. Where the planner thinks that
# few rows are active it would rather hash them all, and read a million parked people to wake five thousand.
BY_KEY: dict[str, Any] = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
# For connections that take the oldest of a long queue: along the index, whatever the planner thinks of a table that grew by
# half a million rows since it was last looked at. Sorting them all for each batch took longer than a statement may.
IN_ORDER: dict[str, Any] = {**BY_KEY, "enable_bitmapscan": "off", "enable_seqscan": "off"}


class DatabaseError(Exception):
    """The database cannot be used as it stands; the text says what to do."""


def connect(
    url: str,
    *,
    name: str = "journey",
    statement_seconds: float = STATEMENT_SECONDS,
    idle_in_transaction_seconds: float = IDLE_IN_TRANSACTION_SECONDS,
    idle_session_seconds: float = 0,
    autocommit: bool = False,
    **session: str | int,
) -> Connection:
    """One connection; `session` sets further server settings for it, such as `work_mem="64MB"`."""
    return psycopg.connect(
        native_url(url),
        autocommit=autocommit,
        application_name=name,
        connect_timeout=CONNECT_SECONDS,
        options=_options(statement_seconds, idle_in_transaction_seconds, idle_session_seconds, session),
        **KEEPALIVES,
    )


def pool(
    url: str,
    *,
    size: int,
    name: str = "journey-web",
    statement_seconds: float = STATEMENT_SECONDS,
    idle_in_transaction_seconds: float = IDLE_IN_TRANSACTION_SECONDS,
) -> Pool:
    """Connections for the web process; `open()` and `close()` it, or use it with `with`."""
    return ConnectionPool(
        native_url(url),
        min_size=min(2, size),
        max_size=size,
        timeout=POOL_WAIT_SECONDS,
        open=False,
        name=name,
        check=ConnectionPool.check_connection,
        kwargs={
            "application_name": name,
            "connect_timeout": CONNECT_SECONDS,
            "options": _options(statement_seconds, idle_in_transaction_seconds, 0, {}),
            **KEEPALIVES,
        },
    )


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back on any error. Nothing else in the project commits."""
    try:
        yield connection
    except BaseException:
        # A broken connection has nothing left to roll back; the first error is the one worth seeing.
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def engine(url: str, *, name: str = "journey") -> "Engine":
    """An SQLAlchemy engine over the same driver, for Alembic, which alone needs it: to load it takes its time."""
    from sqlalchemy import create_engine

    return create_engine(
        driver_url(url),
        pool_pre_ping=True,
        connect_args={
            "application_name": name,
            "connect_timeout": CONNECT_SECONDS,
            "options": _options(0, IDLE_IN_TRANSACTION_SECONDS, 0, {}),
            **KEEPALIVES,
        },
    )


def native_url(url: str) -> str:
    """The address as libpq reads it."""
    return "postgresql" + url[url.index("://") :]


def driver_url(url: str) -> str:
    """The address as SQLAlchemy reads it."""
    return DRIVER_SCHEME + url[url.index("://") :]


def shown_url(url: str) -> str:
    """The address without its password, for logs and messages."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, rest = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{rest}").geturl()


def migrate(url: str) -> None:
    """Bring the tables up to date. Several processes may ask at once: they queue, and the later find nothing to do."""
    from alembic import command

    with connect(url, name="journey-migrate", statement_seconds=0, autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        try:
            command.upgrade(alembic_config(url), "head")
        finally:
            guard.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))


def pending(url: str) -> tuple[str, ...]:
    """The migrations that the database still lacks, oldest first; refuses a database that is ahead of this program."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    scripts = ScriptDirectory.from_config(alembic_config(url))
    database = engine(url)
    try:
        with database.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        database.dispose()
    try:
        missing = [script.revision for script in scripts.iterate_revisions("head", current or "base")]
    except (CommandError, RevisionError):
        raise DatabaseError(
            f"The database stands at migration {current}, which this program does not know;"
            " it is older than the database: install the newer release."
        ) from None
    return tuple(reversed(missing))


def head() -> str:
    """The newest migration this program knows: the one that no other follows. Read without Alembic, which takes its time."""
    known: set[str] = set()
    followed: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        said = dict(REVISION.findall(path.read_text(encoding="utf-8")))
        known.add(said["revision"])
        followed.add(said.get("down_revision", ""))
    newest = known - followed
    if len(newest) != 1:
        raise DatabaseError("This program was installed without its migrations; install it again.")
    return newest.pop()


def alembic_config(url: str) -> "Config":
    """Alembic's settings, made here so that the program runs from any folder and needs no `alembic.ini`."""
    from alembic.config import Config

    # Said here: as a default it would be whatever stdout was when Alembic was first loaded.
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = driver_url(url)
    return config


def _options(statement: float, idle_in_transaction: float, idle_session: float, session: dict[str, str | int]) -> str:
    # Sent with the connection request: no extra round trip, and valid again after every reset of the session.
    settings: dict[str, str | int] = {
        "timezone": "UTC",
        "statement_timeout": round(statement * 1000),
        "idle_in_transaction_session_timeout": round(idle_in_transaction * 1000),
        "idle_session_timeout": round(idle_session * 1000),
        **session,
    }
    return " ".join(f"-c {name}={_escape(str(value))}" for name, value in settings.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
