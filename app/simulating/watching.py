"""Looks over the shoulder of the nodes: the plan with every `advance` wrapped, so that each answer is noted with its reason.

The answers are the nodes' own; only where the reader chose an arm is a node of chance not asked. Never walks anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flows.compile import Plan, Step
from flows.contract import Batch, Member, Outcome
from flows.rules import Rule
from flows.rules.tree import Tree, leaves

CHANCE = frozenset({"split", "holdout", "race"})  # whose way may be chosen instead of drawn


@dataclass(frozen=True, slots=True)
class Reason:
    """One question a node asked: the leaf of the rule that decided, and the value it saw. `case` names it in a branch."""

    case: str
    held: bool
    leaf: Tree | None
    seen: Any
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one node said of one member. `outcome` None: it raised."""

    step: Step
    member: int
    at: datetime
    visit: int
    was_waiting: bool
    woken_by: str
    outcome: Outcome | None
    reasons: tuple[Reason, ...] = ()
    chosen: bool = False


def watched(plan: Plan, arms: Mapping[str, str], seen: list[Seen]) -> Plan:
    """The plan, telling `seen` what its nodes say; `arms` are the ways chosen at nodes of chance."""
    steps = {id: _watched(step, arms.get(id), seen) for id, step in plan.steps.items()}
    return replace(plan, steps=steps, entries=tuple(steps[one.id] for one in plan.entries))


def _watched(step: Step, arm: str | None, seen: list[Seen]) -> Step:
    kind = step.node
    if kind is None:
        return step
    chosen = arm is not None and step.type in CHANCE and arm in step.wires

    def advance(batch: Batch) -> Outcome:
        reasons = {one.id: tuple(_asked(step, one)) for one in batch.members}
        outcome = None
        try:
            outcome = _all_by(str(arm), batch) if chosen else kind.advance(batch)
            return outcome
        finally:
            seen.extend(_noted(step, one, outcome, reasons[one.id], chosen=chosen) for one in batch.members)

    return replace(step, node=replace(kind, advance=advance))


def _all_by(port: str, batch: Batch) -> Outcome:
    return Outcome(go={port: [one.id for one in batch.members]})


def _noted(step: Step, one: Member, outcome: Outcome | None, reasons: tuple[Reason, ...], *, chosen: bool) -> Seen:
    woken_by = one.woken_by.name if one.waiting and one.woken_by else ""
    return Seen(step, one.id, one.arrived_at, one.visit, one.waiting, woken_by, outcome, reasons, chosen)


def _asked(step: Step, one: Member) -> list[Reason]:
    """The questions of a condition or branch, up to the one that decided, asked of this member."""
    rule = getattr(step.settings, "rule", None)
    if isinstance(rule, Rule) and step.start is None:
        return [explained("", rule, one)]
    found = []
    for case in getattr(step.settings, "cases", ()):
        asked = getattr(case, "rule", None)
        if isinstance(asked, Rule):
            found.append(explained(str(getattr(case, "name", "")), asked, one))
            if found[-1].held:
                break
    return found


def explained(case: str, rule: Rule, one: Member) -> Reason:
    """Why a rule holds of a member at this moment, or does not."""
    properties = one.entry.properties if one.entry else {}
    found = rule.explain(one.facts, one.arrived_at, properties, one.messages)
    leaf = next((leaf for leaf in leaves(rule.tree) if leaf.place == found.leaf), None)
    return Reason(case, found.held, leaf, found.seen, found.text)
