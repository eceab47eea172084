"""What a contact said about what reaches them, on their profile: what holds, how we know, changes with a reason; and erasing."""

from typing import Annotated, Any

from fastapi import Form, Request, Response

from app.auth import Caller
from app.language import words
from app.privacy import MARKETING, load
from app.reasons import SOURCES
from app.store import consents, merges, people, persons, users, workspaces
from app.store.consents import Entry
from app.store.people import Person
from app.store.rows import Connection
from app.web import erasure
from app.web.contacts import ContactChange, change_contact
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.page import page_router, render, toast
from app.web.problems import ProblemError, missing
from app.web.shapes import ContactId
from app.web.templating import channel_words, language_of
from flows.words import _

routes = page_router()

ENTRIES_SHOWN = 20
Name = Annotated[str, Form(pattern=r"^[a-z0-9_.-]{1,32}$")]


def card(request: Request, connection: Connection, caller: Caller, person: Person) -> dict[str, Any]:
    """What holds, channel by channel, and the latest lines of the ledger."""
    say = words(language_of(request)).gettext
    channels = channel_words(request, request.state.house.catalog)
    privacy = load(workspaces.privacy(connection, caller.workspace_id))
    titles = {MARKETING: say(_("Offers and news")), **{one.name: one.title for one in privacy.purposes}}
    clear = caller.may("contact.unmask") or not privacy.personal
    ids = merges.same_person(connection, caller.workspace_id, person.id)
    lines = consents.ledger(connection, caller.workspace_id, ids, None, ENTRIES_SHOWN)
    names = persons.staff(connection, caller.workspace_id) if lines else {}
    return {
        "channels": [
            {
                "channel": channel,
                "word": word,
                "said": said(person, channel, MARKETING),
                "but": _but(person, channel, titles),
            }
            for channel, word in sorted({**{name: name for name in person.consents}, **channels}.items())
        ],
        "purposes": list(titles.items()),
        "lines": [_line(one, channels, titles, names, say, clear=clear) for one in lines],
    }


def said(person: Person, channel: str, purpose: str) -> bool | None:
    """What the person said; None where they said nothing."""
    found: bool | None = person.consents.get(channel, {}).get(purpose)
    return found


def _but(person: Person, channel: str, titles: dict[str, str]) -> list[str]:
    """The purposes refused on a channel that is not refused as a whole."""
    mine = person.consents.get(channel, {})
    return [titles.get(name, name) for name, yes in sorted(mine.items()) if yes is False and name != MARKETING]


def _line(
    one: Entry, channels: dict[str, str], titles: dict[str, str], names: dict[str, str], say: Any, *, clear: bool
) -> dict[str, Any]:
    proof = one.proof
    return {
        "allowed": one.allowed,
        "channel": channels.get(one.channel, one.channel),
        "purpose": titles.get(one.purpose, one.purpose),
        "at": one.at,
        "how": say(SOURCES[one.source]) if one.source in SOURCES else one.source,
        "who": names.get(one.actor, "") if one.actor.startswith("user:") else "",
        "why": (proof.get("reason") or proof.get("text") or "") if clear else "",
        "message": proof.get("message"),
        "version": one.text_version,
    }


@routes.post("/contacts/{contact_id}/consents", dependencies=[can("contact.edit")])
def change_consent(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    contact_id: ContactId,
    channel: Name,
    allowed: Annotated[bool, Form()],
    purpose: Name = MARKETING,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Write down what the contact said about a purpose of a channel, and why; an opt-out holds from now on."""
    change = ContactChange(consents={channel: {purpose: allowed}}, consent_reason=reason.replace("\0", "").strip())
    change_contact(contact_id, change, connection, caller, now)
    person = people.find(connection, caller.workspace_id, contact_id)
    assert person is not None
    values = {
        "contact_id": person.id,
        "zone": users.timezone(connection, caller.workspace_id),
        "consent": card(request, connection, caller, person),
    }
    say = words(language_of(request)).gettext
    text = say(_("Written down: allowed.")) if allowed else say(_("Written down: nothing more of this from now on."))
    return toast(render(request, "contacts/_consents.html", values), text)


@routes.post("/contacts/{contact_id}/erase", dependencies=[can("contact.erase")])
def erase(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    contact_id: ContactId,
    confirm: Annotated[str, Form(max_length=600)] = "",
) -> Response:
    """Erase everything that is kept of one person; the form comes back where the name typed is not theirs."""
    if people.find(connection, caller.workspace_id, contact_id) is None:
        raise missing("contact")
    state = {"contact_id": contact_id, "wrong": not confirm.strip(), "done": False}
    if not state["wrong"]:
        try:
            erasure.erase_contact(contact_id, erasure.EraseIn(confirm=confirm), house, connection, caller, now)
        except ProblemError as problem:
            if problem.status_code != erasure.NOT_THEIRS:
                raise
            state["wrong"] = True
    state["done"] = not state["wrong"]
    return render(request, "contacts/_erase.html", state, status=erasure.NOT_THEIRS if state["wrong"] else 200)
