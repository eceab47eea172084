"""F02, P3, D6, D7: a sender killed at any point. Nobody is lost; a repeat carries the same key and comes to few."""

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app import failpoints
from app.courier import OPEN_AT_ONCE
from app.database import Connection
from app.failpoints import FailpointError
from tests.deliver.peers import NOW
from tests.faults.conftest import Workers, until
from tests.faults.post import Town, town

SENT = 2
KILLS = 3
EACH = 10  # people written to before each kill: more than are open at once
LEASES_OVER = 130.0  # how far ahead the clock of the worker goes that comes after
HASTE = {"silence": 0.2, "first_retry_seconds": 0.1, "poll_seconds": 0.05}
WIRED = ("CP19", "CP20", "CP21", "CP22", "CP23", "CP24")
# What an in-app message passes: there is no wire, so nothing to open and no answer to wait for.
POINTS = {"email": WIRED, "webhook": WIRED, "inapp": ("CP19", "CP23", "CP24")}
PLACES = [(channel, point) for channel, points in POINTS.items() for point in points]
SILENT = ("CP19", "CP20", "CP24")  # before the first byte, or after the last word


@pytest.fixture
def place(connection: Connection) -> Iterator[Town]:
    with town(connection) as made:
        yield made


def everybody(place: Town, people: range) -> None:
    """D7's table for people hit once at most: all are sent, once at a receiver that honours keys."""
    messages = place.house.messages()
    assert [one["status"] for one in messages] == [SENT] * len(people), [one["reason"] for one in messages]
    delivered = place.post.delivered()
    assert not delivered or delivered == Counter(place.post.recipients(people)), "somebody lost, or twice"


@pytest.mark.parametrize("channel", POINTS)
def test_f02_p3_senders_killed_three_times_at_each_point_lose_nobody_and_repeat_few_under_the_same_key(
    place: Town, workers: Workers, channel: str
) -> None:
    groups: list[tuple[str, range]] = []
    for point in POINTS[channel] * KILLS:
        groups.append((point, range(len(groups) * EACH, (len(groups) + 1) * EACH)))
        place.write(channel, groups[-1][1], datetime.now(UTC))
        by_server = (channel, point) == ("email", "CP21")  # the whole mail is out, and only the server knows
        place.post.deadly_in = 3 if by_server else 0
        doomed = workers.start(failpoint=None if by_server else f"{point}:kill", egress_allow=place.allow)
        place.post.victim = doomed.pid
        assert doomed.wait() == -signal.SIGKILL, f"{point} was never passed"
    workers.start(egress_allow=place.allow, pace=HASTE, ahead=LEASES_OVER)
    until(place.over)
    everybody(place, range(len(groups) * EACH))
    assert bool(place.post.came) == (channel != "inapp")
    for point, people in groups:
        assert place.post.repeats(people) <= (0 if point in SILENT else OPEN_AT_ONCE), point


@pytest.mark.parametrize(("channel", "point"), [one for one in PLACES if one != ("email", "CP21")])
def test_f02_an_error_at_any_point_of_sending_loses_nobody(place: Town, channel: str, point: str) -> None:
    place.write(channel, range(EACH), NOW)
    failpoints.arm(f"{point}:raise")
    now, raised = NOW, 0
    try:
        while not place.over():
            assert now < NOW + timedelta(hours=2)
            try:
                place.house.deliver(now)
            except FailpointError:
                raised += 1
            now += timedelta(minutes=4)
    finally:
        failpoints.arm(None)
    assert raised == 1
    everybody(place, range(EACH))
    assert place.post.repeats(range(EACH)) <= OPEN_AT_ONCE


def test_p3_a_worker_told_to_stop_hands_back_what_it_has_not_begun_and_repeats_nothing(
    place: Town, workers: Workers
) -> None:
    place.post.pause = 0.02
    place.write("email", range(60), datetime.now(UTC))
    first = workers.start(egress_allow=place.allow)
    until(lambda: place.post.came)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert len(place.post.came) < 60, "it was done before it was told"
    place.post.pause = 0.0
    workers.start(egress_allow=place.allow, pace=HASTE)  # without a clock ahead: nothing is leased to anybody
    until(place.over)
    everybody(place, range(60))
    assert place.post.repeats(range(60)) == 0


def test_d7_marketing_mail_whose_sender_was_killed_twice_is_not_sent_a_third_time(
    place: Town, workers: Workers
) -> None:
    place.write("email", [1], datetime.now(UTC))
    ahead = 0.0
    for _kill in range(2):
        place.post.deadly_in = 1
        doomed = workers.start(egress_allow=place.allow, pace=HASTE, ahead=ahead)
        place.post.victim = doomed.pid
        assert doomed.wait() == -signal.SIGKILL
        ahead += LEASES_OVER
    workers.start(egress_allow=place.allow, pace=HASTE, ahead=ahead)
    until(place.over)
    (one,) = place.house.messages()
    assert (one["status"], one["reason"]) == (6, "unknown: the sender stopped before it knew")
    assert place.post.repeats([1]) == 1
