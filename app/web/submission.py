"""What is handed in, over HTTP: all that a reviewer sees; reminding reviewers; how many it takes; who was turned away."""

from datetime import datetime
from typing import Any, Literal

from fastapi import BackgroundTasks, Request
from pydantic import ConfigDict, Field

from app import publishing
from app.crowding import Reach
from app.publishing import Desk, known
from app.reviewing import Message
from app.store import admissions, workspaces
from app.web import reviewed
from app.web.guard import Asker, TheHouse, can, router
from app.web.house import House
from app.web.journeys import AtDesk
from app.web.problems import missing
from app.web.reminders import remind
from app.web.reviewed import Reviewed
from app.web.shapes import INT, PAGE, In, JourneyId, Limit, Next, Out, Page, ProblemOut, paged, place_of
from flows import conditions
from flows.conditions import Conditions

routes = router("publishing")

CONDITIONS: dict[str, Any] = {"entries_at_most": 5000, "not_before": "2026-11-27T01:00:00Z"}


class WayOut(Out):
    """A way in. `basis`: `now` (a rule asked now), `events` and `calls` (of the last 30 days), `dates` (of the next 30)."""

    node: str
    basis: Literal["now", "events", "dates", "calls"]
    event: str
    people: int | None


class CopyOut(Out):
    """A message in a line, as its card on the canvas has it."""

    node: str
    title: str
    channel: str
    text: str


class OtherOut(Out):
    """Another live journey that reaches the same people: `shared` walk it now or entered it in the last 30 days.

    `shared_ahead` would be let in by both within 30 days; null where that was not counted.
    """

    journey_id: int
    name: str
    version: int
    live_since: datetime
    same_event: bool
    shared: int
    shared_now: int
    shared_ahead: int | None
    copies: list[CopyOut]


class ReachOut(Out):
    """People who would enter within 30 days; `about` where it is estimated from a sample, null where it took too long.

    `others` begins with those that share most: `others_more` follow. `others_unasked` were published before the latest forty,
    and whom they may let in was not counted; `ahead_about`: the numbers of `shared_ahead` are estimates.
    """

    people: int | None
    about: bool
    ways: list[WayOut]
    others: list[OtherOut]
    others_more: int
    others_unasked: int
    ahead_about: bool


class MadeOut(Out):
    """A message for one contact. `withheld`: why it would not go out now; `failed`: why it cannot be made for them."""

    contact_id: int
    called: str
    recipient: str
    withheld: str
    failed: str
    fields: dict[str, str]


class MessageOut(Out):
    """A step that sends."""

    node: str
    channel: str
    marketing: bool
    made: list[MadeOut]


class ChangedOut(Out):
    """What changed at a step (`node` empty: at the journey itself), in sentences; `people` stand there now."""

    node: str
    state: Literal["added", "changed", "removed"]
    title: str
    lines: list[str]
    people: int


class VolumeOut(Out):
    """Messages of a channel, at most, if each comes in once: `each` of them, `again` at each round; null: not counted."""

    channel: str
    each: int
    at_most: int | None
    again: bool


class OpinionOut(Out):
    """What a reviewer said."""

    reviewer: str
    decision: Literal["approve", "reject"]
    comment: str
    conditions: Conditions
    decided_at: datetime


class SubmissionOut(Out):
    """What was handed in last, with all that a reviewer looks at.

    `approvals` of `needed` have approved it; `conditions` are those that would hold.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "open",
                    "content_hash": "9f2c41d07a",
                    "submitted_by": "Li Na",
                    "submitted_at": "2026-11-21T09:30:00Z",
                    "nudged_at": None,
                    "approvals": 1,
                    "needed": 2,
                    "conditions": CONDITIONS,
                    "opinions": [],
                    "changes": [
                        {
                            "node": "pause",
                            "state": "changed",
                            "title": "Wait",
                            "lines": ["Time to wait: 10 minutes → 15 minutes"],
                            "people": 214,
                        }
                    ],
                    "problems": [],
                    "reach": {
                        "people": 12000,
                        "about": True,
                        "ways": [],
                        "others": [],
                        "others_more": 0,
                        "others_unasked": 0,
                        "ahead_about": False,
                    },
                    "messages": [],
                    "shown_for": "would_enter",
                    "volumes": [{"channel": "email", "each": 2, "at_most": 24000, "again": False}],
                }
            ]
        }
    )
    status: Literal["open", "approved", "rejected", "void", "published"]
    content_hash: str
    submitted_by: str
    submitted_at: datetime
    nudged_at: datetime | None
    approvals: int
    needed: int
    conditions: Conditions
    opinions: list[OpinionOut]
    changes: list[ChangedOut]
    problems: list[ProblemOut]
    reach: ReachOut | None
    messages: list[MessageOut]
    shown_for: Literal["would_enter", "anybody"] = Field(description="Whom the messages are made for.")
    volumes: list[VolumeOut]


class NudgedOut(Out):
    """How many reviewers are reminded, and whether letters are on their way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviewers": 2, "mailed": True}]})
    reviewers: int
    mailed: bool


class ReviewPolicy(In):
    """Over how many reachable people an approval takes two; null: one is always enough."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"second_over": 100000}]})
    second_over: int | None = Field(ge=0, le=INT, strict=True)


class TurnedAwayOut(Out):
    """Somebody who would have entered and did not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "contact_id": 31_007,
                    "version": 2,
                    "at": "2026-11-21T09:30:00Z",
                    "reason": conditions.OVER,
                    "times": 1,
                }
            ]
        }
    )
    contact_id: int
    version: int
    at: datetime
    reason: str
    times: int


