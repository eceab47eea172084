"""The page of the canvas: one template for drawing, watching and reviewing; the modes differ in what they bring.

`/journeys/{id}` leads to where one wants to be. Never saves anything: the editor's own door is the draft (`journeys`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import Body, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app import canvasdata, documents, facets
from app.auth import Caller
from app.language import words
from app.publishing import bound_hash, own_part
from app.store import accounts, journeys, submissions, users
from app.store.journeys import Journey
from app.store.rows import Connection
from app.web import seasonwords
from app.web.guard import Asker, Database, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.problems import missing
from app.web.shapes import JourneyId
from app.web.templating import icons, language_of
from flows import document as flow_documents
from flows.contract import Json
from flows.errors import DocumentError, FlowError
from flows.raw import TEXT_AT_MOST
from flows.words import speaking

routes = page_router()

Mode = Literal["edit", "live", "review", "version"]
TEMPLATE = "journeys/canvas.html"
EDITOR, READER = "js/canvas/edit.js", "js/canvas/page.js"
MAY = {
    "edit": "journey.edit",
    "submit": "journey.submit",
    "review": "journey.review",
    "publish": "journey.publish",
    "run": "journey.run",
    "comment": "journey.edit",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a canvas page shows: in which mode, which document, and what the mode adds to the page's data."""

    mode: Mode
    journey: Journey
    document: Mapping[str, Json]
    data: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    template: str = TEMPLATE


@routes.get("/journeys/{journey_id}", dependencies=[can("journey.read")])
def lead_on(journey_id: JourneyId, caller: Asker, connection: Database) -> Response:
    """To the editor while it is drawn, to the live view once people walk it."""
    journey = _known(connection, caller, journey_id)
    return RedirectResponse(f"/journeys/{journey.id}/{'edit' if journey.status == 'draft' else 'live'}", 303)


@routes.get("/journeys/{journey_id}/edit", dependencies=[can("journey.read")])
def show_editor(
    request: Request, house: TheHouse, caller: Asker, connection: Database, journey_id: JourneyId
) -> Response:
    """The editor; who may not edit sees the draft and can change nothing."""
    journey = _known(connection, caller, journey_id)
    document = journeys.draft(connection, caller.workspace_id, journey_id) or {}
    mode: Mode = "edit" if caller.may("journey.edit") else "version"
    handed = _handed(connection, house, caller, journey, document)
    more = {"submission": handed, "published": _published(connection, caller, journey)}
    return show(request, house, connection, Shown(mode, journey, document, more))


def _published(connection: Connection, caller: Caller, journey: Journey) -> dict[str, Any] | None:
    """The steps and wires people walk now, for the dots on cards that are drawn otherwise."""
    if journey.live_number is None:
        return None
    live = journeys.document(connection, caller.workspace_id, journey.id, journey.live_number)
    whole = _whole(live) if live is not None else {}
    fields = ("id", "type", "settings", "name")
    nodes = [{name: node[name] for name in fields if name in node} for node in whole.get("nodes", ())]
    return {"nodes": nodes, "edges": whole.get("edges", ())}


@routes.post("/journeys/{journey_id}/read", dependencies=[can("journey.edit")], max_body_size=TEXT_AT_MOST)
def read_file(
    caller: Asker,
    connection: Database,
    journey_id: JourneyId,
    text: Annotated[str, Body(embed=True, max_length=TEXT_AT_MOST)],
) -> Response:
    """A file that was dropped on the canvas, YAML or JSON, as a document; nothing is kept."""
    _known(connection, caller, journey_id)
    try:
        document = documents.read(text)
    except DocumentError as error:
        fields = [{"field": place, "message": reason} for place, reason in error.errors]
        return JSONResponse({"errors": fields}, 422)
    return JSONResponse({"document": flow_documents.dump(document)})


def show(request: Request, house: House, connection: Connection, shown: Shown) -> Response:
    """A canvas page: what the modes live, review and version are made with too."""
    data = {**_data(request, house, connection, shown), **shown.data}
    values = {
        "data": data,
        "mode": shown.mode,
        "journey": shown.journey,
        "type_icons": icons(request, house.catalog),
        "may": data["can"],
        "urls": data["urls"],
        "season_lines": seasonwords.of_one(request, connection, house.now(), (shown.journey.id, shown.document)),
        "modules": request.app.state.files.modules(EDITOR if shown.mode == "edit" else READER),
    }
    return render(request, shown.template, {**values, **shown.values})


def _data(request: Request, house: House, connection: Connection, shown: Shown) -> dict[str, Any]:
    caller: Caller = request.state.caller
    journey, language = shown.journey, language_of(request)
    known = accounts.channels(connection, caller.workspace_id)
    with speaking("zh" if language == "zh" else "en", words(language).gettext):
        described = facets.describe(shown.document, house.catalog, known)
        types = canvasdata.types(house.catalog, known)
    return {
        "mode": shown.mode,
        "journey": {
            "id": journey.id,
            "name": journey.name,
            "status": journey.status,
            "revision": journey.revision,
            "live": journey.live_version_id is not None,
            "version": journey.live_number,
        },
        "can": {name: caller.may(action) for name, action in MAY.items()},
        "document": _whole(shown.document),
        "facets": described["nodes"],
        "problems": described["problems"],
        "types": types,
        "urls": urls(journey.id),
        "user": {"id": caller.user_id, "name": caller.name},
        "language": language,
        "timezone": users.timezone(connection, caller.workspace_id),
        "submission": None,
    }


def urls(journey_id: int) -> dict[str, str]:
    """Where the page's scripts ask; `{node}` stands for the id of a step."""
    page, service = f"/journeys/{journey_id}", f"/api/v1/journeys/{journey_id}"
    return {
        "journey": service,
        "draft": f"{service}/draft",
        "submit": f"{service}/submit",
        "publish": f"{service}/publish",
        "export": f"{service}/export",
        "read": f"{page}/read",
        "describe": f"{page}/describe",
        "panel": f"{page}/nodes/{{node}}/panel",
        "settings": f"{page}/nodes/~/panel",
        "stream": f"{page}/stream",
        "people": f"{page}/people",
        "edit": f"{page}/edit",
        "live": f"{page}/live",
        "review": f"{page}/review",
        "simulate": f"{page}/simulate",
        "versions": f"{page}/versions",
    }


def _whole(raw: Mapping[str, Json]) -> Mapping[str, Json]:
    """The document in today's form; as it stands where no release of ours can read it any more."""
    try:
        return flow_documents.dump(flow_documents.load(raw))
    except FlowError:
        return raw


def _handed(
    connection: Connection, house: House, caller: Caller, journey: Journey, raw: Mapping[str, Json]
) -> dict[str, Json] | None:
    """What was handed in for review last, as long as it speaks of what is drawn now."""
    last = submissions.latest(connection, caller.workspace_id, journey.id)
    if last is None or last.status not in ("open", "approved", "rejected"):
        return None
    try:
        present = bound_hash(connection, house.catalog, caller.workspace_id, flow_documents.load(raw))
    except FlowError:
        return None
    own = bool(own_part(caller.actor, caller.maker, journey, last))
    same = present == last.content_hash
    return {"status": last.status, "content_hash": last.content_hash, "own": own} if same else None


def _known(connection: Connection, caller: Caller, journey_id: int) -> Journey:
    journey = journeys.find(connection, caller.workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    return journey
