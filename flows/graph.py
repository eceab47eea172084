"""The graph of a journey as networkx sees it: what can be reached, what goes round, what comes first; no settings.

Everything here is linear in the size of the graph and calls nothing recursively, so that a huge document is no danger.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import networkx as nx

from flows.document import Document

Graph: TypeAlias = "nx.DiGraph[str]"


class Wire(NamedTuple):
    """A port and where it leads."""

    source: str
    port: str
    target: str


def wires(document: Document, jumps: Mapping[str, Mapping[str, str]]) -> Iterator[Wire]:
    """The edges of a document, and the wires that come out of settings (`NodeType.jumps`, by node and port)."""
    for edge in document.edges:
        yield Wire(edge.source, edge.port, edge.to)
    for node, targets in jumps.items():
        for port, target in targets.items():
            yield Wire(node, port, target)


def build(ids: Iterable[str], wired: Iterable[Wire]) -> Graph:
    """The graph of the nodes; wires from or to anything else are left out."""
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(ids)
    known = graph.nodes
    graph.add_edges_from(
        [(wire.source, wire.target) for wire in wired if wire.source in known and wire.target in known]
    )
    return graph


def reach(graph: Graph, starts: Iterable[str]) -> set[str]:
    """Every node that can be come to from the starts, themselves included."""
    seen = set(starts)
    rest = list(seen)
    while rest:
        for target in graph.successors(rest.pop()):
            if target not in seen:
                seen.add(target)
                rest.append(target)
    return seen


def trapped(graph: Graph, starts: Iterable[str], ends: Iterable[str]) -> set[str]:
    """The nodes that people can come to and from which no end can be reached."""
    return reach(graph, starts) - reach(graph.reverse(copy=False), ends)


def cycles(graph: Graph, without: Collection[str] = ()) -> list[list[str]]:
    """The groups of nodes that go round, once the nodes `without` are taken away; each in the graph's own order."""
    rest = graph.subgraph([node for node in graph if node not in without])
    place = {node: number for number, node in enumerate(graph)}
    groups = (sorted(group, key=place.__getitem__) for group in nx.strongly_connected_components(rest))
    found = [group for group in groups if len(group) > 1 or graph.has_edge(group[0], group[0])]
    return sorted(found, key=lambda group: place[group[0]])


def rank(graph: Graph) -> dict[str, int]:
    """The length of the longest way to each node, a cycle counted as one place: what comes before ranks lower."""
    condensed = nx.condensation(graph)
    ranks: dict[str, int] = {}
    for number, generation in enumerate(nx.topological_generations(condensed)):
        for group in generation:
            ranks.update(dict.fromkeys(condensed.nodes[group]["members"], number))
    return ranks


def order(graph: Graph) -> list[str]:
    """The nodes, each after those that lead to it; inside a cycle as the document has them."""
    ranks = rank(graph)
    return sorted(graph, key=ranks.__getitem__)
