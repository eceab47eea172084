"""The routes of the app as data, everybody who may ask for them, and one way of asking that notices what should not be shown.

No list of routes stands here. What an address names is filled in by the name of its parameter; a parameter or a form this file
knows nothing of fails.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app import auth
from app.database import Connection
from app.web.guard import GuardedRoute, action_of
from app.web.house import House
from app.web.openapi import operations
from app.web.page import PageRoute
from app.web.streams import Streams
from tests.web.conftest import FLOW, Staff
from tests.web.towns import PRIVATE, SEARCHED, Builder, Somebody, Things

SCOPED = {"journey_id", "plan_id", "contact_id", "message_id"}
SAFE = ("GET", "HEAD")
# Parameters that name no row of a workspace: the same for everybody.
COMMON = {"node": "note", "node_id": "pause", "state": "v1", "deed": "stop", "channel": "webhook", "what": "click"}
# What stands in an address, but is not asked for by its number alone.
WORLDWIDE = {
    "/api/v1/node-types/{name}": "exit",
    "/api/v1/node-types/{name}/icon.svg": "exit",
    "/templates/{template_id}": "abandoned-order",
}
# A step whose words are about the person, and one whose rule offers what people have.
LETTER = {
    "id": "pause",
    "type": "send.inapp",
    "version": 1,
    "settings": {"title": "{{ contact.city }} {{ contact.phone }}"},
}
RULE = {"all": [{"attribute": name, "op": "eq", "value": "x"} for name in ("city", "phone")]}
ASKS = {"id": "pause", "type": "condition", "version": 1, "settings": {"rule": RULE}}
STEP = {"node": json.dumps(LETTER), "try-who": "+861381001"}
HASH = {"content_hash": "0" * 64}
MOVES = {"people": [{"node": "pause", "do": "move", "to": "pause", "version": 1}]}
# Bodies and forms, by address; the description's own example where none is said. Without one a route gets an empty form.
SENT: dict[str, dict[str, Any]] = {
    "POST /api/v1/journeys/{journey_id}/reviews": {"json": {"decision": "approve", **HASH}},
    "POST /api/v1/journeys/{journey_id}/publish": {"json": HASH},
    "POST /api/v1/journeys/{journey_id}/enroll": {"json": {"user_id": "u", "idempotency_key": "k"}},
    "PUT /api/v1/journeys/{journey_id}/draft": {"json": {"document": FLOW}},
    "POST /api/v1/journeys/{journey_id}/migrations": {"json": MOVES},
    "POST /api/v1/journeys/{journey_id}/migrations/preview": {"json": MOVES},
    "POST /journeys/{journey_id}/state": {"data": {"to": "paused"}},
    "POST /journeys/{journey_id}/run": {"data": {"to": "stopped"}},
    "POST /journeys/{journey_id}/pausing": {"data": {"to": "paused"}},
    "POST /journeys/{journey_id}/review/decide": {"data": {"decision": "approve", **HASH}},
    "POST /journeys/{journey_id}/review/publish": {"data": HASH},
    "POST /journeys/{journey_id}/comments": {"json": {"text": "Why?"}},
    "POST /journeys/{journey_id}/comments/{comment_id}/settle": {"json": {"settled": True}},
    "POST /journeys/{journey_id}/versions/restore": {"data": {"state": "v1", "revision": "1"}},
    "POST /journeys/{journey_id}/read": {"json": {"text": "{}"}},
    "POST /journeys/{journey_id}/describe": {"json": FLOW},
    "POST /journeys/{journey_id}/settings/panel": {"json": {"document": FLOW}},
    "POST /journeys/{journey_id}/nodes/{node_id}/panel": {"json": {"node": ASKS, "document": FLOW}},
    "PUT /api/v1/journeys/{journey_id}/scope": {"json": {"scope": "here"}},
    "PUT /api/v1/plans/{plan_id}/scope": {"json": {"scope": "here"}},
    "POST /api/v1/late": {"json": {"do": "release"}},
    **{
        f"POST /journeys/{{journey_id}}/nodes/{{node_id}}/panel/{what}": {"data": STEP}
        for what in ("form", "apply", "preview")
    },
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/count": {"data": STEP | {"node": json.dumps(FLOW["nodes"][0])}},
    "POST /contacts/{contact_id}/tags": {"data": {"add": "vip"}},
    "POST /contacts/{contact_id}/attributes": {"data": {"name": "city", "value": "x"}},
    "POST /contacts/{contact_id}/consents": {"data": {"channel": "email", "allowed": "false"}},
    "POST /contacts/{contact_id}/erase": {"data": {"confirm": "nobody"}},
    "POST /plans/{plan_id}": {"data": {"name": "Q", "scene": "retain"}},
    "POST /journeys/{journey_id}/drafts": {"data": {"name": "Aside"}},
    "POST /journeys/{journey_id}/drafts/{draft_id}/take-up": {"data": {"revision": "3"}},
    "POST /settings/people/{user_id}": {"data": {"name": "P", "role": "viewer"}},
    "POST /settings/people/{user_id}/state": {"data": {"to": "out"}},
}
# Answers that are right though they are not what the table below says, each with the reason.
ODD = {
    "POST /demo/colleague": "is not there outside of the demo",
}


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    action: str
    page: bool
    names: tuple[str, ...]
    asked: tuple[str, ...]  # names of what may stand behind the question mark

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def owned(self) -> tuple[str, ...]:
        """The parameters that name a row of somebody's."""
        return () if self.path in WORLDWIDE else tuple(one for one in self.names if one not in COMMON)


