"""What fault tests share: real worker processes on the real database, and the state that a run without faults leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import pytest

from app.database import Connection, transaction
from app.settings import Settings
from tests.faults import books, story

PARENT = Path(__file__).with_name("parent.py")
SECONDS = 20.0


class Process:
    """One worker process."""

    def __init__(self, workers: "Workers", pid: int, log: Path) -> None:
        self._workers, self.pid, self._log = workers, pid, log

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = SECONDS) -> int | None:
        """Its exit code, negative for a signal; None if it still runs after that time."""
        code: int | None = self._workers.ask({"do": "wait", "pid": self.pid, "seconds": seconds})["code"]
        return code

    def stopped(self) -> bool:
        """Whether it is frozen."""
        return self._shown("state").startswith("T")

    def memory(self) -> int:
        """Bytes it holds in memory."""
        return int(self._shown("rss")) * 1024

    def _shown(self, what: str) -> str:
        asked = ["ps", "-o", f"{what}=", "-p", str(self.pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


class Workers:
    """Starts workers by forking a process that has imported everything."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-W", "error", str(PARENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.settings: dict[str, Any] = {}
        self.folder = Path()
        self.begun: list[Process] = []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(request) + "\n")
        self._parent.stdin.flush()
        answer: dict[str, Any] = json.loads(self._parent.stdout.readline())
        return answer

    def start(
        self,
        *,
        patience: dict[str, float] | None = None,
        pace: dict[str, float] | None = None,
        ahead: float = 0.0,
        **settings: Any,
    ) -> Process:
        """A new worker; it logs JSON. `pace` in seconds; its clock goes `ahead`, so that others' leases have run out for it."""
        log = self.folder / f"worker-{len(self.begun)}.log"
        given = {"patience": patience or {}, "pace": pace or {}, "ahead": ahead}
        request = {"do": "start", "log": str(log), **given, "settings": {**self.settings, **settings}}
        process = Process(self, self.ask(request)["pid"], log)
        self.begun.append(process)
        return process

    def end_all(self) -> None:
        for process in self.begun:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
        self.begun.clear()

    def close(self) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.stdout.close()
        self._parent.wait(10)


@pytest.fixture(scope="session")
def _parent() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture
def workers(_parent: Workers, settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on the test's database; whatever still runs after the test is killed."""
    assert settings.secret is not None
    _parent.settings = {
        "database_url": settings.database_url,
        "redis_url": None,
        "data": str(tmp_path),
        "secret": settings.secret.get_secret_value(),
        "batch_limit": 64,
        "tracks": 1,
        "log_format": "json",
    }
    _parent.folder = tmp_path
    yield _parent
    _parent.end_all()


def until(happened: Callable[[], object], seconds: float = SECONDS, what: str = "") -> float:
    """Wait for something; returns how long it took."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < seconds, what or "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - begun


def count(connection: Connection, query: LiteralString) -> int:
    """The one number a query gives."""
    with transaction(connection):
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


_expected: list[story.State] = []


@pytest.fixture
def expected(connection: Connection, workers: Workers) -> story.State:
    """What a run without faults leaves; told once and remembered."""
    if not _expected:
        begun = story.tell(connection)
        worker = workers.start(batch_limit=5_000)
        until(lambda: story.over(connection))
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        _expected.append(story.state(connection, begun))
        settle_books(connection)
        with connection.transaction():
            connection.execute(
                "TRUNCATE workspace, journey, version, contact, enrollment, trail, message, tally CASCADE"
            )
            connection.execute("TRUNCATE inbox, event, dead, worker, tally_hour, tally_span")
    return _expected[0]


def settle_books(connection: Connection) -> None:
    """The laws, at the end of the story."""
    reminded = sum(1 for row in _expected[0].events if row[1] == "reminded") if _expected else 0
    books.check(connection, accepted=len(story.letters(datetime.now().astimezone())), emitted=reminded)
