"""A real PostgreSQL and a real Valkey for one machine, without installing anything.

`start(data)` runs both out of Python wheels (or of the system's packages) on sockets in a short private folder, keeps
the database under `data`, and shares what already runs there: whoever asks second is handed the same servers, and the
last to leave stops them, even if it is killed (see `minder`). It is not called where a URL is set. It never adds a
user, opens a port or widens the permissions of a folder.
"""

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.localservers import binaries, children, minder
from app.localservers.binaries import Account, LocalServerError
from app.localservers.postgres import start as start_postgres
from app.localservers.postgres import url as postgres_url
from app.localservers.valkey import start as start_valkey
from app.localservers.valkey import url as valkey_url

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["LocalServerError", "Servers", "provided", "start"]

# A socket's path must fit into 103 (macOS) or 107 bytes, wherever the project lies.
PARENT_BYTES = 70
MINDER_SECONDS = 5.0


@dataclass
class Servers:
    """Running servers and their addresses; `None` for one that was not asked for."""

    data: Path
    database_url: str | None
    redis_url: str | None
    _users: int | None = field(repr=False)

    def stop(self) -> None:
        """Leave; the last one to leave stops the servers, and returns when they have stopped."""
        if self._users is None:
            return
        with minder.exclusive(self.data):
            state = minder.load(self.data)
            last = minder.alone(self._users)
            if last:
                minder.stop(self.data)
            os.close(self._users)
            self._users = None
        if state is not None:
            children.collect((state.postgres, state.valkey, state.minder), MINDER_SECONDS if last else 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    data: Path, *, fsync: bool = True, postgres: bool = True, valkey: bool = True, major: int | None = None
) -> Servers:
    """Start what is asked for, or join what already runs for this folder. `fsync=False` is for tests only."""
    if not postgres and not valkey:
        return Servers(data, None, None, None)
    data = _folder(data)
    users = minder.open_lock(data / minder.USERS_FILE)
    try:
        with minder.exclusive(data):
            state = _usable_state(data, users, fsync=fsync)
            try:
                _complete(data, state, postgres=postgres, valkey=valkey, major=major)
            except BaseException:
                if minder.alone(users):
                    minder.stop(data)
                raise
            fcntl.flock(users, fcntl.LOCK_SH)
    except BaseException:
        os.close(users)
        raise
    return Servers(
        data=data,
        database_url=postgres_url(state.run) if postgres else None,
        redis_url=valkey_url(state.run) if valkey else None,
        _users=users,
    )


@contextmanager
def provided(settings: "Settings") -> Iterator["Settings"]:
    """The settings with both addresses filled in: yours where given, else local servers for as long as this lasts."""
    with start(
        settings.data,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
        major=settings.postgres_major,
    ) as servers:
        yield settings.model_copy(
            update={
                "database_url": settings.database_url or servers.database_url,
                "redis_url": settings.redis_url or servers.redis_url,
            }
        )


def _complete(data: Path, state: minder.State, *, postgres: bool, valkey: bool, major: int | None) -> None:
    """Start what is wanted and does not run. The minder comes first, so that a kill from here on leaves nothing."""
    if not minder.ours(state.minder, str(data)):
        state = replace(state, minder=_start_minder(data))
        minder.save(data, state)
    run = Path(state.run)
    if postgres and not minder.ours(state.postgres, state.run):
        state = replace(state, postgres=start_postgres(data, run, fsync=state.fsync, major=major))
        minder.save(data, state)
    if valkey and not minder.ours(state.valkey, state.run):
        minder.save(data, replace(state, valkey=start_valkey(data, run)))


def _folder(data: Path) -> Path:
    try:
        data.mkdir(parents=True, exist_ok=True)
        data = data.resolve(strict=True)
        os.close(minder.open_lock(data / minder.LOCK_FILE))
    except OSError as error:
        raise LocalServerError(
            f"The data folder {data} cannot be written ({error.strerror}); choose another with JOURNEY_DATA,"
            " or run as the user it belongs to."
        ) from None
    return data


def _usable_state(data: Path, users: int, *, fsync: bool) -> minder.State:
    """The record of what runs, or a new one with its own private folder."""
    state, alone = minder.load(data), minder.alone(users)
    if state is not None and alone:
        running = minder.ours(state.postgres, state.run) or minder.ours(state.valkey, state.run)
        if not running or state.fsync != fsync:
            minder.stop(data)  # left by somebody who was killed, and no use to us
            state = None
    if state is None:
        state = minder.State(run=str(_run_folder(binaries.account_for(data / "postgres"))), fsync=fsync)
        minder.save(data, state)
    if fsync and not state.fsync:
        raise LocalServerError(
            f"The servers of {data} run without fsync for a test and are in use; wait for its end,"
            " or choose another folder with JOURNEY_DATA."
        )
    return state


def _run_folder(account: Account) -> Path:
    """A private folder with a short path for the sockets and, where needed, for reachable copies of the programs."""
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        short = len(os.fsencode(parent)) <= PARENT_BYTES
        if short and os.path.isdir(parent) and os.access(parent, os.W_OK) and account.reaches(Path(parent)):
            run = Path(tempfile.mkdtemp(prefix="journey-", dir=parent))  # mode 0700
            account.own(run)
            return run
    raise LocalServerError("No short, writable temporary folder found for the servers' sockets; set TMPDIR to one.")


def _start_minder(data: Path) -> int:
    # Isolated (-I), so that neither the folder nor the environment of the caller decides what it imports.
    with children.log_file(data / "minder.log") as log:
        return children.spawn([sys.executable, "-I", minder.__file__, str(data)], Account(), log).pid
