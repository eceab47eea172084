"""How many messages a flow takes, by channel, if each comes in once: the most on one way through it, times people. Pure."""

from collections import Counter
from typing import NamedTuple

from flows.compile import Plan, Step


class Volume(NamedTuple):
    """One channel: the most messages of it that one person can meet on the way, and all people together.

    `again` where a step of it lies in a circle, and sends at each visit; `at_most` is None where nobody could be counted.
    """

    channel: str
    each: int
    at_most: int | None
    again: bool


def volumes(plan: Plan, people: int | None) -> list[Volume]:
    """By channel, the largest first; ways that exclude one another are not added up, a circle counts once."""
    places = _places(plan)
    ahead: dict[str, Counter[str]] = {}
    for members in sorted(places.values(), key=lambda mine: -mine[0].rank):
        most = Counter[str]()
        for target in {target for step in members for target in step.wires.values() if target is not None}:
            if plan.steps[target].rank > members[0].rank:
                most |= ahead[target]
        most.update(channel for step in members if (channel := _channel(step)))
        ahead.update(dict.fromkeys((step.id for step in members), most))
    each = Counter[str]()
    for entry in plan.entries:
        each |= ahead[entry.id]
    circles = {_channel(step) for step in plan.steps.values() if step.cyclic}
    return [
        Volume(channel, number, None if people is None else number * people, channel in circles)
        for channel, number in each.most_common()
    ]


def _places(plan: Plan) -> dict[str, list[Step]]:
    """Steps by themselves, and those of one circle together: only they are wired at equal rank."""
    leader = {id: id for id in plan.steps}
    for step in plan.steps.values():
        for target in step.wires.values():
            if target is not None and plan.steps[target].rank == step.rank:
                one, other = leader[step.id], leader[target]
                leader = {id: one if mine == other else mine for id, mine in leader.items()}
    places: dict[str, list[Step]] = {}
    for id, mine in leader.items():
        places.setdefault(mine, []).append(plan.steps[id])
    return places


def _channel(step: Step) -> str:
    return step.node.channel.name if step.node is not None and step.node.channel is not None else ""
