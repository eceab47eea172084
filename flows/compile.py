"""A valid document and a catalogue become a frozen plan: parsed settings, wires, what each step listens to and reads.

Compiled once for each version and kept; nothing here is done again per batch. Never looks at people or at the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import networkx as nx
from pydantic import BaseModel

from flows.calendar import zone
from flows.contract import Json, NodeType, Start, names
from flows.document import Document, Node
from flows.document import Season as SeasonDocument
from flows.document import Target as TargetDocument
from flows.durations import elapsed
from flows.seasons import Override, Season, bounds, refusal
from flows.upgrade import upgrade_nodes


@dataclass(frozen=True, slots=True)
class Target:
    """An event that takes people out: the goal, or an exit rule."""

    event: str
    where: Any
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a marketing plan may spend, and what a message costs on each channel; beyond it marketing is not sent."""

    plan_id: int
    amount: Decimal
    costs: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One node of one version, ready to run. `node` is None where the type is not installed: its people are held.

    `reads_ahead` names the facts that this step and all after it may ask for. `rank` orders steps so that a batch is
    gathered before a step is run; `cyclic` steps count visits. `purpose` is what a marketing message must be allowed for.
    """

    id: str
    type: str
    node: NodeType | None
    settings: Any
    wires: Mapping[str, str | None]
    listens: frozenset[str]
    reads_ahead: frozenset[str]
    rank: int
    cyclic: bool
    start: Start | None
    seed: str
    marketing: bool = True
    purpose: str = "marketing"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One published version. `live` lets people in; `paused` and `stopped` are the journey's state when the plan was loaded."""

    workspace_id: int
    journey_id: int
    version_id: int
    number: int
    timezone: str
    reentry: str
    cooldown: timedelta | None
    key_path: str | None
    goal: Target | None
    exit_when: Target | None
    holdout_percent: float
    marketing: bool
    priority: int
    visit_limit: int
    steps: Mapping[str, Step]
    entries: tuple[Step, ...]
    listens: frozenset[str]
    live: bool = True
    paused: bool = False
    stopped: bool = False
    season: Season | None = None  # people come in only while it is on
    overridden: tuple[Override, ...] = ()  # whose seasons stand over it
    budget: Budget | None = None  # of the marketing plan it lies in, where that one holds back what goes beyond
    opened_at: datetime | None = None  # nobody is let in by what came before the journey went live, or on
    late_before: datetime | None = None  # what waits that had to end before then write is held
    entries_at_most: int | None = None  # the approval's cap on who may enter by this version

    def refusal(self, at: datetime) -> str | None:
        """Why nobody may come in at this moment, whoever it is."""
        return refusal(self.season, self.overridden, at)


@dataclass(frozen=True, slots=True)
class Label:
    """Which version a plan is made for."""

    workspace_id: int
    journey_id: int
    version_id: int
    number: int = 1
    timezone: str = "UTC"
    live: bool = True
    paused: bool = False
    stopped: bool = False


def compile_plan(document: Document, catalog: Mapping[str, NodeType], label: Label) -> Plan:
    """The plan of a document that `validate` found no error in; `label.timezone` is the workspace's, used where it names none."""
    document = upgrade_nodes(document, catalog)
    settings = document.settings
    parsed = {one.id: _parsed(catalog.get(one.type), one.settings) for one in document.nodes}
    wires = _wires(document, catalog, parsed)
    ranks, cyclic = _order(wires)
    reads = _reads_ahead(document, catalog, parsed, wires)
    steps = {}
    for saved in document.nodes:
        node, own = catalog.get(saved.type), parsed[saved.id]
        steps[saved.id] = Step(
            id=saved.id,
            type=saved.type,
            node=node,
            settings=own,
            wires=wires[saved.id],
            listens=frozenset(names(node.listens, own)) if node else frozenset(),
            reads_ahead=reads[saved.id],
            rank=ranks[saved.id],
            cyclic=saved.id in cyclic,
            start=node.start(own) if node and node.start else None,
            seed=f"{label.workspace_id}/{label.journey_id}/{saved.id}",
            marketing=_said(saved, own, "message_class", settings.message_class) == "marketing",
            purpose=_said(saved, own, "purpose", settings.purpose),
        )
    goal, exit_when = _target(settings.goal), _target(settings.exit_when)
    reentry = settings.reentry
    return Plan(
        workspace_id=label.workspace_id,
        journey_id=label.journey_id,
        version_id=label.version_id,
        number=label.number,
        timezone=settings.timezone or label.timezone,
        reentry=reentry.mode,
        cooldown=elapsed(reentry.cooldown) if reentry.cooldown else None,
        key_path=reentry.key if reentry.mode == "per_key" else None,
        goal=goal,
        exit_when=exit_when,
        holdout_percent=settings.holdout_percent,
        marketing=settings.message_class == "marketing",
        priority=settings.priority,
        visit_limit=settings.visit_limit,
        steps=steps,
        entries=tuple(step for step in steps.values() if step.start),
        listens=frozenset().union(
            *(step.listens for step in steps.values()), *({t.event} for t in (goal, exit_when) if t)
        ),
        live=label.live,
        paused=label.paused,
        stopped=label.stopped,
        season=season_of(settings.season, label.timezone),
    )


