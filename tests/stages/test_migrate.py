"""Versions in flight: publishing moves nobody; a chosen plan moves each exactly once, repeats no message, and can be undone."""

from datetime import timedelta
from typing import Any

import pytest

from app import migrating, pausing, publishing
from app.database import transaction
from app.lanes import ALL_LANES
from app.migrating import Preview
from app.stages import migrate
from app.store import migrations_
from app.store.rows import Connection
from app.world import World
from flows.moves import Move
from tests.stages.conftest import MORNING
from tests.stages.places import became, desk, flow, happen, track

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENTRY = ("entry.event", {"event": "came"})
OLD = flow(
    {
        "start": ENTRY,
        "hello": ("send.inapp", {"title": "hello"}),
        "pause": ("wait.duration", {"duration": "P7D"}),
        "more": ("send.inapp", {"title": "more"}),
        "end": ("exit", {}),
    },
    "start.next hello, hello.next pause, pause.next more, more.next end",
    reentry={"mode": "once"},
)
NEW = flow(
    {
        "start": ENTRY,
        "hello": ("send.inapp", {"title": "hello anew"}),
        "pause": ("wait.duration", {"duration": "P5D"}),
        "ask": ("condition", {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}}),
        "more": ("send.inapp", {"title": "more"}),
        "later": ("wait.duration", {"duration": "P1D"}),
        "last": ("send.inapp", {"title": "last"}),
        "end": ("exit", {}),
    },
    "start.next hello, hello.next pause, pause.next ask, ask.yes more, ask.no later, more.next later, later.next last,"
    "last.next end",
    reentry={"mode": "once"},
)
USERS = [f"u{n}" for n in range(12)]


def ask(connection: Connection, query: Any) -> list[Any]:
    with transaction(connection):
        return connection.execute(query).fetchall()


def sent(connection: Connection) -> list[tuple[int, str, int]]:
    """Enrollment, step and visit of each message."""
    return ask(connection, "SELECT enrollment_id, node, visit FROM message ORDER BY 1, 2, 3")


def come(world: World, *users: str) -> None:
    happen(world, world.now, *(track(user, "came") for user in users))


def under_way(world: World, document: dict[str, Any] = OLD) -> int:
    """A journey with everybody at its wait, for a day already."""
    journey = world.publish("one", document)
    come(world, *USERS)
    world.until(MORNING + DAY)
    return journey


def stands(connection: Connection) -> list[Any]:
    """Everything that says where people stand, but how often they have walked."""
    return ask(
        connection,
        "SELECT id, lane, contact_id, slot, entered_at, since, rested_at, wake_at, version_id, status, node, key, reason, visits"
        " FROM enrollment ORDER BY id",
    )


def books(connection: Connection) -> dict[tuple[int, str], int]:
    """Active and finished by version as the tallies have them; what is nothing left out."""
    rows = ask(
        connection,
        "SELECT version_id, port, sum(count)::bigint FROM tally WHERE node = '' AND left(port, 1) <> '!' GROUP BY 1, 2",
    )
    return {(version, port): count for version, port, count in rows if count}


def balance(connection: Connection) -> None:
    """The books say what the rows say: by version, and for each step who waits there."""
    names = {1: "completed", 2: "exited", 3: "failed"}
    found: dict[tuple[int, str], int] = {}
    for version, status, count in ask(connection, "SELECT version_id, status, count(*) FROM enrollment GROUP BY 1, 2"):
        found[version, "entered"] = found.get((version, "entered"), 0) + count
        if status in names:
            found[version, names[status]] = count
    assert books(connection) == found
    waits = ask(
        connection,
        "SELECT version_id, node, sum(CASE WHEN port = '' THEN count ELSE -count END)::bigint FROM tally"
        " WHERE node <> '' AND (port = '!end' OR left(port, 1) <> '!') GROUP BY 1, 2",
    )
    stand = ask(connection, "SELECT version_id, node, count(*) FROM enrollment WHERE status IN (0, 4) GROUP BY 1, 2")
    assert {row[:2]: row[2] for row in waits if row[2]} == {row[:2]: row[2] for row in stand}


def preview(world: World, journey: int, *people: Move) -> Preview:
    with transaction(world.connection):
        return migrating.preview(desk(world), journey, people, None)


def the_migration(world: World, journey: int) -> tuple[migrations_.Migration, migrating.Progress]:
    with transaction(world.connection):
        (one,) = migrations_.of_journey(world.connection, world.workspace_id, journey, None, 10)
        return one, migrating.progress(desk(world), [one])[one.id]


def test_publishing_alone_moves_nobody_and_sends_nothing_again_p7_q01_q02(world: World, connection: Connection) -> None:
    journey = under_way(world)
    before, mail = stands(connection), sent(connection)
    world.publish("", NEW, journey)
    world.still()
    assert stands(connection) == before
    assert sent(connection) == mail
    world.until(MORNING + 30 * DAY)
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("end", "completed")}
    assert {node for _, node, _ in sent(connection)} == {"hello", "more"}  # all of it the old version's


