"""Live workloads: the ingest door and a worker as processes of their own, events over HTTP, latencies seen from outside.

`trigger_live`: events over HTTP until everybody waits, then 500 events a second and how long each takes from 2xx to committed
move. `lateness`: a million parked, a few due each second. `fairness`: an event-triggered message while a blast runs. Latencies
are upper bounds: a poller looks every few milliseconds.
"""

import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.bench import accept, blast, ground, timers, trigger
from app.bench.measure import Progress, measured, memory_mb, result
from app.database import IN_ORDER, connect, transaction
from app.store import schedules
from app.store.rows import Connection, array

RATE = 500
SECONDS = 20
LOOK_EVERY = 0.01
DUE_A_SECOND = 20


@contextmanager
def worker(connection: Connection) -> Iterator[int]:
    """A real worker process on the database of `connection`; its process id."""
    process = subprocess.Popen([sys.executable, "-m", "app.bench.hand", ground.twin_url(connection)])
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


class Watch:
    """Looks from outside which of the outstanding contacts have got where they should; keeps how long it took."""

    def __init__(self, url: str, workspace_id: int, query: str) -> None:
        self._connection = connect(url, autocommit=True, statement_seconds=60, **IN_ORDER)
        self._workspace_id, self._query = workspace_id, query
        self.outstanding: dict[int, float] = {}
        self.took: list[float] = []

    def look(self) -> None:
        """One look; the latency of whoever arrived is counted until now."""
        asked = list(self.outstanding)
        if not asked:
            return
        found = self._connection.execute(self._query, (self._workspace_id, array(asked))).fetchall()
        now = time.time()
        for (contact,) in found:
            begun = self.outstanding.pop(contact, None)
            if begun is not None:
                self.took.append(now - begun)

    def marks(self) -> dict[str, float]:
        """p50, p99 and the longest, in milliseconds."""
        took = sorted(self.took) or [0.0]
        at = {name: took[min(len(took) - 1, int(len(took) * share))] for name, share in (("p50", 0.5), ("p99", 0.99))}
        return {f"{name}_ms": round(value * 1000, 1) for name, value in {**at, "max": took[-1]}.items()}


ENTERED = (
    "SELECT DISTINCT e.contact_id FROM enrollment e WHERE e.workspace_id = %s AND e.contact_id = ANY(%s::bigint[])"
)


class Counted(Watch):
    """Watches a journey's tally instead of its people: a sum of few rows, so that looking does not become the load.

    The n-th arrival is set against the n-th answer, so the latencies are those of first come, first served.
    """

    def __init__(self, url: str, workspace_id: int, journey_id: int, node: str) -> None:
        super().__init__(url, workspace_id, "")
        self._asked, self._arrived = (workspace_id, journey_id, node), 0

    def look(self) -> None:
        """One look; whoever was counted since the last one has arrived now."""
        query = (
            "SELECT coalesce(sum(count), 0) FROM tally"
            " WHERE workspace_id = %s AND journey_id = %s AND node = %s AND port = ''"
        )
        row = self._connection.execute(query, self._asked).fetchone()
        now, count = time.time(), int(row[0]) if row else 0
        waiting = sorted(self.outstanding.items(), key=lambda one: one[1])
        for contact, begun in waiting[: max(0, count - self._arrived)]:
            del self.outstanding[contact]
            self.took.append(now - begun)
            self._arrived += 1


