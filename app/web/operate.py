"""What keeps a process alive: is it up, can it work, how busy is it. Open to all, so it says nothing about anybody."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from psycopg import OperationalError
from pydantic import BaseModel, ConfigDict

from app import numbers
from app.store import load, reputations
from app.web.guard import TheHouse
from app.web.house import House
from app.web.problems import RETRY_SECONDS, document

routes = APIRouter(tags=["operate"])

State = Literal["ok", "away", "behind", "ahead", "none"]


class AliveOut(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})
    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """What the process needs. Without Redis it works, only slower: `degraded`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}]}
    )
    status: Literal["ok", "degraded"]
    database: State
    migrations: State
    redis: State


@routes.get("/healthz")
def is_alive() -> AliveOut:
    """Say that the process is alive; asks nobody else."""
    return AliveOut()


@routes.get("/readyz", response_model=ReadyOut)
def is_ready(house: TheHouse) -> Any:
    """Say whether requests can be served; 503 names what is missing."""
    database, migrations = _database(house)
    redis: State = "none" if house.hints.url is None else "ok" if house.hints.call(_ping, False) else "away"
    if database != "ok" or migrations != "ok":
        detail = f"database: {database}, migrations: {migrations}"
        more = {"database": database, "migrations": migrations, "redis": redis}
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return JSONResponse(document(503, detail, (), more), 503, headers, "application/problem+json")
    return ReadyOut(
        status="degraded" if redis == "away" else "ok", database=database, migrations=migrations, redis=redis
    )


def _ping(valkey: Any) -> bool:
    return bool(valkey.ping())


def _database(house: House) -> tuple[State, State]:
    """How the database is, and whether its tables are those of this program."""
    try:
        with house.transaction(read_only=True) as connection:
            found = load.revision(connection)
    except OperationalError:
        return "away", "away"
    if found == house.revision:
        return "ok", "ok"
    return "ok", "behind" if found is None or found < house.revision else "ahead"


GAUGES = (
    ("inbox_letters", "Letters accepted and not matched yet (counted up to 100,000)."),
    ("messages_due", "Messages whose time has come (counted up to 100,000)."),
    ("timers_due", "Waits whose time has come (counted up to 100,000)."),
    ("oldest_due_seconds", "How late the latest letter or message is."),
    ("workers", "Workers that got something done in the last minute."),
)


COMPLAINTS = (
    "Complaints for each delivered message of 7 days, where 1,000 or more were: 0.001 is a warning, 0.003 a pause."
)


@routes.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "journey_workers 2.0\n"}}}},
)
def read_metrics(house: TheHouse) -> Response:
    """Show numbers for Prometheus: requests of this process, what is due, and what each worker counted."""
    registry = CollectorRegistry()
    up = Gauge("journey_database_up", "Whether the database answers.", registry=registry)
    for (name, text), value in zip(GAUGES, _waiting(house), strict=False):
        Gauge(f"journey_{name}", text, registry=registry).set(value)
        up.set(1)
    rate = Gauge("journey_complaint_rate", COMPLAINTS, ("workspace", "channel"), registry=registry)
    for one in _standings(house):
        rate.labels(str(one.workspace_id), one.channel).set(one.rate)
    workers = numbers.exposition(numbers.of_workers(house.hints)).encode()
    shown = generate_latest(house.registry) + generate_latest(registry) + workers
    return Response(shown, media_type=CONTENT_TYPE_LATEST)


def _waiting(house: House) -> tuple[float, ...]:
    """What waits, in the order of GAUGES; nothing where the database does not answer."""
    try:
        with house.transaction(read_only=True) as connection:
            return load.load(connection, house.now())
    except OperationalError:
        return ()


def _standings(house: House) -> list[reputations.Standing]:
    try:
        with house.transaction(read_only=True) as connection:
            return reputations.standings(connection, None, house.now())
    except OperationalError:
        return []
