"""Guessing at the door (T12): windows that grow, by a virtual clock, for new nets and new addresses; and what time tells."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from app import passwords, throttle
from app.database import Connection, transaction
from app.hints import Hints
from app.settings import Settings
from app.signin import Knock, by_password
from app.staff import Hand, set_password
from app.store.keys import Device
from tests.web.conftest import Staff
from tests.web.signing import PASSWORD

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=24)
GUESSES = 10_000
EMAIL = "operator@shop.example"
Try = Callable[[str, str, datetime], int]


@pytest.fixture(params=["valkey", "database"])
def hints(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Hints]:
    made = Hints(settings.redis_url if request.param == "valkey" else None)
    yield made
    made.close()


@pytest.fixture
def attempt(hints: Hints, connection: Connection) -> Try:
    def go(email: str, address: str, now: datetime) -> int:
        with transaction(connection):
            return throttle.take(hints, connection, throttle.buckets(email, address), now)

    return go


def windows(attempt: Try, now: datetime, count: int) -> tuple[list[timedelta], datetime]:
    """How long the door stays shut after each window that was filled at once, waiting exactly as long as was said."""
    shut = []
    while len(shut) < count:
        wait = attempt(EMAIL, f"2001:db8:{random.randrange(65536):x}::1", now)  # a new net each time
        if wait > 60:
            shut.append(timedelta(seconds=wait))
        now += timedelta(seconds=wait)
    return shut, now


def test_from_the_third_failure_on_each_try_waits_a_little_longer_t12(attempt: Try) -> None:
    now, waits = AT, []
    for number in range(throttle.PER_ACCOUNT):
        wait = attempt(EMAIL, f"192.0.2.{number}", now)
        waits.append(wait)
        if wait:
            now += timedelta(seconds=wait)
            assert attempt(EMAIL, f"192.0.2.{number}", now) == 0
    assert waits == [0, 0, 1, 2, 4]


def test_each_window_that_is_filled_makes_the_next_twice_as_long_up_to_a_day_t12(attempt: Try) -> None:
    shut, _now = windows(attempt, AT, 9)
    lengths = [min(throttle.WINDOW * 2**level, DAY) for level in range(9)]
    assert lengths[-2:] == [DAY, DAY]
    for found, length in zip(shut, lengths, strict=True):
        assert timedelta(0) <= length - found < timedelta(seconds=20)  # the tries themselves took a few seconds


def test_ten_thousand_guesses_at_one_account_from_ever_new_nets_take_over_a_day_t12(attempt: Try) -> None:
    now, looked_at = AT, 0
    while now < AT + 7 * DAY:
        wait = attempt(EMAIL, f"198.51.{random.randrange(256)}.{random.randrange(256)}", now)
        looked_at += wait == 0
        now += timedelta(seconds=wait)
    assert looked_at <= 80, "a week of it"
    assert looked_at * 100 < GUESSES


def test_ten_thousand_guesses_from_one_net_at_ever_new_accounts_take_over_a_day_t12(attempt: Try) -> None:
    now, looked_at = AT, 0
    while now < AT + timedelta(hours=3):
        wait = attempt(f"somebody{looked_at}@shop.example", "203.0.113.9", now)
        looked_at += wait == 0
        now += timedelta(seconds=wait)
    assert looked_at * 8 < GUESSES


def test_it_is_never_for_good_and_peace_or_the_right_password_begins_anew_t12(
    attempt: Try, hints: Hints, connection: Connection
) -> None:
    shut, now = windows(attempt, AT, 4)
    assert shut[-1] > timedelta(hours=1)
    assert attempt(EMAIL, "192.0.2.1", now) == 0, "after the wait the next try is looked at"
    with transaction(connection):
        throttle.forgive(hints, connection, throttle.buckets(EMAIL, "192.0.2.1"))
    again, now = windows(attempt, now + timedelta(minutes=16), 2)
    assert again[0] < throttle.WINDOW
    peace, _now = windows(attempt, now + DAY + DAY, 1)
    assert peace[0] < throttle.WINDOW


def test_a_window_that_was_not_filled_makes_nothing_longer(attempt: Try) -> None:
    now = AT
    for _window in range(5):
        for _failure in range(throttle.PER_ACCOUNT - 1):
            assert attempt(EMAIL, "192.0.2.1", now) == 0
            now += timedelta(seconds=5)
        now += throttle.WINDOW
    shut, _now = windows(attempt, now, 1)
    assert shut[0] < throttle.WINDOW


@pytest.fixture
def told(connection: Connection, staff: Staff, costly_passwords: None) -> Callable[[int], dict[bool, list[float]]]:
    """How long a refusal takes, for an address that is known and for one that is not, in turn."""
    del costly_passwords
    with transaction(connection):
        hand = Hand(connection, staff.workspace_id, "system", None, AT)
        set_password(hand, staff.user_ids["operator"], PASSWORD)
    passwords.warm()

    @contextmanager
    def opened() -> Iterator[Connection]:
        with transaction(connection):
            yield connection

    def go(samples: int) -> dict[bool, list[float]]:
        took: dict[bool, list[float]] = {True: [], False: []}
        for number in range(samples + 3):
            order = [True, False]
            random.shuffle(order)
            for known in order:
                # An hour between two tries, each from another net: nobody waits.
                now = AT + timedelta(hours=2 * number)
                knock = Knock(opened, Hints(None), now, Device("", ""), f"10.{number >> 8}.{number & 255}.1", None)
                email = EMAIL if known else f"stranger{number:05}@x.example"
                began = time.perf_counter()
                came = by_password(knock, email, "not the one that it is", "")
                if number >= 3:
                    took[known].append(time.perf_counter() - began)
                assert came.cookie is None
                assert came.wait == 0
                assert bool(came.known) == known
        return took

    return go


def test_an_unknown_address_takes_as_long_as_a_known_one_t12(told: Callable[[int], dict[bool, list[float]]]) -> None:
    took = told(30)
    ratio = median(took[True]) / median(took[False])
    assert 0.75 < ratio < 1.33, f"known {median(took[True]):.4f} s, unknown {median(took[False]):.4f} s"


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_two_thousand_samples_each_differ_by_two_milliseconds_or_less_t12(
    told: Callable[[int], dict[bool, list[float]]],
) -> None:
    took = told(2_000)
    known, unknown = median(took[True]), median(took[False])
    print(f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms, apart {abs(known - unknown) * 1000:.2f} ms")  # noqa: T201
    assert abs(known - unknown) <= 0.002