def starts(document: Document, catalog: Mapping[str, NodeType]) -> list[tuple[str, Start]]:
    """How each entry node lets people in, by its id; the rest of the flow may be missing."""
    found = []
    for saved in upgrade_nodes(document, catalog).nodes:
        node = catalog.get(saved.type)
        if node is not None and node.start is not None:
            found.append((saved.id, node.start(node.settings.model_validate(saved.settings))))
    return found


def season_of(saved: SeasonDocument | None, timezone: str) -> Season | None:
    """A season as instants, by the clocks of the workspace (UTC where its zone is not known)."""
    if saved is None:
        return None
    opens, closes = bounds(saved.starts_on, saved.ends_on, zone(timezone) or ZoneInfo("UTC"))
    return Season(opens, closes, frozenset(saved.journeys), frozenset(saved.plans), saved.how)


def _said(saved: Node, own: BaseModel | None, name: str, usual: str) -> str:
    """What the document says of a send, else what the journey says: a type's own default decides nothing about consent."""
    said = getattr(own, name, None) if name in saved.settings else None
    return said if isinstance(said, str) and said else usual


def _parsed(node: NodeType | None, settings: Mapping[str, Json]) -> BaseModel | None:
    return node.settings.model_validate(settings) if node else None


def _target(saved: TargetDocument | None) -> Target | None:
    if saved is None:
        return None
    return Target(saved.event, saved.where, elapsed(saved.within) if saved.within else None)


Parsed = Mapping[str, BaseModel | None]


def _wires(document: Document, catalog: Mapping[str, NodeType], parsed: Parsed) -> dict[str, dict[str, str | None]]:
    """Port → next node for every node: its declared ports, then edges, then jumps out of the settings."""
    wires: dict[str, dict[str, str | None]] = {}
    for saved in document.nodes:
        node = catalog.get(saved.type)
        wires[saved.id] = {}
        if node:
            wires[saved.id] = dict.fromkeys(names(node.ports, parsed[saved.id]))
            wires[saved.id].update(node.jumps(parsed[saved.id]) if node.jumps else {})
    for edge in document.edges:
        wires[edge.source][edge.port] = edge.to
    return wires


def _graph(wires: Mapping[str, Mapping[str, str | None]]) -> "nx.DiGraph[str]":
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(wires)
    graph.add_edges_from((source, to) for source, ports in wires.items() for to in ports.values() if to is not None)
    return graph


def _order(wires: Mapping[str, Mapping[str, str | None]]) -> tuple[dict[str, int], set[str]]:
    """A rank for each node (predecessors first, a cycle shares one), and the nodes that lie on a cycle."""
    graph = _graph(wires)
    parts = nx.condensation(graph)
    ranks, cyclic = {}, set()
    for rank, part in enumerate(nx.topological_sort(parts)):
        members = parts.nodes[part]["members"]
        ranks.update(dict.fromkeys(members, rank))
        if len(members) > 1 or any(graph.has_edge(one, one) for one in members):
            cyclic |= members
    return ranks, cyclic


def _reads_ahead(
    document: Document, catalog: Mapping[str, NodeType], parsed: Parsed, wires: Mapping[str, Mapping[str, str | None]]
) -> dict[str, frozenset[str]]:
    """For each node the facts that it or any node after it reads, gathered from the last node of the order to the first."""
    own: dict[str, frozenset[str]] = {}
    for saved in document.nodes:
        node = catalog.get(saved.type)
        if node is None:
            own[saved.id] = frozenset()
            continue
        sends = {"consents"} if node.channel else set()
        own[saved.id] = frozenset(names(node.reads, parsed[saved.id])) | sends
    parts = nx.condensation(_graph(wires))
    ahead: dict[int, frozenset[str]] = {}
    for part in reversed(list(nx.topological_sort(parts))):
        members = parts.nodes[part]["members"]
        ahead[part] = frozenset().union(*(own[one] for one in members), *(ahead[after] for after in parts[part]))
    mapping = parts.graph["mapping"]
    return {one: ahead[mapping[one]] for one in own}
