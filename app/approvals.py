"""When what was handed in is approved: by how many people, of whom each edited nothing, and under which conditions.

The rules alone: `publishing` asks them when somebody approves and once more when somebody publishes. No SQL of its own.
"""

from datetime import datetime
from typing import NamedTuple

from app import reaching
from app.store import submissions, workspaces
from app.store.journeys import Journey
from app.store.rows import Connection
from app.store.submissions import Submission
from flows import conditions
from flows.compile import Plan
from flows.conditions import Conditions


class Approval(NamedTuple):
    """How far the approval of a submission is: by whom, of how many, bound to what."""

    approvers: tuple[str, ...]
    needed: int
    conditions: Conditions

    @property
    def enough(self) -> bool:
        return len(self.approvers) >= self.needed


def approval(
    connection: Connection, workspace_id: int, journey: Journey, last: Submission, plan: Plan, now: datetime
) -> Approval:
    """Where the approval stands now. Who edited it since, or handed it in, does not count, nor who came by what those made."""
    own = {*last.editors, *journey.editors, last.submitted_by}
    said = [
        one
        for one in submissions.approvals(connection, workspace_id, last.id)
        if one.reviewer not in own and one.maker not in own
    ]
    people = {one.maker or one.reviewer: one.reviewer for one in said}  # one pair of eyes, whatever they came by
    bound = conditions.strictest(conditions.load(one.conditions) for one in said)
    return Approval(tuple(sorted(people.values())), needed(connection, workspace_id, last, plan, now), bound)


def needed(connection: Connection, workspace_id: int, last: Submission, plan: Plan, now: datetime) -> int:
    """How many people it takes: two where more can be reached than the workspace lets one decide about.

    The larger of the reach when it was handed in and the reach now: importing people afterwards changes nothing.
    """
    over = workspaces.second_over(connection, workspace_id)
    if over is None:
        return 1
    most = last.reach if last.reach is not None else 0
    return 2 if most > over or reaching.reach(connection, plan, now) > over else 1
