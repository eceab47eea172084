"""match: what letters do to people, beyond the scenarios: bad letters, keys, versions, paused and stopped journeys."""

from datetime import UTC, datetime, timedelta

from app import pausing
from app.database import transaction
from app.lanes import ALL_LANES, lane_of
from app.stages import match
from app.store import inbox
from app.store.inbox import Letter
from app.world import World
from tests.stages.places import became, desk, flow, happen, identify, moments, people, track

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = ("entry.event", {"event": "go"})
END = ("exit", {})
PAUSE = ("wait.duration", {"duration": "P1D"})
SIMPLE = flow({"start": START, "end": END}, "start.next end", reentry={"mode": "once"})


def paid_within(timeout: str) -> dict[str, object]:
    """Go, then a payment of a hundred or more, or the time-out."""
    hundred = {"event": "paid", "where": [{"property": "amount", "op": "gte", "value": 100}]}
    wait = ("wait.event", {"events": [hundred], "timeout": timeout})
    return flow({"start": START, "wait": wait, "end": END}, "start.next wait, wait.paid end", reentry={"mode": "once"})


def test_a_letter_that_cannot_be_read_is_kept_aside_and_the_others_go_on(world: World) -> None:
    journey = world.publish("simple", SIMPLE)
    contacts = people(world, 3)
    lanes = {contact: lane_of(world.workspace_id, contact) for contact in contacts}
    letters = [Letter(lanes[c], 0, world.workspace_id, c, "track", "go", NOW, NOW, "{}", None) for c in contacts]
    letters.insert(0, letters[0]._replace(properties="{no JSON"))
    letters.append(letters[1]._replace(kind="enroll", name="journey.enrolled", properties='{"journey": "none"}'))
    with transaction(world.connection):
        inbox.put(world.connection, letters)
    world.still()
    assert became(world, journey) == {f"u{n}": [("end", "completed", "end")] for n in range(3)}
    kept = world.connection.execute(
        "SELECT kind, reason, payload ->> 'properties' FROM dead ORDER BY reason"
    ).fetchall()
    assert [(kind, reason.partition(":")[0], text) for kind, reason, text in kept] == [
        ("track", "DecodeError", "{no JSON"),
        ("enroll", "ValueError", '{"journey": "none"}'),
    ]


def test_an_event_without_key_lets_nobody_into_a_keyed_journey_and_wakes_nobody_there(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}], "timeout": "P1D"})
    keyed = {"mode": "per_key", "key": "properties.order.id"}
    goal = {"event": "closed"}
    nodes = {"start": START, "wait": wait, "end": END}
    journey = world.publish("keyed", flow(nodes, "start.next wait, wait.paid end", reentry=keyed, goal=goal))
    odd: tuple[object, ...] = (None, "", [1], {"id": ["x"]}, {"id": {}}, {"no": 1})
    happen(world, NOW, *(track("u0", "go", order=one) for one in odd), track("u0", "go"))
    assert became(world, journey) == {}
    happen(world, NOW + MINUTE, track("u0", "go", order={"id": 7}), track("u0", "go", order={"id": "7"}))
    happen(world, NOW + HOUR, track("u0", "paid"), track("u0", "paid", order={"id": 8}), track("u0", "closed"))
    assert became(world, journey) == {"u0": [("wait", "active", None)]}
    happen(world, NOW + 2 * HOUR, track("u0", "paid", order={"id": 7.0}))
    assert became(world, journey) == {"u0": [("end", "completed", "end")]}


def test_who_entered_once_may_come_again_when_a_later_version_says_so(world: World) -> None:
    journey = world.publish("main", SIMPLE)
    happen(world, NOW, track("u0", "go"))
    happen(world, NOW + HOUR, track("u0", "go"))
    again = {**SIMPLE, "settings": {"reentry": {"mode": "after_exit"}}}
    world.publish("main", again, journey)
    # Two in one batch: the second finds the place free again as well.
    happen(world, NOW + 2 * HOUR, track("u0", "go"), track("u0", "go"))
    assert became(world, journey) == {"u0": [("end", "completed", "end")] * 3}
    world.publish("main", SIMPLE, journey)
    happen(world, NOW + 3 * HOUR, track("u0", "go"))
    assert len(became(world, journey)["u0"]) == 3


def test_one_event_lets_somebody_into_a_journey_once_by_whichever_entry_fits_first(world: World) -> None:
    nodes = {"a": START, "b": START, "end": END}
    journey = world.publish("two doors", flow(nodes, "a.next end, b.next end", reentry={"mode": "after_exit"}))
    happen(world, NOW, track("u0", "go"))
    happen(world, NOW + HOUR, track("u0", "go"))
    assert became(world, journey) == {"u0": [("end", "completed", "end")] * 2}


def test_the_event_that_ends_a_walk_may_begin_the_next(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "go"}], "timeout": "P1D"})
    nodes = {"start": START, "wait": wait, "end": END}
    journey = world.publish("again", flow(nodes, "start.next wait, wait.go end", reentry={"mode": "after_exit"}))
    happen(world, NOW, track("u0", "go"))
    happen(world, NOW + HOUR, track("u0", "go"))
    assert became(world, journey) == {"u0": [("end", "completed", "end"), ("wait", "active", None)]}


def test_a_visit_limit_is_counted_over_all_walks_to_rest(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "more"}, {"event": "enough"}]})
    journey = world.publish(
        "loop", flow({"start": START, "wait": wait}, "start.next wait, wait.more wait", visit_limit=3)
    )
    happen(world, NOW, track("u0", "go"))
    happen(world, NOW + MINUTE, track("u0", "more"))
    happen(world, NOW + 2 * MINUTE, track("u0", "more"))
    assert became(world, journey) == {"u0": [("wait", "active", None)]}
    happen(world, NOW + 3 * MINUTE, track("u0", "more"))
    assert became(world, journey) == {"u0": [("wait", "exited", "visit_limit")]}