@pytest.mark.parametrize(("wait", "wakes"), [("anew", 6 * DAY), ("keep", 5 * DAY)])
def test_people_are_moved_to_a_step_and_their_wait_begins_anew_or_goes_on_b05(
    world: World, connection: Connection, wait: Any, wakes: timedelta
) -> None:
    journey = under_way(world)
    people = [Move(node="pause", do="move", to="pause", wait=wait)]
    seen = preview(world, journey, *people)
    world.publish("", NEW, journey, people)
    world.still()
    one, done = the_migration(world, journey)
    assert (seen.moved, one.expected["moved"], done.moved, one.status) == (12, 12, 12, "done")
    assert {row[7] for row in stands(connection)} == {MORNING + wakes}
    balance(connection)
    world.until(MORNING + 30 * DAY)
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("end", "completed")}
    assert (
        len(sent(connection)) == 12 + 12
    )  # hello once from the old version, last from the new, no more: nobody is pro


def test_who_has_waited_long_enough_already_goes_on_at_once(world: World, connection: Connection) -> None:
    journey = under_way(world)
    world.until(MORNING + 6 * DAY)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="pause", wait="keep")])
    world.still()
    assert {walks[0][0] for walks in became(world, journey).values()} == {"later"}
    assert {row[7] for row in stands(connection)} == {MORNING + 7 * DAY}  # from now on, not folded onto the past
    balance(connection)


def test_a_step_that_has_written_to_them_writes_no_second_time_q01(world: World, connection: Connection) -> None:
    journey = under_way(world)
    before = sent(connection)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="hello")])
    world.still()
    assert sent(connection) == before
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("pause", "active")}
    world.until(MORNING + 30 * DAY)
    assert sent(connection) == sorted(before + [(id, "last", 1) for id, _, _ in before])
    balance(connection)


def test_a_loop_in_which_they_had_a_message_goes_on_counting(world: World, connection: Connection) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}], "timeout": "P7D"})
    nodes = {"start": ENTRY, "hello": ("send.inapp", {"title": "x"}), "pause": wait, "end": ("exit", {})}
    wires = "start.next hello, hello.next pause, pause.paid end, pause.timeout "
    ending, loop = flow(nodes, wires + "end"), flow(nodes, wires + "hello", visit_limit=3)
    journey = under_way(world, ending)
    world.publish("", loop, journey, [Move(node="pause", do="move", to="pause")])
    world.still()
    world.until(MORNING + 60 * DAY)
    mine = [(node, visit) for id, node, visit in sent(connection) if id == sent(connection)[0][0]]
    assert mine == [("hello", 1), ("hello", 2), ("hello", 3)]


def test_people_are_taken_out_or_stay_each_step_by_its_own_rule(world: World, connection: Connection) -> None:
    journey = under_way(world)
    world.publish("", NEW, journey, [Move(node="pause", do="exit"), Move(node="gone", do="move", to="end")])
    world.still()
    assert {walks[0] for walks in became(world, journey).values()} == {("pause", "exited", "manual")}
    one, done = the_migration(world, journey)
    assert (one.expected["exited"], done.exited, one.status) == (12, 12, "done")
    balance(connection)


def test_finished_people_go_on_at_a_step_that_was_added_if_that_is_chosen_q04(
    world: World, connection: Connection
) -> None:
    journey = under_way(world)
    world.until(MORNING + 10 * DAY)
    before = len(sent(connection))
    assert preview(world, journey, Move(node="end", do="reopen", to="later")).reopened == 12
    world.publish("", NEW, journey, [Move(node="end", do="reopen", to="later")])
    world.still()
    one, done = the_migration(world, journey)
    assert (one.expected["reopened"], done.reopened, one.status) == (12, 12, "done")
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("later", "active")}
    balance(connection)
    world.until(MORNING + 30 * DAY)
    assert len(sent(connection)) == before + 12
    balance(connection)


def test_who_came_in_again_is_not_let_go_on_twice(world: World, connection: Connection) -> None:
    again = {"reentry": {"mode": "after_exit"}}
    journey = under_way(world, OLD | {"settings": again})
    world.until(MORNING + 10 * DAY)
    come(world, "u0", "u1")
    people = [Move(node="end", do="reopen", to="later")]
    assert preview(world, journey, *people).reopened == 10
    world.publish("", NEW | {"settings": again}, journey, people)
    world.still()
    assert the_migration(world, journey)[1].reopened == 10
    found = became(world, journey)
    assert [walk[:2] for walk in found["u0"]] == [("end", "completed"), ("pause", "active")]
    balance(connection)


def test_failed_people_stay_where_they_are_and_are_counted(world: World, connection: Connection) -> None:
    journey = under_way(world)
    connection.execute("UPDATE enrollment SET status = 3, wake_at = NULL, reason = 'x' WHERE id % 2 = 0")
    connection.commit()
    seen = preview(world, journey, Move(node="pause", do="exit"))
    assert seen.failed > 0
    assert seen.failed + seen.exited == 12
    world.publish("", NEW, journey, [Move(node="pause", do="exit")])
    world.still()
    assert the_migration(world, journey)[1].exited == seen.exited
    assert len(ask(connection, "SELECT FROM enrollment WHERE status = 3 AND node = 'pause'")) == seen.failed


