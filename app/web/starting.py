"""Where journeys begin: the gallery of templates, an empty canvas, a file. Makes drafts; never publishes one."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from app import documents, gallery, publishing
from app.gallery import SCENES, Template, filling
from app.language import words
from app.store import accounts, lists, plans, users
from app.store.rows import Connection
from app.web.guard import Asker, Database, TheHouse, can
from app.web.journeys import DOCUMENT_BYTES, AtDesk
from app.web.page import page_router, render
from app.web.pickers import library_of
from app.web.problems import missing
from app.web.sketch import sketch
from app.web.templating import icons, language_of, reading
from app.web.typed import Typed
from flows import document as flow_documents
from flows.durations import Language
from flows.errors import DocumentError
from flows.validate import Problem, errors, validate
from flows.words import _, again

routes = page_router()
Plan = Annotated[str, Query(max_length=20)]

NAME_AT_MOST = 200
FIRST = ("abandoned-order", "welcome", "win-back", "birthday")
FORM_BYTES = 200_000
EMPTY: dict[str, Any] = {"schema": 1, "settings": {}, "nodes": [], "edges": []}
UNITS = {"M": _("minutes"), "H": _("hours"), "D": _("days"), "W": _("weeks"), "Y": _("years")}
MONTHS = _("months")


@routes.get("/templates", dependencies=[can("journey.read")])
def show_gallery(
    request: Request, house: TheHouse, scene: Annotated[str, Query(max_length=40)] = "", plan: Plan = ""
) -> Response:
    """All templates, or those of one scene, each with its picture."""
    language = language_of(request)
    say = words(language).gettext
    shown = [one for one in gallery.templates().values() if scene in ("", one.scene)]
    cards = [
        {
            "template": one,
            "picture": sketch(filling.shown(one, language), house.catalog, say, small=True),
            "steps": len(one.document["nodes"]),
        }
        for one in shown
    ]
    values = {
        "cards": cards,
        "scene": scene,
        "plan": plan,
        "scenes": SCENES,
        "type_icons": icons(request, house.catalog),
    }
    return render(request, "start/gallery.html", values)


@routes.get("/templates/{template_id}", dependencies=[can("journey.read")])
def show_template(
    request: Request, template_id: str, house: TheHouse, connection: Database, asker: Asker, plan: Plan = ""
) -> Response:
    """What a template does, and its blanks."""
    template = _template(template_id)
    language, zone = language_of(request), users.timezone(connection, asker.workspace_id)
    typed = {"name": template.name.of(language), "plan": plan} | filling.begin(template, language, house.now(), zone)
    values = _about(request, template, house, mail_accounts(connection, asker.workspace_id))
    values["plans"] = plans.names(connection, asker.workspace_id)
    values["known"] = library_of(request).words(connection, asker.workspace_id, house.now())
    return render(request, "start/template.html", {**values, "typed": typed, "wrong": {}, "problems": []})


@routes.post("/templates/{template_id}", dependencies=[can("journey.edit")], max_body_size=FORM_BYTES)
def use_template(request: Request, template_id: str, house: TheHouse, desk: AtDesk, typed: Typed) -> Response:
    """Make a draft of the template, its blanks filled in; or say which blank cannot stay as it is."""
    template, language = _template(template_id), language_of(request)
    mail = mail_accounts(desk.connection, desk.workspace_id)
    found = filling.fill(template, typed, language, mail)
    wrong = {**found.wrong, **_name_problem(typed)}
    problems = [] if wrong else _problems(found.document, desk)
    if not wrong and not problems:
        return begun(desk, typed["name"].strip(), found.document, typed.get("plan", ""))
    begin = {"name": "", "plan": ""} | filling.begin(template, language, house.now(), "UTC")
    values = {**_about(request, template, house, mail), "typed": {**begin, **typed}, "wrong": wrong}
    values["plans"] = plans.names(desk.connection, desk.workspace_id)
    values["known"] = library_of(request).words(desk.connection, desk.workspace_id, house.now())
    return render(request, "start/template.html", {**values, "problems": problems}, status=422)


@routes.get("/journeys/new", dependencies=[can("journey.edit")])
def show_beginnings(request: Request, house: TheHouse, plan: Plan = "") -> Response:
    """The four ways to begin."""
    return render(request, "start/new.html", {**_beginnings(request, house), "plan": plan})


@routes.post("/journeys/new", dependencies=[can("journey.edit")], max_body_size=1_000)
def begin_empty(request: Request, desk: AtDesk, typed: Typed) -> Response:
    """An empty canvas."""
    name = words(language_of(request)).gettext(_("New journey"))
    return begun(desk, name, EMPTY, typed.get("plan", ""))


@routes.post("/journeys/new/import", dependencies=[can("journey.edit")], max_body_size=DOCUMENT_BYTES)
def begin_from_file(request: Request, house: TheHouse, desk: AtDesk, typed: Typed) -> Response:
    """A flow out of a file, JSON or YAML; what cannot be read is said by field."""
    text, file = typed.get("file", ""), typed.get("file.name", "")
    try:
        if not text.strip():
            raise DocumentError([("", _("choose a file that holds a flow"))])
        with reading(request):
            document = flow_documents.dump(documents.read(text))
    except DocumentError as error:
        with reading(request):
            refused = [(field, again(message)) for field, message in error.errors]
        values = {**_beginnings(request, house), "refused": refused, "file": file, "plan": typed.get("plan", "")}
        return render(request, "start/new.html", values, status=422)
    name = file.rsplit(".", 1)[0].replace("-", " ").strip()[:NAME_AT_MOST]
    return begun(desk, name or words(language_of(request)).gettext("New journey"), document, typed.get("plan", ""))


def _beginnings(request: Request, house: TheHouse) -> dict[str, Any]:
    language = language_of(request)
    say = words(language).gettext
    first = [gallery.templates()[id] for id in FIRST]
    cards = [
        {"template": one, "picture": sketch(filling.shown(one, language), house.catalog, say, small=True)}
        for one in first
    ]
    count = len(gallery.templates())
    return {"cards": cards, "count": count, "type_icons": icons(request, house.catalog), "refused": [], "file": ""}


def tongue(request: Request) -> Language:
    """The reader's language, for rules and durations."""
    return "zh" if language_of(request) == "zh" else "en"


