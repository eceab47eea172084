"""A message of the canvas shown for one person: as a mail, on a phone, as a request. Renders what was typed; sends nothing.

The HTML of a mail is only ever shown inside a frame without rights: no script, no form, no picture from elsewhere (T05).
"""

from typing import Annotated, Any

from fastapi import Query, Response

from app import previews
from app.lanes import lane_of
from app.panel import Sheet
from app.previews import Preview, Reader
from app.store import people, vocabulary
from app.store.people import Person
from app.vocabulary import Words
from app.web.canvas_panel import AT, FORM_BYTES, READ, AtPanel, Desk, NodeId, Sent, read_step, take
from app.web.glasses import glasses_of
from app.web.page import page_router, render
from app.web.templating import PAGE_HEADERS
from flows.contract import Event

routes = page_router()

NAMES = ("user_id", "email", "phone", "openid", "anonymous_id")
OFFERED = 12
# What a mail may do where it is shown: be looked at. Styles stand in the mail itself; pictures only if they are in it too.
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
MAIL_HEADERS = {
    **{name: value for name, value in PAGE_HEADERS.items() if name.lower() != "x-frame-options"},
    "Content-Security-Policy": MAIL_POLICY,
    "X-Frame-Options": "SAMEORIGIN",
}


@routes.post(f"{AT}/preview", dependencies=READ, max_body_size=FORM_BYTES)
def show_preview(desk: AtPanel, node_id: NodeId, sent: Sent) -> Response:
    """The message as it stands in the form, for the person chosen beside it."""
    with desk.speaking():
        made, around = read_step(desk, node_id, sent)
        take(made, sent)
        words = desk.words(around, made)
        typed = {name.removeprefix("try."): text for name, text in sent.below("try.").items()}
        reader, person = _reader(desk, words, (sent.text("try-who") or "").strip(), typed)
        shown = previews.preview(made.kind, made.settings, reader, desk.now) if made.kind else Preview("phone", "", {})
        values = {
            "shown": shown,
            "person": person,
            "typed": typed,
            "who": sent.text("try-who") or "",
            "urls": {"mail": f"/journeys/{desk.journey_id}/nodes/{node_id}/panel/mail"},
            "account": _account(made, words),
        }
        return render(desk.request, "journeys/partials/preview.html", values)


@routes.post(f"{AT}/mail", dependencies=READ, max_body_size=FORM_BYTES)
def show_mail(desk: AtPanel, node_id: NodeId, sent: Sent) -> Response:
    """The HTML of a mail, for the frame beside the form; it comes from the form and goes nowhere."""
    del desk, node_id
    return Response(sent.text("html") or "", media_type="text/html", headers=MAIL_HEADERS)


@routes.get("/journeys/{journey_id}/nodes/{node_id}/panel/people", dependencies=READ)
def find_people(
    desk: AtPanel, node_id: NodeId, text: Annotated[str, Query(alias="try-who", max_length=200)] = ""
) -> Response:
    """Whom a message may be shown for: people whose name starts like this."""
    del node_id
    if text.strip():
        kinds = _kinds(desk)
        found = [
            one.label for one in vocabulary.people(desk.connection, desk.workspace_id, text.strip(), kinds, OFFERED)
        ]
    else:
        found = [_label(desk, one) for one in people.page(desk.connection, desk.workspace_id, (-1, 0), OFFERED)]
    return render(desk.request, "journeys/partials/people_options.html", {"found": [name for name in found if name]})


def _reader(desk: Desk, words: Words, who: str, typed: dict[str, str]) -> tuple[Reader, str]:
    """The chosen contact, or somebody who has everything; with what was typed for the entry."""
    person = _chosen(desk, who)
    if person is None:
        return previews.invented(words.attributes, words.entry_properties(), typed, desk.now), ""
    glasses, label = glasses_of(desk.connection, desk.caller), _label(desk, person)
    attributes = {**glasses.attributes(person.attributes), "id": label}
    for kind, value in glasses.identities(person.identities):
        attributes.setdefault(kind, value)
    came: dict[str, Any] = {}
    event = words.entry_events[0] if words.entry_events else ""
    if event:
        lane = lane_of(desk.workspace_id, person.id)
        came = vocabulary.latest_properties(desk.connection, desk.workspace_id, lane, person.id, event)
        came = glasses.attributes(came)
    reader = Reader(attributes, Event(event or "entered", desk.now, came), words.timezone)
    return previews.with_typed(reader, typed, desk.now), label


def _chosen(desk: Desk, name: str) -> Person | None:
    if not name:
        return None
    found = vocabulary.people(desk.connection, desk.workspace_id, name, _kinds(desk), 1)
    return people.find(desk.connection, desk.workspace_id, found[0].id) if found else None


def _kinds(desk: Desk) -> list[str]:
    """The kinds of names by which the reader may look for people."""
    hidden = glasses_of(desk.connection, desk.caller).hidden
    return [kind for kind in NAMES if kind not in hidden]


def _label(desk: Desk, person: Person) -> str:
    kinds = _kinds(desk)
    return next((value for wanted in kinds for kind, value in person.identities if kind == wanted), "")


def _account(made: Sheet, words: Words) -> str:
    name = str(made.settings.get("account") or "")
    return name if name in words.accounts else ""
