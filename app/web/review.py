"""The review page: what changed, on the canvas and in sentences; approve, send back, publish. The rules are `publishing`'s."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Form, Request, Response

from app import differences, publishing
from app.auth import Caller
from app.counts import gather
from app.publishing import Desk
from app.store import tallies, users
from app.store.journeys import Journey
from app.store.rows import Connection
from app.web import reviewed
from app.web.canvas_page import Shown, show
from app.web.colleague import seat_offered
from app.web.comments import threads
from app.web.flowstates import StateQuery, document_of, known_journey
from app.web.guard import Asker, Database, TheHouse, can
from app.web.house import House
from app.web.journeys import AtDesk
from app.web.page import page_router, toast
from app.web.problems import ProblemError
from app.web.reminders import remind
from app.web.reviewed import Reviewed
from app.web.shapes import JourneyId
from app.web.templating import reading
from flows import conditions
from flows import document as documents
from flows.calendar import at_wall
from flows.conditions import Conditions
from flows.contract import Json
from flows.words import _

routes = page_router()

TEMPLATE = "journeys/review.html"
REMINDED = _("Reviewers are reminded.")
NOBODY_REVIEWS = _("Nobody else here may review it; ask an admin to invite a reviewer.")
ODD_CONDITIONS = _("The cap is a whole number of at least 1, and the start a date and a time.")


@routes.get("/journeys/{journey_id}/review", dependencies=[can("journey.read")])
def show_review(request: Request, house: TheHouse, caller: Asker, desk: AtDesk, journey_id: JourneyId) -> Response:
    """What was handed in (or the draft, where nothing was) beside what people walk now."""
    one = reviewed.reviewed(desk.connection, desk.workspace_id, known_journey(desk.connection, caller, journey_id))
    review = _standing(request, caller, desk, one)
    pair = _Pair(one.journey, one.before, one.after, "live", "draft", review)
    return _answer(request, house, desk.connection, pair)


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
    entries_at_most: Annotated[str, Form(max_length=20)] = "",
    not_before: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Approve, under conditions if there are any, or send back with a reason."""
    bound = _conditions(request, desk, entries_at_most.strip(), not_before.strip())
    publishing.review(desk, journey_id, decision, content_hash, comment.strip(), bound=bound)
    return _lead(f"/journeys/{journey_id}/review")


@routes.post("/journeys/{journey_id}/review/nudge", dependencies=[can("journey.submit")])
def nudge(request: Request, house: TheHouse, caller: Asker, journey_id: JourneyId, desk: AtDesk) -> Response:
    """Remind those who may review it."""
    asked, letters = remind(house, desk, journey_id, caller.name)
    with reading(request) as say:
        text = say(REMINDED) if asked else say(NOBODY_REVIEWS)
    answer = toast(Response(status_code=204), text, kind="good" if asked else "warn")
    answer.background = letters
    return answer


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


def _standing(request: Request, caller: Caller, desk: Desk, one: Reviewed) -> dict[str, Any]:
    """Where the review stands, what this person may do about it, and why not."""
    last, journey = one.last, one.journey
    state = last.status if last is not None and last.status in (*reviewed.IN_HAND, "rejected") else "draft"
    decided, names = reviewed.opinions_of(desk.connection, desk.workspace_id, one)
    given = reviewed.approval_of(desk, one)
    own = publishing.own_part(caller.actor, caller.maker, journey, one.handed) if one.handed is not None else ""
    with reading(request) as say:
        refused = say(own) if own else ""
    return {
        "state": "open" if given and state == "approved" and not given.enough else state,
        "content_hash": one.handed.content_hash if one.handed else "",
        "submitted_by": names.get(last.submitted_by, last.submitted_by) if last else "",
        "submitted_at": last.submitted_at if last else None,
        "nudged_at": last.nudged_at if last else None,
        "own": refused,
        "mine": given is not None and caller.actor in given.approvers,
        "given": given,
        "zone": users.timezone(desk.connection, desk.workspace_id),
        "colleague": seat_offered(request, desk.connection, caller) if refused else "",
        "decided": [{**said, "bound": conditions.load(said["conditions"])} for said in decided],
    }


def _conditions(request: Request, desk: Desk, most: str, start: str) -> Conditions:
    """The conditions of the form; the start is of the workspace's clock."""
    try:
        number = int(most) if most else None
        moment = datetime.fromisoformat(start) if start else None
        if moment is not None and moment.tzinfo is None:
            zone = ZoneInfo(users.timezone(desk.connection, desk.workspace_id))
            moment = at_wall(zone, moment.date(), moment.time())
        return Conditions(entries_at_most=number, not_before=moment)
    except ValueError:
        with reading(request) as say:
            raise ProblemError(422, say(ODD_CONDITIONS)) from None


def _people(connection: Connection, workspace_id: int, journey_id: int) -> dict[str, int]:
    """Who stands at each step now, whatever version they walk."""
    stats = gather(tallies.of_journey(connection, workspace_id, journey_id))
    return {node: max(0, one.waiting) for node, one in stats.nodes.items()}


def _lead(place: str) -> Response:
    return Response(status_code=204, headers={"HX-Redirect": place})