def run_trigger(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """Events in batches over HTTP until all wait; then the open loop."""
    stage = trigger.run(connection, contacts, progress)
    _empty(connection)
    with accept._server(connection) as (url, pid), worker(connection) as hand:
        workspace, key = accept._workspace(connection)
        ids = ground.people(connection, workspace, contacts, named=True)
        for number in range(trigger.JOURNEYS):
            ground.publish(connection, workspace, trigger.flow(number), f"live {number}")
        ready = [_batch(url, key, range(at, min(at + 100, contacts))) for at in range(0, contacts, 100)]
        time.sleep(2)
        with measured(connection, pids=[pid, hand]) as cost:
            begun = time.perf_counter()
            asyncio.run(_pour(url, ready, 8))
            accepted = time.perf_counter() - begun
            _wait_for(connection, workspace, contacts, progress)
        rate = contacts / cost.seconds
        latency = _open_loop(connection, url, key, workspace, ids, progress)
    return {
        **result("trigger", contacts, cost.seconds, contacts / (stage["floor_per_second"] or 1), **cost.each(contacts)),
        "accepted_per_second": round(contacts / accepted, 1),
        "stage_per_second": stage["per_second"],
        "end_to_end_per_second": round(rate, 1),
        "open_loop_rate": RATE,
        **latency,
    }


def _empty(connection: Connection) -> None:
    with transaction(connection):
        connection.execute("TRUNCATE enrollment, trail, tally, message, event, inbox, contact, identity")
        connection.execute("UPDATE journey SET status = 'stopped'")


def _wait_for(connection: Connection, workspace: int, contacts: int, progress: Progress) -> None:
    while True:
        with transaction(connection):
            row = connection.execute(
                "SELECT coalesce(sum(count), 0) FROM tally WHERE workspace_id = %s AND node = 'paid' AND port = ''",
                (workspace,),
            ).fetchone()
        done = int(row[0]) if row else 0
        progress("waiting", done, contacts)
        if done >= contacts:
            return
        time.sleep(0.05)


def _request(path: str, host: str, key: str, body: str) -> bytes:
    auth = b64encode(f"{key}:".encode()).decode()
    raw = body.encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {auth}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    ).encode() + raw


def _call(number: int, user: int) -> dict[str, Any]:
    name, properties = trigger.event(number)
    return {
        "type": "track",
        "userId": f"u{user}",
        "event": name,
        "properties": properties,
        "messageId": f"live-{number}",
    }


def _batch(url: str, key: str, numbers: Sequence[int]) -> bytes:
    return _request("/v1/batch", urlsplit(url).netloc, key, json.dumps({"batch": [_call(n, n) for n in numbers]}))


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return int(head[9:12])


async def _pour(url: str, ready: Sequence[bytes], connections: int) -> None:
    """Send all as fast as the answers come."""
    place, rest = urlsplit(url), iter(ready)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for request in rest:
            writer.write(request)
            if await _answer(reader) != 200:
                raise RuntimeError("an event was refused")
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))


def _open_loop(
    connection: Connection, url: str, key: str, workspace: int, ids: Sequence[int], progress: Progress
) -> dict[str, float]:
    """RATE single events a second, each by a contact who is not yet in; from 2xx to the committed move."""
    with transaction(connection):
        connection.execute("TRUNCATE enrollment")
    count = min(RATE * SECONDS, len(ids))
    watch = Watch(ground.twin_url(connection), workspace, ENTERED)
    start = 10_000_000

    def make(number: int) -> tuple[bytes, int]:
        body = json.dumps(_call(start + number, number))
        return _request("/v1/track", urlsplit(url).netloc, key, body), ids[number]

    asyncio.run(_paced(url, count, make, watch, progress))
    return watch.marks()


async def _paced(
    url: str, count: int, make: Callable[[int], tuple[bytes, int]], watch: Watch, progress: Progress, rate: int = RATE
) -> None:
    """Send `count` requests at `rate` a second over a few connections; `watch` sees each contact arrive."""
    place = urlsplit(url)
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    lanes = 16

    async def client() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while (number := await queue.get()) is not None:
            request, contact = make(number)
            writer.write(request)
            if await _answer(reader) != 200:
                raise RuntimeError("an event was refused")
            watch.outstanding[contact] = time.time()
        writer.close()

    clients = [asyncio.create_task(client()) for _ in range(lanes)]
    begun = time.perf_counter()
    for number in range(count):
        ahead = begun + number / rate - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        queue.put_nowait(number)
        if number % max(1, int(rate * LOOK_EVERY)) == 0:
            watch.look()
            progress("open loop", number, count)
    for _ in range(lanes):
        queue.put_nowait(None)
    await asyncio.gather(*clients)
    end = time.perf_counter() + 30
    while watch.outstanding and time.perf_counter() < end:
        watch.look()
        await asyncio.sleep(LOOK_EVERY)
    if watch.outstanding:
        raise RuntimeError(f"{len(watch.outstanding)} never arrived")


