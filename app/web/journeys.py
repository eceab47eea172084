"""Journeys over HTTP: made, listed, drawn (drafts with ETags), checked, exported. What makes them live is in `reviews`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query, Response
from pydantic import ConfigDict, Field

from app import publishing
from app.documents import write_yaml
from app.publishing import Desk, known
from app.store import journeys, keys, lists
from app.store.journeys import Asked, Journey
from app.web.guard import Asker, Database, Now, TheHouse, can, router
from app.web.problems import ProblemError, missing
from app.web.shapes import (
    INT,
    PAGE,
    In,
    JourneyId,
    Limit,
    Next,
    Out,
    Page,
    ProblemOut,
    Text,
    paged,
    place_of,
    problem_out,
)
from flows import document as documents
from flows.raw import TEXT_AT_MOST
from flows.words import _, told

routes = router("journeys")

DOCUMENT_BYTES = TEXT_AT_MOST  # a flow may carry the words of many mails
SAMPLE: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "once"}, "goal": {"event": "order_paid", "within": "P3D"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "order_submitted"}},
        {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": "PT10M"}},
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "pause"},
        {"from": "pause", "port": "next", "to": "end"},
    ],
}

FlowDocument = Annotated[dict[str, Any], Field(description="A flow document, schema 1.")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the draft you changed.", examples=['"1"'])
]
Status = Literal["draft", "live", "paused", "stopped"]


class JourneyIn(In):
    """A new journey."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Order not paid", "document": SAMPLE}]})
    name: Text
    document: FlowDocument
    plan_id: int | None = Field(None, ge=1, le=INT, strict=True, description="The plan it lies in.")


class JourneyMade(Out):
    """The new journey; its draft has revision 1."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 7, "status": "draft", "revision": 1}]})
    id: int
    status: Status
    revision: int


class NameIn(In):
    """Another name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Order not paid in ten minutes"}]})
    name: Text


class JourneyOut(Out):
    """A journey. `version` is the number of the live version; `created_by` and `updated_by` say `user:3` or `key:7`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 7,
                    "name": "Order not paid",
                    "status": "live",
                    "revision": 4,
                    "version": 2,
                    "paused_at": None,
                    "pause_reason": None,
                    "created_at": "2026-11-21T08:00:00Z",
                    "created_by": "user:3",
                    "updated_at": "2026-11-21T09:30:00Z",
                    "updated_by": "user:3",
                    "scope": "shanghai",
                }
            ]
        }
    )
    id: int
    name: str
    status: Status
    revision: int
    version: int | None
    paused_at: datetime | None
    pause_reason: str | None = Field(description="Why a fuse paused it; a person has to look before it goes on.")
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    scope: str


class DraftIn(In):
    """What the draft shall be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"document": SAMPLE}]})
    document: FlowDocument


class DraftOut(Out):
    """The draft; its revision is the ETag."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 1, "document": SAMPLE}]})
    revision: int
    document: FlowDocument


class RevisionOut(Out):
    """The revision that was saved, also the new ETag."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 2}]})
    revision: int


