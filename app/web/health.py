"""The health page: who works, what waits and how long, the database and Valkey, what was put aside. Shows no secret."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response

from app import auth
from app.lanes import LANES
from app.store import fuses, health, instances, lates, load, overview, reputations
from app.store.rows import Connection
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, TheHouse, can
from app.web.page import page_router, render
from app.web.templating import channel_words
from app.web.whys import of_reasons

routes = page_router()

ASIDE_SHOWN = 30
WAITING_SHOWN = 200
LATE_SECONDS = 60.0
TOO_LATE_SECONDS = 600.0


@routes.get("/health", dependencies=[can("journey.read")])
def show_health(request: Request, house: TheHouse, caller: Asker, connection: Database) -> Response:
    """The page; htmx asks for it again every few seconds and takes the moving part."""
    now = house.now()
    working = health.workers(connection)
    alive = [one for one in working if now - one.progress_at < load.WORKER_ALIVE]
    owned = {lane for one in alive for lane in one.lanes}
    waiting = load.load(connection, now)
    fused = fuses.tripped(connection, caller.workspace_id)
    values: dict[str, Any] = {
        "workers": working,
        "alive": {one.id for one in alive},
        "lanes": LANES,
        "owned": owned,
        "load": waiting,
        "waits": health.counts(connection, caller.workspace_id, now, load.COUNTED_AT_MOST),
        "most": load.COUNTED_AT_MOST,
        "late": _lateness(waiting.oldest_seconds),
        "revision": load.revision(connection),
        "expected": house.revision,
        "valkey": "none" if house.hints.url is None else "ok" if house.hints.call(_answers, False) else "away",
        "aside": health.aside(connection, caller.workspace_id, ASIDE_SHOWN),
        "place": overview.place(connection, caller.workspace_id),
        "held": instances.held(connection),
        "held_late": lates.held(connection, caller.workspace_id),
        **complaints(connection, caller.workspace_id, now),
        "channel_words": channel_words(request, house.catalog),
        "fused": fused,
        "whys": of_reasons(request, connection, caller.workspace_id, [why for _id, _name, why, _since in fused]),
        "may_run": auth.may(caller.role, "journey.run"),
        "may_confirm": auth.may(caller.role, "restore.confirm"),
    }
    return render(request, "health.html", values)


def complaints(connection: Connection, workspace_id: int, now: datetime) -> dict[str, Any]:
    """What `settings/_complaints.html` shows."""
    found = reputations.standings(connection, workspace_id, now)
    return {"standings": found, "warn_rate": reputations.WARN, "stop_rate": reputations.STOP}


@routes.get("/health/waiting/{what}", dependencies=[can("contact.read")])
def show_waiting(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    what: Annotated[Literal["events", "messages", "waits"], Path()],
) -> Response:
    """The people of this workspace behind a number of the page, the longest due first."""
    found = health.waiting(connection, caller.workspace_id, what, house.now(), WAITING_SHOWN)
    glasses = glasses_of(connection, caller)
    values = {
        "what": what,
        "rows": [one._replace(name=glasses.name(one.name)) for one in found],
        "most": WAITING_SHOWN,
        "place": overview.place(connection, caller.workspace_id),
    }
    return render(request, "health_waiting.html", values)


def _answers(valkey: Any) -> bool:
    return bool(valkey.ping())


def _lateness(seconds: float) -> str:
    return "good" if seconds < LATE_SECONDS else "warn" if seconds < TOO_LATE_SECONDS else "bad"
