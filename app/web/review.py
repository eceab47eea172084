"""The review page: what changed, on the canvas and in sentences; approve, send back, publish. The rules are `publishing`'s."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Form, Request, Response

from app import differences, publishing
from app.auth import Caller
from app.counts import gather
from app.store import keys, submissions, tallies
from app.store.journeys import Journey
from app.store.rows import Connection
from app.store.submissions import Decided, Submission
from app.web.canvas_page import Shown, show
from app.web.colleague import seat_offered
from app.web.comments import threads
from app.web.flowstates import StateQuery, document_of, known_journey
from app.web.guard import Asker, Database, TheHouse, can
from app.web.house import House
from app.web.journeys import AtDesk
from app.web.page import page_router
from app.web.problems import ProblemError
from app.web.shapes import JourneyId
from app.web.templating import reading
from flows import document as documents
from flows.contract import Json
from flows.words import _

routes = page_router()

TEMPLATE = "journeys/review.html"
IN_HAND = ("open", "approved")
OWN_EDITED = _("You edited this draft, so somebody else must review it.")
OWN_SUBMITTED = _("You handed this draft in, so somebody else must review it.")
REASON_NEEDED = _("Say in a sentence what should be different; it goes to who handed it in.")


@routes.get("/journeys/{journey_id}/review", dependencies=[can("journey.read")])
def show_review(
    request: Request, house: TheHouse, caller: Asker, connection: Database, journey_id: JourneyId
) -> Response:
    """What was handed in (or the draft, where nothing was) beside what people walk now."""
    journey = known_journey(connection, caller, journey_id)
    last = submissions.latest(connection, caller.workspace_id, journey_id)
    handed = last if last is not None and last.status in IN_HAND else None
    after = submissions.document(connection, caller.workspace_id, handed.id) if handed else None
    if after is None:
        after = document_of(connection, journey, caller.workspace_id, "draft")
    before = document_of(connection, journey, caller.workspace_id, "live")
    review = _standing(request, connection, caller, journey, last)
    return _answer(request, house, connection, _Pair(journey, before, after, "live", "draft", review))


@routes.get("/journeys/{journey_id}/compare", dependencies=[can("journey.read")])
def compare_states(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    journey_id: JourneyId,
    before: StateQuery = "live",
    after: StateQuery = "draft",
) -> Response:
    """Any two states beside one another."""
    journey = known_journey(connection, caller, journey_id)
    old, new = (document_of(connection, journey, caller.workspace_id, state) for state in (before, after))
    return _answer(request, house, connection, _Pair(journey, old, new, before, after, {}))


@routes.post("/journeys/{journey_id}/review/submit", dependencies=[can("journey.submit")])
def hand_in(journey_id: JourneyId, desk: AtDesk) -> Response:
    """Hand the draft in."""
    publishing.submit(desk, journey_id)
    return _lead(f"/journeys/{journey_id}/review")


@routes.post("/journeys/{journey_id}/review/decide", dependencies=[can("journey.review")])
def decide(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    decision: Annotated[Literal["approve", "reject"], Form()],
    content_hash: Annotated[str, Form(max_length=100)],
    comment: Annotated[str, Form(max_length=4_000)] = "",
) -> Response:
    """Approve, or send back with a reason."""
    if decision == "reject" and not comment.strip():
        with reading(request) as say:
            raise ProblemError(422, say(REASON_NEEDED))
    publishing.review(desk, journey_id, decision, content_hash, comment.strip())
    return _lead(f"/journeys/{journey_id}/review")


@routes.post("/journeys/{journey_id}/review/publish", dependencies=[can("journey.publish")])
def publish(journey_id: JourneyId, desk: AtDesk, content_hash: Annotated[str, Form(max_length=100)]) -> Response:
    """Let people in by it from now on."""
    publishing.publish(desk, journey_id, content_hash)
    return _lead(f"/journeys/{journey_id}/live")


class _Pair:
    """Two states of a flow, and where the review of the later one stands."""

    def __init__(self, journey: Journey, before: dict[str, Any], after: dict[str, Any], *named: Any) -> None:
        self.journey, self.before, self.after = journey, before, after
        self.before_name, self.after_name, self.review = named


def _answer(request: Request, house: House, connection: Connection, pair: _Pair) -> Response:
    caller: Caller = request.state.caller
    old, new = documents.load(pair.before), documents.load(pair.after)
    here = _people(connection, caller.workspace_id, pair.journey.id)
    with reading(request):
        items = differences.items(old, new, house.catalog)
        laid = differences.overlay(old, new, items, differences.faces_of(old, house.catalog))
    changes = [{**asdict(item), "people": here.get(item.node, 0)} for item in items]
    said = threads(connection, caller.workspace_id, pair.journey.id)
    data: dict[str, Json] = {
        "diff": laid,
        "changes": changes,
        "comments": said,
        "comment_url": f"/journeys/{pair.journey.id}/comments",
        "may_comment": caller.may("journey.comment"),
    }
    values = {
        "changes": changes,
        "before_name": pair.before_name,
        "after_name": pair.after_name,
        "review": pair.review,
        "threads_open": sum(1 for one in said if not one["settled_at"]),
        "never_live": pair.journey.live_number is None,
    }
    return show(request, house, connection, Shown("review", pair.journey, pair.after, data, values, TEMPLATE))


def _standing(
    request: Request, connection: Connection, caller: Caller, journey: Journey, last: Submission | None
) -> dict[str, Any]:
    """Where the review stands, what this person may do about it, and why not."""
    state = last.status if last is not None and last.status in (*IN_HAND, "rejected") else "draft"
    decided = submissions.opinions(connection, caller.workspace_id, last.id) if last is not None else []
    actors = {one.reviewer for one in decided} | ({last.submitted_by} if last else set())
    names = keys.names(connection, caller.workspace_id, sorted(actors))
    own = ""
    if last is not None and state in IN_HAND:
        own = OWN_EDITED if caller.actor in {*last.editors, *journey.editors} else ""
        own = own or (OWN_SUBMITTED if caller.actor == last.submitted_by else "")
    with reading(request) as say:
        refused = say(own) if own else ""
    return {
        "state": state,
        "content_hash": last.content_hash if last is not None and state in IN_HAND else "",
        "submitted_by": names.get(last.submitted_by, last.submitted_by) if last else "",
        "submitted_at": last.submitted_at if last else None,
        "own": refused,
        "colleague": seat_offered(request, connection, caller) if refused else "",
        "decided": [_decision(one, names) for one in decided],
    }


def _decision(one: Decided, names: dict[str, str]) -> dict[str, Any]:
    return {**one._asdict(), "reviewer": names.get(one.reviewer, one.reviewer)}


def _people(connection: Connection, workspace_id: int, journey_id: int) -> dict[str, int]:
    """Who stands at each step now, whatever version they walk."""
    stats = gather(tallies.of_journey(connection, workspace_id, journey_id))
    return {node: max(0, one.waiting) for node, one in stats.nodes.items()}


def _lead(place: str) -> Response:
    return Response(status_code=204, headers={"HX-Redirect": place})
