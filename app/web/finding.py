"""What the command palette finds: journeys and plans by name, contacts by one of their names. JSON for our own script."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from app.language import words
from app.store import lists, people, plans
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, can
from app.web.lists import STATUS_WORDS
from app.web.page import page_router
from app.web.templating import PAGE_HEADERS, language_of

routes = page_router()

SHOWN = 8


@routes.get("/find", dependencies=[can("journey.read")])
def find_anything(
    request: Request, caller: Asker, connection: Database, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """At most a handful of each kind."""
    text = q.replace("\0", "").strip()
    if not text:
        return JSONResponse({"items": []}, headers=PAGE_HEADERS)
    say = words(language_of(request)).gettext
    items = [
        {"kind": "journey", "title": name, "hint": say(STATUS_WORDS.get(status, status)), "href": f"/journeys/{id}"}
        for id, name, status in lists.find(connection, caller.workspace_id, text, SHOWN)
    ]
    items += [
        {"kind": "plan", "title": name, "hint": "", "href": f"/plans/{id}"}
        for id, name in plans.find_names(connection, caller.workspace_id, text, SHOWN)
    ]
    if caller.may("contact.read"):
        glasses = glasses_of(connection, caller)
        items += [
            {
                "kind": "contact",
                "title": glasses.name(name) or glasses.identities([(kind, value)])[0][1],
                "hint": ":".join(glasses.identities([(kind, value)])[0]),
                "href": f"/contacts/{id}",
            }
            for id, kind, value, name in people.named(connection, caller.workspace_id, text, SHOWN)
        ]
    return JSONResponse({"items": items}, headers=PAGE_HEADERS)
