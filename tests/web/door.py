"""A real server with nothing but the ingest door, on a free port, and what tests ask the tables."""

import asyncio
import hashlib
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx2
import uvicorn
from psycopg.rows import namedtuple_row
from starlette.applications import Starlette

from app import database
from app.database import Connection
from app.tracking import Limits
from app.web.ingest import Door, ingest_routes

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEY = "jc_0123456789ab_" + "5e" * 32


class Holder(NamedTuple):
    workspace_id: int
    role: str


def identify(connection: Connection, key: str, now: datetime) -> Holder | None:
    """Keys by hash, as the program's own sign-in does it."""
    row = connection.execute(
        "SELECT workspace_id, role FROM key WHERE digest = %s AND revoked_at IS NULL AND coalesce(expires_at > %s, true)",
        (hashlib.sha256(key.encode()).hexdigest(), now),
    ).fetchone()
    return Holder(*row) if row else None


def workspace(url: str, *keys: str, role: str = "ingest") -> int:
    """A workspace with write keys."""
    with database.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO workspace (name, secret, created_at) VALUES ('shop', 'x', %s) RETURNING id", (NOW,)
        ).fetchone()
        assert row
        for key in keys or (KEY,):
            connection.execute(
                "INSERT INTO key (workspace_id, name, role, prefix, digest, created_at) VALUES (%s, 'site', %s, %s, %s, %s)",
                (row[0], role, key[:15], hashlib.sha256(key.encode()).hexdigest(), NOW),
            )
        return int(row[0])


def rows(url: str, query: str, *values: Any) -> list[Any]:
    """What a query says, with named fields."""
    with database.connect(url, autocommit=True) as connection:
        return list(connection.cursor(row_factory=namedtuple_row).execute(query, values).fetchall())  # type: ignore[call-overload]


def inbox(url: str) -> list[Any]:
    """All letters in order of arrival."""
    return rows(url, "SELECT *, properties::jsonb AS said FROM inbox ORDER BY id")


class Server(NamedTuple):
    """A running server and its address."""

    url: str
    port: int
    door: Door
    client: httpx2.Client

    def post(self, path: str, payload: Any, *, key: str | None = KEY, **more: Any) -> httpx2.Response:
        """One request, as a simple client sends it."""
        headers = {**({} if key is None else authorization(key)), **more.pop("headers", {})}
        if isinstance(payload, bytes):
            headers = {"content-type": "application/json", **headers}
            return self.client.post(self.url + path, content=payload, headers=headers, **more)
        return self.client.post(self.url + path, json=payload, headers=headers, **more)


def authorization(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


@contextmanager
def serving(
    url: str, *, clock: Callable[[], datetime] | None = None, limits: Limits | None = None, **more: Any
) -> Iterator[Server]:
    """The door behind uvicorn, in a thread of this process."""
    door = Door(url, identify, limits=limits, **({"clock": clock} if clock else {}), **more)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            Starlette(routes=ingest_routes(door)), log_level="error", access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        door.start()
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            with httpx2.Client(timeout=20, verify=False) as client:
                yield Server(f"http://127.0.0.1:{port}", port, door, client)
        finally:
            server.should_exit = True
            thread.join(10)
            door.stop()