@routes.get("/journeys/{journey_id}/submission", dependencies=[can("journey.read")])
def read_submission(
    request: Request, journey_id: JourneyId, house: TheHouse, caller: Asker, desk: AtDesk
) -> SubmissionOut:
    """Show what was handed in last: what changed, checks, messages made for real contacts, whom it reaches.

    What the caller may not see of people is masked before a word is made.
    """
    one = reviewed.reviewed(desk.connection, desk.workspace_id, known(desk, journey_id))
    if one.last is None:
        raise missing("submission")
    given = reviewed.approval_of(desk, one)
    decided, names = reviewed.opinions_of(desk.connection, desk.workspace_id, one)
    made = reviewed.messages_of(house, desk, caller, one)
    reach, last = reviewed.reach_of(house, desk, one), one.last
    return SubmissionOut(
        status=last.status,
        content_hash=last.content_hash,
        submitted_by=names.get(last.submitted_by, last.submitted_by),
        submitted_at=last.submitted_at,
        nudged_at=last.nudged_at,
        approvals=len(given.approvers) if given else 0,
        needed=given.needed if given else 1,
        conditions=given.conditions if given else conditions.NONE,
        opinions=[OpinionOut.model_validate(said) for said in decided],
        changes=_changes(request, house, desk, one),
        problems=_problems(request, house, desk, one),
        reach=_reach(reach),
        volumes=[VolumeOut(**each._asdict()) for each in reviewed.volumes_of(house, desk, one, reach)],
        messages=[_message(step) for step in made[0]] if made else [],
        shown_for="would_enter" if made and made[1] else "anybody",
    )


@routes.post("/journeys/{journey_id}/nudge", dependencies=[can("journey.submit")])
def nudge_reviewers(
    journey_id: JourneyId, house: TheHouse, caller: Asker, desk: AtDesk, later: BackgroundTasks
) -> NudgedOut:
    """Remind those who may review what is handed in, by mail too where an e-mail account is set up. Once an hour; else 409."""
    asked, letters = remind(house, desk, journey_id, caller.name)
    if letters is not None:
        later.add_task(letters)
    return NudgedOut(reviewers=len(asked), mailed=letters is not None)


@routes.get("/policies/review", dependencies=[can("policy.read")])
def read_review_policy(desk: AtDesk) -> ReviewPolicy:
    """Show over how many reachable people an approval takes two."""
    return ReviewPolicy(second_over=workspaces.second_over(desk.connection, desk.workspace_id))


@routes.put("/policies/review", dependencies=[can("policy.edit")])
def replace_review_policy(wish: ReviewPolicy, desk: AtDesk) -> ReviewPolicy:
    """Set it; it holds for what waits for a review already, and for what is approved and not published yet."""
    publishing.ask_two(desk, wish.second_over)
    return wish


@routes.get("/journeys/{journey_id}/turned-away", dependencies=[can("journey.read")])
def list_turned_away(
    journey_id: JourneyId, desk: AtDesk, limit: Limit = PAGE, next: Next = None
) -> Page[TurnedAwayOut]:
    """List who would have entered and was not let in, beyond the approved cap or by a season, in order of contact."""
    known(desk, journey_id)
    place = place_of(next, int, str)
    start = (place[0], place[1]) if place else (0, "")
    found = admissions.page(desk.connection, desk.workspace_id, journey_id, start, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.contact_id, row.reason])
    return Page(items=[TurnedAwayOut(**row._asdict()) for row in rows], next=after)


def _changes(request: Request, house: House, desk: Desk, one: Reviewed) -> list[ChangedOut]:
    found = reviewed.changes_of(request, house, desk.connection, desk.workspace_id, one)
    return [ChangedOut(**{name: item[name] for name in ChangedOut.model_fields}) for item in found]


def _problems(request: Request, house: House, desk: Desk, one: Reviewed) -> list[ProblemOut]:
    found = reviewed.problems_of(request, house, desk.connection, desk.workspace_id, one)
    return [
        ProblemOut(
            node=item["node"],
            field=item["field"],
            code=item["code"],
            message=item["text"],
            severity=item["severity"],
            fix=(item.get("fix") or {}).get("label"),
        )
        for item in found
    ]


def _reach(found: Reach | None) -> ReachOut | None:
    if found is None:
        return None
    others = [
        OtherOut(
            journey_id=other.id,
            name=other.name,
            version=other.version,
            live_since=other.live_since,
            same_event=other.same_event,
            shared=other.shared,
            shared_now=other.shared_now,
            shared_ahead=other.ahead,
            copies=[CopyOut(**copy._asdict()) for copy in other.copies],
        )
        for other in found.beside.others
    ]
    ways = [WayOut(**way._asdict()) for way in found.ways]
    return ReachOut(
        people=found.people,
        about=found.about,
        ways=ways,
        others=others,
        others_more=found.beside.more,
        others_unasked=found.beside.unasked,
        ahead_about=found.beside.about,
    )


def _message(step: Message) -> MessageOut:
    made = [
        MadeOut(
            contact_id=one.person.id,
            called=one.person.called,
            recipient=one.recipient,
            withheld=one.withheld,
            failed=one.failed,
            fields={name: field.text for name, field in one.preview.fields.items()},
        )
        for one in step.shown
    ]
    return MessageOut(node=step.node, channel=step.channel, marketing=step.marketing, made=made)
