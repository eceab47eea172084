"""The web application put together: the one place where settings, connections, node types and routes meet.

Each part is wired by a small function below. Never logic of its own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.templating import Jinja2Templates
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute

import nodes
from app import auth, database
from app.hints import Hints
from app.nudges import Nudges
from app.settings import Settings, SettingsError
from app.tracking import Limits
from app.web import (
    accountpages,
    accounts,
    asidepages,
    audit,
    auditpages,
    canvas_describe,
    canvas_page,
    canvas_panel,
    canvas_preview,
    catalogue,
    colleague,
    comments,
    consentpages,
    contactpages,
    contacts,
    erasure,
    finding,
    guided,
    health,
    hooks,
    inapp,
    journeys,
    keypages,
    keys,
    labels,
    links,
    lists,
    live,
    messagepages,
    messages,
    migrations,
    movepages,
    node_types,
    openapi,
    operate,
    page,
    pages,
    pauses,
    planpages,
    plans,
    policies,
    policypages,
    preferences,
    privacy,
    problems,
    purposepages,
    review,
    reviewparts,
    reviews,
    rowdeeds,
    secondpages,
    segments,
    selfpages,
    session,
    sidedrafts,
    simulator,
    sink,
    staffpages,
    starting,
    submission,
    trialpages,
    users,
    versions,
    walks,
    watch,
    whereabouts,
)
from app.web.envelope import Envelope
from app.web.files import Files
from app.web.guard import GuardedRoute, UnguardedError
from app.web.house import House, utc_now
from app.web.infront import InFront
from app.web.ingest import PATHS, Door, ingest_routes
from app.web.streams import Streams
from app.web.templating import templates

TITLE = "Journey Canvas"
VERSION = "0.1.0"
BODY_BYTES = 1_000_000
MANAGED = (
    *(
        journeys,
        reviews,
        submission,
        sidedrafts,
        pauses,
        migrations,
        walks,
        plans,
        contacts,
        segments,
        messages,
        accounts,
        node_types,
        keys,
        users,
    ),
    *(policies, audit, labels, privacy, erasure),
)
PAGES = (
    starting,
    guided,
    *(pages, lists, rowdeeds, finding, planpages, review, reviewparts, comments, versions, asidepages),
    *(
        catalogue,
        staffpages,
        keypages,
        selfpages,
        secondpages,
        auditpages,
        accountpages,
        trialpages,
        health,
        simulator,
        colleague,
        movepages,
        policypages,
        purposepages,
    ),
    *(canvas_page, canvas_describe, canvas_panel, canvas_preview),
    *(watch, whereabouts, contactpages, consentpages, messagepages, live),
)
# Routes that anybody may ask without a key, each with the reason.
OPEN = {
    "/healthz": "a load balancer has no key",
    "/readyz": "a load balancer has no key",
    "/metrics": "numbers without names, for a scraper inside",
    "/openapi.json": "the description holds no data",
    "/docs": "the description holds no data",
    "/login": "where a session begins",
    "/login/code": "the second half of signing in; asks for a code of whoever gave the password",
    "/logout": "ends the session it is sent with",
    "/static": "files of the program itself",
    "/sink": "asks for a session, or for a browser on this machine",
    "/sink/{id}": "asks for a session, or for a browser on this machine",
    "/r/{token}": "a signed token in the address",
    "/o/{token}.gif": "a signed token in the address",
    "/u/{token}": "a signed token in the address",
    "/u/{token}/again": "a signed token in the address",
    "/v1/inapp": "asks for a write key and a signed user id itself",
    "/v1/inapp/{token}/{what}": "a signed token in the address",
    "/hooks/{account}": "asks for the provider's signature itself",
    **dict.fromkeys(PATHS, "the ingest door asks for a write key itself"),
}
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is made with the application and opened with it."""

    settings: Settings
    hints: Hints
    nudges: Nudges
    door: Door
    registry: CollectorRegistry
    now: Clock


def create_app(settings: Settings, *, now: Clock = utc_now) -> FastAPI:
    """The application for these settings; nothing is opened before it starts. `now` is for tests."""
    parts = _parts(settings, now)
    secure = settings.base_url.startswith("https://")
    # The limit stands inside of the envelope, so that its refusals are dressed like all others.
    layers = [
        Middleware(InFront, door=parts.door, registry=parts.registry, secure=secure),
        Middleware(Envelope, registry=parts.registry, secure=secure),
        Middleware(RequestBodyLimitMiddleware, max_body_size=max(BODY_BYTES, settings.batch_bytes)),
    ]
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(parts),
        middleware=layers,
        generate_unique_id_function=_operation_id,
    )
    app.state.files = _files()
    app.state.templates = _templates()
    app.state.streams = Streams()
    app.state.shell = page.shell
    problems.install(app)
    app.router.routes.extend([*ingest_routes(parts.door), *_fixed_routes()])
    app.mount("/static", app.state.files, name="static")
    openapi.install(app)
    refuse_unguarded(app)
    return app


def _parts(settings: Settings, now: Clock) -> _Parts:
    if settings.database_url is None:
        raise SettingsError("The web process needs a database: set JOURNEY_DATABASE_URL, or use `journey run`.")
    settings.secret_bytes  # noqa: B018 - a missing secret is said here, not at the first account
    nudges = Nudges(settings.redis_url)
    limits = Limits(settings.event_bytes, settings.batch_bytes)
    door = Door(settings.database_url, auth.identify, clock=now, nudge=nudges.send, limits=limits)
    return _Parts(settings, Hints(settings.redis_url), nudges, door, CollectorRegistry(), now)


def _lifespan(parts: _Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, House]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, House]]:
        del app
        settings = parts.settings
        pool = database.pool(str(settings.database_url), size=settings.pool_size)
        pool.open(wait=False)  # a database that is away now may come back: the process starts and says 503 until then
        house = House(
            settings=settings,
            catalog=nodes.catalog(),
            pool=pool,
            hints=parts.hints,
            nudge=parts.nudges.send,
            revision=database.head(),
            registry=parts.registry,
            now=parts.now,
        )
        parts.door.start()
        try:
            yield {"house": house}
        finally:
            parts.door.stop()
            pool.close()
            parts.nudges.close()
            parts.hints.close()

    return lifespan


@cache
def _files() -> Files:
    return Files()


@cache
def _templates() -> Jinja2Templates:
    return templates(_files().address)


@cache
def _fixed_routes() -> tuple[BaseRoute, ...]:
    """Every route that is the same whatever the settings are; to read their signatures takes longer than all the rest."""
    whole = APIRouter(generate_unique_id_function=_operation_id)
    # Contacts and providers come back by doors: each route checks a token, a signature or a write key of its own.
    doors = (links, preferences, hooks, inapp)
    for module in (*MANAGED, *doors, operate, *PAGES):
        whole.include_router(module.routes)
    whole.include_router(labels.page_routes)
    whole.include_router(session.routes)
    # What was caught is somebody's mail: for who may see the pages, though it knows no workspace.
    whole.include_router(sink.routes, dependencies=[Depends(session.workspace_of_visitor)])
    return tuple(whole.routes)


def _operation_id(route: APIRoute) -> str:
    return route.name


def refuse_unguarded(app: FastAPI) -> None:
    """Deny by default: a route that neither declares an action nor stands in OPEN keeps the program from starting."""
    for context in iter_route_contexts(app.routes):
        path = str(context.path)
        if not isinstance(context.original_route, GuardedRoute) and path not in OPEN:
            raise UnguardedError(f"{path} neither declares an action with can(…) nor stands among the open routes")