def test_people_of_a_paused_journey_are_moved_when_it_goes_on(world: World, connection: Connection) -> None:
    journey = under_way(world)
    with transaction(connection):
        pausing.pause(desk(world), journey)
    before = stands(connection)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    world.still()
    assert stands(connection) == before
    assert the_migration(world, journey)[0].status == "running"
    with transaction(connection):
        pausing.resume(desk(world), journey)
    world.still()
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("later", "active")}
    balance(connection)


def test_a_merged_person_is_moved_once_as_who_they_are_now(world: World) -> None:
    journey = under_way(world)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    world.accept([{"type": "alias", "previousId": "u0", "userId": "u1"}], at=world.now)
    world.still()
    found = [walk for walks in became(world, journey).values() for walk in walks]
    assert sorted(walk[:2] for walk in found) == [("later", "active")] * 11 + [("pause", "exited")]
    assert the_migration(world, journey)[0].status == "done"


def test_an_event_that_came_before_is_heard_where_they_stood(world: World) -> None:
    wait = ("wait.event", {"events": [{"event": "paid"}], "timeout": "P7D"})
    old = flow(
        {"start": ENTRY, "pause": wait, "end": ("exit", {})}, "start.next pause, pause.paid end, pause.timeout end"
    )
    journey = under_way(world, old)
    world.publish("", old, journey, [Move(node="pause", do="move", to="pause")])
    world.accept([track("u3", "paid")], at=world.now)
    # The stage alone, before the letter is read: whoever has one waits for it.
    assert migrate.run(world.connection, world.plans, lanes=ALL_LANES, now=world.now, limit=100) == 11
    world.still()
    assert became(world, journey)["u3"][0][:2] == ("end", "completed")
    assert the_migration(world, journey)[0].status == "done"


def test_a_reversal_puts_everybody_back_exactly_and_counts_who_went_on(world: World, connection: Connection) -> None:
    journey = under_way(world)
    come(world, "late")
    before = stands(connection)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    world.still()
    connection.execute("UPDATE enrollment SET wake_at = %s WHERE id = %s", (world.now, before[0][0]))
    connection.commit()
    world.still()  # the first of them goes on
    one, _ = the_migration(world, journey)
    with transaction(connection):
        migrating.reverse(desk(world), journey, one.id)
    world.still()
    one, done = the_migration(world, journey)
    assert (one.status, done.put_back, done.gone) == ("reversed", 12, 1)
    assert stands(connection)[1:] == before[1:]
    balance(connection)
    world.until(MORNING + 40 * DAY)
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("end", "completed")}


def test_exits_and_reopened_people_are_put_back_too(world: World, connection: Connection) -> None:
    journey = under_way(world)
    world.until(MORNING + 6 * DAY)
    come(world, "late", "later")
    world.until(MORNING + 8 * DAY)
    before = stands(connection)
    people = [Move(node="pause", do="exit"), Move(node="end", do="reopen", to="later")]
    world.publish("", NEW, journey, people)
    world.still()
    assert stands(connection) != before
    by_hand = "SELECT sum(count)::int FROM tally WHERE port = '!manual'"
    assert ask(connection, by_hand) == [(2,)]
    with transaction(connection):
        migrating.reverse(desk(world), journey, the_migration(world, journey)[0].id)
    world.still()
    assert stands(connection) == before
    assert the_migration(world, journey)[1].put_back == 14
    assert ask(connection, by_hand) == [(0,)]
    balance(connection)


def test_a_stopped_migration_leaves_the_rest_where_they_are(world: World, connection: Connection) -> None:
    journey = under_way(world)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    one, _ = the_migration(world, journey)
    with transaction(connection):
        migrating.stop(desk(world), journey, one.id)
    world.still()
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("pause", "active")}


def test_what_is_done_cannot_be_stopped(world: World) -> None:
    journey = under_way(world)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    world.still()
    with pytest.raises(publishing.RefusedError, match="cannot be stopped"), transaction(world.connection):
        migrating.stop(desk(world), journey, the_migration(world, journey)[0].id)


def test_two_migrations_of_one_journey_at_a_time_are_refused(world: World) -> None:
    journey = under_way(world)
    world.publish("", NEW, journey, [Move(node="pause", do="move", to="later")])
    with pytest.raises(publishing.RefusedError, match="already"), transaction(world.connection):
        migrating.begin_on_live(desk(world), journey, [Move(node="pause", do="exit")])


@pytest.mark.parametrize(("to", "why"), [("nowhere", "no step"), ("start", "entry")])
def test_a_plan_that_cannot_be_carried_out_publishes_nothing(world: World, to: str, why: str) -> None:
    journey = under_way(world)
    with pytest.raises(publishing.RefusedError, match=why):
        world.publish("", NEW, journey, [Move(node="pause", do="move", to=to)])
    with transaction(world.connection):
        assert migrations_.of_journey(world.connection, world.workspace_id, journey, None, 10) == []