class CheckedOut(Out):
    """What is wrong with the draft, and the hash that a review would bind."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content_hash": "9f2c…", "problems": []}]})
    content_hash: str
    problems: list[ProblemOut]


def _desk(connection: Database, house: TheHouse, asker: Asker, now: Now) -> Desk:
    return Desk(connection, house.catalog, asker.workspace_id, asker.actor, now, asker.maker)


AtDesk = Annotated[Desk, Depends(_desk, scope="function")]


def journey_out(one: Journey) -> JourneyOut:
    """A journey as the API shows it."""
    shown = {name: value for name, value in one._asdict().items() if name in JourneyOut.model_fields}
    shown["paused_at"] = one.paused_at if one.status == "paused" else None
    return JourneyOut(**shown, version=one.live_number)


@routes.post("/journeys", status_code=201, dependencies=[can("journey.edit")], max_body_size=DOCUMENT_BYTES)
def create_journey(journey: JourneyIn, desk: AtDesk) -> JourneyMade:
    """Make a journey.

    Its draft may be unfinished: `validate` says what is missing. Only a document that is not schema 1 is refused.
    """
    made = publishing.create(desk, journey.name, journey.document)
    if journey.plan_id is not None and not lists.move(desk.connection, desk.workspace_id, [made.id], journey.plan_id):
        raise missing("plan")
    return JourneyMade(id=made.id, status="draft", revision=made.revision)


@routes.get("/journeys", dependencies=[can("journey.read")])
def list_journeys(
    desk: AtDesk,
    status: Annotated[Status | None, Query(description="Only journeys in this state.")] = None,
    name: Annotated[str | None, Query(max_length=200, description="Only names that hold this text.")] = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[JourneyOut]:
    """List journeys, the newest first."""
    place = place_of(next, int)
    asked = Asked(status, name or None, place[0] if place else None, limit + 1)
    rows, after = paged(journeys.page(desk.connection, desk.workspace_id, asked), limit, lambda row: [row.id])
    return Page(items=[journey_out(row) for row in rows], next=after)


@routes.get("/journeys/{journey_id}", dependencies=[can("journey.read")])
def read_journey(journey_id: JourneyId, desk: AtDesk) -> JourneyOut:
    """Show a journey."""
    return journey_out(known(desk, journey_id))


@routes.patch("/journeys/{journey_id}", dependencies=[can("journey.edit")])
def rename_journey(journey_id: JourneyId, change: NameIn, desk: AtDesk) -> JourneyOut:
    """Rename a journey; its flow and its approval stay as they are."""
    before = known(desk, journey_id)
    journeys.rename(desk.connection, desk.workspace_id, journey_id, change.name)
    desk.note("journey.rename", f"journey:{journey_id}", {"name": before.name}, {"name": change.name})
    return journey_out(known(desk, journey_id))


@routes.get("/journeys/{journey_id}/draft", dependencies=[can("journey.read")])
def read_draft(journey_id: JourneyId, desk: AtDesk, response: Response) -> DraftOut:
    """Show the draft; the `ETag` is needed to save it."""
    journey, document = known(desk, journey_id), journeys.draft(desk.connection, desk.workspace_id, journey_id)
    response.headers["ETag"] = f'"{journey.revision}"'
    return DraftOut(revision=journey.revision, document=document or {})


@routes.put("/journeys/{journey_id}/draft", dependencies=[can("journey.edit")], max_body_size=DOCUMENT_BYTES)
def save_draft(
    journey_id: JourneyId, draft: DraftIn, desk: AtDesk, response: Response, if_match: IfMatch = None
) -> RevisionOut:
    """Save the draft, if nobody else has saved since it was read.

    Send `If-Match` with the ETag you read: without it 428, and 412 with the present revision where somebody was faster.
    A change of meaning makes a submission or approval void.
    """
    journey = known(desk, journey_id)
    saved = publishing.save_draft(desk, journey_id, _expected(if_match, journey), draft.document)
    if saved is None:
        raise _overtaken(desk, known(desk, journey_id))
    response.headers["ETag"] = f'"{saved}"'
    return RevisionOut(revision=saved)


@routes.post("/journeys/{journey_id}/validate", dependencies=[can("journey.read")])
def validate_draft(journey_id: JourneyId, desk: AtDesk) -> CheckedOut:
    """Check the draft against the node types and accounts there are now; nothing is changed."""
    found = publishing.check(desk, journey_id)
    return CheckedOut(content_hash=found.content_hash, problems=[problem_out(one) for one in found.problems])


@routes.get(
    "/journeys/{journey_id}/export",
    dependencies=[can("journey.read")],
    response_class=Response,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "object"}, "example": SAMPLE}}}},
)
def export_journey(
    journey_id: JourneyId,
    desk: AtDesk,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A version; left out: the draft.")] = None,
) -> Response:
    """Export the flow as YAML with sorted keys, for files and Git."""
    known(desk, journey_id)
    raw = (
        journeys.draft(desk.connection, desk.workspace_id, journey_id)
        if version is None
        else journeys.document(desk.connection, desk.workspace_id, journey_id, version)
    )
    if raw is None:
        raise missing("version")
    text = write_yaml(documents.load(raw))
    headers = {"Content-Disposition": f'attachment; filename="journey-{journey_id}.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


def _expected(if_match: str | None, journey: Journey) -> int:
    if if_match is None:
        raise ProblemError(
            428, _("Send If-Match with the ETag of the draft you changed, so that nobody's work is lost.")
        )
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag == "*":
        return journey.revision
    return int(tag) if tag.isascii() and tag.isdecimal() and len(tag) < 10 else -1


def _overtaken(desk: Desk, journey: Journey) -> ProblemError:
    names = keys.names(desk.connection, desk.workspace_id, [journey.updated_by])
    who = names.get(journey.updated_by, journey.updated_by)
    return ProblemError(
        412,
        told(_("{who} saved this draft meanwhile; read it again and save your change on top."), who=who),
        headers={"ETag": f'"{journey.revision}"'},
        more={
            "revision": journey.revision,
            "changed_by": {"actor": journey.updated_by, "name": who},
            "changed_at": journey.updated_at.isoformat(),
        },
    )
