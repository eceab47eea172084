"""accept: durable events over HTTP, one by one over 64 connections and in batches of 100, beside bare COPY of the same rows."""

import hashlib
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from app.bench import ground
from app.bench.load import Orders
from app.bench.measure import Progress, cpu_of, floor, measured, result
from app.database import transaction
from app.store.rows import Connection

CONNECTIONS = 64
BATCH = 100
BATCH_CONNECTIONS = 8
PEOPLE = 20_000
WARM_UP = 500
START_SECONDS = 20.0


def run(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """Start the door in a process of its own and measure it; `contacts` is the number of events of each part."""
    with _server(connection) as (url, pid):
        return at(connection, url, contacts, pid=pid, progress=progress)


def at(connection: Connection, url: str, events: int, *, pid: int | None, progress: Progress) -> dict[str, Any]:
    """Measure a running server that writes to the database of `connection`."""
    workspace_id, key = _workspace(connection)
    ground.people(connection, workspace_id, PEOPLE, named=True)
    place = urlsplit(url)
    parts = {}
    for number, (name, size, connections) in enumerate(
        (("single", 1, CONNECTIONS), ("batch", BATCH, BATCH_CONNECTIONS))
    ):
        progress("accept", number, 2)
        run_id = secrets.token_hex(4)
        orders = Orders(str(place.hostname), place.port or 80, key, 0, connections, size, PEOPLE, run_id)
        _send(connection, _of(orders, WARM_UP // size + 10, "warm"), pid)
        parts[name] = _send(connection, _of(orders, events // size, "run"), pid)
    floors = _floor(connection, workspace_id)
    single, batch = parts["single"], parts["batch"]
    seconds = events / batch["per_second"]
    return result("accept", events, seconds, events / floors, single=single, batch=batch, connections=CONNECTIONS)


def _of(orders: Orders, requests: int, name: str) -> Orders:
    return Orders(**{**asdict(orders), "requests": requests, "run": f"{orders.run}-{name}-{orders.events}"})


def _send(connection: Connection, orders: Orders, pid: int | None) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(orders)) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    client = cpu_of(process.pid) or 0.0
    with measured(connection, pids=[pid] if pid else []) as cost:
        process.stdin.write("go\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        client = (cpu_of(process.pid) or 0.0) - client
    process.wait()
    events = orders.requests * orders.events
    if said["statuses"] != {"200": orders.requests}:
        raise RuntimeError(f"not everything was accepted: {said['statuses']}")
    return {
        "requests_per_second": round(orders.requests / said["seconds"], 1),
        "per_second": round(events / said["seconds"], 1),
        **{name: said[name] for name in ("p50_ms", "p99_ms", "max_ms")},
        **cost.each(events),
        "client_cpu_ms": round(client * 1000 / events, 5),
    }


def _floor(connection: Connection, workspace_id: int) -> float:
    """Rows a second that bare COPY writes: an inbox row and a row of the memory of ids for each event."""
    by = f"WHERE workspace_id = {workspace_id}"
    row = connection.execute(f"SELECT count(*) FROM inbox {by}").fetchone()
    seconds = floor(connection, {"inbox": f"SELECT * FROM inbox {by}", "seen": f"SELECT * FROM seen {by}"})
    return float(row[0]) / seconds if row else 0.0


def _workspace(connection: Connection) -> tuple[int, str]:
    workspace_id = ground.workspace(connection, "accept")
    prefix = f"jc_{secrets.token_hex(6)}"
    key = f"{prefix}_{secrets.token_hex(32)}"
    with transaction(connection):
        connection.execute(
            "INSERT INTO key (workspace_id, name, role, prefix, digest, created_at) VALUES (%s, 'bench', 'ingest', %s, %s, %s)",
            (workspace_id, prefix, hashlib.sha256(key.encode()).hexdigest(), ground.START),
        )
    return workspace_id, key


@contextmanager
def _server(connection: Connection) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "app.bench.server", str(port), ground.twin_url(connection)])
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")
