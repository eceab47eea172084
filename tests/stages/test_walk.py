"""The walk: what one node does is what the next one sees; limits hold to the instant; books and messages of loops."""

from datetime import UTC, datetime, timedelta

from app.store import scratch
from app.world import World
from tests.stages.places import became, flow, happen, identify, track

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = ("entry.event", {"event": "go"})
PAUSE = ("wait.duration", {"duration": "P1D"})


def test_what_was_taken_away_is_gone_for_the_next_node_and_the_next_event_of_the_batch(world: World) -> None:
    level, trial = {"attribute": "level", "op": "exists"}, {"tag": "trial"}
    nodes = {
        "start": ("entry.event", {"event": "go", "when": {"any": [level, trial]}}),
        "untag": ("action.tag", {"remove": ["trial"]}),
        "unset": ("action.attribute", {"unset": ["level"]}),
        "left": ("condition", {"rule": {"any": [level, trial]}}),
    }
    wires = "start.next untag, untag.next unset, unset.next left"
    journey = world.publish("main", flow(nodes, wires, reentry={"mode": "after_exit"}))
    happen(world, NOW, identify("u0", level="gold"), identify("u1", level="gold"), identify("u2"))
    scratch.give(world.connection, world.workspace_id, {"u2": (["trial", "other"], {})})
    happen(
        world,
        NOW + MINUTE,
        *(track(user, "go") for user in ("u0", "u2")),
        *(track(user, "go") for user in ("u0", "u2")),
        identify("u1", level=None),
        track("u1", "go"),
    )
    assert became(world, journey) == {user: [("left", "completed", "left.no")] for user in ("u0", "u2")}
    assert scratch.tags(world.connection, world.workspace_id, "u2") == ["other"]
    known = world.connection.execute("SELECT count(*) FROM contact WHERE attributes ? 'level'").fetchone()
    assert known == (0,)


def test_a_goal_counts_up_to_the_very_end_of_its_time_and_not_a_second_longer(world: World) -> None:
    goal = {"event": "paid", "within": "PT1H"}
    journey = world.publish("main", flow({"start": START, "pause": PAUSE}, "start.next pause", goal=goal))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    happen(world, NOW + HOUR, track("u0", "paid"))
    happen(world, NOW + HOUR + timedelta(seconds=1), track("u1", "paid"))
    assert became(world, journey) == {"u0": [("pause", "exited", "goal")], "u1": [("pause", "active", None)]}


def test_a_wait_in_a_loop_is_as_long_the_second_time_as_the_first(world: World) -> None:
    hour = ("wait.event", {"events": [{"event": "paid"}], "timeout": "PT1H"})
    nodes = {"start": START, "mail": ("send.inapp", {"title": "again"}), "wait": hour}
    wires = "start.next mail, mail.next wait, wait.timeout mail"
    journey = world.publish("main", flow(nodes, wires, visit_limit=5, message_class="transactional"))
    happen(world, NOW, track("u0", "go"))
    happen(world, NOW + 2 * HOUR + 30 * MINUTE, track("u0", "paid"))
    assert became(world, journey) == {"u0": [("wait", "completed", "wait.paid")]}
    sent = world.connection.execute("SELECT visit, created_at FROM message ORDER BY visit").fetchall()
    assert sent == [(1, NOW), (2, NOW + HOUR), (3, NOW + 2 * HOUR)]
