"""D8, H39: a late tick comes late, once, and is never dropped. F16: a heartbeat that stops is noticed."""

import threading
import time
from datetime import UTC, datetime

from app.database import Connection, transaction
from app.heartbeat import Heartbeat
from app.plans import Plans
from app.stages import upkeep
from tests.faults import story
from tests.faults.conftest import until


def test_d8_a_tick_made_late_on_purpose_still_comes_and_comes_once() -> None:
    ticks: list[float] = []
    release = threading.Event()

    def tick() -> None:
        ticks.append(time.monotonic())
        if len(ticks) == 1:
            release.wait(
                5
            )  # a dozen ticks fall due meanwhile; APScheduler's own rule would drop those over a second late

    heart = Heartbeat({"slow": (0.1, tick)})
    heart.start()
    until(lambda: ticks)
    time.sleep(1.3)
    assert len(ticks) == 1
    release.set()
    released = time.monotonic()
    until(lambda: len(ticks) >= 2)
    heart.stop()
    assert ticks[1] - released < 0.5
    assert len(ticks) <= 4


def test_the_heartbeat_says_when_it_last_beat() -> None:
    heart = Heartbeat({})
    heart.beat_at = 0.0
    heart.start()
    until(lambda: time.monotonic() - heart.beat_at < 1)
    heart.stop()


def run(stage: object, connection: Connection, now: datetime, limit: int = 10) -> int:
    done: int = stage(connection, Plans({}), lanes=(0,), now=now, limit=limit)  # type: ignore[operator]
    return done


def test_the_months_around_have_partitions_and_early_events_move_into_theirs(connection: Connection) -> None:
    now = datetime(2031, 12, 15, tzinfo=UTC)
    story.prepare(connection)
    with transaction(connection):
        for day in (datetime(2032, 1, 3, tzinfo=UTC), datetime(2035, 1, 3, tzinfo=UTC)):
            connection.execute(
                "INSERT INTO event (workspace_id, lane, contact_id, timestamp, id, received_at, name)"
                " VALUES (1, 1, 1, %s, 1, %s, 'ahead')",
                (day, now),
            )
    for _ in range(2):
        run(upkeep.make_partitions, connection, now)
    with transaction(connection):
        names = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass"
        ).fetchall()
        homes = connection.execute("SELECT tableoid::regclass::text FROM event ORDER BY timestamp").fetchall()
        connection.execute("DROP TABLE event_2031_10, event_2031_11, event_2031_12, event_2032_01, event_2032_02")
    made = {name for (name,) in names if name.startswith("event_203")}
    assert made == {"event_2031_10", "event_2031_11", "event_2031_12", "event_2032_01", "event_2032_02"}
    assert homes == [("event_2032_01",), ("event_other",)]


def test_message_ids_are_forgotten_after_forty_days_in_slices(connection: Connection) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with transaction(connection):
        connection.execute(
            "INSERT INTO seen (workspace_id, digest, received_on) SELECT 1, gen_random_uuid(), date '2026-05-31' - n"
            " FROM generate_series(0, 59) AS n"
        )
    forgotten = [run(upkeep.forget_seen, connection, now) for _ in range(3)]
    assert forgotten == [10, 10, 0]
    with transaction(connection):
        row = connection.execute("SELECT count(*), min(received_on)::text FROM seen").fetchone()
    assert row == (40, "2026-04-22")
