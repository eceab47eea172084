"""How many messages a flow takes at most (F101): along one way, never over ways that exclude one another; a circle is named."""

from typing import Any

import pytest

from app.volumes import Volume, volumes
from flows.compile import Label, Plan, compile_plan
from flows.document import load
from nodes import catalog
from tests.stages.places import flow

START = ("entry.event", {"event": "came"})
ARMS = ("split", {"arms": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]})
WAIT = ("wait.event", {"events": [{"event": "go"}, {"event": "round"}]})
MAIL = ("send.email", {"account": "mail", "subject": "x", "html": "x"})
POP = ("send.inapp", {"title": "x"})


def plan(nodes: dict[str, Any], wires: str) -> Plan:
    return compile_plan(load(flow({"start": START, **nodes}, wires)), catalog(), Label(1, 1, 1))


@pytest.mark.parametrize(
    ("nodes", "wires", "expected"),
    [
        ({"end": ("exit", {})}, "start.next end", []),
        (
            {"one": MAIL, "two": MAIL, "three": POP},
            "start.next one, one.next two, two.next three",
            [Volume("email", 2, 200, False), Volume("inapp", 1, 100, False)],
        ),
        (
            {"arms": ARMS, "one": MAIL, "two": MAIL, "three": MAIL},
            "start.next arms, arms.a one, arms.b two, two.next three",
            [Volume("email", 2, 200, False)],
        ),
        (
            {"one": MAIL, "wait": WAIT, "two": MAIL, "last": POP},
            "start.next one, one.next two, two.next wait, wait.round one, wait.go last",
            [Volume("email", 2, 200, True), Volume("inapp", 1, 100, False)],
        ),
    ],
)
def test_the_most_that_lie_on_one_way_times_who_comes_in_f101(
    nodes: dict[str, Any], wires: str, expected: list[Volume]
) -> None:
    assert volumes(plan(nodes, wires), 100) == expected
    assert [one.at_most for one in volumes(plan(nodes, wires), None)] == [None] * len(expected)
