"""Two contacts turn out to be one: walks, history and facts go over, the earlier walk stays, nothing is lost or doubled."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app import database, failpoints
from app.database import Connection
from app.lanes import lane_of
from app.stages import match
from app.store import outbox, versions
from app.store.consents import Consent, set_consents
from tests.web.door import NOW, rows
from tests.web.shop import SECOND, Shop, join


@pytest.fixture
def shop(connection: Connection, database_url: str) -> Iterator[Shop]:
    yield Shop(connection, database_url)
    failpoints.arm(None)


def test_a_visitor_s_walk_goes_on_as_the_user_s(shop: Shop, database_url: str) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    visitor = shop.contact("a1")
    join(shop)
    shop.work()
    [walk] = shop.walks()
    assert (walk.status, walk.slot, walk.node, walk.origin) == (0, 0, "pause", visitor)
    assert walk.lane == lane_of(shop.workspace, walk.contact_id)
    shop.wait(timedelta(days=1))
    [walk] = shop.walks()
    assert (walk.status, walk.node) == (1, "end")
    shop.balance()
    trail = rows(database_url, "SELECT * FROM trail ORDER BY walk")
    assert [row.walk for row in trail] == [1, 2]
    [message] = rows(database_url, "SELECT * FROM message")
    assert (message.contact_id, message.origin, message.lane) == (walk.contact_id, visitor, walk.lane)


def test_history_follows_and_says_where_it_came_from(shop: Shop, database_url: str) -> None:
    shop.track("before", anonymousId="a1")
    shop.track("own", userId="u1")
    shop.work()
    visitor, user = shop.contact("a1"), shop.contact("u1")
    join(shop)
    shop.track("after", anonymousId="a1")
    shop.work()
    events = rows(database_url, "SELECT * FROM event ORDER BY id")
    assert [(event.name, event.contact_id, event.origin) for event in events] == [
        ("before", user, visitor), ("own", user, None), ("identify", user, None), ("after", user, None),
    ]  # fmt: skip
    assert len({event.lane for event in events}) == 1


def test_facts_are_folded_the_user_s_word_first_and_a_no_stays_a_no(shop: Shop, database_url: str) -> None:
    shop.take({"type": "identify", "anonymousId": "a1", "traits": {"city": "Berlin", "plan": "free"}})
    shop.take({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
    shop.work()
    visitor, user = shop.contact("a1"), shop.contact("u1")
    for contact, tags in ((visitor, ["b", "a"]), (user, ["c", "a"])):
        rows(database_url, "UPDATE contact SET tags = %s WHERE id = %s RETURNING id", tags, contact)
    said = [
        Consent(shop.workspace, visitor, "email", "marketing", False, NOW),
        Consent(shop.workspace, visitor, "sms", "marketing", True, NOW),
        Consent(shop.workspace, user, "email", "marketing", True, NOW),
        Consent(shop.workspace, user, "push", "marketing", False, NOW),
    ]
    with database.transaction(shop.connection):
        assert set_consents(shop.connection, said) == 2
    join(shop, {"name": "Ana"})
    shop.work()
    [contact] = rows(database_url, "SELECT * FROM contact WHERE id = %s", user)
    assert contact.attributes == {"city": "Berlin", "plan": "pro", "name": "Ana"}
    assert contact.tags == ["a", "b", "c"]
    assert contact.consents == {"email": {"marketing": False}, "sms": {"marketing": True}, "push": {"marketing": False}}
    [merge] = rows(database_url, "SELECT * FROM merge")
    assert (merge.loser_id, merge.winner_id) == (visitor, user)
    assert merge.snapshot["identities"] == [["anonymous_id", "a1"]]
    assert merge.snapshot["attributes"] == {"city": "Berlin", "plan": "free"}


def test_p10_an_opt_out_said_to_a_merged_contact_reaches_who_it_is_now(shop: Shop, database_url: str) -> None:
    shop.track(anonymousId="a1")
    shop.track(userId="u1")
    shop.work()
    visitor = shop.contact("a1")
    join(shop)
    shop.work()
    with database.transaction(shop.connection):
        set_consents(shop.connection, [Consent(shop.workspace, visitor, "email", "marketing", False, NOW)])
    [contact] = rows(database_url, "SELECT consents FROM contact WHERE id = %s", shop.contact("u1"))
    assert contact.consents == {"email": {"marketing": False}}


@pytest.mark.parametrize("mode", ["once", "after_exit", "per_key"])
@pytest.mark.parametrize("user_first", [True, False])
def test_i10_of_two_walks_of_one_journey_the_earlier_stays(
    shop: Shop, database_url: str, mode: str, user_first: bool
) -> None:
    shop.publish(mode=mode)
    for name in ("userId", "anonymousId") if user_first else ("anonymousId", "userId"):
        shop.track(properties={"order": "o1"}, **{name: "u1" if name == "userId" else "a1"})
    shop.work()
    join(shop)
    shop.work()
    stays, goes = shop.walks()
    assert (stays.status, stays.slot) == (0, 0)
    assert (goes.status, goes.reason, goes.slot) == (2, "merged", goes.id)
    assert (stays.origin is None) == user_first
    [trail] = rows(database_url, "SELECT * FROM trail WHERE enrollment_id = %s AND walk = 2", goes.id)
    assert trail.cause == "merge"
    shop.balance()
    shop.wait(timedelta(days=2))
    assert [walk.status for walk in shop.walks()] == [1, 2]
    shop.balance()


def test_walks_with_different_keys_stand_side_by_side(shop: Shop) -> None:
    shop.publish(mode="per_key")
    shop.track(properties={"order": "o1"}, anonymousId="a1")
    shop.track(properties={"order": "o2"}, userId="u1")
    shop.work()
    join(shop)
    shop.work()
    assert [(walk.status, walk.slot, walk.key) for walk in shop.walks()] == [(0, 0, "o1"), (0, 0, "o2")]


def test_who_has_been_through_once_does_not_walk_again_as_the_other(shop: Shop) -> None:
    shop.publish()
    shop.track(userId="u1")
    shop.work()
    shop.wait(timedelta(days=1))
    shop.track(anonymousId="a1")
    shop.work()
    join(shop)
    shop.work()
    been, again = shop.walks()
    assert (been.status, been.slot, again.status, again.reason, again.slot) == (1, 0, 2, "merged", again.id)
    shop.balance()


def test_two_finished_walks_of_a_journey_once_hold_one_place(shop: Shop) -> None:
    shop.publish()
    shop.track(userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    shop.wait(timedelta(days=2))
    join(shop)
    shop.work()
    assert sorted((walk.status, walk.slot == 0) for walk in shop.walks()) == [(1, False), (1, True)]
    shop.track(userId="u1")
    shop.work()
    assert len(shop.walks()) == 2


def test_a_finished_walk_takes_its_place_along(shop: Shop) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    shop.wait(timedelta(days=2))
    join(shop)
    shop.work()
    assert [(walk.status, walk.slot) for walk in shop.walks()] == [(1, 0)]
    shop.track(userId="u1")
    shop.work()
    assert len(shop.walks()) == 1


def test_on_the_way_neither_timer_nor_event_moves_a_walk(shop: Shop) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    lane = lane_of(shop.workspace, shop.contact("a1"))
    join(shop)
    match.run(shop.connection, shop.plans, lanes=(lane,), now=shop.now, limit=100)
    [walk] = shop.walks()
    assert (walk.status, walk.slot) == (4, walk.id)
    shop.wait(timedelta(days=3))
    assert shop.walks()[0].status == 4
    shop.work()
    shop.wait(SECOND)
    assert shop.walks()[0].status == 1
    shop.balance()


def test_a_journey_stopped_while_a_walk_is_on_the_way_ends_it_on_arrival(shop: Shop) -> None:
    journey = shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    lane = lane_of(shop.workspace, shop.contact("a1"))
    join(shop)
    match.run(shop.connection, shop.plans, lanes=(lane,), now=shop.now, limit=100)
    with database.transaction(shop.connection):
        shop.connection.execute("UPDATE journey SET status = 'stopped' WHERE id = %s", (journey,))
        versions.bump(shop.connection)
    shop.work()
    shop.wait(SECOND)
    [walk] = shop.walks()
    assert (walk.status, walk.reason) == (2, "manual")
    shop.balance()


def test_a_message_that_is_out_when_its_contact_is_merged_keeps_its_outcome(shop: Shop, database_url: str) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    [out] = rows(database_url, "UPDATE message SET status = 1, attempt = 1 RETURNING *")
    claimed = outbox.Claimed(
        **{name: getattr(out, name) for name in outbox.Claimed._fields[:14]}, was=0, created_at=NOW, reason=None, content=None,
        recipient="x", attributes={}, consents={}, user_id=None, suppressed=None, since=NOW, entry_event=None,
    )  # fmt: skip
    join(shop)
    shop.work()
    with database.transaction(shop.connection):
        settled = outbox.Settled(claimed, 2, outbox.NEVER, shop.now, None, "p1", 1)
        assert outbox.settle(shop.connection, [settled], shop.now) == {(shop.workspace, out.id)}
    [message] = rows(database_url, "SELECT * FROM message")
    assert (message.status, message.contact_id, message.provider_id) == (2, shop.contact("u1"), "p1")
