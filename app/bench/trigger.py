"""trigger: events that let people into one of ten live journeys, where they come to rest in a wait."""

import json
from typing import Any

from app.bench import ground
from app.bench.measure import Progress, counted, floor, measured, memory_mb, result
from app.database import transaction
from app.lanes import lane_of
from app.process import calm_gc
from app.stages import match
from app.store import inbox
from app.store.inbox import Letter
from app.store.rows import Connection

BATCH = 5_000
JOURNEYS = 10


def flow(number: int) -> dict[str, Any]:
    """Order submitted, wait ten minutes for the payment, remind: with a goal, a filter and a condition like real ones."""
    return {
        "schema": 1,
        "settings": {
            "reentry": {"mode": "per_key", "key": "properties.order_id"},
            "goal": {"event": f"goal_{number}", "within": "P3D"},
        },
        "nodes": [
            {
                "id": "start",
                "type": "entry.event",
                "version": 1,
                "settings": {
                    "event": f"order_{number}",
                    "where": [{"property": "amount", "op": "gte", "value": 1}],
                    "when": {"attribute": "age", "op": "gte", "value": 0},
                },
            },
            {
                "id": "pro",
                "type": "condition",
                "version": 1,
                "settings": {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}},
            },
            {
                "id": "paid",
                "type": "wait.event",
                "version": 1,
                "settings": {"events": [{"event": f"paid_{number}"}], "timeout": "PT10M"},
            },
            {"id": "nudge", "type": "send.inapp", "version": 1, "settings": {"title": "Your order waits", "body": "…"}},
            {"id": "end", "type": "exit", "version": 1, "settings": {}},
        ],
        "edges": [
            {"from": "start", "port": "next", "to": "pro"},
            {"from": "pro", "port": "yes", "to": "paid"},
            {"from": "pro", "port": "no", "to": "paid"},
            {"from": "paid", "port": f"paid_{number}", "to": "end"},
            {"from": "paid", "port": "timeout", "to": "nudge"},
            {"from": "nudge", "port": "next", "to": "end"},
        ],
    }


def event(number: int) -> tuple[str, dict[str, Any]]:
    """The n-th event of the load: its name and properties."""
    return f"order_{number % JOURNEYS}", {
        "order_id": f"o{number}",
        "amount": 10 + number % 90,
        "sku": f"A{number % 500}",
    }


def run(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """The stage alone: `contacts` events already accepted, matched by one worker until everybody waits."""
    workspace = ground.workspace(connection)
    ids = ground.people(connection, workspace, contacts)
    for number in range(JOURNEYS):
        ground.publish(connection, workspace, flow(number), f"bench {number}")
    letters = []
    for number, contact in enumerate(ids):
        name, properties = event(number)
        text, lane, at = json.dumps(properties), lane_of(workspace, contact), ground.START
        letters.append(Letter(lane, 0, workspace, contact, "track", name, at, at, text, None))
    with transaction(connection):
        inbox.put(connection, letters)
    with transaction(connection):
        connection.execute("ANALYZE inbox")
    told = counted(progress, "trigger", contacts)
    calm_gc()
    with measured(connection) as cost:
        handled = ground.drain(connection, match.run, ground.START, BATCH, told)
    waiting = connection.execute(
        "SELECT count(*) FROM enrollment WHERE workspace_id = %s AND status = 0 AND node = 'paid'", (workspace,)
    ).fetchone()
    if handled != contacts or waiting != (contacts,):
        raise RuntimeError(f"{handled} handled, {waiting} waiting, of {contacts}")
    by = f"WHERE workspace_id = {workspace}"
    tables = ("enrollment", "trail", "tally")
    floor_seconds = floor(connection, {table: f"SELECT * FROM {table} {by}" for table in tables})
    floor_seconds += floor(connection, {"event_other": f"SELECT * FROM event {by}"})
    return result(
        "trigger",
        contacts,
        cost.seconds,
        floor_seconds,
        **cost.each(contacts),
        memory_mb=memory_mb(),
        journeys=JOURNEYS,
    )
