"""From draft to live over HTTP: submit, review, publish; versions and what changed between.

The rules are `publishing`'s; this only speaks HTTP.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import ConfigDict, Field

from app import migrating, publishing
from app.publishing import Desk, known
from app.store import journeys
from app.web.guard import can, router
from app.web.journeys import AtDesk, Status
from app.web.migrations import People
from app.web.problems import invalid, missing
from app.web.shapes import PAGE, In, JourneyId, Limit, Next, Out, Page, ProblemOut, paged, place_of, problem_out
from flows import compare, conditions
from flows import document as documents
from flows.conditions import Conditions
from flows.words import _

routes = router("publishing")

Hash = Annotated[str, Field(min_length=1, max_length=100, description="`content_hash` as `submit` gave it.")]


class SubmittedOut(Out):
    """Handed in. `problems` are the errors, so there are none; `warnings` do not stand in the way."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content_hash": "9f2c41d07a", "problems": [], "warnings": []}]}
    )
    content_hash: str
    problems: list[ProblemOut]
    warnings: list[ProblemOut]


class ReviewIn(In):
    """What a reviewer says about exactly this content."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"decision": "approve", "content_hash": "9f2c41d07a", "comment": "Good."},
                {"decision": "approve", "content_hash": "9f2c41d07a", "conditions": {"entries_at_most": 5000}},
                {"decision": "reject", "content_hash": "9f2c41d07a", "comment": "Ten minutes are too short."},
            ]
        }
    )
    decision: Literal["approve", "reject"]
    content_hash: Hash
    comment: str = Field("", max_length=4_000, description="The reason, where it is rejected; then it is needed.")
    conditions: Conditions = Field(conditions.NONE, description="What the approval is bound to.")


class ReviewedOut(Out):
    """Where the submission stands after the review."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "approved", "content_hash": "9f2c41d07a"}]})
    status: Literal["approved", "rejected", "open"] = Field(description="`open`: it takes another approval.")
    content_hash: str


class PublishIn(In):
    """The content that was approved, and what becomes of people who are on older versions: left out, they stay there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"content_hash": "9f2c41d07a"},
                {"content_hash": "9f2c41d07a", "people": [{"node": "pause", "do": "move", "to": "pause"}]},
            ]
        }
    )
    content_hash: Hash
    people: People = Field(default_factory=list)


class PublishedOut(Out):
    """The version that lets people in from now on; `migration` moves those in flight, where that was asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2, "status": "live", "migration": None}]})
    version: int
    status: Status
    migration: int | None


class VersionOut(Out):
    """A published version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 2,
                    "live": True,
                    "content_hash": "9f2c41d07a",
                    "published_at": "2026-11-21T09:30:00Z",
                    "published_by": "user:3",
                    "conditions": {"entries_at_most": 5000, "not_before": None},
                }
            ]
        }
    )
    version: int
    live: bool
    content_hash: str
    published_at: datetime
    published_by: str
    conditions: Conditions = Field(description="What its approval was bound to.")


class ChangeOut(Out):
    """One difference; `node` is empty for the journey's own settings."""

    kind: str
    node: str
    field: str
    before: Any
    after: Any
    text: str


class DiffOut(Out):
    """Every change of meaning from one state of the flow to another; layout never counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": "live",
                    "to": "draft",
                    "changes": [
                        {
                            "kind": "setting_changed",
                            "node": "pause",
                            "field": "duration",
                            "before": "PT10M",
                            "after": "PT15M",
                            "text": "“pause”: duration changed from PT10M to PT15M",
                        }
                    ],
                }
            ]
        },
        validate_by_name=True,
        validate_by_alias=True,
    )
    from_: str = Field(alias="from")
    to: str
    changes: list[ChangeOut]


@routes.post("/journeys/{journey_id}/submit", dependencies=[can("journey.submit")])
def submit_draft(journey_id: JourneyId, desk: AtDesk) -> SubmittedOut:
    """Hand in the draft for review; a draft with errors is refused with the list of them."""
    found = publishing.submit(desk, journey_id)
    warnings = [problem_out(one) for one in found.problems]
    return SubmittedOut(content_hash=found.content_hash, problems=[], warnings=warnings)


@routes.post("/journeys/{journey_id}/reviews", dependencies=[can("journey.review")])
def review_draft(journey_id: JourneyId, said: ReviewIn, desk: AtDesk) -> ReviewedOut:
    """Approve or reject what was handed in.

    Nobody reviews what they edited or handed in (403). If the draft or an account it uses changed since, 409. An approval
    may be bound to conditions; of two approvals the stricter ones hold.
    """
    if said.decision == "reject" and not said.comment:
        raise invalid([("comment", _("say in a sentence what should be different"))])
    status = publishing.review(desk, journey_id, said.decision, said.content_hash, said.comment, bound=said.conditions)
    return ReviewedOut(status=status, content_hash=said.content_hash)


@routes.post("/journeys/{journey_id}/publish", dependencies=[can("journey.publish")])
def publish_journey(journey_id: JourneyId, wish: PublishIn, desk: AtDesk) -> PublishedOut:
    """Make the approved draft the live version. A paused journey stays paused.

    People on the way stay on theirs, but for those whom `people` names: they are moved, all of it or nothing.
    """
    number, status, migration = migrating.publish(desk, journey_id, wish.content_hash, wish.people)
    return PublishedOut(version=number, status="paused" if status == "paused" else "live", migration=migration)


@routes.get("/journeys/{journey_id}/versions", dependencies=[can("journey.read")])
def list_versions(journey_id: JourneyId, desk: AtDesk, limit: Limit = PAGE, next: Next = None) -> Page[VersionOut]:
    """List the published versions, the newest first."""
    journey, place = known(desk, journey_id), place_of(next, int)
    found = journeys.versions(desk.connection, desk.workspace_id, journey_id, place[0] if place else None, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.number])
    items = [
        VersionOut(
            version=row.number,
            live=row.id == journey.live_version_id,
            content_hash=row.content_hash,
            published_at=row.published_at,
            published_by=row.published_by,
            conditions=conditions.load(row.conditions),
        )
        for row in rows
    ]
    return Page(items=items, next=after)


State = Annotated[str, Query(pattern=r"^(draft|live|[1-9][0-9]{0,8})$", description="`draft`, `live` or a number.")]


@routes.get("/journeys/{journey_id}/diff", dependencies=[can("journey.read")])
def compare_flows(
    journey_id: JourneyId,
    desk: AtDesk,
    from_: Annotated[State, Query(alias="from")] = "live",
    to: State = "draft",
) -> DiffOut:
    """Say what changed between two states of the flow; by default from the live version to the draft."""
    live = known(desk, journey_id).live_number
    before, after = (_flow(desk, journey_id, state, live) for state in (from_, to))
    changes = [
        ChangeOut(
            kind=one.kind, node=one.node, field=one.field, before=one.before, after=one.after, text=one.render("en")
        )
        for one in compare.compare(before, after)
    ]
    return DiffOut(from_=from_, to=to, changes=changes)


def _flow(desk: Desk, journey_id: int, state: str, live: int | None) -> documents.Document:
    connection, workspace_id = desk.connection, desk.workspace_id
    if state == "draft":
        raw = journeys.draft(connection, workspace_id, journey_id)
    elif state == "live":
        raw = journeys.document(connection, workspace_id, journey_id, live) if live else {"schema": 1}
    else:
        raw = journeys.document(connection, workspace_id, journey_id, int(state))
    if raw is None:
        raise missing("version")
    return documents.load(raw)
