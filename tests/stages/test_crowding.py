"""Whom a flow would reach: right by each way in, by a fair sample where there are many, in a fixed number of statements."""

from datetime import timedelta

import pytest

from app import crowding
from app.bench import ground
from app.crowding import Reach
from app.database import transaction
from app.world import World
from flows import document
from flows.compile import Label, Plan, compile_plan
from tests.stages.counting import counted
from tests.stages.places import flow, happen, identify, people, track

DAY = timedelta(days=1)
END = ("exit", {})


def plan_of(world: World, *ways: tuple[str, dict[str, object]], journey: int = 0) -> Plan:
    nodes = {f"way{n}": way for n, way in enumerate(ways)} | {"end": END}
    made = flow(nodes, ", ".join(f"way{n}.next end" for n in range(len(ways))))
    return compile_plan(document.load(made), world.plans.catalog, Label(world.workspace_id, journey, 0))


def reach(world: World, plan: Plan) -> Reach:
    with transaction(world.connection):
        return crowding.reach(world.connection, plan, world.plans.catalog, world.now)


def test_each_way_in_is_counted_by_itself_and_nobody_twice_in_all(world: World) -> None:
    people(world, 20)  # half of them on plan `pro`
    happen(world, world.now, track("u0", "go", amount=5), track("u1", "go", amount=50), track("u1", "go", amount=60))
    happen(world, world.now, identify("u2", day="2026-03-20"), identify("u3", day="2026-06-20"))
    pro = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}, "schedule": {"at": "2026-04-01T09:00:00Z"}}
    dear = {"event": "go", "where": [{"property": "amount", "op": "gte", "value": 10}]}
    plan = plan_of(world, ("entry.segment", pro), ("entry.event", dear), ("entry.date", {"attribute": "day"}))
    found = reach(world, plan)
    assert [(way.basis, way.people) for way in found.ways] == [("now", 10), ("events", 1), ("dates", 1)]
    assert (found.people, found.about) == (11, False), "u1 is on pro too"


def test_what_lies_more_than_a_month_back_does_not_count(world: World) -> None:
    happen(world, world.now, track("u0", "go"))
    plan = plan_of(world, ("entry.event", {"event": "go"}))
    world.now += 29 * DAY
    assert reach(world, plan).people == 1
    world.now += 2 * DAY
    assert reach(world, plan).people == 0


@pytest.mark.parametrize("others", [0, 1, 12])
def test_the_number_of_statements_does_not_grow_with_ways_or_journeys(world: World, others: int) -> None:
    people(world, 5)
    for number in range(others):
        world.publish(
            f"other {number}", flow({"start": ("entry.event", {"event": "go"}), "end": END}, "start.next end")
        )
    plan = plan_of(
        world, *((("entry.event", {"event": f"e{n}"}) if n else ("entry.event", {"event": "go"})) for n in range(4))
    )
    with counted(world.connection) as sent:
        found = reach(world, plan)
    assert len(found.others) == others
    assert len([one for one in sent if one.startswith(("SELECT", "WITH"))]) == 4, sent


def test_of_many_a_fair_sample_is_asked_and_the_answer_says_about(world: World) -> None:
    ground.people(world.connection, world.workspace_id, crowding.WHOLE_UP_TO + 5_000)
    pro = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}, "schedule": {"at": "2026-04-01T09:00:00Z"}}
    found = reach(world, plan_of(world, ("entry.segment", pro)))
    assert found.about
    assert found.people is not None
    assert abs(found.people - 12_500) < 1_250
    assert found.people % 100 == 0, "three digits: no more exact than a sample can be"
