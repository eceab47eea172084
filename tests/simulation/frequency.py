"""Marketing to people in every zone of the world, around every change of the clock from 2015 to 2035: is a cap or a quiet
hour ever broken? Real stages, virtual clock, and a naive look at what went out.

`python -m tests.simulation.frequency [SENDS [SEED]]` runs until so many messages went out (`make frequency`: a million).
"""

import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from app import settings
from app.commands.places import scratch
from app.database import transaction
from app.store.rows import Connection
from app.world import World
from nodes import catalog

ZONES = sorted(available_timezones())
PEOPLE = 7_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LAST = 2015, 2035
POLICIES: dict[str, Any] = {
    "caps": [{"limit": 2, "per": "day", "over": "defer"}, {"limit": 3, "per": "P2D"}],
    "quiet": [{"from": "21:30", "to": "08:00"}],
    "fuse": {"marketing": 1000, "transactional": 1000},  # happenings at random are no loop
}
EVENTS = ("one", "two", "three", "receipt")


class Broken(NamedTuple):
    """A message that should not have gone out then."""

    user: str
    at: datetime
    why: str


def flow(event: str, number: int) -> dict[str, Any]:
    """Entry, message, out; the last is a receipt that no policy holds back."""
    klass = "transactional" if event == "receipt" else "marketing"
    return {
        "schema": 1,
        "settings": {"reentry": {"mode": "after_exit"}, "message_class": klass, "priority": 10 * number},
        "nodes": [
            {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": event}},
            {"id": "note", "type": "send.inapp", "version": 1, "settings": {"title": event}},
        ],
        "edges": [{"from": "start", "port": "next", "to": "note"}],
    }


def zone_of(number: int) -> str:
    """Everybody has a zone, each zone has somebody."""
    return ZONES[number % len(ZONES)]


def transitions(draw: random.Random) -> Iterator[datetime]:
    """Moments a day before somebody's clock changes, year after year; the same seed gives the same ones."""
    for year in range(FIRST, LAST + 1):
        found = sorted({_change(ZoneInfo(draw.choice(ZONES)), year, draw) for _ in range(4)})
        last = None
        for at in found:
            if last is None or at - last > 4 * DAY:
                last = at
                yield at - DAY


def _change(zone: ZoneInfo, year: int, draw: random.Random) -> datetime:
    days = [datetime(year, 1, 1, tzinfo=UTC) + number * DAY for number in range(3, 361)]
    changed = [day for day in days if (day + DAY).astimezone(zone).utcoffset() != day.astimezone(zone).utcoffset()]
    return draw.choice(changed or days)


def run(connection: Connection, sends: int, seed: int, say: Any = None) -> tuple[int, list[Broken]]:
    """Send until so many went out; how many did, and what was broken."""
    draw = random.Random(seed)
    world = World(connection, catalog(), timezone="UTC", start=datetime(FIRST, 1, 1, tzinfo=UTC))
    for number, event in enumerate(EVENTS):
        world.publish(event, flow(event, number))
    world.allow(POLICIES)
    people = [
        {"type": "identify", "userId": f"u{number}", "traits": {"timezone": zone_of(number)}}
        for number in range(PEOPLE)
    ]
    world.accept(people, at=world.now)
    world.still()
    with transaction(connection):
        connection.execute("ANALYZE contact, identity")  # as autovacuum would within the minute
    while (gone := sent(connection)) < sends:
        for start in transitions(draw):
            _days(world, start.replace(year=start.year), draw)
            gone = sent(connection)
            if say:
                say(gone)
            if gone >= sends or world.now.year > LAST:
                break
        if world.now.year >= LAST:
            break
    return gone, broken(connection)


def _days(world: World, start: datetime, draw: random.Random) -> None:
    """Two days in which something happens to a third of the people every few hours, at odd minutes."""
    at = max(start, world.now)
    end = at + 2 * DAY
    while at < end:
        at += timedelta(minutes=draw.randrange(121, 420))
        world.until(at, including=False)
        chosen = draw.sample(range(PEOPLE), PEOPLE // 3)
        world.accept([{"type": "track", "userId": f"u{one}", "event": draw.choice(EVENTS)} for one in chosen], at=at)
        world.still()
    world.until(end)


def sent(connection: Connection) -> int:
    """How many messages went out."""
    with transaction(connection):
        row = connection.execute("SELECT count(*) FROM message WHERE status = 2").fetchone()
    return int(row[0]) if row else 0


def broken(connection: Connection) -> list[Broken]:
    """Naively, person by person: too many in a day or in two, or at night."""
    with transaction(connection):
        rows = connection.execute(
            "SELECT i.value, m.sent_at FROM message m JOIN identity i ON i.contact_id = m.contact_id"
            " WHERE m.status = 2 AND m.marketing ORDER BY i.value, m.sent_at"
        ).fetchall()
    found: list[Broken] = []
    window: list[datetime] = []
    of = ""
    for user, at in rows:
        if user != of:
            of, window = user, []
        zone = ZoneInfo(zone_of(int(user[1:])))
        window = [*(one for one in window if at - one < 2 * DAY), at]
        today = [one for one in window if one.astimezone(zone).date() == at.astimezone(zone).date()]
        clock = at.astimezone(zone).strftime("%H:%M")
        if len(today) > 2:
            found.append(Broken(user, at, f"{len(today)} on one day"))
        if len(window) > 3:
            found.append(Broken(user, at, f"{len(window)} in two days"))
        if clock >= "21:30" or clock < "08:00":
            found.append(Broken(user, at, f"at {clock}"))
    return found


def main() -> int:
    """Run as many as asked for, with progress."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begun = time.monotonic()

    def say(gone: int) -> None:
        rate = gone / (time.monotonic() - begun)
        sys.stderr.write(f"\r{gone:,} of {wanted:,} sent, {rate:,.0f}/s ")

    with scratch(settings.load().model_copy(update={"data": Path("var") / "frequency"}), fast=True) as connection:
        gone, found = run(connection, wanted, seed, say)
    sys.stdout.write(
        f"\nseed {seed}: {gone:,} messages sent to {PEOPLE:,} people in {len(ZONES)} zones, {len(found)} violations\n"
    )
    sys.stdout.writelines(f"  {one.user} {one.at}: {one.why}\n" for one in found[:20])
    return 1 if found or gone < wanted else 0


if __name__ == "__main__":
    sys.exit(main())
