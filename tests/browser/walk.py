"""Every page there is, and how to come to it in the town. A page that is not here fails a test, so nobody forgets to look at it.

Addresses that answer a GET and are no page stand in `NO_PAGES`, each with the reason. Never a list that is kept by hand alone:
`unknown` compares it with the routes of the application.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from app.web.ingest import PATHS
from tests.browser.town import Town
from tests.conftest import SECRET


class Stop(NamedTuple):
    """One page: its route (whatever its parameters are called), its name in pictures, where it is, who looks at it."""

    route: str
    name: str
    path: Callable[[Town], str]
    role: str | None = "operator"
    english_only: bool = False


def _at(path: str) -> Callable[[Town], str]:
    return lambda _: path


def _journey(which: str, rest: str = "") -> Callable[[Town], str]:
    return lambda town: f"/journeys/{town.journeys[which]}{rest}"


ALL: tuple[Stop, ...] = (
    Stop("/login", "login", _at("/login"), None),
    Stop("/login", "login-link", lambda town: town.site.link(town.staff, "viewer"), None),
    Stop("/", "home", _at("/")),
    Stop("/journeys", "journeys", _at("/journeys")),
    Stop("/journeys/new", "journey-new", _at("/journeys/new")),
    Stop("/journeys/new/guided", "journey-guided", _at("/journeys/new/guided")),
    Stop("/journeys/{}/edit", "editor", _journey("live", "/edit")),
    Stop("/journeys/{}/edit", "editor-wrong", _journey("draft", "/edit")),
    Stop("/journeys/{}/edit", "editor-season", _journey("Three-day sale", "/edit")),
    Stop("/journeys/{}/live", "live", _journey("live", "/live")),
    Stop("/journeys/{}/review", "review", _journey("review", "/review"), "reviewer"),
    Stop("/journeys/{}/moving", "moving", _journey("live", "/moving")),
    Stop("/journeys/{}/pausing", "pausing", _journey("live", "/pausing")),
    Stop("/journeys/{}/versions", "versions", _journey("live", "/versions")),
    Stop("/journeys/{}/versions/{}", "version", _journey("live", "/versions/v1")),
    Stop("/journeys/{}/people", "people", _journey("live", "/people")),
    Stop("/journeys/{}/simulate", "simulator", _journey("live", "/simulate")),
    Stop("/templates", "templates", _at("/templates")),
    Stop("/plans", "plans", _at("/plans")),
    Stop("/plans/{}", "plan", lambda town: f"/plans/{town.plan}"),
    Stop("/templates/{}", "template", _at("/templates/abandoned-order")),
    Stop("/messages", "messages", _at("/messages")),
    Stop("/messages/{}", "message", lambda town: f"/messages/{town.message}"),
    Stop("/contacts", "contacts", _at("/contacts")),
    Stop("/contacts/{}", "contact", lambda town: f"/contacts/{town.contact}"),
    Stop("/nodes", "steps", _at("/nodes")),
    Stop("/settings/accounts", "accounts", _at("/settings/accounts"), "admin"),
    Stop("/settings/policies", "rules", _at("/settings/policies"), "admin"),
    Stop("/settings/policies", "rules-read", _at("/settings/policies")),
    Stop("/health/waiting/{}", "waiting", _at("/health/waiting/waits")),
    Stop("/settings/keys", "keys", _at("/settings/keys"), "admin"),
    Stop("/settings/people", "staff", _at("/settings/people"), "admin"),
    Stop("/settings/audit", "audit", _at("/settings/audit"), "admin"),
    Stop("/settings/me", "me", _at("/settings/me")),
    Stop("/health", "health", _at("/health")),
    Stop("/sink", "sink", _at("/sink")),
    Stop("/sink/{}", "sink-mail", lambda town: f"/sink/{town.catch}"),
    Stop("/sink/{}", "sink-app", lambda town: f"/sink/{town.catch + 1}"),
    Stop("/sink/{}", "sink-webhook", lambda town: f"/sink/{town.catch + 2}"),
    Stop("/docs", "docs", _at("/docs"), None, english_only=True),  # only authors of programs read it
)
# What answers a GET and is not a page of ours, each with the reason.
NO_PAGES: Mapping[str, str] = {
    "/login/code": "for a browser that gave a password a moment ago; tests/browser/test_second_step.py looks at it",
    "/settings/people/{}": "a form in a dialog of the page of people",
    "/fragments/journeys": "a part of the first page",
    "/find": "what the palette found",
    "/journeys/{}": "leads on to the editor or to the live view",
    "/journeys/{}/nodes/{}/panel/people": "what a field of the panel offers",
    "/contacts/{}/profile": "a part of the page of a contact",
    "/messages/{}/mail": "the mail itself, in its frame",
    "/journeys/{}/live/course": "a part of the live view",
    "/journeys/{}/live/nodes/{}": "a part of the live view",
    "/journeys/{}/menu": "what can be done to a row of the list",
    "/journeys/{}/review/reach": "a part of the review",
    "/journeys/{}/review/messages": "a part of the review",
    "/journeys/{}/review/mail/{}/{}": "a mail in its frame in the review",
    "/journeys/{}/drafts/{}/take-up": "a form in a dialog of the page of versions",
    "/journeys/{}/moving/progress": "a part of the page of people in flight",
    "/journeys/{}/moving/dialog": "the dialog of publishing, in the review",
    "/journeys/{}/comments": "data for the review's script",
    "/journeys/{}/compare": "data for the review's script",
    "/settings/accounts/{}": "a form in the page of accounts",
    "/settings/accounts/new/{}": "a form in the page of accounts",
    "/settings/accounts/{}/test": "a form in the page of accounts",
    "/journeys/{}/stream": "a stream of events",
    "/journeys/{}/thumb.svg": "a picture",
    "/journeys/numbers": "a part of the list of journeys",
    "/healthz": "for a load balancer",
    "/readyz": "for a load balancer",
    "/metrics": "for a scraper",
    "/openapi.json": "for programs",
    "/static": "files",
    "/r/{}": "leads on to somebody else's page",
    "/o/{}.gif": "a picture of one pixel",
    "/u/{}/again": "for contacts, in their own words; tests/deliver looks at it",
    "/u/{}": "for contacts, in their own words; tests/deliver looks at it",
    "/v1/inapp": "for apps",
}


def asked(app: FastAPI) -> Iterator[str]:
    """Every route that answers a GET and is not the management API, parameters without names."""
    for context in iter_route_contexts(app.routes):
        path, methods = str(context.path), getattr(context.original_route, "methods", None) or {"GET"}
        if "GET" in methods and not path.startswith("/api/v1") and path not in PATHS:
            yield re.sub(r"\{[^}]*\}", "{}", path)


@cache
def routes() -> frozenset[str]:
    """Those of this program; nothing is opened for it."""
    settings = Settings(_env_file=None, database_url="postgresql://nobody@nowhere/none", secret=SecretStr(SECRET))
    return frozenset(asked(create_app(settings)))


def unknown() -> list[str]:
    """Routes that nobody walks to."""
    return sorted(routes() - {stop.route for stop in ALL} - set(NO_PAGES))


# Pages of the plan that are still being built are walked to from the moment they exist.
STOPS = tuple(stop for stop in ALL if stop.route in routes())
