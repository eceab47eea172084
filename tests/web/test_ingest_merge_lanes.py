"""Merges as letters between lanes: chains in any order, crashes, repetition, late letters, and what they cost."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations

import msgspec
import pytest

from app import database, failpoints, merges
from app.database import Connection
from app.lanes import ALL_LANES, lane_of
from app.stages import match
from app.store import inbox
from app.store import people as store
from app.store.inbox import Letter
from tests.web.door import NOW, rows, statements
from tests.web.shop import Shop, join


@pytest.fixture
def shop(connection: Connection, database_url: str) -> Iterator[Shop]:
    yield Shop(connection, database_url)
    failpoints.arm(None)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_chain_of_merges_ends_at_the_last_in_any_order_of_lanes(
    shop: Shop, database_url: str, order: tuple[int, ...]
) -> None:
    """a1 → u1 → u2, with lanes worked in any order and letters in between."""
    shop.publish()
    shop.track("other", userId="u2")
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    people = [shop.contact("a1"), shop.contact("u1"), shop.contact("u2")]
    lanes = [lane_of(shop.workspace, one) for one in people]
    join(shop)
    shop.take({"type": "alias", "previousId": "u1", "userId": "u2"})
    for _ in range(3):
        for place in order:
            match.run(shop.connection, shop.plans, lanes=(lanes[place],), now=shop.now, limit=1)
    shop.work()
    [walk] = shop.walks("u2")
    assert (walk.contact_id, walk.status, walk.slot, walk.origin) == (people[2], 0, 0, people[0])
    assert {event.contact_id for event in rows(database_url, "SELECT contact_id FROM event")} == {people[2]}
    assert {row.loser_id: row.winner_id for row in rows(database_url, "SELECT * FROM merge")} == {
        people[0]: people[1], people[1]: people[2],
    }  # fmt: skip
    for one in people:  # by whatever number somebody is asked for, the last is shown
        found = store.find(shop.connection, shop.workspace, one)
        assert found is not None
        assert found.id == people[2]
    shop.balance()
    shop.wait(timedelta(days=1))
    assert shop.walks("u2")[0].status == 1


def test_two_visitors_become_one_user_in_one_batch(shop: Shop) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.track(anonymousId="a2")
    shop.work()
    join(shop)
    join(shop, visitor="a2")
    while match.run(shop.connection, shop.plans, lanes=ALL_LANES, now=shop.now, limit=100 * len(ALL_LANES)):
        pass
    stays, goes = shop.walks()
    assert (stays.status, goes.status, goes.reason) == (0, 2, "merged")
    shop.balance()


def test_a_letter_that_comes_to_the_loser_late_is_forwarded(shop: Shop, database_url: str) -> None:
    shop.track("other", anonymousId="a1")
    shop.track("other", userId="u1")
    shop.work()
    visitor = shop.contact("a1")
    join(shop)
    shop.work()
    late = Letter(lane_of(shop.workspace, visitor), 0, shop.workspace, visitor, "track", "late", NOW, NOW, "{}", None)
    with database.transaction(shop.connection):
        inbox.put(shop.connection, [late])
    shop.work()
    [event] = rows(database_url, "SELECT * FROM event WHERE name = 'late'")
    assert event.contact_id == shop.contact("u1")


@pytest.mark.parametrize("point", ["CP4", "CP12", "CP13"])
def test_a_crash_in_the_middle_of_a_merge_changes_nothing(shop: Shop, database_url: str, point: str) -> None:
    shop.publish()
    shop.track(userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    join(shop)
    for _ in range(6):  # every pass dies, if it comes to the place at all, and is repeated
        for lane in ALL_LANES:
            failpoints.arm(f"{point}:raise")
            try:
                match.run(shop.connection, shop.plans, lanes=(lane,), now=shop.now, limit=100)
            except failpoints.FailpointError:
                failpoints.arm(None)
                match.run(shop.connection, shop.plans, lanes=(lane,), now=shop.now, limit=100)
    shop.work()
    assert [walk.status for walk in shop.walks()] == [0, 2]
    assert len(rows(database_url, "SELECT FROM merge")) == 1
    shop.balance()


def test_the_same_merge_told_twice_changes_nothing(shop: Shop, database_url: str) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    visitor, user = shop.contact("a1"), shop.contact("u1")
    join(shop)
    shop.work()
    before = shop.walks()
    told = msgspec.json.encode({"winner": user}).decode()
    again = Letter(
        lane_of(shop.workspace, visitor), 0, shop.workspace, visitor, "merge_out", "merge_out", NOW, NOW, told, None
    )
    into_itself = again._replace(lane=lane_of(shop.workspace, user), contact_id=user)
    with database.transaction(shop.connection):
        inbox.put(shop.connection, [again, into_itself])
    shop.work()
    assert shop.walks() == before
    assert len(rows(database_url, "SELECT FROM merge")) == 1


def test_the_number_of_statements_of_merges_does_not_grow(shop: Shop) -> None:
    shop.publish()
    counts = {}
    for size in (3, 60):
        users, visitors = [f"{size}u{n}" for n in range(size)], [f"{size}a{n}" for n in range(size)]
        shop.take(*({"type": "track", "event": "visit", "userId": one} for one in users))
        shop.take(*({"type": "track", "event": "visit", "anonymousId": one} for one in visitors))
        shop.work()
        shop.take(*({"type": "identify", "userId": a, "anonymousId": b} for a, b in zip(users, visitors, strict=True)))
        counts[size] = 0
        for kind in ("merge_out", "merge_in"):
            with database.transaction(shop.connection):
                letters = inbox.take(shop.connection, ALL_LANES, 64 * 200)
                taken = [letter for letter in letters if letter.kind == kind]
                inbox.put(shop.connection, [letter for letter in letters if letter.kind not in (kind, "identify")])
                shop.plans.refresh(shop.connection)
                with statements(shop.connection) as said:
                    merges.run(shop.connection, shop.plans, taken, shop.now)
            assert len(taken) == size
            counts[size] += len(said)
    assert counts[3] == counts[60]
    shop.balance()
