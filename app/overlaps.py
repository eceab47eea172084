"""Which other live journeys write to the same people: those who walk them, and those whom both would still let in.

What lies ahead of another journey is asked as that of a flow under review is (`waysin`); of many people a fair sample. An
audience that was let in once and for all lies behind: only its walks count. No SQL of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import QueryCanceled
from pydantic import ValidationError

from app import facets
from app.counting import SAMPLE
from app.lanes import LANES
from app.store import crowds, segments
from app.store.crowds import Area, Doors, Neighbour
from app.store.rows import Connection
from app.store.segments import Clause
from app.waysin import MONTH, Crowd, all_of, way_in
from flows import compile as plans
from flows import document as documents
from flows.contract import Json, NodeType, Start
from flows.errors import FlowError

Catalog = Mapping[str, NodeType]
ASKED_AT_MOST = 40  # other journeys whose audiences are laid beside the crowd
ANSWERS_AT_MOST = 400_000  # people times journeys asked one by one; beyond, a sample is
PATIENCE_MS = 2_000
SHOWN_TITLES = 3


class Copy(NamedTuple):
    """What another journey says to people: one of its messages in a line, as its card has it."""

    node: str
    title: str
    channel: str
    text: str


class Other(NamedTuple):
    """Another live journey that reaches the same people; `ahead`: both would let them in, None where that was not asked."""

    id: int
    name: str
    version: int
    live_since: datetime
    same_event: bool
    shared: int
    shared_now: int
    ahead: int | None
    copies: tuple[Copy, ...]


class Overlaps(NamedTuple):
    """Other journeys, those that share most first; `more` follow. Of `unasked` it is not known whom they may let in.

    `about`: how many lie ahead is estimated. `slow`: that would have taken the database too long.
    """

    others: tuple[Other, ...] = ()
    more: int = 0
    unasked: int = 0
    about: bool = False
    slow: bool = False


class Ahead(NamedTuple):
    """By journey, how many of the crowd it may let in."""

    people: dict[int, int]
    about: bool = False
    slow: bool = False


def overlaps(
    connection: Connection, area: Area, crowd: Crowd, people: int, catalog: Catalog, now: datetime
) -> Overlaps:
    """Whom else the crowd hears from; `people`: how many of it there are in the area."""
    times = LANES // len(area.lanes)
    found, unasked = crowds.doors(connection, area, now + MONTH, ASKED_AT_MOST)
    asked = {one.journey_id: clause for one in found if (clause := _ahead_of(one, catalog, now)) is not None}
    ahead = _ahead(connection, area, crowd.clause, people, asked)
    near = crowds.neighbours(connection, area, crowd.clause, crowd.events, ahead.people)
    others = tuple(_other(one, catalog, times, ahead.people.get(one.id)) for one in near)
    return Overlaps(others, near[0].more if near else 0, unasked, ahead.about, ahead.slow)


def rounded(number: int, times: int) -> int:
    """What a sample stands for, no more exact than it can be: three digits."""
    if times == 1:
        return number
    unit = int(10 ** max(0, len(str(number * times)) - 3))
    return round(number * times / unit) * unit


def _ahead(connection: Connection, area: Area, crowd: Clause, people: int, asked: Mapping[int, Clause]) -> Ahead:
    """How many of the crowd each of these may let in, in one statement."""
    if not asked or not people:
        return Ahead(dict.fromkeys(asked, 0))
    each = people / len(area.lanes) * len(asked)
    lanes = next((some for some in (area.lanes, SAMPLE) if each * len(some) <= ANSWERS_AT_MOST), SAMPLE[:1])
    lanes = min(area.lanes, lanes, key=len)
    times = LANES // len(lanes)
    try:
        with connection.transaction():
            segments.be_quick(connection, PATIENCE_MS)
            numbers = crowds.in_both(connection, area._replace(lanes=lanes), crowd, list(asked.values()))
    except QueryCanceled:
        return Ahead({}, slow=True)
    return Ahead({one: rounded(n, times) for one, n in zip(asked, numbers, strict=True)}, times > 1)


def _ahead_of(one: Doors, catalog: Catalog, now: datetime) -> Clause | None:
    """Whom another journey may let in within a month; None where that cannot be told. Whom programs let in is no choice of it."""
    try:
        document = documents.load({"schema": 1, "settings": {}, "nodes": one.nodes, "edges": []})
        ways = [(node, start) for node, start in plans.starts(document, catalog) if start.kind != "api"]
        ahead = [(node, start) for node, start in ways if start.kind == "event" or node in one.firing]
        clauses = [
            _of(one.journey_id, node, start, f"o{one.journey_id}_{number}", now)
            for number, (node, start) in enumerate(ahead)
        ]
    except (FlowError, ValidationError):  # its node types have changed under it; its walks are told all the same
        return None
    return crowds.any_of(clauses) if clauses else None


def _of(journey_id: int, node: str, start: Start, prefix: str, now: datetime) -> Clause:
    _, clause = way_in(start, prefix, now)
    if "on" not in (start.schedule or {}):
        return clause
    return all_of([clause, crowds.not_joined(journey_id, node, prefix)])


def _other(one: Neighbour, catalog: Catalog, times: int, ahead: int | None) -> Other:
    faces = facets.describe(one.document, catalog, None)["nodes"]
    shared, now = rounded(one.shared, times), rounded(one.shared_now, times)
    copies = _copies(one.document.get("nodes", []), catalog, faces)
    return Other(one.id, one.name, one.version, one.live_since, one.same_event, shared, now, ahead, copies)


def _copies(nodes: Sequence[Mapping[str, Json]], catalog: Catalog, faces: Mapping[str, Json]) -> tuple[Copy, ...]:
    found: list[Copy] = []
    for node in nodes:
        kind = catalog.get(str(node.get("type")))
        if kind is not None and kind.channel is not None and len(found) < SHOWN_TITLES:
            face = faces.get(node["id"], {})
            text, title = str(face.get("summary") or ""), str(face.get("title") or "")
            found.append(Copy(node["id"], title, kind.channel.name, text))
    return tuple(found)
