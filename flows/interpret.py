"""Walks a batch to rest: node after node, grouped by node, until everybody waits, has left or has failed.

The only caller of `advance`. It checks that a node placed each member exactly once, turns ports into next steps, counts
transitions, and, where a node raises, halves the batch until the bad member stands alone. Never reads, writes or waits.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import chain
from typing import Any, NamedTuple

from flows.compile import Plan, Step
from flows.contract import Batch, Effect, Emit, Event, Facts, Member, Message, Outcome, Tag, Wait
from flows.errors import NodeError

HOLD = timedelta(minutes=5)  # how often people on a node whose type is missing are tried again
REASON_LENGTH = 200
TOLD_APART = ("goal", "exit_when", "manual", "visit_limit")  # exits that are counted by themselves as well


class Status(IntEnum):
    """Where an enrollment stands. HELD is active under a paused journey; COMPLETED and EXITED absorb."""

    ACTIVE = 0
    COMPLETED = 1
    EXITED = 2
    FAILED = 3
    HELD = 4


class Traveller(Member):
    """A member with the state that the engine keeps for it: what is read from and written to the enrollment row."""

    new: bool = True
    moved: bool = False
    status: Status = Status.ACTIVE
    reason: str | None = None
    wake_at: datetime | None = None
    visits: dict[str, int] | None = None
    walks: int = 0
    path: str = ""
    cause: str = "entry"
    slot: int = 0
    met: Event | None = None
    mute: tuple[str, datetime | None] | None = None  # its messages do not go out: why, and when the gate is asked again

    def __init__(
        self, id: int, contact: int, arrived_at: datetime, facts: Facts, *, plan: Plan, node: str, lane: int
    ) -> None:
        # Written out instead of calling Member's: this runs once for every person of a blast.
        self.id = id
        self.contact = contact
        self.arrived_at = self.since = self.entered_at = arrived_at
        self.facts = facts
        self.plan = plan
        self.node = node
        self.lane = lane


class Send(NamedTuple):
    """A message for a cohort: who, from which step; the visit is each member's own at that moment."""

    step: Step
    message: Message
    members: Sequence[tuple[Traveller, int]]


class Change:
    """What happened to a contact's facts in one batch, as a difference: None takes an attribute away."""

    __slots__ = ("attributes", "give", "take")

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.give: set[str] = set()
        self.take: set[str] = set()


class Rested(NamedTuple):
    """What a walk leaves to be written besides the travellers themselves; changes are by contact."""

    tally: Counter[tuple[int, str, str]]
    sends: list[Send]
    emits: list[tuple[Traveller, Emit]]
    changes: dict[int, Change]


def rested() -> Rested:
    """An empty record, shared by all the walks of one batch. Tally keys: version, node, port."""
    return Rested(Counter(), [], [], {})


def to_rest(plan: Plan, groups: Mapping[str, list[Traveller]], now: datetime, record: Rested) -> None:
    """Walk the travellers standing at each node of `groups` until all are at rest; they and `record` are changed in place."""
    pending: dict[str, list[Traveller]] = {}
    for node, travellers in groups.items():
        arriving = [one for one in travellers if not one.waiting]
        here = [one for one in travellers if one.waiting]
        if arriving:
            here += _arrive(plan, plan.steps[node], arriving, record)
        if here:
            pending[node] = here
    while pending:
        step = min((plan.steps[node] for node in pending), key=lambda step: step.rank)
        members = pending.pop(step.id)
        for part, outcome in _advance(plan, step, members, now):
            for target, moved in _place(plan, step, part, outcome, record):
                arrived = _arrive(plan, target, moved, record)
                if arrived:
                    pending.setdefault(target.id, []).extend(arrived)


def would_end(one: Traveller, event: Event) -> bool:
    """Whether this event would end the wait of somebody whose clock stands still. Asks the node, changes nothing."""
    step = one.plan.steps[one.node]
    if step.node is None:
        return False
    kept = one.arrived_at, one.woken_by
    # The moment at which the wait began lies before any time-out.
    one.arrived_at, one.woken_by = one.rested_at or one.entered_at, event
    try:
        batch = Batch(one.arrived_at, step.settings, [one], step.seed, one.plan.timezone, one.plan.key_path, step.id)
        return not step.node.advance(batch).stay
    except Exception:  # noqa: BLE001 a stranger's node may raise anything; when it is its turn the member is parked
        return True
    finally:
        one.arrived_at, one.woken_by = kept


