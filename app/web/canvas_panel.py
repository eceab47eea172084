"""The settings panel of the canvas: a form for any step, drawn anew as it changes shape, checked, and handed to the editor.

The server keeps nothing here: the step travels with its form, the draft is saved by the editor. `~` is the journey itself.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import Depends, Path, Request, Response

from app import forms, panel
from app.auth import Caller
from app.counting import Counter
from app.forms import offers
from app.language import words as catalogue
from app.panel import About, Sheet
from app.previews import copy_problems
from app.store import accounts, journeys, seasons
from app.vocabulary import Library, Words, without_examples
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.page import page_router, render
from app.web.pickers import library_of
from app.web.problems import ProblemError, missing
from app.web.shapes import JourneyId
from app.web.templating import icons, language_of
from flows.contract import Json
from flows.errors import RuleError
from flows.raw import TEXT_AT_MOST
from flows.rules import parse
from flows.words import _, speaking

routes = page_router()

FORM_BYTES = 4 * 1024 * 1024
HEADER_BYTES = 6_000  # longer news travels in the page: headers have their limits
PANEL, FORM = "journeys/partials/panel.html", "journeys/partials/panel_form.html"
NodeId = Annotated[str, Path(pattern=r"^([A-Za-z0-9_-]{1,64}|~)$", description="Id of the step; ~ is the journey.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every handler of the panel needs."""

    request: Request
    connection: Any
    house: Any
    caller: Caller
    now: Any
    journey_id: int
    library: Library
    counter: Counter

    @property
    def workspace_id(self) -> int:
        """Whose panel it is."""
        return self.caller.workspace_id

    def words(self, about: About, made: Sheet | None) -> Words:
        """What the form may offer; examples are values of people, so nobody is shown those of whom they may not see."""
        found = self.library.words(self.connection, self.workspace_id, self.now)
        hidden = glasses_of(self.connection, self.caller).hidden
        if hidden or self.caller.scopes is not None:
            found = without_examples(found, hidden if self.caller.scopes is None else None)
        return panel.offered(found, about, made)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """In the reader's language."""
        language: Any = language_of(self.request)
        with speaking(language, catalogue(language).gettext):
            yield


def _desk(
    request: Request, journey_id: JourneyId, connection: Database, house: TheHouse, asker: Asker, now: Now
) -> Desk:
    if journeys.find(connection, asker.workspace_id, journey_id) is None:
        raise missing("journey")
    kept = request.app.state
    if not hasattr(kept, "canvas_counter"):
        kept.canvas_counter = Counter()
    return Desk(request, connection, house, asker, now, journey_id, library_of(request), kept.canvas_counter)


async def _posted(request: Request) -> forms.Posted:
    body = await request.body()
    try:
        return forms.Posted.parse(body)
    except ValueError:
        raise ProblemError(413, _("The form has too many fields.")) from None


AtPanel = Annotated[Desk, Depends(_desk, scope="function")]
Sent = Annotated[forms.Posted, Depends(_posted)]
READ, EDIT = [can("journey.read")], [can("journey.edit")]
AT = "/journeys/{journey_id}/nodes/{node_id}/panel"


