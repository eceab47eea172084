"""What rules would have done, told before they are saved, beside what the gate does with the same days once they hold."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import effects
from app.database import Connection, transaction
from app.effects import Effect
from app.world import World
from flows import policies
from nodes import catalog
from tests.stages.conftest import MORNING
from tests.stages.places import flow, happen, identify, track

HOUR = timedelta(hours=1)
NOTE = ("send.inapp", {"title": "x"})
AGAIN = {"reentry": {"mode": "after_exit"}}
FUSE = {"fuse": {"marketing": 1000, "transactional": 1000}}
CAP = {"caps": [{"limit": 2, "per": "day"}]}
NIGHT = {"quiet": [{"from": "21:00", "to": "08:00", "over": "skip"}]}


def days(world: World) -> datetime:
    """Three people in two zones, written to at all hours of two days, some of it transactional; when that is over."""
    zones = ("Asia/Shanghai", "America/New_York", "")
    happen(world, world.now, *(identify(f"u{n}", timezone=zone) for n, zone in enumerate(zones) if zone))
    for name, settings in (("offer", AGAIN), ("receipt", {**AGAIN, "message_class": "transactional"})):
        nodes = {"start": ("entry.event", {"event": name}), "note": NOTE, "end": ("exit", {})}
        world.publish(name, flow(nodes, "start.next note, note.next end", **settings))
    for hour in range(1, 48, 6):
        calls = [track(f"u{n}", "offer") for n in range(3) if (hour + n) % 3]
        happen(world, MORNING + hour * HOUR, *calls, track("u0", "receipt"))
    return MORNING + 49 * HOUR


def foretold(world: World, raw: dict[str, Any], now: datetime) -> Effect:
    rules = policies.load(raw)
    with transaction(world.connection):
        was = effects.past(world.connection, world.workspace_id, rules, "UTC", now)
    return effects.of(was, (*rules.caps, *rules.quiet)[0])


@pytest.mark.parametrize("raw", [CAP, NIGHT], ids=["cap", "night"])
def test_the_preview_foretells_what_the_gate_does_with_the_same_days(
    world: World, connection: Connection, raw: dict[str, Any]
) -> None:
    world.allow(FUSE)
    now = days(world)
    told = foretold(world, raw, now)
    ruled = World(connection, catalog(), timezone="UTC", start=MORNING)
    ruled.allow({**FUSE, **raw})
    days(ruled)
    with transaction(connection):
        rows = connection.execute(
            "SELECT count(*) FILTER (WHERE status = 4), count(*) FROM message WHERE workspace_id = %s AND marketing",
            (ruled.workspace_id,),
        ).fetchone()
    assert told == Effect(*rows or ())
    assert 0 < told.held < told.of
    assert foretold(ruled, raw, now) == told, "what is held back by it now would be again"


def test_only_the_last_days_count_and_only_the_latest_messages_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.allow(FUSE)
    now = days(world)
    whole = foretold(world, CAP, now)
    assert foretold(world, CAP, now + timedelta(days=30)) == Effect(0, 0)
    monkeypatch.setattr(effects, "LOOKED_AT", 10)
    part = foretold(world, CAP, now)
    assert 0 < part.of <= 10 < whole.of