def leave(traveller: Traveller, status: Status, reason: str, *, why: str, record: Rested) -> None:
    """Take one traveller out where it stands (goal, exit rule, stop, holdout)."""
    _end(traveller.plan, [traveller], status, reason, record)
    record.tally[traveller.plan.version_id, traveller.node, "!end"] += 1
    traveller.path = _join(traveller.path, step_text(traveller.node, "", why))
    traveller.moved = True


def _arrive(plan: Plan, step: Step, travellers: list[Traveller], record: Rested) -> list[Traveller]:
    """Count the arrivals; inside a cycle take out those whose visit would be one too many."""
    if step.cyclic:
        travellers = [one for one in travellers if _visit(plan, step, one, record)]
    node, cyclic = step.id, step.cyclic
    for one in travellers:
        one.node = node
        if one.waiting:
            one.waiting, one.woken_by = False, None
        if not cyclic:
            # Counted only outside of cycles where an older version, from which they were moved, has been here already.
            one.visit = one.visits.get(node, 1) if one.visits else 1
    record.tally[plan.version_id, step.id, ""] += len(travellers)
    return travellers


def _visit(plan: Plan, step: Step, traveller: Traveller, record: Rested) -> bool:
    visits = traveller.visits = dict(traveller.visits or {})
    count = visits.get(step.id, 0) + 1
    if count > plan.visit_limit:
        _end(plan, [traveller], Status.EXITED, "visit_limit", record)
        return False
    visits[step.id] = traveller.visit = count
    return True


def _end(plan: Plan, travellers: Sequence[Traveller], status: Status, reason: str, record: Rested) -> None:
    reason = reason[:REASON_LENGTH]
    for one in travellers:
        one.status = status
        one.reason = reason
        one.wake_at = None
        one.moved = True
    record.tally[plan.version_id, "", status.name.lower()] += len(travellers)
    if status is Status.EXITED and reason in TOLD_APART:
        record.tally[plan.version_id, "", f"!{reason}"] += len(travellers)


def _advance(
    plan: Plan, step: Step, members: list[Traveller], now: datetime
) -> Iterable[tuple[dict[int, Traveller], Outcome]]:
    """The node's answers, by the parts of the batch they are for: one part, unless the node raised and the batch was halved."""
    if step.node is None:
        why = dict.fromkeys((one.id for one in members), f"node type {step.type} is not installed")
        yield {one.id: one for one in members}, Outcome(stay=_hold(members, now), why=why)
        return
    stack = [members]
    while stack:
        part = stack.pop()
        batch = Batch(now, step.settings, part, step.seed, plan.timezone, plan.key_path, step.id)
        by_id = {one.id: one for one in part}
        try:
            outcome = step.node.advance(batch)
            _check(step, by_id, outcome)
        except Exception as error:  # noqa: BLE001 a stranger's node may raise anything; the member is parked with the reason
            if len(part) == 1:
                reason = f"{type(error).__name__}: {error}"
                yield by_id, Outcome(fail={reason: [part[0].id]})
            else:
                middle = len(part) // 2
                stack += [part[middle:], part[:middle]]
            continue
        yield by_id, outcome


def _hold(members: list[Traveller], now: datetime) -> dict[Wait, list[int]]:
    waits: dict[Wait, list[int]] = defaultdict(list)
    for one in members:
        waits[Wait(max(one.arrived_at, now) + HOLD)].append(one.id)
    return waits


def _check(step: Step, by_id: Mapping[int, Traveller], outcome: Outcome) -> None:
    """Raise NodeError unless every member is placed exactly once, on a port or wait that the step has."""
    groups = [*outcome.go.values(), *outcome.stay.values(), *outcome.leave.values(), *outcome.fail.values()]
    placed = groups[0] if len(groups) == 1 else list(chain.from_iterable(groups))
    if len(placed) != len(by_id) or by_id.keys() != set(placed):
        raise NodeError(f"{step.type} placed {len(placed)} members of {len(by_id)}, or some twice")
    for port in outcome.go:
        if port not in step.wires:
            raise NodeError(f"{step.type} has no port {port!r}")
    for wait in outcome.stay:
        named = (wait.event,) if isinstance(wait.event, str) else wait.event or ()
        if not step.listens.issuperset(named):
            raise NodeError(f"{step.type} waits for events that it does not listen to: {named}")


