"""Whom a flow would reach: by each way in, how many within a month, and which other live journeys write to the same people.

A way in by a rule is asked now; one by an event is asked of the last month. A small workspace is counted whole; of a large one
a few lanes, a fair sample, and the answer says “about”. No SQL of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from psycopg.errors import QueryCanceled

from app import facets, schedules
from app.counting import SAMPLE
from app.lanes import ALL_LANES, LANES
from app.store import audiences, crowds, segments
from app.store.crowds import OURS, Area, Neighbour, Sample
from app.store.rows import Connection
from app.store.segments import Clause
from flows.compile import Plan, Step
from flows.contract import Json, NodeType, Start
from flows.errors import RuleError
from flows.rules.audience import check_audience
from flows.rules.tree import Happened, Tree

MONTH = timedelta(days=30)
WHOLE_UP_TO = 20_000  # contacts in all up to which they are asked one by one; of more, a sample of some thousands
LARGEST_SAMPLE = 8_000
SAMPLES = (SAMPLE, SAMPLE[:1])
PATIENCE_MS = 2_000
SHOWN_TITLES = 3
Basis = Literal["now", "events", "dates", "calls"]
EVERYBODY = Clause("true", {})


class WayIn(NamedTuple):
    """An entry: what its number rests on, how many come in by it within a month; `people` None: not to be counted."""

    node: str
    basis: Basis
    event: str
    people: int | None


class Copy(NamedTuple):
    """What another journey says to people: one of its messages in a line, as its card has it."""

    node: str
    channel: str
    text: str


class Other(NamedTuple):
    """Another live journey that reaches the same people."""

    id: int
    name: str
    version: int
    same_event: bool
    shared: int
    shared_now: int
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known about whom a flow reaches. `people` None: the database would have taken too long."""

    people: int | None
    about: bool
    ways: tuple[WayIn, ...]
    others: tuple[Other, ...] = ()
    events: tuple[str, ...] = ()


class Crowd(NamedTuple):
    """A flow's ways in as conditions."""

    ways: tuple[tuple[Step, Basis, Clause], ...]
    events: tuple[str, ...]

    @property
    def clause(self) -> Clause:
        """Who is in by any of them."""
        return crowds.any_of(clause for _, _, clause in self.ways)


def crowd_of(plan: Plan, now: datetime) -> Crowd:
    """The ways in of a flow."""
    ways = tuple(_way(step, number, now) for number, step in enumerate(plan.entries))
    names = {step.start.event for step in plan.entries if step.start and step.start.kind == "event"}
    return Crowd(ways, tuple(sorted(names)))


def reach(connection: Connection, plan: Plan, catalog: Mapping[str, NodeType], now: datetime) -> Reach:
    """How many would enter within a month, and who else writes to them."""
    crowd = crowd_of(plan, now)
    area, about = area_of(connection, plan, now)
    times = LANES // len(area.lanes)
    clauses = [clause for _, _, clause in crowd.ways]
    try:
        with connection.transaction():
            segments.be_quick(connection, PATIENCE_MS)
            each, whole = crowds.count(connection, area, clauses)
            found = crowds.neighbours(connection, area, crowd.clause, crowd.events)
    except QueryCanceled:
        ways = tuple(WayIn(step.id, basis, _event(step), None) for step, basis, _ in crowd.ways)
        return Reach(None, about, ways, events=crowd.events)
    ways = tuple(
        WayIn(step.id, basis, _event(step), _about(number, times))
        for (step, basis, _), number in zip(crowd.ways, each, strict=True)
    )
    others = tuple(_other(one, catalog, times) for one in found)
    return Reach(_about(whole, times), about, ways, others, crowd.events)


def _about(number: int, times: int) -> int:
    """What a sample stands for, no more exact than it can be: three digits."""
    if times == 1:
        return number
    unit = int(10 ** max(0, len(str(number * times)) - 3))
    return round(number * times / unit) * unit


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


def _way(step: Step, number: int, now: datetime) -> tuple[Step, Basis, Clause]:
    start, prefix = step.start, f"way_{number}"
    assert start is not None
    if start.kind == "event":
        where = start.where.trees if start.where else ()
        happened: Tree = Happened(start.event, where, within="P30D")
        clauses = [segments.clause(happened, at=now, prefix=prefix)]
        if start.when is not None and _chooses(start.when.tree):
            clauses.append(segments.clause(start.when.tree, at=now, prefix=f"{prefix}_when"))
        return step, "events", _all(clauses)
    if start.kind in ("segment", "schedule"):
        clause = segments.clause(start.rule.tree, at=now, prefix=prefix) if start.rule else EVERYBODY
        return step, "now", clause
    if start.kind == "date":
        clause = audiences.day_audience([_days(start, now)])
        return step, "dates", _renamed(clause, prefix)
    return step, "calls", OURS


def _days(start: Start, now: datetime) -> audiences.DayFilter:
    """Whose day comes within the month, wherever they live."""
    today = now.date()
    days = [today + timedelta(days=one) for one in range(MONTH.days + 1)]
    origins = [origin for day in days for origin in schedules.origins(start, day)]
    dates = schedules.month_days(origins) if start.every_year else [one.isoformat() for one in origins]
    until = max(origins, default=today) if start.every_year else None
    return audiences.DayFilter(start.attribute, sorted(set(dates)), until, [], [], default=True)


def _renamed(clause: Clause, prefix: str) -> Clause:
    names = {name: f"{prefix}_{name}" for name in clause.parameters}
    sql = clause.sql
    for name, other in names.items():
        sql = sql.replace(f"%({name})s", f"%({other})s")
    return Clause(sql, {names[name]: value for name, value in clause.parameters.items()})


def _all(clauses: Sequence[Clause]) -> Clause:
    bound = {name: value for one in clauses for name, value in one.parameters.items()}
    return Clause("(" + " AND ".join(one.sql for one in clauses) + ")", bound)


def _chooses(tree: Tree) -> bool:
    try:
        check_audience(tree)
    except RuleError:
        return False
    return True


def _event(step: Step) -> str:
    return step.start.event if step.start else ""


def _other(one: Neighbour, catalog: Mapping[str, NodeType], times: int) -> Other:
    faces = facets.describe(one.document, catalog, None)["nodes"]
    copies: list[Copy] = []
    for node in one.document.get("nodes", []):
        kind = catalog.get(str(node.get("type")))
        if kind is not None and kind.channel is not None and len(copies) < SHOWN_TITLES:
            copies.append(Copy(node["id"], kind.channel.name, str(faces.get(node["id"], {}).get("summary") or "")))
    return Other(
        one.id,
        one.name,
        one.version,
        one.same_event,
        _about(one.shared, times),
        _about(one.shared_now, times),
        tuple(copies),
    )
