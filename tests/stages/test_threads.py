"""What operators of other systems complained of for years (FEATURES §3), told again with the real stages: not here.

Each name carries the number of its thread; what is shown elsewhere carries it there (`grep -r _q tests`).
"""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.courier import Courier
from app.database import connect, transaction
from app.lanes import ALL_LANES
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site
from app.stages import deliver, gate, match, timers
from app.store.rows import Connection
from app.world import SECRET, World
from nodes import catalog
from tests.deliver.test_opt_outs import Recorder, furnish
from tests.deliver.test_opt_outs import people as messages_for
from tests.stages.conftest import MORNING
from tests.stages.places import became, flow, happen, identify, moments, track
from tests.stages.test_gate import ask
from tests.stages.test_pauses import pause, resume

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SENT = 2


def sending(*, wait: str = "P1D", **settings: Any) -> dict[str, Any]:
    """In by an event, a wait, a message, out."""
    nodes = {
        "start": ("entry.event", {"event": "came"}),
        "wait": ("wait.duration", {"duration": wait}),
        "note": ("send.inapp", {"title": "one"}),
        "end": ("exit", {}),
    }
    return flow(nodes, "start.next wait, wait.next note, note.next end", **settings)


def test_everybody_in_progress_has_a_named_state_that_no_edit_takes_away_q03(
    world: World, connection: Connection
) -> None:
    """The step they wait at is deleted, renamed, or replaced: who stands there stands there, and goes on as they began."""
    journey = world.publish("one", sending())
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(5)))
    for version in (
        flow({"start": ("entry.event", {"event": "came"}), "end": ("exit", {})}, "start.next end"),
        sending(wait="P9D"),
        flow(
            {
                "start": ("entry.event", {"event": "came"}),
                "other": ("wait.duration", {"duration": "P5D"}),
                "end": ("exit", {}),
            },
            "start.next other, other.next end",
        ),
    ):
        world.now += HOUR
        world.publish("", version, journey)
        world.still()
        assert {walks[0][:2] for walks in became(world, journey).values()} == {("wait", "active")}
        assert ask(connection, "SELECT DISTINCT version_id, wake_at FROM enrollment") == [(1, MORNING + DAY)]
    world.until(MORNING + 30 * DAY)
    assert ask(connection, "SELECT status, sent_at, count(*) FROM message GROUP BY 1, 2") == [(SENT, MORNING + DAY, 5)]
    assert {walks[0][:2] for walks in became(world, journey).values()} == {("end", "completed")}
    assert {tuple(one[0]) for one in moments(world, journey).values()} == {("start", "wait", "note", "end")}


def overlap(url: str, at: datetime, threads: int, errors: list[BaseException]) -> None:
    """The same work begun several times at once, on all lanes and with clocks that disagree, until nothing is left."""
    barrier = threading.Barrier(threads)

    def work(number: int) -> None:
        plans = Plans(catalog(plugins=False))
        courier = Courier(Site("https://scratch.invalid", Tokens(SECRET)), SECRET, cut_off=True)
        now, idle = at + timedelta(seconds=number * 20 - 30), 0
        with connect(url) as own:
            barrier.wait()
            while idle < 5:
                try:
                    did = sum(
                        int(stage.run(own, plans, lanes=ALL_LANES, now=now, limit=40))
                        for stage in (match, timers, gate)
                    )
                    did += deliver.run(own, plans, courier, now=now, limit=40)
                except (
                    psycopg.errors.SerializationFailure,
                    psycopg.errors.DeadlockDetected,
                    psycopg.errors.UniqueViolation,
                ):
                    own.rollback()  # what the engine does too: again from the beginning
                    continue
                except BaseException as error:  # noqa: BLE001 told to the test
                    errors.append(error)
                    return
                idle = 0 if did else idle + 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()


def test_jobs_that_overlap_with_clocks_that_disagree_send_each_message_once_q07(
    world: World, connection: Connection, database_url: str
) -> None:
    journey = world.publish("one", sending())
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(120)))
    errors: list[BaseException] = []
    overlap(database_url, MORNING + DAY + timedelta(minutes=1), 4, errors)
    assert errors == []
    assert ask(connection, "SELECT status, count(*), count(DISTINCT contact_id) FROM message GROUP BY 1") == [
        (SENT, 120, 120)
    ]
    assert Counter(walks[0][1] for walks in became(world, journey).values()) == {"completed": 120}
    assert ask(connection, "SELECT sum(count)::int FROM tally WHERE node = 'note' AND port = '!sent'") == [(120,)]


