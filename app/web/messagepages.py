"""The log of messages as pages: searched by journey, step, channel, fate, reason, person, time; one with its words and receipts.

What stood in a message is not kept with it (only its title is): it is rendered again from its version, and the page says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response

from app import previews
from app.auth import Caller
from app.language import words
from app.privacy import Glasses
from app.store import documents, history, journeys, messagelog, overview, people, seeking, users
from app.store.messagelog import Asked, Line
from app.store.outbox import NEVER
from app.store.rows import Connection
from app.web import moments, told
from app.web.canvas_preview import MAIL_HEADERS
from app.web.glasses import glasses_of, line_seen, person_seen
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.period import AskedPeriod, Period
from app.web.problems import missing
from app.web.shapes import BIGINT, INT, Next
from app.web.templating import channel_words, icons, language_of
from app.web.told import Faces, Say
from app.web.walks import NodeName, VersionNumber
from app.web.whys import Case, Whys, of_reasons
from flows.conditions import OVER
from flows.contract import OUTCOMES
from flows.words import _

routes = page_router()

PAGE = 50
PEOPLE_AT_MOST = 30
JOURNEYS_OFFERED = 500
RECEIPTS_SHOWN = 50
Fate = Literal[
    "pending", "sent", "delivered", "opened", "clicked", "failed", "bounced", "suppressed", "expired", "deferred"
]
FATE_WORDS: Mapping[str, str] = {
    "pending": _("on their way"),
    "deferred": _("put off"),
    "sent": _("sent"),
    "delivered": _("delivered"),
    "opened": _("opened"),
    "clicked": _("clicked"),
    "failed": _("failed"),
    "bounced": _("bounced"),
    "suppressed": _("not sent"),
    "expired": _("expired"),
}
HEARD = {
    "sent": _("The provider took it"),
    "delivered": _("Delivered"),
    "opened": _("Opened"),
    "clicked": _("Clicked"),
    "bounced": _("Bounced"),
    "complained": _("Complained about"),
    "failed": _("Failed"),
    "unsubscribed": _("Unsubscribed"),
    "closed": _("Closed"),
}
Short = Annotated[str, Query(max_length=200)]
MessageId = Annotated[int, Path(ge=1, le=BIGINT, description="Number of the message.", examples=[9001])]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the log was asked for."""

    q: str
    journey: int | None
    node: str | None
    version: int | None
    channel: str
    status: str
    reason: str
    period: Period

    now = False  # what the choice of a period asks of lists that may be about the present

    @property
    def query(self) -> str:
        """As parameters of an address."""
        asked = {
            "q": self.q,
            "journey": str(self.journey or ""),
            "node": self.node or "",
            "version": str(self.version or ""),
            "channel": self.channel,
            "status": self.status,
            "reason": self.reason,
        }
        period = self.period.query if self.period.name != "all" else {}
        return told.query(**asked, **period)


@routes.get("/messages", dependencies=[can("message.read")])
def show_messages(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    period: AskedPeriod,
    q: Short = "",
    journey: Annotated[int | None, Query(ge=1, le=INT)] = None,
    node: NodeName = None,
    version: VersionNumber = None,
    channel: Annotated[str, Query(max_length=32, pattern=r"^[a-z0-9_.-]*$")] = "",
    status: Fate | None = None,
    reason: Short = "",
    next: Next = None,
) -> Response:
    """The log; with `next` its following rows alone."""
    q, reason = (text.replace("\0", "").strip() for text in (q, reason))
    if journey is None:
        node = version = None  # a step and a version mean something in a journey only
    wish = Wish(q, journey, node, version, channel, status or "", reason, period)
    place = overview.place(connection, caller.workspace_id)
    zone = place.timezone
    found = _found(connection, caller, wish, wish.period.bounds(now, zone), next)
    say = words(language_of(request)).gettext
    known = told.faces(request, connection, caller.workspace_id, {one.version_id for one in found.lines})
    whys = _whys(request, connection, caller, found.lines, known)
    glasses = glasses_of(connection, caller)
    values: dict[str, Any] = {
        "wish": wish,
        "place": place,
        "zone": zone,
        "rows": [line(line_seen(glasses, one), known[one.version_id], say, whys) for one in found.lines],
        "after": told.place_text([found.next]) if found.next is not None else None,
        "channel_words": channel_words(request, house.catalog),
        "type_icons": icons(request, house.catalog),
    }
    if next is not None:
        return render(request, "messages/_rows.html", values)
    values |= {
        "journeys": documents.names(connection, caller.workspace_id, JOURNEYS_OFFERED),
        "fates": {name: say(word) for name, word in FATE_WORDS.items()},
        "reasons": _choices(request, connection, caller, wish.reason),
    }
    return render(request, "messages/list.html", values)


