"""Drafts kept aside as a page: kept under a name, taken up again on top of what is live with the conflicts asked, deleted."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Form, Request, Response

from app import drafting, facets
from app.publishing import known
from app.store import sidedrafts
from app.web import reviewed
from app.web.guard import TheHouse, can
from app.web.house import House
from app.web.journeys import AtDesk
from app.web.page import page_router, render
from app.web.problems import ProblemError, missing
from app.web.shapes import INT, JourneyId
from app.web.sidedrafts import DraftId
from app.web.templating import reading
from app.web.versions import OVERTAKEN
from flows.merging import Conflict, Side
from flows.words import _

routes = page_router()

NAMELESS = _("Give it a name, so that it is found again.")
JOURNEY, NOTE, GROUP = _("The journey"), _("A note"), _("A group")
Texts = Annotated[list[str], Form(max_length=1_000)]
Sides = Annotated[list[Side], Form(max_length=1_000)]


@routes.post("/journeys/{journey_id}/drafts", dependencies=[can("journey.edit")])
def keep(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    name: Annotated[str, Form(max_length=400)] = "",
    begin: Annotated[Literal["draft", "live"], Form()] = "draft",
) -> Response:
    """Keep the draft aside, or begin another from what is live."""
    name = " ".join(name.split())[:200]
    if not name:
        with reading(request) as say:
            raise ProblemError(422, say(NAMELESS))
    drafting.keep(desk, journey_id, name, begin)
    return _lead(f"/journeys/{journey_id}/versions")


@routes.get("/journeys/{journey_id}/drafts/{draft_id}/take-up", dependencies=[can("journey.edit")])
def show_take_up(request: Request, house: TheHouse, journey_id: JourneyId, draft_id: DraftId, desk: AtDesk) -> Response:
    """What becomes of it on top of what is live, and what only a person can decide."""
    journey = known(desk, journey_id)
    one = sidedrafts.find(desk.connection, desk.workspace_id, journey_id, draft_id)
    if one is None:
        raise missing("draft")
    merged = drafting.rebased(desk, journey_id, draft_id, {})
    with reading(request) as say:
        titles = reviewed.titles(house, merged.document)
        words = {"journey": say(JOURNEY), "note": say(NOTE), "group": say(GROUP)}
        conflicts = [
            {**_asked(one, titles, words), "says": [_says(house, one.mine), _says(house, one.theirs)]}
            for one in merged.conflicts
        ]
    values = {
        "journey": journey,
        "one": one,
        "merged": merged,
        "conflicts": conflicts,
    }
    return render(request, "journeys/_take_up.html", values)


@routes.post("/journeys/{journey_id}/drafts/{draft_id}/take-up", dependencies=[can("journey.edit")])
def take_up(
    request: Request,
    journey_id: JourneyId,
    draft_id: DraftId,
    desk: AtDesk,
    revision: Annotated[int, Form(ge=1, le=INT)],
    key: Texts = [],  # noqa: B006 FastAPI copies it
    side: Sides = [],  # noqa: B006
) -> Response:
    """Make it the draft."""
    choices = dict(zip(key, side, strict=False))
    if drafting.take_up(desk, journey_id, draft_id, revision, choices) is None:
        with reading(request) as say:
            raise ProblemError(412, say(OVERTAKEN))
    return _lead(f"/journeys/{journey_id}/edit")


@routes.post("/journeys/{journey_id}/drafts/{draft_id}/delete", dependencies=[can("journey.edit")])
def delete(journey_id: JourneyId, draft_id: DraftId, desk: AtDesk) -> Response:
    """Delete one."""
    drafting.drop(desk, journey_id, draft_id)
    return _lead(f"/journeys/{journey_id}/versions")


def _asked(one: Conflict, titles: dict[str, str], words: dict[str, str]) -> dict[str, Any]:
    """A conflict as the dialog asks about it."""
    title = words.get(one.kind) or titles.get(one.id) or _named((one.mine, one.theirs)) or one.id
    gone = "mine" if one.mine is None else "theirs" if one.theirs is None else ""
    return {"key": one.key, "title": title, "what": one.what, "gone": gone}


def _says(house: House, side: Any) -> str:
    """A step of one side in a line, as its card has it."""
    if not isinstance(side, dict) or "type" not in side:
        return ""
    known = facets.describe({"schema": 1, "nodes": [side], "edges": []}, house.catalog, None)["nodes"]
    return str(known.get(side.get("id"), {}).get("summary") or "")


def _named(some: Sequence[Any]) -> str:
    return next((str(one["name"]) for one in some if isinstance(one, dict) and one.get("name")), "")


def _lead(place: str) -> Response:
    return Response(status_code=204, headers={"HX-Redirect": place})
