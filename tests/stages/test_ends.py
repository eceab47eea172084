"""F046: how a walk ends is told apart and counted: at an exit, by a time-out, the goal, the exit rule, by hand, going round."""

from datetime import timedelta
from typing import Any

from app import counts, pausing
from app.database import transaction
from app.store import tallies
from app.store.rows import Connection
from app.world import World
from tests.stages.conftest import MORNING
from tests.stages.places import became, desk, flow, happen, track

NODES: dict[str, Any] = {
    "start": ("entry.event", {"event": "came"}),
    "wait": ("wait.event", {"events": [{"event": "go"}, {"event": "round"}], "timeout": "PT1H"}),
    "late": ("exit", {"reason": "too late"}),
    "end": ("exit", {"reason": "went"}),
}
WIRES = "start.next wait, wait.go end, wait.timeout late, wait.round wait"
RULES = {"goal": {"event": "bought"}, "exit_when": {"event": "closed"}, "visit_limit": 2}


def test_ways_of_leaving_are_told_apart_and_counted_f046(world: World, connection: Connection) -> None:
    journey = world.publish("one", flow(NODES, WIRES, **RULES))
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(9)))
    at = MORNING + timedelta(minutes=10)
    happen(world, at, track("u0", "go"), track("u1", "bought"), track("u2", "bought"), track("u3", "closed"))
    happen(world, at, track("u4", "round"))
    happen(world, at + timedelta(minutes=1), track("u4", "round"), track("u5", "round"))
    world.until(MORNING + timedelta(hours=1))  # time is up for u6, u7 and u8
    with transaction(connection):
        pausing.stop(desk(world), journey)
    world.still()
    ends = {user: walks[0] for user, walks in became(world, journey).items()}
    assert ends == {
        "u0": ("end", "completed", "went"),
        "u1": ("wait", "exited", "goal"),
        "u2": ("wait", "exited", "goal"),
        "u3": ("wait", "exited", "exit_when"),
        "u4": ("wait", "exited", "visit_limit"),
        "u5": ("wait", "exited", "manual"),
        **dict.fromkeys(("u6", "u7", "u8"), ("late", "completed", "too late")),
    }
    with transaction(connection):
        numbers = counts.gather(tallies.of_journey(connection, world.workspace_id, journey))
    assert numbers.totals.plain() == {
        "entered": 9, "active": 0, "completed": 4, "exited": 5, "failed": 0, "goal": 2, "exit_when": 1, "manual": 1,
        "visit_limit": 1,
    }  # fmt: skip
    assert (numbers.nodes["end"].ended, numbers.nodes["late"].ended) == (1, 3)
    assert numbers.nodes["wait"].ports == {"go": 1, "timeout": 3, "round": 3}
