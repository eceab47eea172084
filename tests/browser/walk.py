"""Every page there is, and how to come to it in the town. A page that is not here fails a test, so nobody forgets to look at it.

Addresses that answer a GET and are no page stand in `NO_PAGES`, each with the reason. Never a list that is kept by hand alone:
`unknown` compares it with the routes of the application.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.web.ingest import PATHS
from tests.browser.town import Town


class Stop(NamedTuple):
    """One page: its route, what it is called in pictures, who looks at it, where it is."""

    route: str
    name: str
    path: Callable[[Town], str]
    role: str | None = "operator"
    english_only: bool = False


def _at(path: str) -> Callable[[Town], str]:
    return lambda _: path


def _journey(which: str, rest: str) -> Callable[[Town], str]:
    return lambda town: f"/journeys/{town.journeys[which]}{rest}"


STOPS: tuple[Stop, ...] = (
    Stop("/login", "login", _at("/login"), None),
    Stop("/login", "login-link", lambda town: town.site.link(town.staff, "viewer"), None),
    Stop("/", "home", _at("/")),
    Stop("/sink", "sink", _at("/sink")),
    Stop("/sink/{id}", "sink-mail", lambda town: f"/sink/{town.catch}"),
    Stop("/sink/{id}", "sink-app", lambda town: f"/sink/{town.catch + 1}"),
    Stop("/sink/{id}", "sink-webhook", lambda town: f"/sink/{town.catch + 2}"),
    Stop("/docs", "docs", _at("/docs"), None, english_only=True),  # only authors of programs read it
)
# What answers a GET and is not a page of ours, each with the reason.
NO_PAGES: Mapping[str, str] = {
    "/fragments/journeys": "a part of the first page",
    "/healthz": "for a load balancer",
    "/readyz": "for a load balancer",
    "/metrics": "for a scraper",
    "/openapi.json": "for programs",
    "/static": "files",
    "/r/{token}": "leads on to somebody else's page",
    "/o/{token}.gif": "a picture of one pixel",
    "/u/{token}": "for contacts, in their own words; tests/deliver looks at it",
    "/v1/inapp": "for apps",
}


def asked(app: FastAPI) -> Iterator[str]:
    """Every route that answers a GET and is not the management API."""
    for context in iter_route_contexts(app.routes):
        path, methods = str(context.path), getattr(context.original_route, "methods", None) or {"GET"}
        if "GET" in methods and not path.startswith("/api/v1") and path not in PATHS:
            yield path


def unknown(app: FastAPI) -> list[str]:
    """Routes that nobody walks to, and entries here that lead nowhere any more."""
    found = set(asked(app))
    listed = {stop.route for stop in STOPS} | set(NO_PAGES)
    return [*(f"{path} is walked by nobody" for path in sorted(found - listed)),
            *(f"{path} is listed and does not exist" for path in sorted(listed - found))]  # fmt: skip
