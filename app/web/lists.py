"""The list of journeys: searched, filtered, in pages, with numbers that stay fresh. What changes a journey is in `rowdeeds`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from app.auth import Caller
from app.language import words
from app.store import keys, lists, overview, plans
from app.store.lists import Wish
from app.store.rows import Connection
from app.web import figures, seasonwords
from app.web.guard import Asker, Database, TheHouse, can
from app.web.page import page_router, render
from app.web.problems import invalid, missing
from app.web.shapes import INT, LONGEST_PLACE, NOT_A_PLACE, JourneyId, paged, place_of
from app.web.templating import language_of
from flows.words import _

routes = page_router()

A_PAGE = 50
IDS_AT_MOST = 200
STATUS_WORDS = {"live": _("live"), "paused": _("paused"), "draft": _("draft"), "stopped": _("stopped")}
REVIEW_WORDS = {"open": _("in review"), "approved": _("approved"), "rejected": _("sent back")}
ORDER_WORDS = {"changed": _("Last change"), "name": _("Name"), "new": _("Newest")}
Order = Literal["changed", "name", "new"]
StatusWish = Literal["", "live", "paused", "draft", "stopped"]
Ids = Annotated[list[int], Query(max_length=IDS_AT_MOST)]


@routes.get("/journeys", dependencies=[can("journey.read")])
def show_journeys(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    q: Annotated[str, Query(max_length=200)] = "",
    status: StatusWish = "",
    plan: Annotated[str, Query(pattern=r"^\d{0,9}$")] = "",
    mine: bool = False,
    archived: bool = False,
    sort: Order = "changed",
    after: Annotated[str | None, Query(max_length=LONGEST_PLACE)] = None,
) -> Response:
    """The page; htmx asks for the same address and takes its parts."""
    q = q.replace("\0", "").strip()
    wish = Wish(q or None, status or None, int(plan) if plan else None, caller.actor if mine else None, archived)
    values = _found(connection, caller, wish, sort, _place(after, sort))
    asked = {"q": q, "status": status, "plan": wish.plan, "mine": mine, "archived": archived, "sort": sort}
    narrowed = bool(q or status or plan or mine or archived)
    empty = not values["rows"] and not narrowed and not lists.any_at_all(connection, caller.workspace_id)
    say = words(language_of(request)).gettext
    page = {
        **values,
        "seasons": seasonwords.of_journeys(
            request, connection, caller.workspace_id, {row.id: row.plan_id for row in values["rows"]}, house.now()
        ),
        **_numbers(connection, caller, [row.id for row in values["rows"]], house.now()),
        "asked": asked,
        "narrowed": narrowed,
        "is_empty": empty,
        "beyond": after is not None,
        "plans": plans.names(connection, caller.workspace_id),
        "status_words": {name: say(word) for name, word in STATUS_WORDS.items()},
        "review_words": {name: say(word) for name, word in REVIEW_WORDS.items()},
        "order_words": {name: say(word) for name, word in ORDER_WORDS.items()},
    }
    return render(request, "journeys/list.html", page)


@routes.get("/journeys/numbers", dependencies=[can("journey.read")])
def show_numbers(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    id: Ids = [],  # noqa: B006 - never changed
) -> Response:
    """The moving parts of the rows that stand on a page: asked for every few seconds by its script."""
    ids = [one for one in id if 0 < one <= INT]
    return render(request, "journeys/_numbers.html", {"ids": ids, **_numbers(connection, caller, ids, house.now())})


@routes.get("/journeys/{journey_id}/menu", dependencies=[can("journey.read")])
def show_menu(request: Request, caller: Asker, connection: Database, journey_id: JourneyId) -> Response:
    """What can be done with one journey: asked for when the menu of its row opens, so that the list stays light."""
    row = lists.one(connection, caller.workspace_id, journey_id)
    if row is None:
        raise missing("journey")
    return render(request, "journeys/_menu.html", {"row": row})


def _found(connection: Connection, caller: Caller, wish: Wish, order: str, after: list[Any] | None) -> dict[str, Any]:
    found = lists.rows(connection, caller.workspace_id, wish, order, after, A_PAGE + 1)
    rows, later = paged(found, A_PAGE, lambda row: lists.place(row, order))
    states = lists.states(connection, caller.workspace_id, wish)
    return {
        "rows": rows,
        "after": later,
        "states": states,
        "count": states.get(wish.status, 0) if wish.status else sum(states.values()),
        "all_states": sum(states.values()),
        "names": keys.names(connection, caller.workspace_id, sorted({row.updated_by for row in rows})),
        "place": overview.place(connection, caller.workspace_id),
    }


def _numbers(connection: Connection, caller: Caller, ids: list[int], now: datetime) -> dict[str, Any]:
    return {"figures": figures.of_journeys(connection, caller.workspace_id, ids, now)}


def _place(after: str | None, order: str) -> list[Any] | None:
    place = place_of(after, str, int)
    if place is None:
        return None
    if not 0 <= place[1] <= INT:
        raise invalid([("after", NOT_A_PLACE)])
    if order != "name":
        try:
            datetime.fromisoformat(place[0])
        except ValueError:
            raise invalid([("after", NOT_A_PLACE)]) from None
    return place
