"""Where our canvas is measured: the web process as it is, on a scratch database, with journeys of every size. Never real data."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx2

from app import auth, publishing
from app.bench.ground import twin_url
from app.commands.places import scratch
from app.database import Connection, transaction
from app.settings import Settings, load
from app.store import users, workspaces
from app.web.session import COOKIE
from nodes import catalog
from tests.bench.canvas.candidates import Ours
from tests.bench.canvas.journeys import journey
from tests.conftest import ROOT

PATIENCE_SECONDS = 60.0


@contextmanager
def server(connection: Connection) -> Iterator[str]:
    """The web process on the database of this connection, by itself; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "app.bench.server", str(port), twin_url(connection)]
    process = subprocess.Popen(command, cwd=ROOT)
    base = f"http://127.0.0.1:{port}"
    try:
        _until_ready(base, process)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _until_ready(base: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the web process ended")
        try:
            if httpx2.get(f"{base}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the web process is not ready")


@contextmanager
def served(sizes: list[int], settings: Settings | None = None) -> Iterator[Ours]:
    """Our candidate: an operator is signed in and has a draft of each size."""
    with scratch(settings or load(), fast=True) as connection:
        workspace_id, session = operator(connection)
        with transaction(connection):
            desk = publishing.Desk(connection, catalog(plugins=False), workspace_id, "bench", datetime.now(UTC))
            made = {size: publishing.create(desk, f"{size} steps", journey(size)).id for size in sizes}
        with server(connection) as base:
            cookie = {"name": COOKIE, "value": session, "url": base}
            yield Ours(base, made, cookie)


def operator(connection: Connection) -> tuple[int, str]:
    """A workspace and the session of an operator in it."""
    now = datetime.now(UTC)
    with transaction(connection):
        workspace_id = workspaces.add(connection, "bench", timezone="UTC", now=now)
        user = users.add(connection, workspace_id, email="op@bench.example", name="Operator", role="operator", now=now)
        assert user is not None
        return workspace_id, auth.begin_session(connection, workspace_id, user.id, now)
