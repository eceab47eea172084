"""The first page: journeys with people moving in them, the latest messages. Reads tallies; changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request, Response

from app.auth import Caller
from app.language import words
from app.reasons import Part
from app.store import health, overview, sessions, submissions
from app.store.overview import Latest, Shown
from app.store.rows import Connection
from app.store.sessions import Link
from app.web.guard import Asker, Database, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.picture import Picture, draw
from app.web.templating import icons, language_of
from app.web.whys import of_reasons
from flows.contract import NodeType
from flows.words import _, speaking

routes = page_router()
Say = Callable[[str], str]

JOURNEYS_AT_MOST = 8
NAMED_AT_MOST = 4
ASIDE_AT_MOST = 1_000
ENDS = ("completed", "exited", "failed")
MESSAGES_SHOWN = 12
EXAMPLE = "app/demo/abandoned-order.yaml"
STATUS_WORDS = {"live": _("live"), "paused": _("paused"), "draft": _("draft"), "stopped": _("stopped")}
PORT_WORDS = {
    "yes": _("yes"), "no": _("no"), "other": _("everybody else"), "timeout": _("time ran out"), "failed": _("failed"),
    "past": _("was over already"), "go": _("go on"), "held": _("held back"), "opened": _("opened"), "clicked": _("clicked"),
    "delivered": _("delivered"),
}  # fmt: skip
# What became of a message, in one word and one colour: by status, and by outcome once it is sent.
SENT = 2
BECAME = {
    0: (_("waits its turn"), "busy"), 1: (_("on its way"), "busy"), 3: (_("failed"), "bad"), 4: (_("not sent"), "warn"),
    5: (_("expired"), "warn"), 6: (_("nobody knows yet"), "warn"), 7: (_("put off"), "busy"),
}  # fmt: skip
REACHED = {3: (_("opened"), "good"), 4: (_("clicked"), "good")}
SIMPLY_SENT = (_("sent"), "plain")


@dataclass(frozen=True, slots=True)
class Told:
    """A journey as the page shows it. `shape` changes when more than numbers does."""

    id: int
    name: str
    status: str
    number: int | None
    totals: dict[str, int]
    picture: Picture
    shape: str


@routes.get("/", dependencies=[can("journey.read")])
def show_home(request: Request, house: TheHouse, caller: Asker, connection: Database) -> Response:
    """The page."""
    return _answer(request, house, "home.html", caller, connection)


@routes.get("/fragments/journeys", dependencies=[can("journey.read")])
def show_live(request: Request, house: TheHouse, caller: Asker, connection: Database) -> Response:
    """Its moving part, for the page's own script."""
    return _answer(request, house, "home/_live.html", caller, connection)


def _answer(request: Request, house: House, template: str, caller: Caller, connection: Connection) -> Response:
    values = _values(request, connection, house, caller)
    return render(request, template, {**values, "icons": icons(request, house.catalog)})


def _values(request: Request, connection: Connection, house: House, caller: Caller) -> dict[str, Any]:
    language = language_of(request)
    say, workspace_id = words(language).gettext, caller.workspace_id
    shown = overview.journeys(connection, workspace_id, JOURNEYS_AT_MOST)
    counts: dict[int, dict[tuple[str, str], int]] = {}
    for journey, node, port, count in overview.counts(connection, workspace_id, [one.id for one in shown]):
        counts.setdefault(journey, {})[node, port] = count
    with speaking("zh" if language == "zh" else "en", say):
        told = [_told(one, house.catalog, counts.get(one.id, {}), say) for one in shown]
    whole = overview.totals(connection, workspace_id)
    begun = overview.begun(connection, workspace_id)
    return {
        "house": overview.house(connection, workspace_id),
        "journeys": told,
        "begun": begun,
        "entered": whole.get("entered", 0),
        "active": max(0, whole.get("entered", 0) - sum(whole.get(name, 0) for name in ENDS)),
        "attention": _attention(connection, house, caller),
        "messages": _lines(request, connection, workspace_id, say),
        "status_words": {name: say(word) for name, word in STATUS_WORDS.items()},
        "port_words": {name: say(word) for name, word in PORT_WORDS.items()},
        "now": house.now(),
        "sink": house.settings.sink,
        "base_url": house.settings.base_url,
        "key_file": f"{house.settings.data}/write-key",
        "example": EXAMPLE,
        "data": str(house.settings.data),
    }


def _links(connection: Connection, house: House, caller: Caller) -> list[Link]:
    """Sign-in links that others made for this person of late: whoever did not ask for one should know."""
    if caller.user_id is None:
        return []
    return sessions.links_of(connection, caller.workspace_id, caller.user_id, house.now() - timedelta(days=7))


def _attention(connection: Connection, house: House, caller: Caller) -> dict[str, Any]:
    """What somebody should look at: people who are stuck, drafts that wait for a reviewer, what could not be handled."""
    since, workspace_id = house.now() - timedelta(days=1), caller.workspace_id
    return {
        "stuck": health.stuck(connection, workspace_id, NAMED_AT_MOST),
        "reviews": submissions.waiting(connection, workspace_id, caller.actor, NAMED_AT_MOST),
        "aside": health.aside_since(connection, workspace_id, since, ASIDE_AT_MOST),
        "aside_most": ASIDE_AT_MOST,
        "links": _links(connection, house, caller),
    }


def _told(one: Shown, catalog: Mapping[str, NodeType], counts: Mapping[tuple[str, str], int], say: Say) -> Told:
    totals = {name: counts.get(("", name), 0) for name in ("entered", "completed", "exited", "failed")}
    totals["active"] = max(0, totals["entered"] - totals["completed"] - totals["exited"] - totals["failed"])
    picture = draw(one.document, catalog, counts, say)
    shape = f"{one.id}.{one.number}.{one.status}.{picture.width}x{picture.height}.{totals['failed'] > 0}"
    return Told(one.id, one.name, one.status, one.number, totals, picture, shape)


def _lines(request: Request, connection: Connection, workspace_id: int, say: Say) -> list[dict[str, Any]]:
    latest = overview.messages(connection, workspace_id, MESSAGES_SHOWN)
    whys = of_reasons(request, connection, workspace_id, [one.reason for one in latest])
    return [_line(one, say, whys.get(one.reason or "", ())) for one in latest]


def _line(one: Latest, say: Say, why: tuple[Part, ...]) -> dict[str, Any]:
    word, tone = BECAME.get(one.status, SIMPLY_SENT)
    if one.status == SENT:
        word, tone = REACHED.get(one.outcome, SIMPLY_SENT)
    return {**one._asdict(), "word": say(word), "tone": tone, "why": why, "icon": f"send.{one.channel}"}
