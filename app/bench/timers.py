"""timers: a hundred thousand waits that end at the same instant, drained by one worker; and what a parked contact weighs."""

from datetime import timedelta
from typing import Any

from app.bench import ground
from app.bench.measure import Progress, counted, floor, measured, memory_mb, result
from app.lanes import ALL_LANES
from app.process import calm_gc
from app.stages import enroll, timers
from app.store.rows import Connection

BATCH = 5_000
WAIT = timedelta(hours=1)
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "once"}},
    "nodes": [
        {
            "id": "start",
            "type": "entry.segment",
            "version": 1,
            "settings": {
                "rule": {"attribute": "plan", "op": "exists"},
                "schedule": {"at": "2026-03-01T08:00:00Z"},
            },
        },
        {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": "PT1H"}},
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [{"from": "start", "port": "next", "to": "pause"}, {"from": "pause", "port": "next", "to": "end"}],
}


def park(connection: Connection, contacts: int, progress: Progress) -> int:
    """Contacts at rest in a wait; returns their workspace."""
    workspace = ground.workspace(connection)
    ground.people(connection, workspace, contacts)
    journey, version = ground.publish(connection, workspace, FLOW)
    ground.fire(connection, workspace, journey, version, "start")
    enroll.run(connection, ground.plans(), lanes=(), now=ground.START, limit=1)

    ground.drain(connection, enroll.run, ground.START, BATCH, counted(progress, "parking", contacts))
    return workspace


def run(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """Park everybody, let the hour pass, drain."""
    workspace = park(connection, contacts, progress)
    due = ground.START + WAIT
    calm_gc()

    early = timers.run(connection, ground.plans(), lanes=ALL_LANES, now=due - timedelta(microseconds=1), limit=BATCH)
    with measured(connection) as cost:
        handled = ground.drain(connection, timers.run, due, BATCH, counted(progress, "timers", contacts))
    if early or handled < contacts:
        raise RuntimeError(f"{early} early, {handled} of {contacts} drained")
    by = f"WHERE workspace_id = {workspace}"
    floor_seconds = floor(connection, {t: f"SELECT * FROM {t} {by}" for t in ("enrollment", "trail", "tally")})
    weight = parked(connection, min(contacts, 100_000), progress)
    return result(
        "timers", contacts, cost.seconds, floor_seconds, **cost.each(contacts), memory_mb=memory_mb(), **weight
    )


def parked(connection: Connection, contacts: int, progress: Progress) -> dict[str, float]:
    """Bytes that a parked contact takes: its enrollment with all indexes, and the trail row beside it."""
    before = _sizes(connection)
    park(connection, contacts, progress)
    after = _sizes(connection)
    return {
        "parked_bytes": round((after[0] - before[0]) / contacts, 1),
        "trail_bytes": round((after[1] - before[1]) / contacts, 1),
    }


def _sizes(connection: Connection) -> tuple[int, int]:
    row = connection.execute("SELECT pg_total_relation_size('enrollment'), pg_total_relation_size('trail')").fetchone()
    connection.rollback()
    if row is None:
        raise RuntimeError("no sizes")
    return int(row[0]), int(row[1])
