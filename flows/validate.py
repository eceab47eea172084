"""What is wrong with a document: problems with their node, field, code and words. Never raises, never repairs.

Errors keep a journey from being published; warnings are for the operator to weigh.
"""

from collections.abc import Iterator, Mapping, Sequence

from flows import graph
from flows.calendar import zone
from flows.contract import NodeType
from flows.document import Document
from flows.problems import Problem, Severity
from flows.step_checks import Accounts, Step, check, read

__all__ = ["Problem", "Severity", "errors", "examine", "validate"]

NAMES_SHOWN = 8


def validate(document: Document, catalog: Mapping[str, NodeType], *, accounts: Accounts | None = None) -> list[Problem]:
    """Every problem of a document, in the order of its nodes, the journey's own first.

    `accounts` are the names (or names and channels) that exist in the workspace; None where nobody knows: not checked.
    """
    return examine(document, catalog, accounts=accounts)[1]


def examine(
    document: Document, catalog: Mapping[str, NodeType], *, accounts: Accounts | None = None
) -> tuple[dict[str, Step], list[Problem]]:
    """The steps of a document as far as they can be read, and its problems."""
    steps: dict[str, Step] = {}
    own: dict[str, list[Problem]] = {}
    for node in document.nodes:
        steps[node.id], own[node.id] = read(node, catalog)
    channels = {name: step.kind is not None and step.kind.channel is not None for name, step in steps.items()}
    for name, step in steps.items():
        own[name].extend(check(step, channels, accounts))
    found = list(_settings(document))
    for problem in (*_edges(document, steps), *_graph(document, steps)):
        own.get(problem.node or "", found).append(problem)
    return steps, [*found, *(problem for problems in own.values() for problem in problems)]


def errors(problems: Sequence[Problem]) -> list[Problem]:
    """Those that keep a journey from being published."""
    return [problem for problem in problems if problem.severity == "error"]


def _settings(document: Document) -> Iterator[Problem]:
    settings = document.settings
    if settings.timezone is not None and zone(settings.timezone) is None:
        yield Problem(None, "settings.timezone", "timezone.unknown", {"zone": settings.timezone})
    if settings.reentry.mode == "per_key" and not settings.reentry.key:
        yield Problem(None, "settings.reentry.key", "reentry.key_missing")
    season = settings.season
    if season is not None and season.ends_on < season.starts_on:
        yield Problem(None, "settings.season.ends_on", "season.empty")
    if settings.reentry.mode == "cooldown" and not settings.reentry.cooldown:
        yield Problem(None, "settings.reentry.cooldown", "reentry.cooldown_missing")


def _edges(document: Document, steps: Mapping[str, Step]) -> Iterator[Problem]:
    taken: set[tuple[str, str]] = set()
    for number, edge in enumerate(document.edges):
        field = f"edges[{number}]"
        source = steps.get(edge.source)
        if source is None:
            yield Problem(None, field, "edge.from_unknown", {"other": edge.source})
            continue
        if source.ports is not None and (edge.port not in source.ports or edge.port in source.jumps):
            yield Problem(edge.source, field, "port.unknown", {"port": edge.port})
        if (edge.source, edge.port) in taken:
            yield Problem(edge.source, field, "port.twice", {"port": edge.port})
        taken.add((edge.source, edge.port))
        target = steps.get(edge.to)
        if target is None:
            yield Problem(edge.source, field, "edge.to_unknown", {"port": edge.port, "other": edge.to})
        elif target.is_entry:
            yield Problem(edge.source, field, "edge.to_entry", {"port": edge.port, "other": edge.to}, "warning")


def _graph(document: Document, steps: Mapping[str, Step]) -> Iterator[Problem]:
    jumps = {name: step.jumps for name, step in steps.items()}
    wired = list(graph.wires(document, jumps))
    whole = graph.build(steps, wired)
    # Where a type or its settings cannot be read, the benefit of the doubt: that is a problem of its own already.
    waiting = {name for name, step in steps.items() if step.kind is None or step.kind.waits}
    for group in graph.cycles(whole, without=waiting):
        shown = ", ".join(group[:NAMES_SHOWN]) + (" …" if len(group) > NAMES_SHOWN else "")
        if group != [group[0]] or group[0] not in steps[group[0]].jumps.values():
            yield Problem(group[0], None, "cycle.no_wait", {"nodes": shown})
    taken = {(wire.source, wire.port) for wire in wired}
    ends = {name for name, step in steps.items() if step.ports is None or not step.ports}
    for name, step in steps.items():
        for port in step.ports or ():
            if (name, port) not in taken:
                ends.add(name)
                yield Problem(name, port, "port.open", {"port": port}, "warning")
    yield from _ways(whole, steps, ends)


def _ways(whole: graph.Graph, steps: Mapping[str, Step], ends: set[str]) -> Iterator[Problem]:
    entries = [name for name, step in steps.items() if step.is_entry]
    if not entries:
        yield Problem(None, None, "entry.missing")
        return
    reached = graph.reach(whole, entries)
    for name in steps:
        if name not in reached:
            yield Problem(name, None, "node.unreachable", {"node": name})
    caught = graph.trapped(whole, entries, ends)
    if caught:
        first = next(name for name in steps if name in caught)
        yield Problem(None if first in entries else first, None, "end.missing")
