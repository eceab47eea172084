"""Whom a flow would reach: right by each way in, by a fair sample where there are many, in a fixed number of statements."""

from datetime import timedelta
from random import Random

import pytest

from app import crowding, overlaps
from app.bench import ground
from app.crowding import Reach
from app.database import transaction
from app.volumes import volumes
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


def test_messages_are_told_by_channel_on_the_way_with_the_most_of_them(world: World) -> None:
    note, mail = ("send.inapp", {"title": "x"}), ("send.email", {"account": "a", "subject": "s", "text": "t"})
    fork = ("condition", {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}})
    wait = ("wait.event", {"events": [{"event": "stop"}], "timeout": "PT1M"})
    nodes = {
        "way0": ("entry.event", {"event": "go"}),
        "way1": ("entry.event", {"event": "come"}),
        "fork": fork,
        "end": END,
    }
    nodes |= {"a": note, "b": note, "c": note, "d": mail, "e": mail, "wait": wait}
    wires = (
        "way0.next fork, fork.yes a, a.next b, fork.no c, c.next d, b.next end, d.next end, way1.next e, e.next wait"
    )
    made = flow(nodes, f"{wires}, wait.timeout e, wait.stop d")
    plan = compile_plan(document.load(made), world.plans.catalog, Label(world.workspace_id, 0, 0))
    told = [(one.channel, one.each, one.again) for one in volumes(plan, None)]
    assert sorted(told) == [("email", 2, True), ("inapp", 2, False)]


def test_whom_two_flows_would_both_let_in_is_counted_as_by_hand(world: World) -> None:
    chance = Random(6)
    ages = range(40)  # of u0, u1, …
    people(world, len(ages))
    spent = {user: [chance.randrange(100) for _ in range(chance.randrange(3))] for user in ages}
    born = {user: chance.randrange(60) for user in ages}  # days from now
    days = [identify(f"u{user}", day=f"{world.now + far * DAY:%Y-%m-%d}") for user, far in born.items()]
    happen(world, world.now, *days, *(track(f"u{user}", "go", amount=one) for user in ages for one in spent[user]))

    def way(kind: str) -> tuple[tuple[str, dict[str, object]], set[int]]:
        least = chance.randrange(40)
        rule = {"attribute": "age", "op": "gte", "value": least}
        old = {user for user in ages if user >= least}
        if kind == "event":
            where = [{"property": "amount", "op": "gte", "value": least * 2}]
            return ("entry.event", {"event": "go", "where": where}), {
                u for u in ages if max(spent[u], default=-1) >= least * 2
            }
        if kind == "date":
            return ("entry.date", {"attribute": "day"}), {user for user in ages if born[user] <= 30}
        whens = {
            "soon": {"at": f"{world.now + 20 * DAY:%Y-%m-%dT%H:%M:%SZ}"},
            "late": {"at": f"{world.now + 31 * DAY:%Y-%m-%dT%H:%M:%SZ}"},
            "over": {"at": f"{world.now - DAY:%Y-%m-%dT%H:%M:%SZ}"},
            "daily": {"cron": "0 9 * * *"},
        }
        return ("entry.segment", {"rule": rule, "schedule": whens[kind]}), old if kind in ("soon", "daily") else set()

    expected: dict[str, set[int]] = {}
    for number in range(8):
        kinds = chance.sample(["event", "date", "soon", "late", "over", "daily"], 1 + number % 2)
        ways = [way(kind) for kind in kinds]
        expected[name := f"{number} {kinds}"] = set().union(*(found for _, found in ways))
        nodes = {f"way{n}": one for n, (one, _) in enumerate(ways)} | {"end": END}
        world.publish(name, flow(nodes, ", ".join(f"way{n}.next end" for n in range(len(ways)))))
    for kinds in (["soon"], ["event"], ["date", "event"]):
        mine = [way(kind) for kind in kinds]
        ours = set().union(*(found for _, found in mine))
        beside = reach(world, plan_of(world, *(one for one, _ in mine))).beside
        found = {one.name: one.ahead for one in beside.others if one.ahead}
        assert found == {name: len(ours & theirs) for name, theirs in expected.items() if ours & theirs}, kinds
        assert not beside.about
        assert not beside.slow


def test_who_has_joined_an_audience_already_does_not_lie_ahead_of_it(world: World) -> None:
    people(world, 4)
    happen(world, world.now, identify("u0", tier="gold"), identify("u1", tier="gold"))
    gold = {"rule": {"attribute": "tier", "op": "eq", "value": "gold"}, "schedule": {"on": "join"}}
    world.publish("Welcome gold", flow({"start": ("entry.segment", gold), "end": END}, "start.next end"))
    plan = plan_of(world, ("entry.segment", gold))
    (before,) = reach(world, plan).beside.others
    world.still()
    happen(world, world.now, identify("u2", tier="gold"))
    (after,) = reach(world, plan).beside.others
    assert [(one.shared, one.ahead) for one in (before, after)] == [(0, 2), (2, 1)]
    assert before.live_since == world.now


def test_many_people_beside_many_journeys_are_asked_of_a_sample(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people(world, 4_000)
    world.publish("Everybody", flow({"start": ("entry.event", {"event": "go"}), "end": END}, "start.next end"))
    soon = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}, "schedule": {"cron": "0 9 * * *"}}
    world.publish("Pro", flow({"start": ("entry.segment", soon), "end": END}, "start.next end"))
    monkeypatch.setattr(overlaps, "ANSWERS_AT_MOST", 1_000)
    found = reach(world, plan_of(world, ("entry.segment", soon)))
    (other,) = found.beside.others
    assert (found.people, found.about, found.beside.about) == (2_000, False, True)
    assert other.ahead is not None
    assert abs(other.ahead - 2_000) < 500
    assert other.ahead % 16 == 0
    monkeypatch.setattr(overlaps, "ASKED_AT_MOST", 1)
    assert reach(world, plan_of(world, ("entry.segment", soon))).beside.unasked == 1


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
    assert len(found.beside.others) == others
    assert len([one for one in sent if one.startswith(("SELECT", "WITH"))]) == 6, sent


def test_of_many_a_fair_sample_is_asked_and_the_answer_says_about(world: World) -> None:
    ground.people(world.connection, world.workspace_id, crowding.WHOLE_UP_TO + 5_000)
    pro = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}, "schedule": {"at": "2026-04-01T09:00:00Z"}}
    found = reach(world, plan_of(world, ("entry.segment", pro)))
    assert found.about
    assert found.people is not None
    assert abs(found.people - 12_500) < 1_250
    assert found.people % 100 == 0, "three digits: no more exact than a sample can be"
