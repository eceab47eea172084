"""What can be reached, what goes round, what comes first."""

import time

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import graph
from flows.graph import Wire
from tests.flows.build import flow


def of(*ways: str) -> graph.Graph:
    wired = [Wire(way[0], "next", way[-1]) for way in ways]
    return graph.build(sorted({end for wire in wired for end in (wire.source, wire.target)}), wired)


def test_what_can_be_reached() -> None:
    assert graph.reach(of("a>b", "b>c", "d>c"), ["a"]) == {"a", "b", "c"}


def test_who_cannot_get_out() -> None:
    assert graph.trapped(of("a>b", "a>c", "c>d", "d>c"), ["a"], ["b"]) == {"c", "d"}
    assert graph.trapped(of("a>b", "c>c"), ["a"], ["b"]) == set()


def test_what_goes_round() -> None:
    ways = of("a>b", "b>c", "c>b", "d>d", "c>e")
    assert graph.cycles(ways) == [["b", "c"], ["d"]]
    assert graph.cycles(ways, without={"c"}) == [["d"]]


def test_who_comes_before_has_the_lower_rank() -> None:
    ranks = graph.rank(of("a>b", "b>c", "c>b", "c>d", "a>d"))
    assert ranks["a"] < ranks["b"] == ranks["c"] < ranks["d"]
    assert graph.order(of("b>a", "c>b")) == ["c", "b", "a"]


def test_edges_and_jumps_are_wires() -> None:
    document = flow("start -next> jump", start="entry.event", jump=("goto", {"node": "start"}))
    assert list(graph.wires(document, {"jump": {"next": "start"}})) == [
        Wire("start", "next", "jump"),
        Wire("jump", "next", "start"),
    ]


pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30)


@given(pairs)
def test_a_rank_respects_every_wire_that_is_not_in_a_cycle(ends: list[tuple[int, int]]) -> None:
    wired = [Wire(str(source), "next", str(target)) for source, target in ends]
    whole = graph.build(map(str, range(13)), wired)
    ranks = graph.rank(whole)
    for wire in wired:
        together = nx.has_path(whole, wire.target, wire.source)
        assert ranks[wire.source] == ranks[wire.target] if together else ranks[wire.source] < ranks[wire.target]
    assert sorted(graph.order(whole)) == sorted(whole)


@pytest.mark.parametrize("closed", [False, True])
def test_a_row_or_a_ring_of_thirty_thousand_nodes_takes_no_deep_calls(closed: bool) -> None:
    size = 30_000
    wired = [Wire(str(number), "next", str((number + 1) % size)) for number in range(size if closed else size - 1)]
    began = time.perf_counter()
    whole = graph.build(map(str, range(size)), wired)
    assert len(graph.reach(whole, ["0"])) == size
    assert len(graph.cycles(whole)) == closed
    assert len(graph.order(whole)) == size
    assert time.perf_counter() - began < 5
