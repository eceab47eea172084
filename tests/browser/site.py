"""The real program for browser tests: web server, worker and sink on a database of their own, and a clock that can be moved.

One site lasts as long as a test process; every test gets a workspace of its own in it, so nothing has to be emptied and no
number is ever given twice. Never a stand-in for any part of the program, except for the providers.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from app import auth, database, worker
from app.courier import Pace
from app.database import transaction
from app.main import create_app
from app.run import with_sink
from app.settings import Settings
from app.sink import Sink, diversion
from app.store import caught
from app.web.wire import BoundedHttp
from tests.conftest import SECRET
from tests.web.conftest import Api, Staff, hire

PATIENCE_SECONDS = 20.0
STOP_SECONDS = 3
QUICK = Pace(first_retry_seconds=0.2, poll_seconds=0.1)


class Clock:
    """The present moment of the site: the real one, and how far a test has gone ahead of it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **much: float) -> None:
        """Let time pass: `advance(minutes=11)`. It never goes back."""
        self.ahead += timedelta(**much)


class Site:
    """A running web process and what tests do behind its back."""

    def __init__(self, app: FastAPI, settings: Settings, clock: Clock) -> None:
        self.app, self.settings, self.clock = app, settings, clock
        self.base = settings.base_url
        self.client = httpx2.Client(base_url=self.base, timeout=PATIENCE_SECONDS, verify=False)
        self._names = count(1)

    @contextmanager
    def connection(self) -> Iterator[database.Connection]:
        with database.connect(str(self.settings.database_url)) as opened:
            yield opened

    def staff(self, name: str = "") -> Staff:
        """A new workspace and somebody of every role."""
        with self.connection() as connection:
            return hire(connection, name or f"shop-{next(self._names)}")

    def link(self, staff: Staff, role: str) -> str:
        """A sign-in link that works once."""
        with self.connection() as connection, transaction(connection):
            token = auth.login(connection, staff.user_ids[role], staff.workspace_id, self.clock())
        return f"{self.base}/login?token={token}"

    def api(self, staff: Staff, role: str = "operator") -> Api:
        """The management API, as one role."""
        return Api(self.client, staff.keys[role])  # type: ignore[arg-type]  # a client like the test client

    def track(self, staff: Staff, *events: Mapping[str, Any]) -> None:
        """Events through the ingest door, as a shop's server sends them."""
        body = {"batch": [{"type": "track", **event} for event in events]}
        answer = self.client.post("/v1/batch", json=body, auth=(staff.keys["ingest"], ""))
        assert answer.status_code == 200, answer.text

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A worker on this database, with a sink in place of all providers, while the block lasts."""

        def keep(catch: caught.Catch) -> None:
            with self.connection() as connection, transaction(connection):
                caught.add(connection, catch)

        stop = threading.Event()
        with Sink(keep, smtp_port=0, http_port=0) as sink:
            ports = {"smtp_port": sink.smtp_port, "http_port": sink.http_port}
            settings = with_sink(self.settings, ports).model_copy(update={"tracks": 1})
            making = worker.Making(divert=diversion(**ports), pace=QUICK, clock=self.clock)
            thread = threading.Thread(target=worker.run_worker, args=(settings, stop, making), name="worker")
            thread.start()
            try:
                yield
            finally:
                stop.set()
                thread.join(PATIENCE_SECONDS)


@contextmanager
def serving(database_url: str, redis_url: str, data: Path) -> Iterator[Site]:
    """The web process behind uvicorn, in a thread of this process, on a free port."""
    clock = Clock()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        settings = Settings(
            _env_file=None,
            host="127.0.0.1",
            port=listener.getsockname()[1],
            base_url="",
            database_url=database_url,
            redis_url=redis_url,
            data=data,
            secret=SecretStr(SECRET),
            sink=True,
        )
        app = create_app(settings, now=clock)
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), name="site")
        thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "the site did not start"
            assert time.monotonic() < deadline, "the site did not start in time"
            time.sleep(0.005)
        site = Site(app, settings, clock)
        try:
            yield site
        finally:
            site.client.close()
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
