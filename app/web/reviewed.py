"""What is under review as pages and API show it: its state, what changed, checks, reach, messages. Only reads."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from app import crowding, differences, facets, publishing, reviewing
from app.approvals import Approval
from app.auth import Caller
from app.counts import gather
from app.crowding import Reach
from app.publishing import Desk
from app.reviewing import Look, Message
from app.store import accounts, keys, submissions, tallies, users
from app.store.journeys import Journey
from app.store.rows import Connection
from app.store.submissions import Submission
from app.volumes import Volume, volumes
from app.web.flowstates import document_of
from app.web.glasses import glasses_of
from app.web.house import House
from app.web.templating import reading
from flows import document as documents
from flows.compile import Label, Plan, compile_plan
from flows.errors import FlowError

IN_HAND = ("open", "approved")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A journey's flow under review (or its draft, where nothing is handed in) beside what is live."""

    journey: Journey
    last: Submission | None
    handed: Submission | None
    before: dict[str, Any]
    after: dict[str, Any]


def reviewed(connection: Connection, workspace_id: int, journey: Journey) -> Reviewed:
    """What there is to review."""
    last = submissions.latest(connection, workspace_id, journey.id)
    handed = last if last is not None and last.status in IN_HAND else None
    after = submissions.document(connection, workspace_id, handed.id) if handed else None
    if after is None:
        after = document_of(connection, journey, workspace_id, "draft")
    return Reviewed(journey, last, handed, document_of(connection, journey, workspace_id, "live"), after)


def plan_of(connection: Connection, house: House, workspace_id: int, one: Reviewed) -> Plan | None:
    """The flow as the engine would run it; None while it is not whole."""
    label = Label(
        workspace_id,
        one.journey.id,
        one.journey.live_version_id or 0,
        (one.journey.live_number or 0) + 1,
        users.timezone(connection, workspace_id),
    )
    try:
        return compile_plan(documents.load(one.after), house.catalog, label)
    except (FlowError, ValidationError, KeyError):
        return None


def changes_of(
    request: Request, house: House, connection: Connection, workspace_id: int, one: Reviewed
) -> list[dict[str, Any]]:
    """A sentence for each change, with who stands there now, whatever version they walk."""
    old, new = documents.load(one.before), documents.load(one.after)
    stats = gather(tallies.of_journey(connection, workspace_id, one.journey.id))
    here = {node: max(0, at.waiting) for node, at in stats.nodes.items()}
    with reading(request):
        items = differences.items(old, new, house.catalog)
    return [{**asdict(item), "people": here.get(item.node, 0)} for item in items]


def titles(house: House, raw: Mapping[str, Any]) -> dict[str, str]:
    """What the steps of a flow are called, in the language spoken."""
    known = facets.describe(raw, house.catalog, None)["nodes"]
    return {node: str(face.get("title") or node) for node, face in known.items()}


def problems_of(
    request: Request, house: House, connection: Connection, workspace_id: int, one: Reviewed
) -> list[Mapping[str, Any]]:
    """All checks of it, against the accounts there are."""
    with reading(request):
        described = facets.describe(one.after, house.catalog, accounts.channels(connection, workspace_id))
    found: list[Mapping[str, Any]] = described["problems"]
    return found


def approval_of(desk: Desk, one: Reviewed) -> Approval | None:
    """How far the approval is; None where nothing is handed in."""
    return publishing.approval_of(desk, one.journey, one.handed) if one.handed else None


def reach_of(house: House, desk: Desk, one: Reviewed) -> Reach | None:
    """Whom it would reach within a month, and who else writes to them."""
    plan = plan_of(desk.connection, house, desk.workspace_id, one)
    return crowding.reach(desk.connection, plan, house.catalog, desk.now) if plan else None


def volumes_of(house: House, desk: Desk, one: Reviewed, reach: Reach | None) -> list[Volume]:
    """How many messages that comes to at most, by channel."""
    plan = plan_of(desk.connection, house, desk.workspace_id, one)
    return volumes(plan, reach.people) if plan and reach else []


def messages_of(
    house: House, desk: Desk, caller: Caller, one: Reviewed, only: int | None = None
) -> tuple[list[Message], bool] | None:
    """Its messages for three real people, as this caller may see them."""
    plan = plan_of(desk.connection, house, desk.workspace_id, one)
    if plan is None:
        return None
    look = Look(glasses_of(desk.connection, caller), house.settings.secret_bytes, desk.now)
    return reviewing.messages(desk.connection, plan, look, only)


def opinions_of(
    connection: Connection, workspace_id: int, one: Reviewed
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What was said on it, the latest first, and what the people are called."""
    last = one.last
    decided = submissions.opinions(connection, workspace_id, last.id) if last else []
    actors = {said.reviewer for said in decided}
    if last is not None:
        actors |= {last.submitted_by} | ({last.nudged_by} if last.nudged_by else set())
    names = keys.names(connection, workspace_id, sorted(actors))
    return [{**said._asdict(), "reviewer": names.get(said.reviewer, said.reviewer)} for said in decided], names
