"""Two contacts turn out to be one: walks, history and facts go over, the earlier walk stays, nothing is lost or doubled."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from app import database, failpoints
from app.bench import ground
from app.database import Connection
from app.lanes import ALL_LANES, lane_of
from app.plans import Plans
from app.stages import match, timers
from app.store.consents import Consent, set_consents
from app.store.inbox import Letter
from app.web.ingest import accept_now
from tests.web.door import NOW, rows, workspace

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def flow(event: str = "visit", mode: str = "once", wait: str = "P1D") -> dict[str, Any]:
    return {
        "schema": 1,
        "settings": {"reentry": {"mode": mode, **({"key": "properties.order"} if mode == "per_key" else {})}},
        "nodes": [
            {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": event}},
            {"id": "hello", "type": "send.inapp", "version": 1, "settings": {"title": "Hello", "body": "…"}},
            {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": wait}},
            {"id": "end", "type": "exit", "version": 1, "settings": {}},
        ],
        "edges": [
            {"from": "start", "port": "next", "to": "hello"},
            {"from": "hello", "port": "next", "to": "pause"},
            {"from": "pause", "port": "next", "to": "end"},
        ],
    }


class Shop:
    """One workspace; calls come in, and the lanes are worked off at the same moment, one lane after the other."""

    def __init__(self, connection: Connection, url: str) -> None:
        self.connection, self.url = connection, url
        self.workspace = workspace(url)
        self.plans = Plans(ground.plans().catalog)
        self.now = NOW

    def publish(self, **of: str) -> int:
        return ground.publish(self.connection, self.workspace, flow(**of))[0]

    def take(self, *calls: dict[str, Any]) -> None:
        self.now += SECOND
        accept_now(self.connection, self.workspace, calls, self.now)

    def track(self, event: str = "visit", properties: dict[str, Any] | None = None, **ids: str) -> None:
        self.take({"type": "track", "event": event, "properties": properties or {}, **ids})

    def work(self) -> None:
        """Lane by lane, as workers that share them would."""
        moved = True
        while moved:
            moved = False
            for lane in ALL_LANES:
                while match.run(self.connection, self.plans, lanes=(lane,), now=self.now, limit=100):
                    moved = True

    def wait(self, time: timedelta) -> None:
        self.now += time
        while timers.run(self.connection, self.plans, lanes=ALL_LANES, now=self.now, limit=100):
            pass

    def contact(self, name: str) -> int:
        [row] = rows(self.url, "SELECT contact_id FROM identity WHERE value = %s", name)
        return int(row.contact_id)

    def walks(self, name: str = "u1") -> list[Any]:
        query = "SELECT * FROM enrollment WHERE contact_id = %s ORDER BY entered_at, id"
        return rows(self.url, query, self.contact(name))

    def balance(self) -> None:
        """Entered = active + completed + exited + failed (I1), counted apart."""
        said = {row.port: row.n for row in rows(self.url, "SELECT port, sum(count) AS n FROM tally WHERE node = '' GROUP BY 1")}
        names = {0: "active", 1: "completed", 2: "exited", 3: "failed", 4: "active"}
        counted: dict[str, int] = {}
        for row in rows(self.url, "SELECT status FROM enrollment"):
            counted[names[row.status]] = counted.get(names[row.status], 0) + 1
        assert said.get("entered", 0) == sum(counted.values())
        assert {port: said.get(port, 0) for port in ("completed", "exited", "failed")} == {
            port: counted.get(port, 0) for port in ("completed", "exited", "failed")
        }
        homeless = "SELECT FROM enrollment e JOIN contact c ON c.id = e.contact_id WHERE e.lane <> c.lane OR c.merged_into IS NOT NULL"
        assert rows(self.url, homeless) == []
        for table, key in (("trail", "enrollment_id"), ("message", "enrollment_id")):
            stray = f"SELECT FROM {table} t WHERE NOT EXISTS (SELECT FROM enrollment e WHERE e.id = t.{key} AND e.lane = t.lane)"
            assert rows(self.url, stray) == []


@pytest.fixture
def shop(connection: Connection, database_url: str) -> Iterator[Shop]:
    yield Shop(connection, database_url)
    failpoints.arm(None)


def join(shop: Shop, traits: dict[str, Any] | None = None, user: str = "u1", visitor: str = "a1") -> None:
    shop.take({"type": "identify", "userId": user, "anonymousId": visitor, "traits": traits or {}})


def test_a_visitor_s_walk_goes_on_as_the_user_s(shop: Shop, database_url: str) -> None:
    shop.publish()
    shop.track("other", userId="u1")
    shop.track(anonymousId="a1")
    shop.work()
    visitor = shop.contact("a1")
    join(shop)
    shop.work()
    [walk] = shop.walks()
    assert (walk.status, walk.slot, walk.node, walk.origin, walk.lane) == (0, 0, "pause", visitor, lane_of(shop.workspace, walk.contact_id))
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


def test_on_the_way_neither_timer_nor_event_moves_a_walk(shop: Shop, database_url: str) -> None:
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


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_chain_of_merges_ends_at_the_last_in_any_order_of_lanes(shop: Shop, database_url: str, order: tuple[int, ...]) -> None:
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
        from app.store import inbox

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
    again = Letter(lane_of(shop.workspace, visitor), 0, shop.workspace, visitor, "merge_out", "merge_out", NOW, NOW, told, None)
    into_itself = again._replace(lane=lane_of(shop.workspace, user), contact_id=user)
    with database.transaction(shop.connection):
        from app.store import inbox

        inbox.put(shop.connection, [again, into_itself])
    shop.work()
    assert shop.walks() == before
    assert len(rows(database_url, "SELECT FROM merge")) == 1


def test_the_number_of_statements_of_merges_does_not_grow(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import merges
    from app.store import inbox

    shop.publish()
    counts = {}
    for size in (3, 60):
        users, visitors = [f"{size}u{n}" for n in range(size)], [f"{size}a{n}" for n in range(size)]
        shop.take(*({"type": "track", "event": "visit", "userId": one} for one in users))
        shop.take(*({"type": "track", "event": "visit", "anonymousId": one} for one in visitors))
        shop.work()
        shop.take(*({"type": "identify", "userId": a, "anonymousId": b} for a, b in zip(users, visitors, strict=True)))
        statements: list[object] = []
        real = type(shop.connection).execute
        for kind in ("merge_out", "merge_in"):
            with database.transaction(shop.connection):
                letters = inbox.take(shop.connection, ALL_LANES, 64 * 200)
                taken = [letter for letter in letters if letter.kind == kind]
                inbox.put(shop.connection, [letter for letter in letters if letter.kind not in (kind, "identify")])
                shop.plans.refresh(shop.connection)
                with monkeypatch.context() as patch:
                    patch.setattr(type(shop.connection), "execute", lambda *args, **more: statements.append(args[1]) or real(*args, **more))
                    merges.run(shop.connection, shop.plans, taken, shop.now)
            assert len(taken) == size
        counts[size] = len(statements)
    assert counts[3] == counts[60]
    shop.balance()