def test_senders_that_overlap_call_the_provider_once_for_each_message_q07(
    connection: Connection, database_url: str
) -> None:
    recorder = Recorder(seconds=0.001)
    house = furnish(connection, recorder)
    messages_for(house, range(1, 81))
    barrier = threading.Barrier(4)

    def work() -> None:
        plans = Plans(dict(house.plans.catalog))
        with connect(database_url) as own:
            barrier.wait()
            while deliver.run(own, plans, house.courier, now=house_now, limit=16):
                pass

    from tests.deliver.peers import NOW as house_now

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Counter(len(calls) for calls in recorder.calls.values()) == {1: 80}
    assert house.statuses() == [SENT] * 80


def test_after_publishing_only_the_new_version_fires_on_its_schedule_q08(world: World, connection: Connection) -> None:
    """Both would fire on the same day; the old one's firing was due an hour after the switch."""

    def daily(hour: int, title: str) -> dict[str, Any]:
        nodes: dict[str, tuple[str, dict[str, Any]]] = {
            "start": ("entry.schedule", {"schedule": {"cron": f"0 {hour} * * *"}}),
            "note": ("send.inapp", {"title": title}),
            "end": ("exit", {}),
        }
        return flow(nodes, "start.next note, note.next end", reentry={"mode": "after_exit"})

    journey = world.publish("one", daily(11, "old"))
    happen(world, MORNING, *(track(f"u{n}", "born") for n in range(3)))
    world.until(MORNING + 2 * HOUR)
    world.publish("", daily(12, "new"), journey)
    assert len(ask(connection, "SELECT next_at FROM schedule WHERE next_at IS NOT NULL")) == 1
    world.until(MORNING + 2 * DAY)
    found = ask(
        connection, "SELECT version_id, title, extract(hour FROM sent_at)::int, count(*) FROM message GROUP BY 1, 2, 3"
    )
    assert found == [(2, "new", 12, 6)]


@pytest.mark.parametrize("mode", ["once", "after_exit"])
def test_nobody_is_twice_in_a_journey_however_often_they_are_let_in_at_once_q09(
    world: World, connection: Connection, database_url: str, mode: str
) -> None:
    journey = world.publish("one", sending(reentry={"mode": mode}))
    happen(world, MORNING, identify("u1", name="Li"), identify("u2", name="Wu"))
    world.accept([track(user, "came", n=n) for n in range(6) for user in ("u1", "u2")], at=world.now)
    for number in range(4):
        world.enroll(journey, "u1", {}, f"key {number}")
    errors: list[BaseException] = []
    overlap(database_url, world.now + timedelta(seconds=30), 4, errors)
    assert errors == []
    assert (
        ask(connection, "SELECT contact_id, count(*) FROM enrollment WHERE slot = 0 GROUP BY 1 HAVING count(*) > 1")
        == []
    )
    assert sorted(len(walks) for walks in became(world, journey).values()) == [1, 1]
    # The database itself holds it, whatever a program forgets.
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(
            "INSERT INTO enrollment (workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at, journey_id,"
            " version_id, status, walks, node, key) SELECT workspace_id, lane, id + 1, contact_id, 0, entered_at, since,"
            " rested_at, journey_id, version_id, 0, 1, node, key FROM enrollment LIMIT 1"
        )
    connection.rollback()
    world.until(world.now + 2 * DAY)
    assert ask(connection, "SELECT contact_id, count(*) FROM message GROUP BY 1 HAVING count(*) > 1") == []
    happen(world, world.now, track("u1", "came"))
    assert len(became(world, journey)["u1"]) == (1 if mode == "once" else 2)