WITHHOLDING = (
    "lost to journey",
    "quiet hours",
    "opted_out",
    "no_address",
    "suppressed: hard_bounce",
    "suppressed: complaint",
    "suppressed: manual",
    "erased",
    "fuse",
    OVER,
    "pause: skipped",
    "pause: exit",
    "late: held",
    "late: dropped",
    "stopped",
)


def _choices(request: Request, connection: Connection, caller: Caller, chosen: str) -> dict[str, str]:
    """Reasons to look for; a reason stands for all that begin with it."""
    wanted = dict.fromkeys((*WITHHOLDING, *([chosen] if chosen else ())))
    found = of_reasons(request, connection, caller.workspace_id, wanted)
    return {one: "".join(part.text for part in found[one]) for one in wanted}


def _whys(
    request: Request, connection: Connection, caller: Caller, lines: Sequence[Line], known: Mapping[int, Faces]
) -> Whys:
    cases = [
        Case(one.id, one.contact_id, one.channel, one.node, one.created_at, one.reason, one.version_id) for one in lines
    ]
    return Whys(request, connection, caller.workspace_id, cases, known)


def _found(connection: Connection, caller: Caller, wish: Wish, bounds: Any, next_: str | None) -> messagelog.Slice:
    place = told.place_among(next_, (int,))
    version_id = None
    if wish.version is not None and wish.journey is not None:
        numbers = journeys.numbers(connection, caller.workspace_id, wish.journey)
        version_id = next((id for id, number in numbers.items() if number == wish.version), 0)
    contacts = None
    if wish.q:
        people_ = seeking.named(connection, caller.workspace_id, wish.q, None, PEOPLE_AT_MOST).people
        contacts = [one.id for one in people_]
        if wish.q.startswith("#") and wish.q[1:].isdecimal():
            contacts.append(min(int(wish.q[1:]), BIGINT))
    asked = Asked(
        wish.journey,
        wish.node,
        version_id,
        wish.channel or None,
        wish.status or None,
        wish.reason or None,
        bounds[0],
        bounds[1],
        contacts,
    )
    return messagelog.page(connection, caller.workspace_id, asked, place[0] if place else None, PAGE)


def line(one: Line, faces: Faces, say: Say, whys: Whys) -> dict[str, Any]:
    """A line of the log in words."""
    word, tone = moments.became(one.status, one.outcome, say)
    return {
        **one._asdict(),
        "title": told.headline(one.title),
        "called": told.name_of(one.name, ("", one.recipient) if one.recipient else None, one.contact_id),
        "standing": word,
        "tone": tone,
        "why": whys.parts(one.id),
        "step": faces.title(one.node),
        "number": faces.number,
        "type": faces.type(one.node),
        "hue": moments.hue(faces.type(one.node)),
        "walk": f"{one.lane}-{one.enrollment_id}",
    }


