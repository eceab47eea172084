"""Caps that approvals set: which places a batch may give away. No SQL of its own, never commits.

The rows are held at the beginning of a batch, all at once, so the count is exact whatever runs side by side.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.plans import Plans
from app.store import admissions
from app.store.inbox import Letter
from app.store.rows import Connection
from flows.compile import Plan


@dataclass(slots=True)
class Admissions:
    """Places left by version, as this transaction holds them; a version that is not held has none."""

    room: dict[int, int] = field(default_factory=dict)
    taken: Counter[tuple[int, int]] = field(default_factory=Counter)

    def admits(self, plan: Plan) -> bool:
        """Whether one more may enter; then the place is taken."""
        if plan.entries_at_most is None:
            return True
        if self.room.get(plan.version_id, 0) <= 0:
            return False
        self.room[plan.version_id] -= 1
        self.taken[plan.workspace_id, plan.version_id] += 1
        return True

    def write(self, connection: Connection) -> None:
        """Count who entered, once."""
        admissions.take(connection, self.taken)
        self.taken.clear()


def hold(connection: Connection, plans: Iterable[Plan]) -> Admissions:
    """Hold the places of those plans that are capped."""
    capped = {(plan.workspace_id, plan.version_id) for plan in plans if plan.entries_at_most is not None}
    return Admissions(admissions.hold(connection, capped))


def for_letters(connection: Connection, plans: Plans, letters: Iterable[Letter]) -> Admissions:
    """Hold the places of every capped version that these letters may let somebody into."""
    if not any(plan.entries_at_most is not None for plan in plans.live_by_journey.values()):
        return Admissions()
    letters = list(letters)
    names = {(one.workspace_id, one.name) for one in letters}
    asking = {one.workspace_id for one in letters if one.kind == "enroll"}
    wanted = [
        plan
        for plan in plans.live_by_journey.values()
        if plan.workspace_id in asking
        or any(step.start and (plan.workspace_id, step.start.event) in names for step in plan.entries)
    ]
    return hold(connection, wanted)