def test_every_message_that_did_not_go_out_says_why_q15(world: World, connection: Connection) -> None:
    """Lost to a cap, put off for the night, opted out, journey stopped, no value: none without a reason, none guessed."""
    other = world.publish("first", sending(wait="PT1H", reentry={"mode": "after_exit"}))
    world.publish("second", sending(wait="PT2H", reentry={"mode": "after_exit"}))
    broken = sending(wait="PT1H", reentry={"mode": "after_exit"}, message_class="transactional")
    broken["nodes"][2]["settings"]["title"] = "{{ contact.nothing_of_the_kind }}"
    world.publish("broken", broken)
    world.allow({"caps": [{"limit": 1, "per": "day"}], "quiet": [{"from": "21:00", "to": "08:00"}]})
    happen(
        world, MORNING, identify("capped", name="C"), identify("out", name="O"), identify("late", timezone="Asia/Tokyo")
    )
    with transaction(connection):
        connection.execute(
            "UPDATE contact SET consents = '{\"inapp\": {\"marketing\": false}}' WHERE attributes ->> 'name' = 'O'"
        )
    happen(world, MORNING, *(track(user, "came") for user in ("capped", "out", "late")))
    happen(world, MORNING + 5 * HOUR, track("late", "came"))
    world.until(MORNING + 5 * HOUR + timedelta(minutes=150))
    found = Counter(
        (status, reason) for status, reason in ask(connection, "SELECT status, reason FROM message") if status != SENT
    )
    assert all(reason for _, reason in found), found
    reasons = " ; ".join(reason for _, reason in found)
    for word in (f"lost to journey {other}: 1 per day", "opted_out", "quiet", "nothing_of_the_kind"):
        assert word in reasons, reasons
    # The same is counted on the step.
    counted = dict(
        ask(connection, "SELECT port, sum(count)::int FROM tally WHERE port LIKE '!suppressed:%' GROUP BY 1")
    )
    withheld = Counter({reason: number for (status, reason), number in found.items() if status == 4})
    assert counted == {f"!suppressed:{reason[:60]}": number for reason, number in withheld.items()}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_clocks_changed_by_an_hour_during_a_pause_make_nobody_early_and_nobody_twice_q05_f13(
    connection: Connection, zone: str
) -> None:
    """The pause begins in winter and ends in summer time (or the other way round)."""
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    world = World(connection, catalog(), timezone=zone, start=start)
    journey = world.publish("one", sending(wait="P2D", timezone=zone))
    happen(world, start, *(track(f"u{n}", "came") for n in range(4)))
    world.until(start + DAY)
    pause(world, journey)
    world.until(start + 50 * DAY)
    resume(world, journey)
    assert ask(connection, "SELECT count(*) FROM message") == [(0,)]
    world.until(start + 60 * DAY)
    assert ask(connection, "SELECT status, sent_at, count(*) FROM message GROUP BY 1, 2") == [
        (SENT, start + 51 * DAY, 4)
    ]


@pytest.mark.parametrize("mode", ["freeze", "late"])
def test_a_machine_whose_clock_is_put_back_during_a_pause_sends_nobody_anything_early_q05(
    world: World, connection: Connection, mode: Any
) -> None:
    journey = world.publish("one", sending())
    happen(world, MORNING, *(track(f"u{n}", "came") for n in range(4)))
    world.until(MORNING + HOUR)
    pause(world, journey, mode)
    world.now = MORNING - 5 * HOUR
    resume(world, journey)
    assert ask(connection, "SELECT count(*) FROM message") == [(0,)]
    world.until(MORNING + 3 * DAY)
    ((status, at, people),) = ask(connection, "SELECT status, sent_at, count(*) FROM message GROUP BY 1, 2")
    assert (status, people) == (SENT, 4)
    assert at >= MORNING + DAY


def test_a_contact_s_own_zone_changed_during_a_pause_is_the_one_that_counts_q05(
    world: World, connection: Connection
) -> None:
    """Due in the day of Berlin; by the time it goes on they live in Tokyo, where it is night."""
    journey = world.publish("one", sending(wait="PT1H"))
    world.allow({"quiet": [{"from": "21:00", "to": "08:00"}]})
    happen(world, MORNING, identify("u1", timezone="Europe/Berlin"), track("u1", "came"))
    pause(world, journey)
    happen(world, MORNING + 5 * HOUR, identify("u1", timezone="Asia/Tokyo"))
    resume(world, journey)
    world.until(MORNING + 7 * HOUR)  # 00:00 in Tokyo
    assert [row[0] for row in ask(connection, "SELECT status FROM message")] == [7]
    world.until(MORNING + 2 * DAY)
    assert ask(connection, "SELECT status, sent_at FROM message") == [(SENT, datetime(2026, 3, 2, 23, tzinfo=UTC))]
