"""How many people a flow can reach as it stands now: kept with what is handed in, so that an approval binds a number too."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

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


class Volume(NamedTuple):
    """How many messages of a channel one person gets at most, on the way with the most of them; `rounds`: each time round."""

    channel: str
    most: int
    rounds: bool


def volumes(plan: Plan) -> tuple[Volume, ...]:
    """What a person gets at most by each channel. Of ways that part only one is gone; what goes in circles is counted once."""
    own: dict[int, Counter[str]] = {}
    after: dict[int, set[int]] = {}
    rounds: set[str] = set()
    for step in plan.steps.values():
        sent = own.setdefault(step.rank, Counter())
        onward = {plan.steps[to].rank for to in step.wires.values() if to is not None and to in plan.steps}
        after.setdefault(step.rank, set()).update(onward - {step.rank})
        if step.node is not None and step.node.channel is not None:
            sent[step.node.channel.name] += 1
            rounds |= {step.node.channel.name} if step.cyclic else set()
    best: dict[int, Counter[str]] = {}
    for rank in sorted(own, reverse=True):  # what comes after has a higher rank
        longest: Counter[str] = Counter()
        for one in after[rank]:
            longest |= best[one]
        best[rank] = own[rank] + longest
    whole: Counter[str] = Counter()
    for entry in plan.entries:
        whole |= best[entry.rank]
    return tuple(Volume(channel, most, channel in rounds) for channel, most in sorted(whole.items()))
