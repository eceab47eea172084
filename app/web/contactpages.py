"""Contacts as pages: found by a name or a tag, one with all that is known and all that happened. Changes go the API's way."""

from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request, Response

from app.auth import Caller
from app.language import words
from app.privacy import Glasses
from app.store import documents, overview, people, seeking, timelines, users
from app.store.people import Person
from app.store.rows import Connection
from app.store.timelines import CHOICES, Asked
from app.web import consentpages, moments, told
from app.web.contacts import ContactChange, TagsIn, change_contact
from app.web.glasses import glasses_of, moment_seen, person_seen
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.page import page_router, render, toast
from app.web.problems import invalid, missing
from app.web.shapes import INT, ContactId, Next
from app.web.templating import icons, language_of
from app.web.whys import Whys
from flows.words import _

routes = page_router()

PAGE = 50
MOMENTS = 40
WALKS_SHOWN = 12
JOURNEYS_OFFERED = 500
COLUMNS_SHOWN = ("email", "phone")
KIND_WORDS = {
    "event": _("Events"),
    "entered": _("Journeys entered"),
    "step": _("Steps and reasons"),
    "message": _("Messages"),
}
Kind = Literal["event", "entered", "step", "message"]
Sought = Annotated[str, Query(max_length=200, description="The beginning of a name, e-mail, phone number or id.")]
Words = Annotated[str, Form(max_length=2_000)]


@routes.get("/contacts", dependencies=[can("contact.read")])
def show_contacts(
    request: Request, caller: Asker, connection: Database, q: Sought = "", tag: Sought = "", next: Next = None
) -> Response:
    """The list; with `next` its following rows alone."""
    q, tag = (text.replace("\0", "").strip() for text in (q, tag))
    if q.startswith("#") and len(q) > 1:
        q, tag = "", q[1:]
    found = _found(connection, caller.workspace_id, q, tag, next)
    glasses, place = glasses_of(connection, caller), overview.place(connection, caller.workspace_id)
    values = {
        "q": q,
        "label": tag,
        "place": place,
        "zone": place.timezone,
        "rows": [_row(one, glasses) for one in found.people],
        "after": told.place_text(found.next) if found.next is not None else None,
    }
    return render(request, "contacts/_rows.html" if next is not None else "contacts/list.html", values)


def _found(connection: Connection, workspace_id: int, q: str, tag: str, next_: str | None) -> seeking.Slice:
    if tag:
        place = told.place_among(next_, (told.LANE, int))
        return seeking.tagged(connection, workspace_id, tag, place, PAGE)
    if q:
        place = told.place_among(next_, (0,), (1,), (0, str, str), (1, str, int))
        return seeking.named(connection, workspace_id, q, place, PAGE)
    place = told.place_among(next_, (int,))
    return seeking.newest(connection, workspace_id, place[0] if place else None, PAGE)


def _row(one: seeking.Found, glasses: Glasses) -> dict[str, Any]:
    one = one._replace(identities=glasses.identities(one.identities), attributes=glasses.attributes(one.attributes))
    name = one.attributes.get("name")
    best = told.best(one.identities)
    named = {kind: value for kind, value in reversed(one.identities)}  # noqa: C416 the first of a kind stays
    return {
        "id": one.id,
        "called": told.name_of(name if isinstance(name, str) else None, best, one.id),
        "known_as": best[1] if best and name else "",
        **{kind: named.get(kind) or one.attributes.get(kind) or "" for kind in COLUMNS_SHOWN},
        "tags": one.tags,
        "walks": one.walks,
        "created_at": one.created_at,
    }


@routes.get("/contacts/{contact_id}", dependencies=[can("contact.read")])
def show_contact(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    contact_id: ContactId,
    kind: Annotated[list[Kind] | None, Query(max_length=4, description="Only these kinds of moments.")] = None,
    journey: Annotated[int | None, Query(ge=1, le=INT, description="Only what belongs to this journey.")] = None,
    next: Next = None,
) -> Response:
    """The profile and the timeline; with `next` the older moments alone."""
    person = people.find(connection, caller.workspace_id, contact_id)
    if person is None:
        raise missing("contact")
    values: dict[str, Any] = {
        "zone": users.timezone(connection, caller.workspace_id),
        "contact_id": person.id,
        "kinds": kind or list(KIND_WORDS),
        "journey_id": journey,
        **_timeline(request, connection, caller, person.id, kind, journey, next),
        "type_icons": icons(request, house.catalog),
    }
    if next is not None:
        return render(request, "contacts/_moments.html", values)
    offered = documents.names(connection, caller.workspace_id, JOURNEYS_OFFERED)
    values |= {
        "journeys": offered,
        "kind_words": _said(request, KIND_WORDS),
        "walks": _walks(request, connection, caller, person),
    }
    return render(request, "contacts/one.html", values | _profile(request, connection, caller, person))


def _timeline(
    request: Request,
    connection: Connection,
    caller: Caller,
    contact_id: int,
    kinds: list[Kind] | None,
    journey: int | None,
    next_: str | None,
) -> dict[str, Any]:
    say = words(language_of(request)).gettext
    asked = Asked(contact_id, [CHOICES[one] for one in kinds or CHOICES], journey)
    shown, after = moments.page_of(connection, caller.workspace_id, asked, next_, MOMENTS)
    known = told.faces(request, connection, caller.workspace_id, moments.versions_of(shown))
    glasses = glasses_of(connection, caller)
    whys = Whys(request, connection, caller.workspace_id, moments.cases_of(shown), known)
    return {"moments": [moments.view(moment_seen(glasses, one), known, say, whys) for one in shown], "after": after}


