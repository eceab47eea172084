"""The contract as people walk: everybody placed once, purely, whatever they bring. Only for `nodes.testing`."""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from flows.contract import Batch, Event, Facts, Json, Member, MemberId, NodeType, Outcome, Wait, names
from flows.errors import NodeError
from nodes.purity import no_clock_no_chance

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONGEST_WHY = 200
CROWD = 1000
ODD: tuple[Json, ...] = (
    None, "", "text", "上海", "2026-03-05", "2026-03-05T10:00:00+08:00", "0001-01-01", "not/a zone",
    0, -1, 7.5, 2**63, True, False, [], ["a", 1, None], {}, {"a": {"b": []}},
)  # fmt: skip


class State(NamedTuple):
    """How the members of a batch come to stand before the node."""

    name: str
    waiting: bool = False
    woken_by: Event | None = None


def check(node: NodeType, settings: BaseModel) -> Iterator[str]:
    """What is wrong with the way the node treats people; stops at the first state that goes wrong."""
    for state in _states(node, settings):
        for size in (0, 1, CROWD):
            members = [_member(number, state, node, settings) for number in range(size)]
            wrong = list(_walk(node, settings, members))
            if wrong:
                yield from (f"{size} members {state.name}: {sentence}" for sentence in wrong)
                return


def placements(outcome: Outcome) -> dict[MemberId, tuple[str, str | Wait]]:
    """Where each member went. NodeError where one is placed twice."""
    places: dict[MemberId, tuple[str, str | Wait]] = {}
    for kind in ("go", "stay", "leave", "fail"):
        for place, ids in getattr(outcome, kind).items():
            for member in ids:
                if member in places:
                    raise NodeError(f"member {member} is placed twice: {places[member]} and {(kind, place)}")
                places[member] = (kind, place)
    return places


def _states(node: NodeType, settings: BaseModel) -> Iterator[State]:
    yield State("arriving")
    yield State("woken by the clock", waiting=True)
    for name in (*names(node.listens, settings), "something else"):
        yield State(f"woken by {name}", waiting=True, woken_by=Event(name, START + timedelta(minutes=1), {"a": 1}, 9))


def _member(number: int, state: State, node: NodeType, settings: BaseModel) -> Member:
    """Someone who brings odd facts: every kind of value turns up in every attribute the node reads, or is missing."""
    reads = names(node.reads, settings)
    attributes = {
        name.removeprefix("attributes."): ODD[(number + place) % len(ODD)]
        for place, name in enumerate(reads)
        if name.startswith("attributes.") and (number + place) % 5
    }
    events = {}
    for name in reads:
        if found := re.match(r"event:(.+?)( within .*| since entry)?$", name):
            times = [START + timedelta(minutes=minute - 5) for minute in range(number % 7)]
            events[found[1]] = [
                Event(found[1], at, {"a": ODD[number % len(ODD)]}, place) for place, at in enumerate(times)
            ]
    facts = Facts(attributes, {"vip"} if number % 2 else set(), events)
    arrived = START + timedelta(seconds=number % 90)
    return Member(
        number * 7919 % 104729 + 1,
        number // 2 + 1,
        arrived + timedelta(minutes=2) if state.waiting else arrived,
        facts,
        since=START,
        entry=Event("entered", START, {"a": ODD[number % len(ODD)]}, 3) if number % 3 else None,
        visit=number % 3 + 1,
        waiting=state.waiting,
        rested_at=arrived if state.waiting else None,
        woken_by=state.woken_by,
    )


def _walk(node: NodeType, settings: BaseModel, members: Sequence[Member]) -> Iterator[str]:
    before = deepcopy([_brought(member) for member in members])
    saved = settings.model_dump(mode="json")
    batch = _batch(settings, members)
    try:
        with no_clock_no_chance():
            outcome, again = node.advance(batch), node.advance(batch)
            other_way = node.advance(_batch(settings, members[::-1], START + timedelta(days=400)))
        places = placements(outcome)
        if again != outcome:
            yield "the same batch twice gives two outcomes"
        if placements(other_way) != places or dict(other_way.why) != dict(outcome.why):
            yield "the outcome depends on the order of the members, or on batch.now instead of arrived_at"
    except Exception as error:  # noqa: BLE001 - a stranger's node may raise anything; it is reported, not hidden
        yield f"{type(error).__name__}: {error}"
        return
    if [_brought(member) for member in members] != before or settings.model_dump(mode="json") != saved:
        yield "it changes what it was given; effects are data (flows.contract.Effect)"
    if set(places) != {member.id for member in members}:
        yield "it does not place exactly the members of the batch"
    yield from _declared(node, settings, outcome)
    yield from _words(node, outcome, {member.id for member in members})


def _batch(settings: BaseModel, members: Sequence[Member], now: datetime = START) -> Batch:
    return Batch(now + timedelta(hours=1), settings, members, seed="1/1/n", timezone="Asia/Shanghai", node="n")


def _brought(member: Member) -> tuple[object, ...]:
    facts = member.facts
    known = (facts.attributes, facts.tags, facts.events, dict(facts.consents))
    return *known, dict(member.messages), member.entry, member.arrived_at


def _declared(node: NodeType, settings: BaseModel, outcome: Outcome) -> Iterator[str]:
    """Only ports it has, only waits that something can end."""
    listens = names(node.listens, settings)
    if unknown := set(outcome.go) - set(names(node.ports, settings)):
        yield f"it has no port {sorted(unknown)}"
    for wait in outcome.stay:
        awaited = (wait.event,) if isinstance(wait.event, str) else wait.event or ()
        if unknown := set(awaited) - set(listens):
            yield f"it waits for {sorted(unknown)}, which `listens` does not name"
        if wait.until is None and not awaited:
            yield "nothing can end its wait"
        if wait.until is not None and wait.until.tzinfo is None:
            yield "it waits until a time without a zone"


def _words(node: NodeType, outcome: Outcome, known: set[MemberId]) -> Iterator[str]:
    """Messages, effects and reasons are about members of the batch."""
    for part in (*outcome.send, *outcome.effects):
        if not set(part.members) <= known or len(set(part.members)) != len(part.members):
            yield f"{type(part).__name__} is for strangers, or for somebody twice"
    for message in outcome.send:
        if node.channel is None or message.channel != node.channel.name:
            yield f"it sends by {message.channel}, which is not its channel"
    if not set(outcome.why) <= known or not all(0 < len(why) <= LONGEST_WHY for why in outcome.why.values()):
        yield f"`why` is for strangers, or not a short reason (1 to {LONGEST_WHY} characters)"
    if not all(reason.strip() for reason in (*outcome.leave, *outcome.fail)):
        yield "somebody leaves or fails without a reason"