def test_nobody_enters_a_paused_journey_and_nobody_moves_in_it(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}], "timeout": "PT1H"})
    journey = world.publish("main", flow({"start": START, "wait": wait, "end": END}, "start.next wait, wait.paid end"))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    with transaction(world.connection):
        pausing.pause(desk(world), journey)
    happen(world, NOW + 30 * MINUTE, track("u1", "paid"), track("u2", "go"))
    world.until(NOW + 2 * HOUR)
    held = {"u0": [("wait", "held", None)], "u1": [("wait", "held", became(world, journey)["u1"][0][2])]}
    assert became(world, journey) == held
    with transaction(world.connection):
        pausing.resume(desk(world), journey)
    world.until(NOW + 3 * HOUR - MINUTE)
    assert became(world, journey) == {"u0": [("wait", "active", None)], "u1": [("end", "completed", "end")]}
    world.until(NOW + 3 * HOUR)
    assert became(world, journey)["u0"] == [("wait", "completed", "wait.timeout")]
    assert moments(world, journey)["u1"][0]["end"] == NOW + 2 * HOUR


def test_after_a_pause_an_awaited_event_still_counts_until_the_wait_ends_later(world: World) -> None:
    journey = world.publish("main", paid_within("PT1H"))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    world.until(NOW + 30 * MINUTE)
    with transaction(world.connection):
        pausing.pause(desk(world), journey)
    world.until(NOW + 10 * HOUR)
    with transaction(world.connection):
        pausing.resume(desk(world), journey)
    happen(world, NOW + 10 * HOUR + 10 * MINUTE, track("u0", "paid", amount=5), track("u1", "paid", amount=5))
    happen(world, NOW + 10 * HOUR + 20 * MINUTE, track("u0", "paid", amount=100))
    assert became(world, journey) == {"u0": [("end", "completed", "end")], "u1": [("wait", "active", None)]}
    world.until(NOW + 10 * HOUR + 30 * MINUTE)
    assert became(world, journey)["u1"] == [("wait", "completed", "wait.timeout")]


def test_only_an_event_that_ends_the_wait_is_remembered_over_a_pause(world: World) -> None:
    journey = world.publish("main", paid_within("PT1H"))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    happen(world, NOW + 10 * MINUTE, track("u0", "paid", amount=5))
    world.until(NOW + 30 * MINUTE)
    with transaction(world.connection):
        pausing.pause(desk(world), journey)
    happen(world, NOW + 2 * HOUR, track("u0", "paid", amount=7), track("u1", "paid", amount=8))
    happen(world, NOW + 3 * HOUR, track("u0", "paid", amount=100))
    happen(world, NOW + 4 * HOUR, track("u0", "paid", amount=5))
    world.until(NOW + 10 * HOUR)
    with transaction(world.connection):
        pausing.resume(desk(world), journey)
    world.until(NOW + 10 * HOUR + MINUTE)
    assert became(world, journey) == {"u0": [("end", "completed", "end")], "u1": [("wait", "active", None)]}
    world.until(NOW + 11 * HOUR)
    assert became(world, journey)["u1"] == [("wait", "completed", "wait.timeout")]
    assert moments(world, journey)["u0"][0]["end"] == NOW + 10 * HOUR


def test_a_goal_takes_people_out_of_a_paused_journey(world: World) -> None:
    nodes = {"start": START, "pause": PAUSE, "end": END}
    journey = world.publish("main", flow(nodes, "start.next pause, pause.next end", goal={"event": "paid"}))
    happen(world, NOW, track("u0", "go"))
    with transaction(world.connection):
        pausing.pause(desk(world), journey)
    happen(world, NOW + HOUR, track("u0", "paid"))
    assert became(world, journey) == {"u0": [("pause", "exited", "goal")]}


def test_everybody_leaves_a_stopped_journey_and_nobody_enters_it(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}]})
    mail = ("send.inapp", {"title": "thanks"})
    nodes = {"start": START, "wait": wait, "mail": mail, "end": END}
    journey = world.publish("main", flow(nodes, "start.next wait, wait.paid mail, mail.next end"))
    happen(world, NOW, track("u0", "go"), track("u1", "go"))
    world.now = NOW + HOUR
    with transaction(world.connection):
        pausing.stop(desk(world), journey)
    # A letter that comes before the timers have taken them out wakes nobody any more.
    world.accept([track("u0", "paid"), track("u2", "go")], at=NOW + HOUR)
    match.run(world.connection, world.plans, lanes=ALL_LANES, now=NOW + HOUR, limit=100)
    world.still()
    assert became(world, journey) == {f"u{n}": [("wait", "exited", "manual")] for n in range(2)}
    happen(world, NOW + 2 * HOUR, track("u0", "paid"), track("u3", "go"))
    assert set(became(world, journey)) == {"u0", "u1"}
    assert world.connection.execute("SELECT count(*) FROM message").fetchone() == (0,)


def test_several_letters_of_one_person_in_a_batch_each_see_what_the_earlier_did(world: World) -> None:
    vip = {"tag": "vip"}
    first = {"start": START, "mark": ("action.tag", {"add": ["vip"]})}
    second = {"start": ("entry.event", {"event": "look", "when": vip}), "end": END}
    world.publish("first", flow(first, "start.next mark"))
    journey = world.publish("second", flow(second, "start.next end", reentry={"mode": "after_exit"}))
    happen(
        world,
        NOW,
        track("u0", "look"),
        track("u0", "go"),
        track("u0", "look"),
        identify("u0", city="Bonn"),
        track("u0", "look"),
    )
    assert len(became(world, journey)["u0"]) == 2
