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
import pytest
import uvicorn
from psycopg import Connection
from psycopg.rows import namedtuple_row
from starlette.applications import Starlette

from app import auth, database
from app.tracking import Limits
from app.web.ingest import Door, ingest_routes
from app.web.wire import BoundedHttp

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEY = "jc_0123456789ab_" + "5e" * 32


def key_of(number: int) -> str:
    """Another write key."""
    return f"jc_{number:012x}_{'7a' * 32}"


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


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """What is executed on connections meanwhile (COPY goes another way)."""
    said: list[str] = []
    real = Connection.execute

    def noted(self: Connection, query: Any, *rest: Any, **more: Any) -> Any:
        said.append(query)
        return real(self, query, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection), "execute", noted)
        yield said


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
    door = Door(url, auth.identify, limits=limits, **({"clock": clock} if clock else {}), **more)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            Starlette(routes=ingest_routes(door)), log_level="error", access_log=False, http=BoundedHttp, lifespan="off"
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
