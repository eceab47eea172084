"""The record of the local servers of one data folder, and the small process that stops them when nobody is left.

Who uses the servers is counted by shared locks on a file, so the kernel keeps the count right even when a user is
killed. The minder waits for the last of these locks to vanish and then stops both servers: a closed terminal or a
`kill -9` leaves nothing behind. It runs as `python -I minder.py DATA`, so this file imports nothing but the standard
library. It never starts a server and never touches their data.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK_FILE, USERS_FILE, STATE_FILE = "servers.lock", "servers.users", "servers.json"
POLL_SECONDS = 0.01
ALONE_SECONDS = 0.05
# A fast shutdown writes a last checkpoint, which may take a while on a slow disk; only then is it made harder.
POSTGRES_SIGNALS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
VALKEY_SIGNALS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class State:
    """What runs for a data folder; `run` is the short private folder of the sockets, and names our processes."""

    run: str
    fsync: bool
    postgres: int | None = None
    valkey: int | None = None
    minder: int | None = None


def load(data: Path) -> State | None:
    try:
        return State(**json.loads((data / STATE_FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def save(data: Path, state: State) -> None:
    # Replaced in one step, so that a kill in between leaves the old record or the new one, never half of one.
    aside = data / f"{STATE_FILE}.new"
    aside.write_text(json.dumps(asdict(state)), encoding="utf-8")
    aside.replace(data / STATE_FILE)


@contextmanager
def exclusive(data: Path) -> Iterator[None]:
    """One starter or stopper at a time for this data folder."""
    handle = open_lock(data / LOCK_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def alone(users: int) -> bool:
    """Whether nobody else uses the servers. Leaves the lock exclusive if so, and dropped if not."""
    fcntl.flock(users, fcntl.LOCK_UN)
    deadline = time.monotonic() + ALONE_SECONDS
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            # The minder may hold it for the instant between waking up and asking for the other lock.
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)


def ours(pid: int | None, mark: str) -> bool:
    """Whether the process still lives and is the one we started: its command line bears our mark."""
    if pid is None:
        return False
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a dead child of ours would otherwise stay as a zombie
    return mark in command_line(pid)


def command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout


def stop(data: Path) -> None:
    """Stop what the record names and forget it; the caller holds the lock."""
    state = load(data)
    if state is None:
        return
    end(state.valkey, state.run, VALKEY_SIGNALS)
    end(state.postgres, state.run, POSTGRES_SIGNALS)
    shutil.rmtree(state.run, ignore_errors=True)
    (data / STATE_FILE).unlink(missing_ok=True)


def end(pid: int | None, mark: str, signals: tuple[tuple[signal.Signals, float], ...]) -> None:
    """End one process, politely first; returns when it is gone."""
    for number, patience in signals:
        if pid is None or not ours(pid, mark):
            return
        os.kill(pid, number)
        deadline = time.monotonic() + patience
        while ours(pid, mark) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def mind(data: Path) -> None:
    """Sleep until the last user is gone, stop the servers, leave."""
    users = open_lock(data / USERS_FILE)
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        with exclusive(data):
            if alone(users):
                stop(data)
                return


if __name__ == "__main__":
    mind(Path(sys.argv[1]))