@routes.get("/messages/{message_id}", dependencies=[can("message.read")])
def show_message(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, message_id: MessageId
) -> Response:
    """One message: for whom, why or why not, its words, what was said about it."""
    one, faces = _known(request, connection, caller, message_id)
    say = words(language_of(request)).gettext
    glasses = glasses_of(connection, caller)
    heard = messagelog.receipts(connection, caller.workspace_id, message_id, RECEIPTS_SHOWN)
    values = {
        "one": line(one, faces, say, _whys(request, connection, caller, [one], {one.version_id: faces})),
        "waits_for_ever": one.due_at >= NEVER,
        "zone": users.timezone(connection, caller.workspace_id),
        "shown": _rendered(house, connection, caller, one, faces, now),
        "kept": one.content,
        "heard": [
            {
                "word": say(HEARD[row.kind]) if row.kind in HEARD else row.kind,
                "at": row.at,
                "detail": _said(_seen(row.detail, glasses)),
            }
            for row in heard
        ],
        "furthest": OUTCOMES[one.outcome - 1] if one.outcome else None,
        "channel": channel_words(request, house.catalog).get(one.channel, one.channel),
        "type_icons": icons(request, house.catalog),
    }
    return render(request, "messages/one.html", values)


@routes.get("/messages/{message_id}/mail", dependencies=[can("message.read")])
def show_mail(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, message_id: MessageId
) -> Response:
    """The HTML of a mail for a frame without rights: no script, no form, no picture from elsewhere (T05)."""
    one, faces = _known(request, connection, caller, message_id)
    shown = _rendered(house, connection, caller, one, faces, now)
    return Response(shown.text("html") if shown else "", media_type="text/html", headers=MAIL_HEADERS)


def _known(request: Request, connection: Connection, caller: Caller, message_id: int) -> tuple[Line, Faces]:
    one = messagelog.one(connection, caller.workspace_id, message_id)
    if one is None:
        raise missing("message")
    one = line_seen(glasses_of(connection, caller), one)
    return one, told.faces(request, connection, caller.workspace_id, [one.version_id])[one.version_id]


def _rendered(
    house: House, connection: Connection, caller: Caller, one: Line, faces: Faces, now: Any
) -> previews.Preview | None:
    """The words of a message rendered again: its version's, with what is known of the contact now."""
    step = next((node for node in faces.document.get("nodes", []) if node["id"] == one.node), None)
    kind = house.catalog.get(step["type"]) if step else None
    if step is None or kind is None or kind.channel is None:
        return None
    workspace_id, glasses = caller.workspace_id, glasses_of(connection, caller)
    person = people.find(connection, workspace_id, one.contact_id)
    person = person_seen(glasses, person) if person else None
    attributes: dict[str, Any] = dict(person.attributes) if person else {}
    best = told.best(person.identities) if person else None
    attributes.setdefault("id", best[1] if best else str(one.contact_id))
    for name, value in person.identities if person else ():
        attributes.setdefault(name, value)
    came = messagelog.entry_of(connection, workspace_id, one.lane, one.enrollment_id)
    entry = None
    if came is not None and came[1] is not None:
        place = (workspace_id, one.lane, one.contact_id, came[0], came[1])
        entry = history.entries(connection, [place]).get(came[1])
        entry = entry and entry._replace(properties=glasses.attributes(entry.properties))
    reader = previews.Reader(attributes, entry, str(attributes.get("timezone") or "UTC"))
    shown = previews.preview(kind, step.get("settings", {}), reader, one.sent_at or now)
    # Words that were kept with the message stand before its templates, and are never read as one.
    return previews.with_words(
        shown, {name: text for name, text in (one.content or {}).items() if isinstance(text, str)}
    )


def _seen(detail: Mapping[str, Any], glasses: Glasses) -> Mapping[str, Any]:
    """What somebody replied is theirs."""
    return {name: glasses.words(value) if name == "text" else value for name, value in detail.items()}


def _said(detail: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in detail.items() if value not in (None, "")}
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else told.compact(value)}" for name, value in shown.items()
    )
