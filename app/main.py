"""The web application put together: the one place where settings, connections, node types and routes meet.

Each part is wired by a small function below. Never logic of its own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

import nodes
from app import database
from app.hints import Hints
from app.nudges import Nudges
from app.settings import Settings, SettingsError
from app.web import (
    accounts,
    contacts,
    hooks,
    inapp,
    journeys,
    keys,
    links,
    messages,
    node_types,
    openapi,
    operate,
    problems,
    reviews,
    segments,
    session,
    sink,
    users,
    walks,
)
from app.web.envelope import Envelope
from app.web.guard import GuardedRoute, UnguardedError
from app.web.house import House

TITLE = "Journey Canvas"
VERSION = "0.1.0"
BODY_BYTES = 1_000_000
ROOT = Path(__file__).resolve().parent.parent
MANAGED = (journeys, reviews, walks, contacts, segments, messages, accounts, node_types, keys, users)
# Routes that anybody may ask without a key, each with the reason.
OPEN = {
    "/healthz": "a load balancer has no key",
    "/readyz": "a load balancer has no key",
    "/metrics": "numbers without names, for a scraper inside",
    "/openapi.json": "the description holds no data",
    "/docs": "the description holds no data",
    "/login": "where a session begins",
    "/logout": "ends the session it is sent with",
    "/static": "files of the program itself",
    "/r/{token}": "a click in a message; the token is the key",
    "/o/{token}.gif": "an open of a message; the token is the key",
    "/u/{token}": "the way out, for people without an account here; the token is the key",
    "/hooks/{account}": "providers sign each call with the account's secret",
    "/v1/inapp": "under the write key, with a signed user id",
    "/v1/inapp/{token}/{what}": "the token is the key",
}


def create_app(settings: Settings, *, now: Callable[[], Any] | None = None) -> FastAPI:
    """The application for these settings; nothing is opened before it starts. `now` is for tests."""
    if settings.database_url is None:
        raise SettingsError("The web process needs a database: set JOURNEY_DATABASE_URL, or use `journey run`.")
    settings.secret_bytes  # noqa: B018 - fails here, not at the first account
    registry = CollectorRegistry()
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=BODY_BYTES,
        lifespan=_lifespan(settings, registry, now),
        middleware=[Middleware(Envelope, registry=registry, secure=settings.base_url.startswith("https://"))],
        generate_unique_id_function=_operation_id,
    )
    app.state.templates = Jinja2Templates(ROOT / "templates")
    problems.install(app)
    _add_management(app)
    _add_operation(app)
    _add_doors(app)
    _add_pages(app)
    openapi.install(app)
    refuse_unguarded(app)
    return app


def _lifespan(settings: Settings, registry: CollectorRegistry, now: Callable[[], Any] | None) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, House]]:
        del app
        hints, nudges = Hints(settings.redis_url), Nudges(settings.redis_url)
        pool = database.pool(str(settings.database_url), size=settings.pool_size)
        pool.open(wait=False)  # a database that is away now may come back: the process starts and says 503 until then
        house = House(settings, nodes.catalog(), pool, hints, nudges.send, database.head(), registry)
        if now is not None:
            house.now = now
        try:
            yield {"house": house}
        finally:
            pool.close()
            nudges.close()
            hints.close()

    return lifespan


def _add_management(app: FastAPI) -> None:
    for module in MANAGED:
        app.include_router(module.routes)


def _add_operation(app: FastAPI) -> None:
    app.include_router(operate.routes)


def _add_doors(app: FastAPI) -> None:
    """What messages, providers and our users' own pages come back by."""
    for module in (links, hooks, inapp):
        app.include_router(module.routes)


def _add_pages(app: FastAPI) -> None:
    app.include_router(session.routes)
    app.include_router(sink.routes)
    app.mount("/static", StaticFiles(directory=ROOT / "static"), name="static")


def _operation_id(route: APIRoute) -> str:
    return route.name


def refuse_unguarded(app: FastAPI) -> None:
    """Deny by default: a route that neither declares an action nor stands in OPEN keeps the program from starting."""
    for context in iter_route_contexts(app.routes):
        path = str(context.path)
        if not isinstance(context.original_route, GuardedRoute) and path not in OPEN:
            raise UnguardedError(f"{path} neither declares an action with can(…) nor stands among the open routes")