def run_fairness(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """While a blast to `contacts` runs, a reminder triggered by an event, 50 a second: from 2xx to the committed message."""
    flow = {
        **blast.FLOW,
        "nodes": [
            {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "left_cart"}},
            {"id": "nudge", "type": "send.inapp", "version": 1, "settings": {"title": "Still there?", "body": "…"}},
            {"id": "end", "type": "exit", "version": 1, "settings": {}},
        ],
        "edges": [{"from": "start", "port": "next", "to": "nudge"}, {"from": "nudge", "port": "next", "to": "end"}],
    }
    with accept._server(connection) as (url, _), worker(connection) as hand:
        workspace, key = accept._workspace(connection)
        ground.people(connection, workspace, contacts)
        ids = ground.people(connection, workspace, 1_000, named=True)
        reminder, _ = ground.publish(connection, workspace, flow, "reminder")
        journey, version = ground.publish(connection, workspace, blast.FLOW, "blast")
        time.sleep(2)
        with transaction(connection):
            now = datetime.now(UTC)
            schedules.replace(connection, workspace, journey, version, [("start", "segment", now)])
        watch = Counted(ground.twin_url(connection), workspace, reminder, "nudge")
        begun = time.perf_counter()

        def make(number: int) -> tuple[bytes, int]:
            body = {"type": "track", "userId": f"u{number}", "event": "left_cart", "messageId": f"fair-{number}"}
            return _request("/v1/track", urlsplit(url).netloc, key, json.dumps(body)), ids[number]

        asyncio.run(_paced(url, min(1_000, 50 * SECONDS), make, watch, progress, rate=50))
        seconds = time.perf_counter() - begun
        with transaction(connection):
            row = connection.execute(
                "SELECT sum(count) FROM tally WHERE workspace_id = %s AND journey_id = %s AND node = '' AND port = 'entered'",
                (workspace, journey),
            ).fetchone()
        during = int(row[0] or 0) if row else 0
        memory = memory_mb(hand)
    return {
        **result("fairness", during, seconds, None),
        "blasted_meanwhile": during,
        "reminders": len(watch.took),
        **watch.marks(),
        "worker_memory_mb": memory,
    }


def run_lateness(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """`contacts` parked far ahead, DUE_A_SECOND due each second: how late, never early, and the worker's memory."""
    workspace = timers.park(connection, contacts, progress)
    with transaction(connection):
        connection.execute("UPDATE enrollment SET wake_at = wake_at + interval '365 days'")
        connection.execute("ANALYZE enrollment")
    with worker(connection) as hand:
        time.sleep(3)
        begun = datetime.now(UTC) + timedelta(seconds=2)
        count = DUE_A_SECOND * SECONDS
        with transaction(connection):
            rows = connection.execute(
                "SELECT contact_id FROM enrollment WHERE workspace_id = %s AND status = 0 LIMIT %s", (workspace, count)
            ).fetchall()
            due = {contact: begun + timedelta(seconds=n / DUE_A_SECOND) for n, (contact,) in enumerate(rows)}
            connection.execute(
                "UPDATE enrollment e SET wake_at = one.at FROM unnest(%s::bigint[], %s::timestamptz[]) AS one(id, at)"
                " WHERE e.workspace_id = %s AND e.contact_id = one.id",
                (array(due), array(due.values()), workspace),
            )
        query = "SELECT contact_id FROM enrollment WHERE workspace_id = %s AND contact_id = ANY(%s::bigint[]) AND status <> 0"
        watch = Watch(ground.twin_url(connection), workspace, query)
        watch.outstanding = {contact: at.timestamp() for contact, at in due.items()}
        memory = []
        while watch.outstanding and datetime.now(UTC) < begun + timedelta(seconds=SECONDS + 30):
            watch.look()
            memory.append(memory_mb(hand) or 0.0)
            progress("lateness", count - len(watch.outstanding), count)
            time.sleep(LOOK_EVERY)
    early = sum(1 for one in watch.took if one < 0)
    return {
        **result("lateness", contacts, float(SECONDS), None),
        "due": count,
        "moved": len(watch.took),
        "early": early,
        **watch.marks(),
        "worker_memory_mb": round(max(memory), 1),
        "memory_growth_mb": round(memory[-1] - memory[len(memory) // 2], 1),
    }
