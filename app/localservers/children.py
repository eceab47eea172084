"""Starting a server process so that it outlives Ctrl-C, and reading what it says; never decides when to stop one."""

import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from app.localservers.binaries import Account

LOG_BYTES = 10_000_000
SHOWN_BYTES = 600
# Neither `PATH` nor locale nor secrets of the caller may reach a server.
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# Kept so that a server's end can be noticed and collected while its starter still lives.
_children: list[subprocess.Popen[bytes]] = []


def spawn(
    command: Sequence[str | Path], account: Account, log: IO[bytes], handles: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start in a session of its own: Ctrl-C reaches the whole foreground group, and we want to stop servers last."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env=CLEAN_ENVIRONMENT,
        start_new_session=True,
        pass_fds=tuple(handles),
        **account.options,
    )
    _children.append(child)
    return child


def collect(pids: Collection[int | None], patience: float) -> None:
    """Wait for those of these that are ending, and let go of those that others go on using."""
    deadline = time.monotonic() + patience
    for child in _children.copy():
        if child.pid in pids:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            if child.returncode is None:
                # Told that it has ended, `Popen` neither waits for it nor warns about it.
                child.returncode = 0
        if child.poll() is not None:
            _children.remove(child)


@contextmanager
def log_file(path: Path) -> Iterator[IO[bytes]]:
    """The log to append to; begun anew when it has grown large."""
    large = path.exists() and path.stat().st_size > LOG_BYTES
    with path.open("wb" if large else "ab") as log:
        yield log


def last_words(path: Path, begin: int) -> str:
    """What was logged since `begin`, on one line and not endless."""
    with path.open("rb") as log:
        log.seek(begin)
        return " ".join(log.read()[-SHOWN_BYTES:].decode(errors="replace").split())
