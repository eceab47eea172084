"""What a list does to journeys: begin, duplicate, pause, archive, bring back, move. The rules are `publishing`'s."""

from typing import Annotated, Literal

from fastapi import Form, Query, Request, Response

from app import audit, pausing, publishing
from app.language import words
from app.publishing import Desk, known
from app.store import lists
from app.web.guard import can
from app.web.journeys import AtDesk
from app.web.page import page_router, toast
from app.web.problems import ProblemError, missing
from app.web.shapes import INT, JourneyId
from app.web.templating import language_of
from flows.words import _

routes = page_router()

AT_ONCE = 200
Ids = Annotated[list[int], Form(max_length=AT_ONCE)]
EMPTY = {"schema": 1, "settings": {"reentry": {"mode": "once"}}, "nodes": [], "edges": []}


@routes.post("/journeys", dependencies=[can("journey.edit")])
def begin_empty(request: Request, desk: AtDesk) -> Response:
    """A new journey with an empty canvas; the page goes there."""
    made = publishing.create(desk, _say(request, _("Untitled journey")), EMPTY)
    return _lead(f"/journeys/{made.id}/edit")


@routes.post("/journeys/{journey_id}/duplicate", dependencies=[can("journey.edit")])
def duplicate(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """A new draft like this one's; the page goes there."""
    made = publishing.duplicate(desk, journey_id, _say(request, _("%(name)s (copy)")))
    return _lead(f"/journeys/{made.id}/edit")


@routes.post("/journeys/{journey_id}/state", dependencies=[can("journey.run")])
def change_state(
    request: Request, journey_id: JourneyId, desk: AtDesk, to: Annotated[Literal["paused", "live"], Form()]
) -> Response:
    """Pause or resume."""
    if to == "paused":
        pausing.pause(desk, journey_id)
        return _changed(request, _("Paused. Waits stand still until it is resumed."))
    pausing.resume(desk, journey_id)
    return _changed(request, _("Resumed. Every wait ends as much later as the pause took."))


@routes.post("/journeys/{journey_id}/archive", dependencies=[can("journey.edit")])
def archive_one(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """Put a journey out of sight; a live one never."""
    if known(desk, journey_id).status == "live":
        raise ProblemError(409, _say(request, LIVE))
    gone = lists.archive(desk.connection, desk.workspace_id, [journey_id], desk.now)
    _note(desk, "journey.archive", gone)
    return _changed(request, _("Archived."), undo=_back(gone))


@routes.post("/journeys/archive", dependencies=[can("journey.edit")])
def archive_many(request: Request, desk: AtDesk, id: Ids) -> Response:
    """Put journeys out of sight; live ones among them stay, and the page says so."""
    wanted = sorted({one for one in id if 0 < one <= INT})
    gone = lists.archive(desk.connection, desk.workspace_id, wanted, desk.now)
    if not gone:
        raise ProblemError(409, _say(request, LIVE))
    _note(desk, "journey.archive", gone)
    text = _("%(count)s archived.") if len(gone) == len(wanted) else _("%(count)s archived; live ones stayed.")
    return _changed(request, text, count=len(gone), undo=_back(gone))


@routes.post("/journeys/restore", dependencies=[can("journey.edit")])
def restore_many(
    request: Request, desk: AtDesk, ids: Annotated[str, Query(max_length=4000, pattern=r"^\d{1,10}(,\d{1,10})*$")]
) -> Response:
    """Bring journeys back: what the toast's undo asks for."""
    wanted = [number for one in ids.split(",") if 0 < (number := int(one)) <= INT]
    _note(desk, "journey.restore", lists.restore(desk.connection, desk.workspace_id, wanted[:AT_ONCE]))
    return _changed(request, _("Back in the list."))


@routes.post("/journeys/{journey_id}/restore", dependencies=[can("journey.edit")])
def restore_one(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """Bring a journey back."""
    back = lists.restore(desk.connection, desk.workspace_id, [journey_id])
    if not back:
        raise missing("journey")
    _note(desk, "journey.restore", back)
    return _changed(request, _("Back in the list."))


@routes.post("/journeys/move", dependencies=[can("journey.edit")])
def move_many(
    request: Request, desk: AtDesk, id: Ids, plan: Annotated[str, Form(pattern=r"^\d{0,9}$")] = ""
) -> Response:
    """Lay journeys into a plan, or out of theirs."""
    wanted = [one for one in id if 0 < one <= INT]
    moved = lists.move(desk.connection, desk.workspace_id, wanted, int(plan) if plan else None)
    if not moved:
        raise missing("plan")
    _note(desk, "journey.move", moved, {"plan": int(plan) if plan else None})
    return _changed(request, _("Moved."))


LIVE = _("People are entering it, so it cannot be archived. Pause or stop it first.")


def _note(desk: Desk, what: str, ids: list[int], after: audit.Said = None) -> None:
    about = [f"journey:{one}" for one in ids]
    audit.record_all(desk.connection, desk.workspace_id, desk.actor, what, about, None, after, desk.now)


def _say(request: Request, text: str) -> str:
    return words(language_of(request)).gettext(text)


def _lead(place: str) -> Response:
    return Response(status_code=204, headers={"HX-Redirect": place})


def _back(ids: list[int]) -> str | None:
    return f"/journeys/restore?ids={','.join(map(str, ids))}" if ids else None


def _changed(request: Request, text: str, *, undo: str | None = None, count: int = 0) -> Response:
    """News for the corner, and a word to the list that it should look again."""
    said = _say(request, text)
    return toast(Response(status_code=204), said % {"count": count} if count else said, undo=undo, also="list-changed")