async def _opened(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = await request.json()
    return given


@routes.post(AT, dependencies=READ, max_body_size=TEXT_AT_MOST)
def open_panel(desk: AtPanel, node_id: NodeId, given: Annotated[dict[str, Any], Depends(_opened)]) -> Response:
    """The panel of a step as it stands on the canvas, saved or not."""
    with desk.speaking():
        document = given.get("document")
        node = given.get("node") if node_id != panel.JOURNEY else {"settings": (document or {}).get("settings", {})}
        made = panel.sheet({**(node if isinstance(node, dict) else {}), "id": node_id}, desk.house.catalog)
        around = panel.about(document, node_id, desk.house.catalog)
        if made.model is None:
            return render(desk.request, PANEL, {"made": made, "form": None, **_icons(desk)})
        form = forms.build(made.model, made.settings)
        return _drawn(desk, (made, around), form, template=PANEL)


@routes.post("/journeys/{journey_id}/settings/panel", dependencies=READ, max_body_size=TEXT_AT_MOST)
def open_journey_panel(desk: AtPanel, given: Annotated[dict[str, Any], Depends(_opened)]) -> Response:
    """The panel of the journey's own settings."""
    return open_panel(desk, panel.JOURNEY, given)


@routes.post(f"{AT}/form", dependencies=READ, max_body_size=FORM_BYTES)
def redraw_form(desk: AtPanel, node_id: NodeId, sent: Sent) -> Response:
    """The form after a button or a choice that changes its shape; what was typed stays."""
    with desk.speaking():
        made, around = read_step(desk, node_id, sent)
        take(made, sent)
        return _drawn(desk, (made, around), forms.build(_model(made), made.settings, [], sent))


@routes.post(f"{AT}/apply", dependencies=EDIT, max_body_size=FORM_BYTES)
def apply_form(desk: AtPanel, node_id: NodeId, sent: Sent) -> Response:
    """Check what was typed: the editor is told of it, or the form comes back with what is wrong at each field."""
    with desk.speaking():
        made, around = read_step(desk, node_id, sent)
        take(made, sent)
        found = panel.examine(made, around, accounts.channels(desk.connection, desk.workspace_id))
        refused = bool(made.problems or sent.complaints)
        notes = [*made.problems, *(copy_problems(made.kind, made.settings) if made.kind and not refused else ())]
        form = forms.build(_model(made), made.settings, notes, sent)
        # What is wrong is told as well: the draft keeps it, with its problem, until somebody mends it.
        return _tell(
            desk, (made, around), form, panel.applied(made, around, desk.house.catalog, found), 422 if refused else 200
        )


@routes.post(f"{AT}/count", dependencies=READ, max_body_size=FORM_BYTES)
def count_rule(desk: AtPanel, node_id: NodeId, sent: Sent) -> Response:
    """A rule in words, and how many people it chooses at this moment."""
    with desk.speaking():
        made, around = read_step(desk, node_id, sent)
        take(made, sent)
        values: dict[str, Any] = {"sentence": "", "counted": None, "wrong": ""}
        source = _at(made.settings, (sent.text("rule") or "").removeprefix(f"{forms.ROOT}."))
        if source:
            try:
                rule = parse(source)
                values["sentence"] = parse(panel.with_titles(source, around.steps)).sentence()
                values["counted"] = desk.counter.count(
                    partial(desk.house.transaction, read_only=True),
                    desk.workspace_id,
                    rule,
                    desk.now,
                    choosing=made.kind is not None and made.kind.start is not None,
                )
            except RuleError as error:
                values["wrong"] = str(error).partition(": ")[2]
        return render(desk.request, "journeys/partials/rule_live.html", values)


def read_step(desk: Desk, node_id: str, sent: forms.Posted) -> tuple[Sheet, About]:
    """The step that travels with the form, and what there is to know around it."""
    node = panel.read_json(sent.text("node"))
    return panel.sheet({**node, "id": node_id}, desk.house.catalog), About.load(sent.text("about") or "")


def _model(made: Sheet) -> Any:
    if made.model is None:
        raise missing("node type")
    return made.model


def take(made: Sheet, sent: forms.Posted) -> None:
    """Put what was typed into the step."""
    made.node["settings"] = forms.read(_model(made), made.settings, sent)
    name = (sent.text("name") or "").strip()[: panel.NAME_AT_MOST]
    if name:
        made.node["name"] = name
    elif sent.text("name") is not None:
        made.node.pop("name", None)


def _tell(desk: Desk, about: tuple[Sheet, About], form: forms.Form, news: dict[str, Json], status: int) -> Response:
    """The form, and the news for the editor: as an event, or in the page where it is too long for a header."""
    name = "flow-applied" if about[0].is_journey else "node-applied"
    text = json.dumps({name: news})
    long = len(text) > HEADER_BYTES
    answer = _drawn(desk, about, form, status=status, applied={"name": name, "detail": news} if long else None)
    if not long:
        answer.headers["HX-Trigger"] = text
    return answer


def _drawn(
    desk: Desk,
    about: tuple[Sheet, About],
    form: forms.Form,
    *,
    status: int = 200,
    template: str = FORM,
    applied: dict[str, Json] | None = None,
) -> Response:
    made, around = about
    base = f"/journeys/{desk.journey_id}/nodes/{made.node['id']}/panel"
    values = {
        "made": made,
        "node_text": json.dumps(made.node, ensure_ascii=False),
        "about_text": around.dump(),
        "form": form,
        "known": desk.words(around, made),
        "offers": offers,
        "urls": {name: f"{base}/{name}" for name in ("form", "apply", "count", "preview", "mail", "people")},
        "line_kinds": _line_kinds(made),
        "zones": _zones() if made.is_journey else (),
        "others": seasons.seen(desk.connection, desk.workspace_id) if made.is_journey else None,
        "applied": applied,
        **_helpers(),
        **_icons(desk),
    }
    return render(desk.request, template, values, status=status)


def _icons(desk: Desk) -> dict[str, Any]:
    return {"type_icons": icons(desk.request, desk.house.catalog)}


def _line_kinds(made: Sheet) -> tuple[str, ...]:
    """What a line may ask about: nobody has entered yet, or been sent anything, where people are being chosen."""
    if made.kind is not None and made.kind.start is not None:
        return ("attribute", "tag", "event")
    return ("attribute", "tag", "event", "property", "message")


def _helpers() -> dict[str, Any]:
    return {
        "names_of": lambda field: [str(one) for one in field.shape.options] + ([""] if field.shape.nullable else []),
        "needs": _needs,
        "opened": lambda fields: any(one.value not in (None, "", one.shape.default) for one in fields),
        "offsets": lambda zone: list(dict.fromkeys([*OFFSETS, *([zone] if zone else [])])),
    }


OFFSETS = ("Z", "-08:00", "-05:00", "+01:00", "+02:00", "+05:30", "+07:00", "+08:00", "+09:00")


def _needs(field: forms.Field) -> dict[str, list[str]]:
    parent = field.name.rpartition(".")[0]
    return {f"{parent}.{name}": [str(one) for one in values] for name, values in field.shape.needs.items()}


def _zones() -> list[str]:
    return sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    )


def _at(value: Json, path: str) -> Json:
    """The value at a field's name (`cases[0].rule`, `schedule|1.cron`); None where there is none."""
    for part in path.replace("[", ".").replace("]", "").split("."):
        key = part.partition("|")[0]
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value
