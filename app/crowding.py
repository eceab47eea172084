"""Whom a flow would reach: by each way in, how many within a month, and which other live journeys write to the same people.

A way in by a rule is asked now; one by an event is asked of the last month. A small workspace is counted whole; of a large one
a few lanes, a fair sample, and the answer says “about”. No SQL of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import QueryCanceled

from app.counting import SAMPLE
from app.lanes import ALL_LANES, LANES
from app.overlaps import Overlaps, overlaps, rounded
from app.store import crowds, segments
from app.store.crowds import Area, Sample
from app.store.rows import Connection
from app.waysin import EVERYBODY, MONTH, Basis, Crowd, crowd_of
from flows.compile import Plan, Step
from flows.contract import Json, NodeType

WHOLE_UP_TO = 20_000  # contacts in all up to which they are asked one by one; of more, a sample of some thousands
LARGEST_SAMPLE = 8_000
SAMPLES = (SAMPLE, SAMPLE[:1])
PATIENCE_MS = 2_000
NO_OVERLAPS = Overlaps()


class WayIn(NamedTuple):
    """An entry: what its number rests on, how many come in by it within a month; `people` None: not to be counted."""

    node: str
    basis: Basis
    event: str
    people: int | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known about whom a flow reaches. `people` None: the database would have taken too long."""

    people: int | None
    about: bool
    ways: tuple[WayIn, ...]
    beside: Overlaps = NO_OVERLAPS
    events: tuple[str, ...] = ()


def reach(connection: Connection, plan: Plan, catalog: Mapping[str, NodeType], now: datetime) -> Reach:
    """How many would enter within a month, and who else writes to them."""
    crowd = crowd_of(plan, now)
    area, about = area_of(connection, plan, now)
    times = LANES // len(area.lanes)
    try:
        with connection.transaction():
            segments.be_quick(connection, PATIENCE_MS)
            each, whole = crowds.count(connection, area, [clause for _, _, clause in crowd.ways])
    except QueryCanceled:
        ways = tuple(WayIn(step.id, basis, _event(step), None) for step, basis, _ in crowd.ways)
        return Reach(None, about, ways, Overlaps(slow=True), crowd.events)
    ways = tuple(
        WayIn(step.id, basis, _event(step), rounded(number, times))
        for (step, basis, _), number in zip(crowd.ways, each, strict=True)
    )
    beside = _beside(connection, area, crowd, whole, catalog, now)
    return Reach(rounded(whole, times), about, ways, beside, crowd.events)


def _beside(
    connection: Connection, area: Area, crowd: Crowd, people: int, catalog: Mapping[str, NodeType], now: datetime
) -> Overlaps:
    try:
        with connection.transaction():
            segments.be_quick(connection, PATIENCE_MS)
            return overlaps(connection, area, crowd, people, catalog, now)
    except QueryCanceled:
        return Overlaps(slow=True)


def area_of(connection: Connection, plan: Plan, now: datetime) -> tuple[Area, bool]:
    """Where to look, and whether that is only a sample."""
    lane = segments.count(connection, plan.workspace_id, None, now, SAMPLE) / len(SAMPLE)
    about = lane * LANES > WHOLE_UP_TO
    lanes = next((some for some in SAMPLES if lane * len(some) <= LARGEST_SAMPLE), SAMPLES[-1]) if about else ALL_LANES
    return Area(plan.workspace_id, lanes, now - MONTH, plan.journey_id), about


def some(connection: Connection, plan: Plan, now: datetime, wanted: int) -> tuple[list[Sample], bool]:
    """A few people whom the entries would let in, of different languages if there are such; else any. Whether they are such."""
    area, _ = area_of(connection, plan, now)
    crowd = crowd_of(plan, now)
    found: list[Sample] = []
    try:
        with connection.transaction():
            segments.be_quick(connection, PATIENCE_MS)
            found = crowds.some(connection, area, crowd.clause, wanted * 8)
    except QueryCanceled:
        found = []
    if found:
        return _varied(found, wanted), True
    return _varied(crowds.some(connection, area, EVERYBODY, wanted * 8), wanted), False


def _varied(found: Sequence[Sample], wanted: int) -> list[Sample]:
    """The first of each language, then the first of the rest."""
    seen: set[Json] = set()
    first: list[Sample] = []
    rest: list[Sample] = []
    for one in found:
        language = str(one.attributes.get("language") or one.attributes.get("locale") or "")
        (rest if language in seen else first).append(one)
        seen.add(language)
    return [*first, *rest][:wanted]


def _event(step: Step) -> str:
    return step.start.event if step.start else ""
