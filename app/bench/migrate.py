"""migrate: a hundred thousand people in flight; a new version moves nobody, then everybody by choice, then puts them back."""

import time
from copy import deepcopy
from datetime import timedelta
from typing import Any

from app import migrating
from app.bench import ground, timers
from app.bench.measure import Progress, counted, measured, memory_mb, result
from app.database import transaction
from app.process import calm_gc
from app.publishing import Desk
from app.stages import migrate
from app.store import migrations_
from app.store.rows import Connection
from flows.moves import Move
from nodes import catalog

BATCH = 5_000
NOW = ground.START + timedelta(minutes=10)


def new_version(connection: Connection, workspace: int, journey: int) -> None:
    """The next version of the parked journey: the same steps, a longer wait, a message after it."""
    document = deepcopy(timers.FLOW)
    document["nodes"][1]["settings"]["duration"] = "PT2H"
    document["nodes"].insert(
        2, {"id": "note", "type": "send.inapp", "version": 1, "settings": {"title": "Still there"}}
    )
    document["edges"][1]["to"] = "note"
    document["edges"].append({"from": "note", "port": "next", "to": "end"})
    ground.publish_next(connection, workspace, journey, document)


def run(connection: Connection, contacts: int, progress: Progress) -> dict[str, Any]:
    """Park everybody, publish, move them all, put them all back."""
    workspace = timers.park(connection, contacts, progress)
    ((journey,),) = connection.execute("SELECT id FROM journey WHERE workspace_id = %s", (workspace,)).fetchall()
    desk = Desk(connection, catalog(), workspace, "bench", NOW)
    told = counted(progress, "migrate", contacts)
    calm_gc()
    begun = time.perf_counter()
    new_version(connection, workspace, journey)
    publish_seconds = time.perf_counter() - begun
    stayed = on_version(connection, workspace, 1)
    people = [Move(node="pause", do="move", to="pause", wait="keep")]
    begun = time.perf_counter()
    with transaction(connection):
        seen = migrating.preview(desk, journey, people, None)
    preview_seconds = time.perf_counter() - begun
    with transaction(connection):
        id = migrating.begin_on_live(desk, journey, people)
        connection.execute("ANALYZE enrollment")
    with measured(connection) as cost:
        handled = ground.drain(connection, migrate.run, NOW, BATCH, told)
    moved = on_version(connection, workspace, 2)
    with transaction(connection):
        migrating.reverse(desk, journey, id or 0)
    with measured(connection) as back:
        ground.drain(connection, migrate.run, NOW, BATCH, told)
    if (stayed, seen.moved, handled, moved, on_version(connection, workspace, 1)) != (contacts,) * 5:
        raise RuntimeError(f"{stayed} stayed, {seen.moved} foreseen, {handled} handled, {moved} moved of {contacts}")
    with transaction(connection):
        one = migrations_.find(connection, workspace, journey, id or 0)
    if one is None or one.status != "reversed":
        raise RuntimeError("the migration did not end")
    more = {"publish_seconds": publish_seconds, "preview_seconds": preview_seconds, "back_seconds": back.seconds}
    rounded = {name: round(seconds, 3) for name, seconds in more.items()}
    return result("migrate", contacts, cost.seconds, None, **rounded, **cost.each(contacts), memory_mb=memory_mb())


def on_version(connection: Connection, workspace: int, number: int) -> int:
    """How many wait on a version."""
    row = connection.execute(
        "SELECT count(*) FROM enrollment e JOIN version v ON v.id = e.version_id"
        " WHERE e.workspace_id = %s AND v.number = %s AND e.status = 0",
        (workspace, number),
    ).fetchone()
    connection.rollback()
    return int(row[0]) if row else 0
