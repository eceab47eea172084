"""Starting PostgreSQL for one data folder: make the database once, clear what a kill left, wait until it is ready.

It never stops a server (see `minder`) and never speaks SQL.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from app.localservers import binaries, children, minder
from app.localservers.binaries import Account, LocalServerError

USER = "journey"
READY_SECONDS = 120.0
LEFTOVER_SECONDS = 10.0
PID_FILE = "postmaster.pid"
SOCKET_LINE, STATUS_LINE = 4, 7
BUILTIN_LOCALE_SINCE = 17
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "min_wal_size": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # Lanes are advisory locks, and each partition that a transaction touches takes another.
    "max_locks_per_transaction": "256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "jit": "off",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_compression": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Tests are over before it would have helped, and tables come and go too quickly for it.
    "autovacuum": "off",
}


def url(run: str) -> str:
    return f"postgresql://{USER}@/postgres?host={quote(run, safe='/')}"


def start(data: Path, run: Path, *, fsync: bool, major: int | None) -> int:
    """Start the server and return its process id once it takes connections."""
    home, log_path = data / "postgres", data / "postgres.log"
    account = binaries.account_for(home)
    folder = binaries.postgres_folder(_major_of_data(home, major))
    if not home.exists():
        _make(home, folder, run, account, durable=fsync)
    _forget_dead_postmaster(home)
    with _entrance(home, account) as (path, handles), children.log_file(log_path) as log:
        # Nobody but us and root can enter the socket's folder, hence no password ("trust") for who comes through it.
        command = _command(binaries.reachable_folder(folder, account, run), path, run, fsync=fsync)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while True:
            begin = log.seek(0, os.SEEK_END)
            child = children.spawn(command, account, log, handles)
            if _becomes_ready(child, home):
                return child.pid
            said = children.last_words(log_path, begin)
            # The helpers of a killed server need a moment to notice, and a new one will not start before that.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise LocalServerError(f"PostgreSQL did not start; see {log_path}, which ends: {said}")
            time.sleep(0.1)


def _command(folder: Path, path: str, run: Path, *, fsync: bool) -> list[str]:
    options = OPTIONS | {"unix_socket_directories": f'"{run}"'} | ({} if fsync else NOT_DURABLE)
    return [str(folder / "postgres"), "-D", path, *(f"--{name}={value}" for name, value in options.items())]


def _major_of_data(home: Path, wanted: int | None) -> int | None:
    """Data written by one major version can only be read by that one."""
    if not home.exists():
        return wanted
    found = int((home / "PG_VERSION").read_text(encoding="ascii"))
    if wanted not in {None, found}:
        raise LocalServerError(
            f"{home} was made by PostgreSQL {found}, but version {wanted} is asked for; choose another folder with"
            f" JOURNEY_DATA, or leave the version out."
        )
    return found


def _make(home: Path, folder: Path, run: Path, account: Account, *, durable: bool) -> None:
    """Run `initdb` beside the final place, so that a kill halfway leaves nothing that looks like a database."""
    aside = home.with_name(f"{home.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    maker = binaries.named_account()
    try:
        maker.own(aside)
        maker.own(run)
        made = _initdb(binaries.reachable_folder(folder, maker, run), aside, maker, durable=durable)
    finally:
        account.own(run)
    if made.returncode != 0:
        raise LocalServerError(
            f"PostgreSQL could not make a database in {home}; set JOURNEY_DATABASE_URL to a server that runs elsewhere,"
            f" or mend what it says: {' '.join(made.stderr.split())}"
        )
    account.own(aside)
    aside.rename(home)


def _initdb(folder: Path, home: Path, maker: Account, *, durable: bool) -> subprocess.CompletedProcess[str]:
    # Order by code point is the same on every system and version; order for people is the program's affair.
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", *([] if durable else ["--no-sync"])]
    if binaries.major_of(folder) >= BUILTIN_LOCALE_SINCE:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with _entrance(home, maker) as (path, handles):
        return subprocess.run(
            [*binaries.name_lent(), folder / "initdb", "-D", path, "-U", USER, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=children.CLEAN_ENVIRONMENT,
            pass_fds=handles,
            **maker.options,
        )


@contextmanager
def _entrance(home: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which the account can enter the folder, and the handles that it needs for that.

    The project may lie where only root can go. An open handle on the folder leads into it without a walk through the
    folders above, whose permissions therefore stay as they are.
    """
    if account.reaches(home):
        yield str(home), ()
        return
    if not sys.platform.startswith("linux"):
        raise LocalServerError(
            f"PostgreSQL cannot run as root, and no other account reaches {home}; run as an ordinary user,"
            " or choose another folder with JOURNEY_DATA."
        )
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}", (handle,)
    finally:
        os.close(handle)


def _forget_dead_postmaster(home: Path) -> None:
    """Remove a pid file whose process is gone; the number may be a stranger's now, and PostgreSQL would believe it."""
    path = home / PID_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        pid, socket_folder = int(lines[0]), lines[SOCKET_LINE]
    except FileNotFoundError:
        return
    except (ValueError, IndexError):
        pid, socket_folder = 0, ""
    if pid and socket_folder and minder.ours(pid, socket_folder):
        # Alive, but not in our record (somebody removed that): nobody can be using it through us.
        minder.end(pid, socket_folder, minder.POSTGRES_SIGNALS)
    path.unlink(missing_ok=True)


def _becomes_ready(child: subprocess.Popen[bytes], home: Path) -> bool:
    """Whether the server takes connections in the end; it writes its state into its pid file."""
    deadline = time.monotonic() + READY_SECONDS
    while child.poll() is None:
        try:
            lines = (home / PID_FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        if len(lines) > STATUS_LINE and int(lines[0]) == child.pid and lines[STATUS_LINE].strip() == "ready":
            return True
        if time.monotonic() > deadline:
            child.kill()
        time.sleep(minder.POLL_SECONDS)
    return False