def questions(needed: Dependant) -> Iterator[str]:
    """What may stand behind the question mark, with what dependencies ask for."""
    yield from (one.alias for one in needed.query_params)
    for one in needed.dependencies:
        yield from questions(one)


def routes(app: FastAPI) -> Iterator[Route]:
    """All that is guarded, as the running app has it."""
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, str(context.path)
        if isinstance(route, GuardedRoute):
            names = tuple(part.partition("}")[0] for part in path.split("{")[1:])
            asked = tuple(questions(route.dependant))
            for method in sorted(context.methods or ()):
                yield Route(method, path, action_of(route), isinstance(route, PageRoute), names, asked)


def filled(route: Route, *whose: Things, caller: Somebody | None = None) -> str:
    """The address with things put in: of the first for the first parameter, of the last for all others."""
    path = route.path
    for place, name in enumerate(route.names):
        if route.path in WORLDWIDE:
            value: Any = WORLDWIDE[route.path]
        elif name in COMMON:
            value = COMMON[name]
        else:
            things = whose[0] if place == 0 else whose[-1]
            assert name in things.ids, f"{route.path}: this file does not know what {name} names"
            mine = name == "session_id" and caller is not None and things.mark.endswith("here")
            value = caller.session_id if mine and caller else things.ids[name]
        path = path.replace("{" + name + "}", str(value))
    return path


@dataclass
class World:
    """Both workspaces, everybody who asks, and what came of it."""

    client: TestClient
    connection: Connection
    routes: list[Route]
    own: Things
    there: Things
    rival: Things
    people: list[Somebody]
    stranger: Somebody  # who runs the rival's workspace
    examples: dict[str, Any] = field(default_factory=dict)
    rehearsing: bool = False
    wrong: list[str] = field(default_factory=list)

    def ask(self, who: Somebody, route: Route, path: str, **more: Any) -> Any:
        """One request; nobody of the own workspace ever reads a word of the rival's, nor who is limited of another scope's."""
        headers = {"If-Match": '"1"', **who.headers(page=route.page)}
        sent = SENT.get(route.name, {"json": self.examples[route.name]} if self.examples.get(route.name) else {})
        self.client.cookies.clear()
        answer = self.client.request(
            route.method,
            path,
            headers=headers,
            follow_redirects=False,
            **{**(sent if route.method not in SAFE else {}), **more},
        )
        said = answer.text + repr(answer.headers)
        self.look(who, f"{route.method} {path}", said)
        if answer.status_code >= 500 and not path.endswith("/stream"):
            self.wrong.append(f"{who.name}: {route.method} {path} gave {answer.status_code}")
        return answer

    def look(self, who: Somebody, what: str, said: str) -> None:
        """Look for what nobody but others should read in an answer."""
        own = [] if who.workspace_id == self.rival.workspace_id else [self.rival.mark]
        hidden = [*own, *([self.there.mark] if who.scopes is not None else [])]
        hidden += [] if auth.may(who.role, "contact.unmask") else [PRIVATE]
        self.wrong += [f"{who.name}: {what} shows {mark}" for mark in hidden if mark in said]

    def expect(self, who: Somebody, route: Route, path: str, wanted: int | None) -> None:
        """The status; None is anything that says the caller may, and sees it."""
        status = self.ask(who, route, path).status_code
        good = status not in (401, 403, 404) if wanted is None else status == wanted
        if not good and route.name not in ODD:
            self.wrong.append(f"{who.name}: {route.method} {path} gave {status}, not {wanted or 'let in'}")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Whatever is done meanwhile is rolled back."""
        self.rehearsing = True
        try:
            yield
        finally:
            self.rehearsing = False


class UndoneError(Exception):
    """What a rehearsal ends with."""


def make(
    app: FastAPI,
    client: TestClient,
    connection: Connection,
    staff: Staff,
    others: Staff,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Both workspaces full, and everybody hired."""
    home, away = Builder(client, connection, staff), Builder(client, connection, others)
    own = home.build(f"{SEARCHED}here", 1001, scope="here", account="post")
    there = home.build(f"{SEARCHED}there", 1002, scope="there", account="post")
    people = [home.hire(role) for role in auth.ROLES]
    people += [home.hire(role, ("here",)) for role in auth.ROLES if role != "admin"]
    people += [Somebody("ingest", "ingest", staff.keys["ingest"]), Somebody("nobody", "")]
    home.admin.ok("PUT", "/privacy", {"personal": ["phone", "email"]})
    rival = away.build(f"{SEARCHED}rival", 2001)
    found = World(client, connection, list(routes(app)), own, there, rival, people, away.hire("admin"))
    for path, method, operation in operations(app.openapi()):
        body: dict[str, Any] = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
        found.examples[f"{method.upper()} {path}"] = body.get("example")
    app.state.streams = Streams(at_most=0)  # a stream that may be read is refused for want of room
    real = House.transaction

    @contextmanager
    def undone(house: House, **more: Any) -> Iterator[Connection]:
        try:
            with real(house, **more) as mine:
                yield mine
                if found.rehearsing:
                    raise UndoneError
        except UndoneError:
            pass

    monkeypatch.setattr(House, "transaction", undone)
    return found
