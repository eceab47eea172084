"""F02 to the letter: work is cut off before every single statement of every stage, once; nobody is lost, nothing is done twice.

In this very process, so that each statement of some hundred has its turn; real processes are killed in `test_kill*.py`.
"""

# ruff: noqa: S608 the statements are put together of the constants below

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg

from app.database import Connection, transaction
from app.plans import Plans
from app.stages import deliver, enroll, gate, match, settle, timers
from app.store import receipts
from app.store.receipts import Said
from app.world import BATCH, World
from nodes import catalog
from tests.stages.conftest import MORNING
from tests.stages.counting import BLANKS
from tests.stages.places import flow, identify, track

HOUR = timedelta(hours=1)
END = ("exit", {})
ORDER = flow(
    {
        "start": ("entry.event", {"event": "order_submitted"}),
        "pro": ("condition", {"rule": {"any": [{"attribute": "plan", "op": "eq", "value": "pro"}, {"tag": "vip"}]}}),
        "paid": ("wait.event", {"events": [{"event": "order_paid"}], "timeout": "PT10M", "since": "entry"}),
        "buyer": ("action.tag", {"add": ["buyer"]}),
        "nudge": ("send.inapp", {"title": "Order {{ entry.properties.order_id }} waits"}),
        "tell": ("action.event", {"event": "reminded"}),
        "end": END,
    },
    "start.next pro, pro.yes paid, pro.no end, paid.order_paid buyer, buyer.next end, paid.timeout nudge, nudge.next tell,"
    "tell.next end",
    reentry={"mode": "per_key", "key": "properties.order_id"},
    goal={"event": "vip_call"},
    exit_when={"event": "account_closed"},
)
BLAST = flow(
    {
        "start": (
            "entry.segment",
            {"rule": {"attribute": "plan", "op": "exists"}, "schedule": {"at": "2026-03-02T09:00:00Z"}},
        ),
        "level": ("action.attribute", {"set": {"level": "gold"}}),
        "offer": ("send.inapp", {"title": "An offer"}),
        "wait": ("wait.duration", {"duration": "PT1H"}),
        "end": END,
    },
    "start.next level, level.next offer, offer.next wait, wait.next end",
)
NIGHT = {"quiet": [{"from": "21:00", "to": "08:00"}], "caps": [{"limit": 5, "per": "day"}]}


class Cut(BaseException):
    """The process is gone: nothing that the program catches."""


class Dying(World):
    """Dies before each statement that no earlier life has come to, and begins anew, knowing nothing."""

    def __init__(self, connection: Connection, *, dying: bool) -> None:
        super().__init__(connection, catalog(), timezone="UTC", start=MORNING)
        self.courier.cut_off = False  # nothing here needs a wire
        self.dying = dying
        self.been: set[tuple[str, str]] = set()

    def _pass(self) -> int:
        while True:
            try:
                return self._once()
            except Cut:
                self.plans = Plans(self.plans.catalog)

    def _once(self) -> int:
        for stage in (match, timers, enroll, gate, settle):
            with self._watched(stage.__name__):
                done = stage.run(self.connection, self.plans, lanes=range(64), now=self.now, limit=BATCH)
            if done:
                return int(done)
        with self._watched(deliver.__name__):
            return deliver.run(self.connection, self.plans, self.courier, now=self.now, limit=BATCH)

    @contextmanager
    def _watched(self, stage: str) -> Iterator[None]:
        been, dying = self.been, self.dying

        def pass_by(statement: Any) -> None:
            place = (stage, BLANKS.sub(" ", str(statement)))
            if dying and place not in been:
                been.add(place)
                raise Cut

        class Watched(psycopg.Cursor[Any]):
            def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
                pass_by(query)
                return super().execute(query, *arguments, **named)

            def executemany(self, query: Any, rows: Any, **named: Any) -> None:
                pass_by(query)
                super().executemany(query, rows, **named)

            def copy(self, statement: Any, *arguments: Any, **named: Any) -> Any:
                pass_by(statement)
                return super().copy(statement, *arguments, **named)

        usual, self.connection.cursor_factory = self.connection.cursor_factory, Watched
        try:
            yield
        finally:
            self.connection.cursor_factory = usual


