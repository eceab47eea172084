"""The simulator's panel: one contact walks a draft, step by step, at the reader's hand. Nothing is sent, nothing is kept.

The story so far travels in the form; every answer is the whole panel, told anew from the beginning.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import ValidationError

from app.auth import Caller
from app.language import words
from app.simulating import Story, Told, rehearse
from app.simulating.people import PRESETS, invented, known, properties_for
from app.simulating.story import Person
from app.store import journeys, people, users
from app.store.journeys import Journey
from app.store.rows import Connection
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, TheHouse, can
from app.web.page import page_router, render
from app.web.problems import missing
from app.web.shapes import JourneyId
from app.web.simfields import FieldError, happening, moment_of, person_fields, person_of, values_of
from app.web.starting import UNITS, tongue
from app.web.telling import Teller
from app.web.templating import icons, language_of
from app.web.typed import Typed
from flows import document as documents
from flows.compile import Label, Plan, Step, compile_plan
from flows.document import Document
from flows.errors import DocumentError
from flows.raw import TEXT_AT_MOST
from flows.validate import Problem, errors, validate
from flows.words import _

routes = page_router()

FORM_BYTES = 3 * TEXT_AT_MOST  # a document as a form field is written with escapes
LIMIT = _("That is as far as a story goes; begin a new one.")
UNREADABLE = _("The story could not be read; begin a new one.")


@dataclass(frozen=True, slots=True)
class Table:
    """What the panel works on: the journey, and its draft as the page has it or as it was saved."""

    request: Request
    connection: Connection
    journey: Journey
    caller: Caller
    now: datetime
    typed: dict[str, str]
    house: Any

    @property
    def workspace_id(self) -> int:
        """Whose panel it is."""
        return self.caller.workspace_id

    def document(self) -> Document:
        """The draft; DocumentError where it is none."""
        drawn = self.typed.get("document", "")
        raw = drawn or journeys.draft(self.connection, self.workspace_id, self.journey.id) or {}
        return documents.load(raw)

    def plan(self, document: Document) -> Plan:
        """The draft, ready to run: draws fall as they will when it is live."""
        zone = users.timezone(self.connection, self.workspace_id)
        return compile_plan(document, self.house.catalog, Label(self.workspace_id, self.journey.id, 0, timezone=zone))


def _table(
    request: Request, journey_id: JourneyId, connection: Database, asker: Asker, house: TheHouse, typed: Typed
) -> Table:
    journey = journeys.find(connection, asker.workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    # A button says what it does, and to which step: `opened:mail`, `arm:test:B`.
    verb, _colon, rest = typed.get("do", "").partition(":")
    node, _colon, port = rest.partition(":")
    said = {**typed, "do": verb, **({"node": node, "port": port} if node else {})}
    return Table(request, connection, journey, asker, house.now(), said, house)


AtTable = Annotated[Table, Depends(_table, scope="function")]


@routes.get("/journeys/{journey_id}/simulate", dependencies=[can("journey.read")])
def show_simulator(table: AtTable) -> Response:
    """The page; asked for by htmx, its panel alone."""
    return _answer(table)


@routes.post("/journeys/{journey_id}/simulate", dependencies=[can("journey.read")], max_body_size=FORM_BYTES)
def play(table: AtTable) -> Response:
    """One happening more (or one less), and what comes of the story."""
    return _answer(table)


def _answer(table: Table) -> Response:
    values: dict[str, Any] = {"journey": table.journey, "presets": PRESETS, "drawn": table.typed.get("document", "")}
    values["type_icons"] = icons(table.request, table.house.catalog)
    say = words(language_of(table.request)).gettext
    values["units"] = {unit: say(UNITS[unit]) for unit in ("M", "H", "D")}
    try:
        document = table.document()
    except DocumentError as error:
        return _render(
            table, {**values, "broken": [f"{field}: {text}" if field else text for field, text in error.errors]}
        )
    if found := errors(validate(document, table.house.catalog)):
        return _render(table, {**values, "broken": _sentences(found, document, tongue(table.request))})
    plan = table.plan(document)
    values["entries"] = [(step.id, _name(document, step, say)) for step in plan.entries]
    if table.typed.get("do", "") in ("", "again", "preset") or not plan.entries:
        return _render(table, values | _setup(table, plan))
    try:
        story = _story(table, plan)
    except (FieldError, ValidationError) as error:
        text = str(error) if isinstance(error, FieldError) else UNREADABLE
        return _render(table, values | _setup(table, plan) | {"wrong": text}, status=422)
    told = rehearse(plan, story)
    return _render(table, values | _told(table, document, plan, story, told), told=told)


def _setup(table: Table, plan: Plan) -> dict[str, Any]:
    """The form before the story: who walks, and by which door."""
    typed = table.typed
    entry = _entry(plan, typed.get("entry", ""))
    preset = typed.get("preset", "fits")
    fields = person_fields(invented(preset, entry, table.now, language_of(table.request)))
    if typed.get("do") not in ("preset", "again", "", None):
        fields |= {name: text for name, text in typed.items() if name in fields}
    properties = properties_for(plan, entry)
    return {
        "fields": {"contact": typed.get("contact", ""), "start": moment_of(table.now, plan.timezone), **fields},
        "entry": entry.id if entry else "",
        "kind": entry.start.kind if entry and entry.start else "",
        "entry_event": entry.start.event if entry and entry.start else "",
        "properties": "\n".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in properties.items()
        ),
        "preset": preset if preset in PRESETS else "fits",
        "timezone": plan.timezone,
    }


def _entry(plan: Plan, node: str) -> Step | None:
    return next((step for step in plan.entries if step.id == node), plan.entries[0] if plan.entries else None)


def _story(table: Table, plan: Plan) -> Story:
    """The story so far with what the reader just did."""
    typed = table.typed
    if typed.get("do") == "start":
        return _beginning(table, plan)
    story = Story.model_validate_json(typed.get("story", ""))
    raw = story.model_dump(mode="json", exclude_unset=True)
    happenings = list(raw.get("happenings", ()))
    if typed["do"] == "back":
        happenings = happenings[:-1] if len(happenings) > 1 else happenings
    elif typed["do"] == "arm":
        raw["arms"] = {**raw.get("arms", {}), typed.get("node", ""): typed.get("port", "")}
    elif one := happening(typed):
        happenings.append(one)
    return Story.model_validate({**raw, "happenings": happenings})


def _beginning(table: Table, plan: Plan) -> Story:
    typed = table.typed
    start = moment_of(typed.get("start", ""), plan.timezone, table.now)
    person = person_of(typed, [node.channel.name for node in table.house.catalog.values() if node.channel])
    if wish := typed.get("contact", "").strip():
        found = _find(table, wish)
        real = _seen(table, known(table.connection, table.workspace_id, found, plan, table.now)) if found else None
        if real is None:
            raise FieldError(_("There is no such contact."))
        person = real
    enter = {
        "do": "enter",
        "node": typed.get("entry") or None,
        "properties": values_of(typed.get("properties", "")),
        "anyway": typed.get("anyway") == "yes",
    }
    about = person.model_dump(mode="json", exclude_unset=True)
    return Story.model_validate({"start": start, "person": about, "happenings": [enter]})


def _find(table: Table, wish: str) -> int | None:
    """A real contact by user id, e-mail or number."""
    connection, workspace_id = table.connection, table.workspace_id
    hidden = glasses_of(connection, table.caller).hidden
    kinds = (kind for kind in ("user_id", "email", "phone") if kind not in hidden)
    by_name = next((found for kind in kinds if (found := people.owner(connection, workspace_id, kind, wish))), None)
    return by_name or (int(wish) if wish.isascii() and wish.isdecimal() and len(wish) < 19 else None)


def _seen(table: Table, person: Person | None) -> Person | None:
    """A real contact as the reader may see them: the whole story travels through their browser."""
    glasses = glasses_of(table.connection, table.caller)
    if person is None or not glasses.hidden:
        return person
    raw = person.model_dump(mode="json", exclude_unset=True)
    raw["attributes"] = glasses.attributes(raw.get("attributes", {}))
    raw["identities"] = dict(glasses.identities(list(raw.get("identities", {}).items())))
    raw["user_id"] = raw["identities"].get("user_id", "")
    raw["past"] = [{**one, "properties": glasses.attributes(one.get("properties", {}))} for one in raw.get("past", ())]
    return Person.model_validate(raw)


def _told(table: Table, document: Document, plan: Plan, story: Story, told: Told) -> dict[str, Any]:
    teller = Teller(
        document, table.house.catalog, tongue(table.request), story=story, told=told, zone_name=plan.timezone
    )
    return {
        "story": story.model_dump_json(exclude_unset=True),
        "days": teller.days(),
        "clock": teller.moment(told.now),
        "due": teller.moment(told.due) if told.due else "",
        "due_in": teller.span(told.due - told.now) if told.due else "",
        "awaits": list(told.awaits),
        "here": [teller.name(node) for node in told.at],
        "person": story.person,
        "attributes": told.attributes,
        "tags": told.tags,
        "walking": told.walking,
        "entered": told.entered,
        "events": teller.events(),
        "count": len(story.happenings),
    }


def _render(table: Table, values: dict[str, Any], *, status: int = 200, told: Told | None = None) -> Response:
    alone = bool(table.request.headers.get("hx-request"))
    around = {
        "alone": alone,
        "broken": values.get("broken", []),
        "wrong": values.get("wrong", ""),
        "story": values.get("story", ""),
    }
    template = "simulate/_panel.html" if alone else "simulate/page.html"
    answer = render(table.request, template, {**values, **around}, status=status)
    path = [{"node": node, "port": port} for node, port in told.path] if told else []
    at = told.at[0] if told and told.at else ""
    answer.headers["HX-Trigger"] = json.dumps(
        {"simulated": {"path": path, "at": at, "entered": bool(told and told.entered)}}
    )
    return answer


def _sentences(found: list[Problem], document: Document, language: Any) -> list[str]:
    names = {node.id: node.name or node.id for node in document.nodes}
    return [f"{names.get(one.node or '', '')}: {one.render(language)}".removeprefix(": ") for one in found[:8]]


def _name(document: Document, step: Step, say: Any) -> str:
    node = document.index()[step.id]
    return node.name or (say(step.node.title) if step.node else step.type)
