"""blast: an audience through entry → condition (half pass) → split → send → exit, written out durably by one worker."""

from typing import Any

from app.bench import ground
from app.bench.measure import Progress, counted, floor, measured, memory_mb, result
from app.process import calm_gc
from app.stages import enroll
from app.store.rows import Connection

BATCH = 10_000
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "once"}},
    "nodes": [
        {
            "id": "start",
            "type": "entry.segment",
            "version": 1,
            "settings": {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"at": "2026-03-01T08:00:00Z"}},
        },
        {
            "id": "pro",
            "type": "condition",
            "version": 1,
            "settings": {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}},
        },
        {
            "id": "arm",
            "type": "split",
            "version": 1,
            "settings": {"arms": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}]},
        },
        {
            "id": "mail_a",
            "type": "send.inapp",
            "version": 1,
            "settings": {"title": "A for {{ contact.name }}", "body": "…"},
        },
        {
            "id": "mail_b",
            "type": "send.inapp",
            "version": 1,
            "settings": {"title": "B for {{ contact.name }}", "body": "…"},
        },
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "pro"},
        {"from": "pro", "port": "yes", "to": "arm"},
        {"from": "pro", "port": "no", "to": "end"},
        {"from": "arm", "port": "a", "to": "mail_a"},
        {"from": "arm", "port": "b", "to": "mail_b"},
        {"from": "mail_a", "port": "next", "to": "end"},
        {"from": "mail_b", "port": "next", "to": "end"},
    ],
}


# What a careful workspace sets: nobody is over a cap here, so that every message is asked, counted and sent.
POLICIES = {
    "caps": [{"limit": 2, "per": "day"}, {"limit": 5, "per": "P7D", "channel": "inapp"}],
    "quiet": [{"from": "22:00", "to": "07:00"}],
}
ROUNDS = 3


def run_gate(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """The blast with caps and quiet hours beside the blast without, in turns: what the gate costs of the throughput."""
    found: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for asked in found:
            found[asked].append(run(connection, contacts, progress, policies=POLICIES if asked else None))
    plain, gated = (sorted(found[asked], key=lambda one: one["per_second"])[ROUNDS // 2] for asked in (False, True))
    costs = 1 - gated["per_second"] / plain["per_second"]
    return {**gated, "workload": "gate", "plain_per_second": plain["per_second"], "gate_costs": round(costs, 3)}


def run(
    connection: Connection, contacts: int, progress: Progress, *, policies: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Let everybody in and count what came out; raises where the books do not balance."""
    workspace = ground.workspace(connection)
    ground.people(connection, workspace, contacts)
    if policies:
        ground.allow(connection, workspace, policies)
    journey, version = ground.publish(connection, workspace, FLOW)
    ground.fire(connection, workspace, journey, version, "start")
    told = counted(progress, "blast", contacts)
    calm_gc()
    enroll.run(connection, ground.plans(), lanes=(), now=ground.START, limit=1)  # the schedule fires, nobody enters yet
    with measured(connection) as cost:
        handled = ground.drain(connection, enroll.run, ground.START, BATCH, told)
    if handled < contacts:
        raise RuntimeError(f"{handled} of {contacts} handled")
    balance(connection, workspace, contacts)
    by = f"WHERE workspace_id = {workspace}"
    floor_seconds = floor(
        connection,
        {
            "enrollment": f"SELECT * FROM enrollment {by}",
            "trail": f"SELECT * FROM trail {by}",
            "message": f"SELECT * FROM message {by}",
            "tally": f"SELECT * FROM tally {by}",
        },
    )
    each = cost.each(contacts)
    return result("blast", contacts, cost.seconds, floor_seconds, **each, memory_mb=memory_mb())


def balance(connection: Connection, workspace: int, contacts: int) -> None:
    """Everybody is through, half of them have a message."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM enrollment WHERE workspace_id = %(w)s AND status = 1),"
        " (SELECT count(*) FROM message WHERE workspace_id = %(w)s)",
        {"w": workspace},
    ).fetchone()
    if row != (contacts, contacts // 2):
        raise RuntimeError(f"{row} enrollments and messages instead of {contacts} and {contacts // 2}")
