"""The pages' common ground: who may see them, how they are put together, where one is led who may not. Never a page.

A page is a route of `page_router()` that declares its action with `can(…)`, like every other route. It is asked for with
a session only; who has none is led to the sign-in page and back.
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from psycopg import OperationalError

from app.auth import SELF, Caller
from app.language import words
from app.web.guard import GuardedRoute, StrictRequest, action_of, refuse_others
from app.web.house import House
from app.web.problems import ProblemError
from app.web.session import refuse_forged, safe_next, visitor
from app.web.templating import PAGE_HEADERS, language_of, remember_language
from flows.words import Language, _, speaking


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the navigation."""

    path: str
    label: str
    icon: str
    action: str
    sink: bool = False


DOORS = (
    Door("/", _("Overview"), "house", "journey.read"),
    Door("/journeys", _("Journeys"), "workflow", "journey.read"),
    Door("/plans", _("Plans"), "folder", "plan.read"),
    Door("/templates", _("Templates"), "layout-template", "journey.read"),
    Door("/messages", _("Messages"), "send", "message.read"),
    Door("/contacts", _("Contacts"), "users", "contact.read"),
    Door("/nodes", _("Steps"), "puzzle", "node_type.read"),
    Door("/settings/accounts", _("Accounts"), "plug", "account.read"),
    Door("/settings/policies", _("Rules for sending"), "shield-check", "policy.read"),
    Door("/settings/people", _("Team"), "user", "user.read"),
    Door("/settings/keys", _("API keys"), "key-round", "key.read"),
    Door("/settings/audit", _("Audit log"), "history", "audit.read"),
    Door("/health", _("Health"), "heart-pulse", "journey.read"),
    Door("/sink", _("Caught messages"), "inbox", "message.read", sink=True),
)
SEAT_COOKIE = "journey_seat"  # set while somebody alone with the demo sits in their colleague's seat
ROLE_WORDS = {"viewer": _("viewer"), "operator": _("operator"), "reviewer": _("reviewer"), "admin": _("admin")}


class PageRoute(GuardedRoute):
    """A route that lets in sessions which may do what it declares, and leads everybody else to the sign-in page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the door."""
        action, handle = action_of(self), super(GuardedRoute, self).get_route_handler()

        async def guarded(request: Request) -> Response:
            caller = await run_in_threadpool(_visitor, request)
            if caller is None:
                return _to_sign_in(request)
            request.state.caller = caller
            if caller.unready and action not in SELF and request.method in ("GET", "HEAD"):
                return _to_second_step(request)
            await run_in_threadpool(refuse_others, request, caller, action)
            language: Language = "zh" if language_of(request) == "zh" else "en"
            with speaking(language, words(language).gettext):  # summaries and reasons come in the reader's language too
                return await handle(StrictRequest(request.scope, request.receive))

        return guarded


def page_router() -> APIRouter:
    """A router of pages."""
    return APIRouter(include_in_schema=False, route_class=PageRoute)


def render(request: Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
    """A page or a part of one, in the reader's language, with what every page knows."""
    page: Response = request.app.state.templates.TemplateResponse(
        request, template, {**around(request), **(values or {})}, status, headers=PAGE_HEADERS
    )
    remember_language(request, page)
    return page


def around(request: Request) -> dict[str, Any]:
    """What stands around every page: who reads it, what they may do, and the doors that are open to them."""
    house: House = request.state.house
    caller: Caller = request.state.caller

    def can(action: str) -> bool:
        return caller.may(action)

    doors = [one for one in DOORS if not caller.unready and can(one.action) and (house.settings.sink or not one.sink)]
    here = request.url.path
    current = max((one.path for one in doors if _inside(here, one.path)), key=len, default="")
    say = words(language_of(request)).gettext
    return {
        "caller": caller,
        "can": can,
        "doors": doors,
        "current_door": current,
        "now": house.now(),
        "borrowed_seat": request.cookies.get(SEAT_COOKIE) == "1",
        "role_word": say(ROLE_WORDS[caller.role]) if caller.role in ROLE_WORDS else caller.role,
    }


def shell(request: Request, *, ask: bool = True) -> dict[str, Any]:
    """What stands around a page that says an error, for a visitor who is signed in; nothing for everybody else.

    Who is known already is taken as such; `ask` allows to look who it is.
    """
    if not hasattr(request.state, "caller"):
        try:
            caller = _visitor(request) if ask else None
        except (ProblemError, OperationalError):
            return {}
        if caller is None:
            return {}
        request.state.caller = caller
    return around(request)


def toast(answer: Response, text: str, *, undo: str | None = None, kind: str = "good", also: str = "") -> Response:
    """Let the page say something when this answer to an htmx request arrives; `undo` is an address to post to.

    `also` names an event of the page's own, for lists that should look again.
    """
    # Both are sent to places that stay: the button that asked may be gone from the page by then.
    said: dict[str, Any] = {"toast": {"text": text, "kind": kind, "target": "#toasts"}}
    if undo:
        said["toast"]["undo"] = undo
    if also:
        said[also] = {"target": "body"}
    answer.headers["HX-Trigger"] = json.dumps(said)  # ASCII: headers know no other letters
    return answer


def _inside(here: str, door: str) -> bool:
    return here == door or (door != "/" and here.startswith(f"{door}/"))


def _visitor(request: Request) -> Caller | None:
    refuse_forged(request)
    return visitor(request)


def _to_second_step(request: Request) -> Response:
    place = "/settings/me"
    if request.headers.get("hx-request"):
        return Response(status_code=403, headers={**PAGE_HEADERS, "HX-Redirect": place})
    return RedirectResponse(place, 303, headers=PAGE_HEADERS)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request"):
        back = urlsplit(request.headers.get("hx-current-url", "/"))
        place = f"/login?next={quote(safe_next(back.path or '/'), safe='/')}"
        return Response(status_code=401, headers={**PAGE_HEADERS, "HX-Redirect": place})
    if request.method not in ("GET", "HEAD"):
        raise ProblemError(401, _("Your session is over; sign in again. Nothing was lost."))
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = "/login" if here == "/" else f"/login?next={quote(safe_next(here), safe='/')}"
    return RedirectResponse(place, 303, headers=PAGE_HEADERS)
