"""How many people a flow can reach as it stands now: kept with what is handed in, so that an approval binds a number too."""

from datetime import datetime

from app.store import segments
from app.store.rows import Connection
from flows.compile import Plan


def reach(connection: Connection, plan: Plan, now: datetime) -> int:
    """People who may come in within a day: the audience of a rule; by events, calls and dates, everybody may."""
    everybody: int | None = None
    total = 0
    for step in plan.entries:
        start = step.start
        if start is not None and start.kind == "segment" and start.rule is not None:
            total += segments.count(connection, plan.workspace_id, start.rule, now)
        else:
            if everybody is None:
                everybody = segments.count(connection, plan.workspace_id, None, now)
            total += everybody
    return total


def sends(plan: Plan) -> int:
    """How many of its steps send."""
    return sum(1 for step in plan.steps.values() if step.node is not None and step.node.channel is not None)