def _template(template_id: str) -> Template:
    template = gallery.templates().get(template_id)
    if template is None:
        raise missing("template")
    return template


def _about(request: Request, template: Template, house: TheHouse, mail: list[str]) -> dict[str, Any]:
    language = language_of(request)
    document = filling.shown(template, language)
    mails = filling.mails(document)
    if not mail:
        filling.address(document, "")
    say = words(language).gettext
    return {
        "template": template,
        "picture": sketch(document, house.catalog, say),
        "mails": mails,
        "accounts": mail,
        "scenes": SCENES,
        "units": {unit: say(word) for unit, word in UNITS.items()} | {"month": say(MONTHS)},
        "may_edit": request.state.caller.may("journey.edit"),
        "type_icons": icons(request, house.catalog),
    }


def mail_accounts(connection: Connection, workspace_id: int) -> list[str]:
    """The accounts that can send e-mail, by name."""
    return sorted(name for name, channel in accounts.channels(connection, workspace_id).items() if channel == "email")


def _name_problem(typed: dict[str, str]) -> dict[str, str]:
    name = typed.get("name", "").strip()
    if not name:
        return {"name": filling.NEEDED}
    return {"name": _("is too long")} if len(name) > NAME_AT_MOST or "\x00" in name else {}


def _problems(document: dict[str, Any], desk: publishing.Desk) -> list[Problem]:
    """What a flow must not have when it opens; none of it can come of blanks that were read, except a wild Liquid."""
    known = accounts.channels(desk.connection, desk.workspace_id)
    return errors(validate(flow_documents.load(document), desk.catalog, accounts=known))


def begun(desk: publishing.Desk, name: str, document: Mapping[str, Any], plan: str) -> Response:
    """Make the draft, lay it into its plan, and on to the editor. A plan that is not there is none."""
    journey = publishing.create(desk, name, document)
    if (found := plan_number(plan)) and plans.find(desk.connection, desk.workspace_id, found):
        lists.move(desk.connection, desk.workspace_id, [journey.id], found)
    return RedirectResponse(f"/journeys/{journey.id}/edit", 303)


def plan_number(text: str) -> int | None:
    """The number of a plan as a form or an address says it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