def live(connection: Connection, *, dying: bool) -> Dying:
    """Orders, payments in time and none, a goal, an exit, a visitor who signs up, a blast, somebody for whom it is night."""
    world = Dying(connection, dying=dying)
    world.publish("order", ORDER)
    world.publish("blast", BLAST)
    world.allow(NIGHT)
    users = [f"u{n}" for n in range(6)]
    far = {"timezone": "America/New_York"}
    calls = [identify(user, plan="pro" if n % 4 else "free", **(far if n == 5 else {})) for n, user in enumerate(users)]
    calls += [track(user, "order_submitted", order_id=f"o{user}") for user in users]
    calls.append({"type": "track", "anonymousId": "a1", "event": "order_submitted", "properties": {"order_id": "oa"}})
    world.accept(calls, at=world.now)
    world.still()
    world.now += timedelta(minutes=2)
    world.accept(
        [
            track("u1", "order_paid", order_id="ou1"),
            track("u2", "vip_call", order_id="ou2"),
            track("u3", "account_closed", order_id="ou3"),
            {"type": "identify", "userId": "a", "anonymousId": "a1", "traits": {"plan": "pro"}},
        ],
        at=world.now,
    )
    world.still()
    world.until(MORNING + 8 * HOUR)
    with transaction(connection):
        ids = connection.execute(
            "SELECT id FROM message WHERE workspace_id = %s AND status = 2 ORDER BY contact_id, node",
            (world.workspace_id,),
        ).fetchall()
        kinds = [(id, kind) for (id,) in ids[:4] for kind in ("opened", "clicked")]
        receipts.add(connection, [Said(world.workspace_id, id, kind, "", world.now, {}) for id, kind in kinds])
    world.still()
    return world


# By users and names instead of numbers, which a repeated life takes anew.
WHO = "(SELECT min(i.value) FROM identity i WHERE i.workspace_id = e.workspace_id AND i.contact_id = e.contact_id)"
WALK = "JOIN enrollment e ON (e.workspace_id, e.lane, e.id) = (x.workspace_id, x.lane, x.enrollment_id)"
NAMED = "JOIN journey j ON j.id = e.journey_id"
QUERIES = (
    f"SELECT {WHO}, j.name, key, e.status, node, reason, walks, visits, entered_at, since, rested_at, wake_at, slot = 0"
    f" FROM enrollment e {NAMED} WHERE e.workspace_id = %s",
    f"SELECT {WHO}, j.name, e.key, x.walk, x.at, x.cause, x.steps FROM trail x {WALK} {NAMED} WHERE x.workspace_id = %s",
    f"SELECT {WHO}, j.name, e.key, x.node, x.visit, x.channel, x.status, x.reason, x.title, x.created_at"
    f" FROM message x {WALK} {NAMED} WHERE x.workspace_id = %s",
    "SELECT j.name, node, port, sum(count)::int FROM tally e " + NAMED + " WHERE e.workspace_id = %s GROUP BY 1, 2, 3",
    f"SELECT {WHO}, attributes, tags FROM (SELECT *, id AS contact_id FROM contact) e WHERE workspace_id = %s",
    f"SELECT {WHO}, name, timestamp, properties::jsonb - 'journey' - 'message' - 'enrollment'"
    " FROM event e WHERE workspace_id = %s",
    f"SELECT {WHO}, count(*)::int FROM sending e WHERE workspace_id = %s GROUP BY 1",
    "SELECT lane, name FROM inbox WHERE workspace_id = %s",
    "SELECT payload, reason FROM dead WHERE workspace_id = %s",
)


def books(world: World) -> list[list[str]]:
    """What the tables say of this world."""
    with transaction(world.connection):
        found = [world.connection.execute(query, (world.workspace_id,)).fetchall() for query in QUERIES]  # type: ignore[call-overload]
    return [sorted(map(repr, rows)) for rows in found]


def test_f02_cut_off_before_any_statement_of_any_stage_nobody_is_lost_and_nothing_is_done_twice(
    connection: Connection,
) -> None:
    expected = books(live(connection, dying=False))
    assert len(expected[2]) >= 8
    hurt = live(connection, dying=True)
    for found, sound in zip(books(hurt), expected, strict=True):
        assert found == sound
    deaths = Counter(stage.rpartition(".")[2] for stage, _ in hurt.been)
    least = {"match": 18, "timers": 16, "enroll": 18, "gate": 5, "settle": 3, "deliver": 7}
    assert all(deaths[stage] >= number for stage, number in least.items()), deaths


def test_f02_cut_off_before_any_statement_of_a_publishing_nothing_is_half_live(connection: Connection) -> None:
    world = Dying(connection, dying=True)
    journey = world.publish("order", ORDER)
    before = live_as(world)
    changed = ORDER | {"settings": ORDER["settings"] | {"priority": 70}}
    deaths = 0
    while True:
        try:
            with world._watched("publish"):
                world.publish("", changed, journey)
            break
        except Cut:
            deaths += 1
            assert live_as(world) == before
    assert deaths > 20
    assert [row[1] for row in live_as(world)] == [2]


def live_as(world: World) -> list[Any]:
    """Which version each journey lets people in by, what is drawn, and all that was handed in or said of it."""
    with transaction(world.connection):
        return world.connection.execute(
            "SELECT j.status, (SELECT max(number) FROM version v WHERE v.journey_id = j.id), j.live_version_id, j.revision,"
            " (SELECT count(*) FROM submission s WHERE s.journey_id = j.id), (SELECT count(*) FROM review),"
            " (SELECT number FROM generation) FROM journey j ORDER BY j.id"
        ).fetchall()