def _place(
    plan: Plan, step: Step, by_id: Mapping[int, Traveller], outcome: Outcome, record: Rested
) -> Iterable[tuple[Step, list[Traveller]]]:
    """Apply one outcome; what is yielded has to arrive at its next step."""
    for message in outcome.send:
        record.sends.append(Send(step, message, [(by_id[i], by_id[i].visit) for i in message.members]))
    for effect in outcome.effects:
        _apply(effect, by_id, record)
    for wait, ids in outcome.stay.items():
        _rest(step, wait, [by_id[i] for i in ids], outcome.why)
    for reason, ids in outcome.leave.items():
        _finish(plan, step, Status.COMPLETED, reason, [by_id[i] for i in ids], record)
    for reason, ids in outcome.fail.items():
        _finish(plan, step, Status.FAILED, reason, [by_id[i] for i in ids], record)
    for port, ids in outcome.go.items():
        members = [by_id[i] for i in ids]
        if outcome.why:
            _trace_why(members, step.id, port, outcome.why)
        else:
            _trace(members, step_text(step.id, port, ""))
        record.tally[plan.version_id, step.id, port] += len(members)
        target = step.wires[port]
        if target is None:
            _end(plan, members, Status.COMPLETED, f"{step.id}.{port}", record)
        else:
            yield plan.steps[target], members


def _rest(step: Step, wait: Wait, members: list[Traveller], why: Mapping[int, str]) -> None:
    for one in members:
        if one.waiting and one.woken_by is not None and one.wake_at == wait.until:
            continue  # woken by an event that was not meant: nothing moved, nothing is written
        one.wake_at = wait.until
        if not one.waiting:
            one.rested_at = one.arrived_at
            one.path = _join(one.path, step_text(step.id, "", why.get(one.id, "")))
        one.waiting = True
        one.moved = True


def _finish(plan: Plan, step: Step, status: Status, reason: str, members: list[Traveller], record: Rested) -> None:
    record.tally[plan.version_id, step.id, "!end"] += len(members)
    _trace(members, step_text(step.id, "", reason if status is Status.FAILED else ""))
    _end(plan, members, status, reason, record)


def _trace(members: list[Traveller], text: str) -> None:
    joined: dict[str, str] = {}  # a cohort comes by few paths, and shares the text of each
    for one in members:
        path = one.path
        known = joined.get(path)
        if known is None:
            known = joined[path] = _join(path, text)
        one.path = known
        one.moved = True


def _trace_why(members: list[Traveller], node: str, port: str, why: Mapping[int, str]) -> None:
    joined: dict[tuple[str, str], str] = {}
    for one in members:
        reason = why.get(one.id, "")
        known = joined.get((one.path, reason))
        if known is None:
            known = joined[one.path, reason] = _join(one.path, step_text(node, port, reason))
        one.path = known
        one.moved = True


def _join(path: str, text: str) -> str:
    return f"{path},{text}" if path else text


_texts: dict[tuple[str, str, str], str] = {}
_TEXTS_KEPT = 20_000


def step_text(node: str, port: str, why: str) -> str:
    """One step of a trail as JSON, `["q","yes","plan = \\"pro\\""]`; remembered, because a cohort shares few of them."""
    known = _texts.get((node, port, why))
    if known is None:
        parts = [node, port, why] if why else [node, port] if port else [node]
        known = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        if len(_texts) >= _TEXTS_KEPT:
            _texts.clear()
        _texts[node, port, why] = known
    return known


def _apply(effect: Effect, by_id: Mapping[int, Traveller], record: Rested) -> None:
    """Carry out an effect on the facts in memory, so that the next node sees it, and remember whom to write."""
    members = [by_id[i] for i in effect.members]
    if isinstance(effect, Emit):
        record.emits.extend((one, effect) for one in members)
        return
    for one in members:
        change = record.changes.setdefault(one.contact, Change())
        if one.facts.shared:
            one.facts = one.facts.copy()
        if isinstance(effect, Tag):
            change_tags(one.facts, change, effect.add, effect.remove)
        else:
            change_attributes(one.facts, change, effect.values)


def change_tags(facts: Facts, change: Change, give: Iterable[str], take: Iterable[str]) -> None:
    """Give and take tags, in memory and in the difference to be written; taking wins."""
    give, take = set(give), set(take)
    facts.tags |= give
    facts.tags -= take
    change.give = (change.give | give) - take
    change.take = (change.take - give) | take


def change_attributes(facts: Facts, change: Change, values: Mapping[str, Any]) -> None:
    """Merge attributes, in memory and in the difference to be written; None takes one away."""
    change.attributes.update(values)
    for name, value in values.items():
        if value is None:
            facts.attributes.pop(name, None)
        else:
            facts.attributes[name] = value
