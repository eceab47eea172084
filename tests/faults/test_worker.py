"""F01, F04, F05, F16, F19, F20: a worker process as a whole: stopped in good order, dead loops noticed, hints lost, several."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import redis

from app import publishing
from app.database import Connection, transaction
from app.publishing import Desk
from nodes import catalog
from tests.faults import story
from tests.faults.conftest import Workers, count, settle_books, until


def test_f04_a_stopped_worker_finishes_its_batch_and_gives_the_lanes_back(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    begun = story.tell(connection)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        worker = workers.start()
        # Not before it is counted: until then it has no hand on the signals, and dies of them.
        until(lambda: count(connection, "SELECT count(*) FROM worker") == 1)
        # A quick machine may have told the whole story before the third worker begins: it is stopped while idle then.
        until(lambda: story.over(connection) or any(line["event"] == "batch" for line in worker.lines()))  # noqa: B023
        asked = time.monotonic()
        worker.signal(number)
        assert worker.wait() == 0
        assert time.monotonic() - asked < 10
        assert count(connection, "SELECT count(*) FROM worker") == 0
    workers.start()
    until(lambda: story.over(connection))
    assert story.state(connection, begun) == expected
    settle_books(connection)


def test_f05_three_workers_with_two_tracks_each_share_the_work(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    begun = story.tell(connection)
    for _ in range(3):
        workers.start(tracks=2)
    until(lambda: story.over(connection))
    until(lambda: count(connection, "SELECT count(*) FROM worker WHERE cardinality(lanes) BETWEEN 10 AND 11") == 6)
    assert story.state(connection, begun) == expected
    settle_books(connection)


PEOPLE = range(1, 41)
NOTE = {
    "schema": 1,
    "settings": {"reentry": {"mode": "after_exit"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "came"}},
        {"id": "note", "type": "send.inapp", "settings": {"title": "one"}},
    ],
    "edges": [{"from": "start", "port": "next", "to": "note"}],
}


def test_p11_sixteen_wishes_at_once_and_six_tracks_never_exceed_a_cap(connection: Connection, workers: Workers) -> None:
    story.prepare(connection)
    for journey in (1, 2):
        story.publish(connection, NOTE, journey)
    now = datetime.now(UTC)
    with transaction(connection):
        rules = {"caps": [{"limit": 1, "per": "P7D"}], "fuse": {"marketing": 100}}
        publishing.allow(Desk(connection, catalog(), story.WORKSPACE, "manager", now), rules)
    story.post(connection, [story.letter(one, "came", now) for _ in range(8) for one in PEOPLE])
    for _ in range(3):
        workers.start(tracks=2)
    until(lambda: story.over(connection))
    wishes = "SELECT count(*) FROM message WHERE marketing"
    assert count(connection, wishes) == 16 * len(PEOPLE)
    assert count(connection, wishes + " AND status <> 4") == len(PEOPLE)
    assert count(connection, "SELECT count(DISTINCT contact_id) FROM message WHERE status <> 4") == len(PEOPLE)
    assert count(connection, wishes + " AND starts_with(reason, 'lost to journey ')") == 15 * len(PEOPLE)


def test_f01_workers_killed_at_random_lose_nobody_and_move_nobody_twice(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    begun = story.tell(connection)
    for kill in range(8):
        worker = workers.start(tracks=2)
        time.sleep(0.03 + 0.03 * kill)
        worker.signal(signal.SIGKILL)
        worker.wait()
    workers.start(tracks=2)
    until(lambda: story.over(connection))
    assert story.state(connection, begun) == expected
    settle_books(connection)


def test_f16_a_worker_whose_loop_dies_ends_with_a_code_that_has_it_started_again(workers: Workers) -> None:
    began = time.monotonic()
    worker = workers.start(failpoint="LOOP:raise:2")
    assert worker.wait() == 1
    assert time.monotonic() - began < 15
    assert {"loop died", "a loop has died; ending, to be started again"} <= {line["event"] for line in worker.lines()}


def test_a_worker_reports_itself_and_its_batches_without_personal_data(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    del expected
    story.tell(connection)
    worker = workers.start(batch_limit=5_000)
    until(lambda: story.over(connection))
    batches = [line for line in worker.lines() if line["event"] == "batch"]
    assert {"match", "timers"} <= {line["stage"] for line in batches}
    (batch,) = [line for line in batches if line["stage"] == "match"][:1]
    assert {"taken": 214, "workspaces": 1}.items() <= batch.items()
    assert batch["moved"] > 0 < batch["ms"]
    text = " ".join(map(str, worker.lines()))
    assert "上海" not in text
    assert "o17" not in text


def test_p5_a_worker_needs_little_memory(connection: Connection, workers: Workers) -> None:
    story.tell(connection)
    worker = workers.start(tracks=2, batch_limit=5_000)
    until(lambda: story.over(connection))
    assert 0 < worker.memory() < 256 * 2**20


@contextmanager
def black_hole() -> Iterator[str]:
    """A Valkey that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        held: list[socket.socket] = []

        def hold() -> None:
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for one in held:
            one.close()


def test_f20_with_a_valkey_that_hangs_or_is_away_everything_is_done(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    begun = story.tell(connection)
    with black_hole() as hung:
        first = workers.start(redis_url=hung)
        until(lambda: story.over(connection))
        first.signal(signal.SIGTERM)
        assert first.wait() == 0
    assert story.state(connection, begun) == expected
    absent = workers.start(redis_url="redis://127.0.0.1:1/0")
    story.post(connection, [story.letter(1, "nobody_listens", begun)])
    assert until(lambda: story.over(connection)) < 5
    absent.signal(signal.SIGTERM)
    assert absent.wait() == 0


def test_f19_flushing_valkey_and_writing_rubbish_into_it_changes_nothing(
    connection: Connection, workers: Workers, expected: story.State, redis_url: str
) -> None:
    begun = story.tell(connection)
    workers.start(redis_url=redis_url)
    with redis.Redis.from_url(redis_url) as valkey:
        while not story.over(connection):
            valkey.flushdb()
            valkey.set("journey:metrics:x", "not a hash")
            valkey.publish("journey:nudge", b"\xff\x00")
    assert story.state(connection, begun) == expected
    settle_books(connection)
