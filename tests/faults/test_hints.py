"""F19, F20: nudges and numbers are hints: quick when Valkey is there, harmless when it is not."""

import threading
import time

import redis

from app import numbers
from app.hints import FAILURES, Hints
from app.nudges import APART_SECONDS, CHANNEL, Nudges
from app.numbers import Numbers
from tests.faults.conftest import until
from tests.faults.test_worker import black_hole


def test_a_nudge_ends_the_sleep_of_every_loop_elsewhere(redis_url: str) -> None:
    door, worker = Nudges(redis_url), Nudges(redis_url)
    slept: list[bool] = []
    sleepers = [worker.sleeper() for _ in range(2)]
    threads = [threading.Thread(target=lambda one=one: slept.append(one.wait(10))) for one in sleepers]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    with redis.Redis.from_url(redis_url) as valkey:
        until(lambda: valkey.pubsub_numsub(CHANNEL)[0][1] >= 1)
    begun = time.monotonic()
    door.send()
    for thread in threads:
        thread.join(5)
    assert slept == [True, True]
    assert time.monotonic() - begun < 1
    door.close()
    worker.close()


def test_d9_many_nudges_become_ten_a_second_at_most(redis_url: str) -> None:
    door = Nudges(redis_url)
    with redis.Redis.from_url(redis_url) as valkey, valkey.pubsub() as channel:
        channel.subscribe(CHANNEL)
        begun = time.monotonic()
        while time.monotonic() - begun < 0.55:
            door.send()
        door.close()
        time.sleep(0.1)
        heard = 0
        while message := channel.get_message(timeout=0.1):
            heard += message["type"] == "message"
    assert 2 <= heard <= 0.65 / APART_SECONDS + 1


def test_f20_sending_costs_nothing_and_waiting_ends_in_time_when_valkey_hangs() -> None:
    with black_hole() as hung:
        for url in (hung, "redis://127.0.0.1:1/0", None):
            nudges = Nudges(url)
            begun = time.perf_counter()
            for _ in range(1_000):
                nudges.send()
            assert time.perf_counter() - begun < 0.2
            begun = time.perf_counter()
            assert not nudges.wait(0.3)
            assert 0.2 < time.perf_counter() - begun < 0.6
            nudges.close()


def test_f20_after_a_few_failures_a_hanging_valkey_is_not_even_asked() -> None:
    with black_hole() as hung:
        hints = Hints(hung)
        begun = time.perf_counter()
        answers = [hints.call(lambda valkey: valkey.get("x"), "fallback") for _ in range(50)]
        assert set(answers) == {"fallback"}
        assert time.perf_counter() - begun < FAILURES * 0.2 + 0.5
        assert not hints.usable
        hints.close()


def test_the_numbers_of_a_worker_reach_the_metrics_page_and_rubbish_does_not(redis_url: str) -> None:
    counted, hints = Numbers(), Hints(redis_url)
    counted.batch("match", 120, 0.5)
    counted.batch("match", 80, 0.25)
    counted.level("lanes", 64)
    counted.publish(hints, "w1")
    with redis.Redis.from_url(redis_url) as valkey:
        valkey.hset(
            f"{numbers.KEY}w1", mapping={"evil\nname": "1", "journey_lanes|": "sixty", "journey_taken_total|x y": "1"}
        )
        assert 0 < valkey.ttl(f"{numbers.KEY}w1") <= numbers.KEPT_SECONDS
    found = numbers.of_workers(hints)
    page = numbers.exposition(found)
    assert 'journey_taken_total{worker="w1",stage="match"} 200\n' in page
    assert "evil" not in page
    assert numbers.of_workers(Hints(None)) == {}
    hints.close()
