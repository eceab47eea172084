"""F03, F24, F36: the database restarts under load, answers get lost, transactions clash. Nothing is lost, all goes on."""

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from app import database, localservers
from app.database import Connection
from app.localservers import minder, postgres
from tests.faults import story
from tests.faults.conftest import Workers, settle_books, until


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server that this test may stop."""
    with localservers.start(tmp_path / "own server", valkey=False) as servers:
        assert servers.database_url is not None
        database.migrate(servers.database_url)
        yield servers.database_url, servers.data


def restart(data: Path, how: signal.Signals) -> None:
    """Stop the server (fast or at once) and start it again, as its supervisor would."""
    state = minder.load(data)
    assert state is not None
    assert state.postgres is not None
    os.kill(state.postgres, how)
    until(lambda: not minder.ours(state.postgres, state.run))
    pid = postgres.start(data, Path(state.run), fsync=True, major=None)
    minder.save(data, minder.State(state.run, fsync=True, postgres=pid, minder=state.minder))


def test_f36_workers_go_on_by_themselves_when_the_database_comes_back(
    own_server: tuple[str, Path], workers: Workers, expected: story.State
) -> None:
    url, data = own_server
    with database.connect(url) as connection:
        begun = story.tell(connection)
    worker = workers.start(database_url=url, tracks=2)
    for how in (signal.SIGQUIT, signal.SIGINT):
        time.sleep(0.1)
        restart(data, how)
        back = time.monotonic()
        with database.connect(url) as connection:
            story.post(connection, [story.letter(1, "nobody_listens", begun)])
            until(lambda: not connection.execute("SELECT FROM inbox WHERE name = 'nobody_listens'").fetchall())
        assert time.monotonic() - back < 5
    with database.connect(url) as connection:
        until(lambda: story.over(connection))
        found = story.state(connection, begun)
        found = found._replace(events=[row for row in found.events if row[1] != "nobody_listens"])
    assert found == expected
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


class Proxy:
    """Between worker and database: hands on all bytes, and hangs up where the answer to a COMMIT should come."""

    def __init__(self, folder: Path, behind: str) -> None:
        self.url_folder, self._behind = folder, behind
        self.commits, self.broken = 0, 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen(20)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._behind)
                self._threads.append(threading.Thread(target=self._serve, args=(near, far), daemon=True))
                self._threads[-1].start()

    def _serve(self, near: socket.socket, far: socket.socket) -> None:
        back = threading.Thread(target=_pour, args=(far, near), daemon=True)
        back.start()
        with near, far:
            with suppress(OSError):
                self._hand_on(near, far)
            # Closing alone would not do: the other thread still reads from it, and the session would live on.
            for end in (far, near):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _hand_on(self, near: socket.socket, far: socket.socket) -> None:
        while data := near.recv(65536):
            self.commits += b"COMMIT" in data
            if b"COMMIT" in data and self.commits % 7 == 0 and self.broken < 6:
                self.broken += 1
                near.shutdown(socket.SHUT_RDWR)  # the answer will find nobody
                far.sendall(data)
                time.sleep(0.05)
                return
            far.sendall(data)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def test_f03_a_commit_whose_answer_is_lost_is_not_done_again(
    connection: Connection, workers: Workers, expected: story.State, short_folder: Path
) -> None:
    begun = story.tell(connection)
    info = connection.info
    proxy = Proxy(short_folder, f"{info.host}/.s.PGSQL.{info.port}")
    through = f"postgresql://{info.user}@/{info.dbname}?host={quote(str(short_folder), safe='/')}"
    workers.start(database_url=through)
    until(lambda: story.over(connection) and proxy.broken >= 6)
    assert story.state(connection, begun) == expected
    settle_books(connection)
    workers.end_all()
    proxy.close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="jc-") as folder:
        yield Path(folder)


def test_f24_clashes_with_other_transactions_are_tried_again_and_nothing_surfaces(
    connection: Connection, workers: Workers, expected: story.State, database_url: str
) -> None:
    begun = story.tell(connection)
    stop, began = threading.Event(), time.monotonic()

    def disturb(first: str, second: str) -> None:
        # Takes contacts in an order of its own, so that it and the worker wait for each other now and then.
        with database.connect(database_url) as session:
            while not stop.is_set() and time.monotonic() - began < 2:
                with suppress(psycopg.errors.DeadlockDetected), database.transaction(session):
                    for order in (first, second):
                        session.execute(
                            "SELECT FROM contact WHERE workspace_id = 1 AND id % 2 = " + order + " FOR UPDATE"  # type: ignore[operator]
                        )

    threads = [threading.Thread(target=disturb, args=order) for order in (("0", "1"), ("1", "0"))]
    for thread in threads:
        thread.start()
    worker = workers.start(tracks=2)
    try:
        until(lambda: story.over(connection), 40)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert story.state(connection, begun) == expected
    assert not [line for line in worker.lines() if line["level"] in ("error", "critical")]
