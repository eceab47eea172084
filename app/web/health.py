"""The health page: who works, what waits and how long, the database and Valkey, what was put aside. Shows no secret."""

from typing import Any

from fastapi import Request, Response

from app import auth
from app.lanes import LANES
from app.store import fuses, health, instances, lates, load, overview, reputations
from app.web.guard import Asker, Database, TheHouse, can
from app.web.page import page_router, render
from app.web.templating import channel_words

routes = page_router()

ASIDE_SHOWN = 30
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
    values: dict[str, Any] = {
        "workers": working,
        "alive": {one.id for one in alive},
        "lanes": LANES,
        "owned": owned,
        "load": waiting,
        "most": load.COUNTED_AT_MOST,
        "late": _lateness(waiting.oldest_seconds),
        "revision": load.revision(connection),
        "expected": house.revision,
        "valkey": "none" if house.hints.url is None else "ok" if house.hints.call(_answers, False) else "away",
        "aside": health.aside(connection, caller.workspace_id, ASIDE_SHOWN),
        "place": overview.place(connection, caller.workspace_id),
        "held": instances.held(connection),
        "held_late": lates.held(connection, caller.workspace_id),
        "standings": reputations.standings(connection, caller.workspace_id, now),
        "channel_words": channel_words(request, house.catalog),
        "warn_rate": reputations.WARN,
        "stop_rate": reputations.STOP,
        "fused": fuses.tripped(connection, caller.workspace_id),
        "may_run": auth.may(caller.role, "journey.run"),
        "may_confirm": auth.may(caller.role, "restore.confirm"),
    }
    return render(request, "health.html", values)


def _answers(valkey: Any) -> bool:
    return bool(valkey.ping())


def _lateness(seconds: float) -> str:
    return "good" if seconds < LATE_SECONDS else "warn" if seconds < TOO_LATE_SECONDS else "bad"