def _walks(request: Request, connection: Connection, caller: Caller, person: Person) -> list[dict[str, Any]]:
    say = words(language_of(request)).gettext
    found = timelines.walks(connection, caller.workspace_id, person.id, WALKS_SHOWN)
    known = told.faces(request, connection, caller.workspace_id, {one.version_id for one in found})
    return [
        {
            **one._asdict(),
            "standing": say(told.STANDING_WORDS[told.STANDING[one.status]]),
            "tone": told.STANDING_TONES[told.STANDING[one.status]],
            "step": known[one.version_id].title(one.node),
            "number": known[one.version_id].number,
            "why": told.reason_text(one.reason, say, known[one.version_id]) if one.status else "",
            "walk": f"{one.lane}-{one.id}",
        }
        for one in found
    ]


def _profile(request: Request, connection: Connection, caller: Caller, person: Person) -> dict[str, Any]:
    """What is known of somebody, as this caller may see it."""
    person = person_seen(glasses_of(connection, caller), person)
    name = person.attributes.get("name")
    return {
        "contact_id": person.id,
        "person": person,
        "called": told.name_of(name if isinstance(name, str) else None, told.best(person.identities), person.id),
        "identity_words": _said(request, told.IDENTITIES),
        "attributes": [
            {"name": key, "text": value if isinstance(value, str) else told.compact(value), "kind": _kind(value)}
            for key, value in sorted(person.attributes.items())
        ],
        "consent": consentpages.card(request, connection, caller, person),
    }


def _said(request: Request, texts: dict[str, str]) -> dict[str, str]:
    say = words(language_of(request)).gettext
    return {name: say(text) for name, text in texts.items()}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "json"


@routes.get("/contacts/{contact_id}/profile", dependencies=[can("contact.read")])
def show_profile(request: Request, caller: Asker, connection: Database, contact_id: ContactId) -> Response:
    """The profile alone, for a page that has changed something."""
    person = people.find(connection, caller.workspace_id, contact_id)
    if person is None:
        raise missing("contact")
    zone = users.timezone(connection, caller.workspace_id)
    return render(
        request,
        "contacts/_profile.html",
        {"zone": zone, "later": False, **_profile(request, connection, caller, person)},
    )


@routes.post("/contacts/{contact_id}/attributes", dependencies=[can("contact.edit")])
def set_attribute(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    contact_id: ContactId,
    name: Annotated[str, Form(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")],
    value: Words = "",
    kind: Annotated[Literal["text", "number", "truth", "gone"], Form()] = "text",
) -> Response:
    """Set one attribute, or take it away; it follows in the order of the contact's events, within a second."""
    change = ContactChange(attributes={name.strip(): _typed(kind, value)})
    change_contact(contact_id, change, connection, caller, now)
    house.nudge()
    said = _("“%(name)s” is taken away.") if kind == "gone" else _("“%(name)s” is saved.")
    return _changed(
        request, connection, caller, contact_id, words(language_of(request)).gettext(said) % {"name": name}, later=True
    )


def _typed(kind: str, value: str) -> Any:
    if kind == "gone":
        return None
    if kind == "truth":
        return value.strip().lower() in ("true", "yes", "1", "on")
    if kind == "number":
        try:
            number = float(value)
        except ValueError:
            raise invalid([("value", _("is not a number"))]) from None
        if abs(number) > 1e15 or number != number:
            raise invalid([("value", _("is not a number that can be kept"))])
        return int(number) if number.is_integer() else number
    return value


@routes.post("/contacts/{contact_id}/tags", dependencies=[can("contact.edit")])
def change_tags(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    contact_id: ContactId,
    add: Annotated[str, Form(max_length=200)] = "",
    remove: Annotated[str, Form(max_length=200)] = "",
    add_back: Annotated[str, Query(max_length=200, description="What an undo gives back.")] = "",
) -> Response:
    """Give or take a tag."""
    given = (add or add_back).replace("\0", "").strip()
    if not given and not remove:
        raise invalid([("add", _("is empty"))])
    tags = TagsIn(add=[given] if given else [], remove=[remove] if remove else [])
    change_contact(contact_id, ContactChange(tags=tags), connection, caller, now)
    say = words(language_of(request)).gettext
    text = say(_("Tagged “%(tag)s”.")) if given else say(_("The tag “%(tag)s” is taken away."))
    undo = f"/contacts/{contact_id}/tags?{told.query(add_back=remove)}" if remove else None
    return _changed(request, connection, caller, contact_id, text % {"tag": given or remove}, undo=undo)


def _changed(
    request: Request,
    connection: Connection,
    caller: Caller,
    contact_id: int,
    text: str,
    *,
    undo: str | None = None,
    later: bool = False,
) -> Response:
    """The profile as it is now; `later`: it looks again in a second, when the change has come through."""
    person = people.find(connection, caller.workspace_id, contact_id)
    assert person is not None
    zone = users.timezone(connection, caller.workspace_id)
    answer = render(
        request,
        "contacts/_profile.html",
        {"zone": zone, "later": later, **_profile(request, connection, caller, person)},
    )
    return toast(answer, text, undo=undo)
