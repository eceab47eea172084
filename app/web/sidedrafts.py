"""Drafts kept aside, over HTTP: kept under a name, listed, shown, taken up again on top of what is live, deleted."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Response
from pydantic import ConfigDict, Field

from app import drafting
from app.publishing import Desk, known
from app.store import journeys, keys, sidedrafts
from app.store.sidedrafts import SideDraft
from app.web.guard import can, router
from app.web.journeys import AtDesk
from app.web.problems import ProblemError, missing
from app.web.shapes import INT, In, JourneyId, Out, Page, Text
from flows.merging import Conflict, Side
from flows.words import _

routes = router("journeys")

DraftId = Annotated[int, Path(ge=1, le=INT, description="Number of the draft kept aside.", examples=[3])]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the draft it takes the place of.", examples=['"4"'])
]
SAMPLE: dict[str, Any] = {
    "id": 3,
    "name": "With a second reminder",
    "owner": "Li Na",
    "based_on": 2,
    "steps": 7,
    "created_at": "2026-11-21T08:00:00Z",
    "updated_at": "2026-11-21T08:00:00Z",
}


class AsideIn(In):
    """Keep the present draft aside, or begin another from what is live."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "With a second reminder", "begin": "draft"}]})
    name: Text
    begin: Literal["draft", "live"] = "draft"


class AsideOut(Out):
    """A draft kept aside. `based_on`: the version that was live when it began; null where none was."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    id: int
    name: str
    owner: str
    based_on: int | None
    steps: int
    created_at: datetime
    updated_at: datetime


class ConflictOut(Out):
    """A piece that both changed: `mine` is this draft's, `theirs` the live version's; null took it away."""

    kind: Literal["step", "note", "group", "journey"]
    id: str
    key: str
    what: list[str]
    mine: Any
    theirs: Any


class RebasedOut(Out):
    """The draft on top of what is live now; with conflicts left, `mine` stands where nothing was chosen."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"document": {"schema": 1}, "conflicts": [], "mine": ["pause"], "theirs": []}]}
    )
    document: dict[str, Any]
    conflicts: list[ConflictOut]
    mine: list[str]
    theirs: list[str]


class TakeUpIn(In):
    """For each conflict, by its key, which side holds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"choices": {"step pause": "mine"}}]})
    choices: dict[Annotated[str, Field(max_length=200)], Side] = Field(default_factory=dict, max_length=1_000)


class TakenOut(Out):
    """The revision of the draft now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 5}]})
    revision: int


@routes.get("/journeys/{journey_id}/drafts", dependencies=[can("journey.read")])
def list_drafts(journey_id: JourneyId, desk: AtDesk) -> Page[AsideOut]:
    """List the drafts kept aside, the latest first; the draft itself is not among them."""
    known(desk, journey_id)
    found = sidedrafts.of_journey(desk.connection, desk.workspace_id, journey_id)
    return Page(items=shown(desk, found), next=None)


@routes.post("/journeys/{journey_id}/drafts", status_code=201, dependencies=[can("journey.edit")])
def keep_draft(journey_id: JourneyId, wish: AsideIn, desk: AtDesk) -> AsideOut:
    """Keep the draft aside under a name, or begin another from what is live; the draft itself stays as it is."""
    return shown(desk, [drafting.keep(desk, journey_id, wish.name, wish.begin)])[0]


@routes.post("/journeys/{journey_id}/drafts/{draft_id}/rebase", dependencies=[can("journey.read")])
def rebase_draft(journey_id: JourneyId, draft_id: DraftId, wish: TakeUpIn, desk: AtDesk) -> RebasedOut:
    """Show what it would say on top of what is live now, step by step; nothing is changed."""
    known(desk, journey_id)
    merged = drafting.rebased(desk, journey_id, draft_id, wish.choices)
    conflicts = [_conflict(one) for one in merged.conflicts]
    return RebasedOut(document=merged.document, conflicts=conflicts, mine=merged.mine, theirs=merged.theirs)


@routes.post("/journeys/{journey_id}/drafts/{draft_id}/take-up", dependencies=[can("journey.edit")])
def take_up_draft(
    journey_id: JourneyId, draft_id: DraftId, wish: TakeUpIn, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> TakenOut:
    """Make it the draft, on top of what is live now. Send `If-Match`: 428 without it, 412 where somebody was faster.

    409 while a conflict has no choice. Approvals are void, and who drew it may not approve it.
    """
    journey = known(desk, journey_id)
    if if_match is None:
        raise ProblemError(428, _("Send If-Match with the ETag of the draft that it takes the place of."))
    tag = if_match.strip().strip('"')
    revision = int(tag) if tag.isascii() and tag.isdecimal() and len(tag) < 10 else -1
    saved = drafting.take_up(desk, journey_id, draft_id, revision, wish.choices)
    if saved is None:
        raise ProblemError(412, _("Somebody saved the draft meanwhile."), headers={"ETag": f'"{journey.revision}"'})
    response.headers["ETag"] = f'"{saved}"'
    return TakenOut(revision=saved)


@routes.delete("/journeys/{journey_id}/drafts/{draft_id}", status_code=204, dependencies=[can("journey.edit")])
def delete_draft(journey_id: JourneyId, draft_id: DraftId, desk: AtDesk) -> None:
    """Delete a draft kept aside."""
    drafting.drop(desk, journey_id, draft_id)


def shown(desk: Desk, some: list[SideDraft]) -> list[AsideOut]:
    """Drafts kept aside as the API shows them."""
    names = keys.names(desk.connection, desk.workspace_id, sorted({one.owner for one in some}))
    return [
        AsideOut(
            id=one.id,
            name=one.name,
            owner=names.get(one.owner, one.owner),
            based_on=one.base_number,
            steps=one.steps,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )
        for one in some
    ]


def _conflict(one: Conflict) -> ConflictOut:
    return ConflictOut(kind=one.kind, id=one.id, key=one.key, what=list(one.what), mine=one.mine, theirs=one.theirs)


def draft_of(desk: Desk, journey_id: int, draft_id: int) -> dict[str, Any]:
    """What a draft kept aside says."""
    found = sidedrafts.documents(desk.connection, desk.workspace_id, journey_id, draft_id)
    if found is None or journeys.find(desk.connection, desk.workspace_id, journey_id) is None:
        raise missing("draft")
    return found[1]
