"""The complaint rate: a warning at one in a thousand, marketing paused at three, only where it comes from (RELIABILITY 3.2)."""

from datetime import datetime, timedelta

import pytest

from app import fusing, pausing
from app.database import transaction
from app.store import reputations
from app.store.reputations import Standing
from app.store.rows import Connection
from app.world import World
from tests.stages.conftest import MORNING
from tests.stages.places import desk, flow

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NODES = {"start": ("entry.event", {"event": "came"}), "note": ("send.inapp", {"title": "x"}), "end": ("exit", {})}


def journey(world: World, name: str) -> int:
    return world.publish(name, flow(NODES, "start.next note, note.next end"))


def heard(
    world: World,
    journey_id: int,
    delivered: int,
    complained: int,
    at: datetime = MORNING,
    *,
    marketing: bool = True,
    channel: str = "email",
) -> None:
    """What receipts left behind, in many small rows as batches append them."""
    with transaction(world.connection):
        world.connection.execute(
            """
            INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)
            SELECT %(w)s, %(channel)s, %(j)s, %(marketing)s, %(at)s, %(delivered)s / 10, 0 FROM generate_series(1, 10)
            UNION ALL SELECT %(w)s, %(channel)s, %(j)s, %(marketing)s, %(at)s, 0, 1 FROM generate_series(1, %(complained)s)
            """,
            {
                "w": world.workspace_id,
                "channel": channel,
                "j": journey_id,
                "marketing": marketing,
                "at": at,
                "delivered": delivered,
                "complained": complained,
            },
        )


def watched(world: World, at: datetime = MORNING + HOUR) -> int:
    with transaction(world.connection):
        return fusing.watch_complaints(world.connection, at)


def states(connection: Connection) -> list[str]:
    with transaction(connection):
        return [row[0] for row in connection.execute("SELECT status FROM journey ORDER BY id").fetchall()]


def standings(world: World, at: datetime = MORNING + HOUR) -> list[Standing]:
    with transaction(world.connection):
        return reputations.standings(world.connection, world.workspace_id, at)


@pytest.mark.parametrize(
    ("delivered", "complained", "paused"), [(990, 50, False), (1_000, 2, False), (1_000, 3, True), (10_000, 29, False)]
)
def test_marketing_is_paused_at_three_in_a_thousand_of_a_thousand_or_more(
    world: World, connection: Connection, delivered: int, complained: int, paused: bool
) -> None:
    heard(world, journey(world, "offers"), delivered, complained)
    assert watched(world) == paused
    assert states(connection) == ["paused" if paused else "live"]
    assert watched(world) == 0
    with transaction(connection):
        rows = connection.execute("SELECT pause_reason FROM journey WHERE status = 'paused'").fetchall()
        logged = connection.execute("SELECT actor FROM audit WHERE what = 'journey.fuse'").fetchall()
    if paused:
        why = "fuse: 3 complaints about 1000 messages by email in 7 days; from 0.3% on, mailbox providers refuse mail"
        assert rows == [(why,)]
    assert logged == [("system",)] * paused


def test_only_the_journeys_that_draw_complaints_are_paused(world: World, connection: Connection) -> None:
    loud, calm, receipt, spoken = (journey(world, name) for name in ("loud", "calm", "receipt", "spoken"))
    heard(world, loud, 500, 10)
    heard(world, calm, 1_500, 1)
    heard(world, receipt, 200, 5, marketing=False)
    heard(world, spoken, 200, 5, channel="sms")
    assert watched(world) == 1
    assert states(connection) == ["paused", "live", "live", "live"]
    assert loud < calm < receipt < spoken


def test_where_a_channel_has_reached_it_some_journey_has_and_an_older_week_does_not_count(
    world: World, connection: Connection
) -> None:
    heard(world, journey(world, "offers"), 2_000, 60, MORNING - 8 * DAY)
    heard(world, journey(world, "news"), 2_000, 1)
    assert watched(world) == 0
    assert states(connection) == ["live", "live"]
    assert standings(world) == [Standing(world.workspace_id, "email", 2_000, 1)]


def test_who_resumes_has_seen_it_and_only_new_complaints_pause_it_again(world: World, connection: Connection) -> None:
    id = journey(world, "offers")
    heard(world, id, 1_000, 9)
    assert watched(world) == 1
    world.now = MORNING + 2 * HOUR
    with transaction(connection):
        pausing.resume(desk(world), id)
    assert watched(world, MORNING + 3 * HOUR) == 0
    heard(world, id, 500, 5, MORNING + 4 * HOUR)
    assert watched(world, MORNING + 5 * HOUR) == 0, "too few since somebody looked"
    heard(world, id, 500, 1, MORNING + 5 * HOUR)
    assert watched(world, MORNING + 6 * HOUR) == 1


def test_folding_changes_no_figure_and_forgets_what_is_over(world: World, connection: Connection) -> None:
    offers, news = journey(world, "offers"), journey(world, "news")
    for hours in range(8):
        heard(world, offers, 200, 1, MORNING + hours * HOUR)
        heard(world, news, 300, 2, MORNING + hours * HOUR)
    now = MORNING + 8 * HOUR + timedelta(minutes=1)
    before = standings(world, now)
    with transaction(connection):
        assert reputations.fold(connection, now) > 0
        assert reputations.fold(connection, now) == 0
    assert standings(world, now) == before == [Standing(world.workspace_id, "email", 4_000, 24)]
    with transaction(connection):
        rows = connection.execute("SELECT count(*) FROM reputation WHERE at >= %s", (MORNING + 3 * HOUR,)).fetchone()
        assert rows == (10,)
        reputations.fold(connection, now + 8 * DAY)
        assert connection.execute("SELECT count(*) FROM reputation").fetchone() == (0,)
