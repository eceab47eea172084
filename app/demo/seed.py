"""Fill a workspace with the demo: people, their past, live journeys; then walk the last two weeks with the real stages.

So people already stand in every journey when the first page opens. What happened in the last moments is left to the worker,
so that messages reach the sink. Never runs beside a worker, never seeds twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from app import documents, publishing
from app.courier import Courier
from app.database import transaction
from app.demo import planned
from app.demo.past import CHINA, Happening, happenings
from app.demo.people import Person, invent
from app.lanes import ALL_LANES, lane_of
from app.links import Tokens
from app.plans import Plans
from app.publishing import Desk
from app.rendering import Site
from app.stages import deliver, enroll, match, settle, timers
from app.store import accounts, demo, history, inbox, receipts
from app.store.accounts import Configured
from app.store.demo import Invented, Past
from app.store.inbox import Letter
from app.store.receipts import Said
from app.store.rows import Connection
from flows.contract import NodeType
from flows.document import dump

HERE = Path(__file__).parent
NAMES = {
    "abandoned-order": "Order not paid",
    "welcome": "New-user gift",
    "first-order-offer": "First-order offer",
    "air-conditioner-service": "Air-conditioner service",
}
MAIL_ACCOUNT = "demo-mail"
NOTHING_LEAVES = b"so there is nothing to be signed"
WALKED = timedelta(days=14)
# The nearer to now, the finer the steps: nobody will look at the minutes of last week.
STEPS = (
    (timedelta(days=14), timedelta(hours=6)),
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(hours=3), timedelta(minutes=10)),
    (timedelta(minutes=30), timedelta(minutes=2)),
)
LEFT_TO_THE_WORKER = timedelta(minutes=12)
BATCH = 5_000
SEED = 20260303
OPENED, CLICKED = 0.46, 0.3  # of all; of those who opened
Progress = Callable[[str, int, int], None]


class _Stage(NamedTuple):
    connection: Connection
    catalog: Mapping[str, NodeType]
    workspace_id: int


def seed(
    connection: Connection, catalog: Mapping[str, NodeType], workspace_id: int, *, now: datetime, progress: Progress
) -> bool:
    """Make the demo, unless it is there already; one that was interrupted is lived on. Whether anything was done."""
    stage = _Stage(connection, catalog, workspace_id)
    with transaction(connection):
        state = demo.state(connection, workspace_id)
        if state == demo.MOVING:
            return False
        begun = state == demo.BEGUN
        now, begin, ids = demo.begun(connection, workspace_id) if begun else (now, now - WALKED, [])
    progress("inventing people", 0, 1)
    people = invent(now)
    events = happenings(people, now)
    if not begun:
        progress("writing their past", 0, 1)
        with transaction(connection):
            ids = _settle_in(stage, people, events, now)
    _walk(stage, ids, [one for one in events if one.at > begin], (begin, now), progress)
    _hear(stage, now - WALKED, now)
    with transaction(connection):
        demo.mark(connection, workspace_id, demo.MOVING, now)
    return True


def _settle_in(stage: _Stage, people: Sequence[Person], events: Sequence[Happening], now: datetime) -> list[int]:
    """People, what they did until two weeks ago, and the journeys, live since then; all or nothing."""
    connection, workspace_id, begin = stage.connection, stage.workspace_id, now - WALKED
    history.make_partitions(connection, _months(events[0].at, now))
    invented = [Invented(p.user_id, p.email, p.phone, p.attributes, p.tags, p.consents, p.signed_up_at) for p in people]
    ids = demo.add_people(connection, workspace_id, invented)
    old = [Past(ids[one.person], one.at, one.name, one.properties) for one in events if one.at <= begin]
    demo.add_history(connection, workspace_id, old)
    _publish(stage, begin, now)
    demo.mark(connection, workspace_id, demo.BEGUN, now)
    demo.look_again(connection, ("contact", "identity", "event"))
    return ids


def journeys(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """The demo's journeys, by name. The monthly one runs on the day of the month that yesterday was."""
    yesterday = (now + CHINA - timedelta(days=1)).day
    for file, name in NAMES.items():
        raw = dump(documents.read((HERE / f"{file}.yaml").read_text(encoding="utf-8")))
        for node in raw["nodes"]:
            schedule = node["settings"].get("schedule")
            if schedule and "cron" in schedule:
                schedule["cron"] = f"0 10 {min(yesterday, 28)} * *"
        yield name, raw


def _publish(stage: _Stage, at: datetime, now: datetime) -> None:
    """As if it had been done two weeks ago."""
    connection, workspace_id = stage.connection, stage.workspace_id
    # The sink takes the place of this server; the name is one that can never exist.
    settings = {
        "host": "mail.example.invalid",
        "port": 25,
        "tls": "none",
        "from_address": "hello@example.com",
        "from_name": "Lantern Home",
    }
    accounts.put(connection, workspace_id, MAIL_ACCOUNT, Configured("email", settings, ""), at)
    author, reviewer = (
        Desk(connection, stage.catalog, workspace_id, actor, at) for actor in ("demo author", "demo reviewer")
    )
    made = {}
    for file, (name, document) in zip(NAMES, journeys(now), strict=True):
        journey_id = publishing.create(author, name, document).id
        content_hash = publishing.submit(author, journey_id).content_hash
        publishing.review(reviewer, journey_id, "approve", content_hash)
        publishing.publish(author, journey_id, content_hash)
        made[file] = journey_id
    planned.make(author, made, now)


def _walk(
    stage: _Stage, ids: list[int], events: list[Happening], span: tuple[datetime, datetime], progress: Progress
) -> None:
    """Live through the last days, step by step, with the stages that the worker runs."""
    connection = stage.connection
    plans = Plans(stage.catalog)
    courier = Courier(Site("https://demo.invalid", Tokens(NOTHING_LEAVES)), NOTHING_LEAVES, cut_off=True)
    now = span[1]
    ticks = list(_ticks(*span))
    waiting = 0
    for number, tick in enumerate(ticks):
        begin = waiting
        while waiting < len(events) and events[waiting].at <= tick:
            waiting += 1
        with transaction(connection):
            inbox.put(connection, [_letter(stage.workspace_id, ids[one.person], one) for one in events[begin:waiting]])
        _still(connection, plans, tick)
        if now - tick >= LEFT_TO_THE_WORKER:
            while deliver.run(connection, plans, courier, now=tick, limit=BATCH):
                pass
        progress("living through the last two weeks", number + 1, len(ticks))


def _ticks(at: datetime, now: datetime) -> Iterator[datetime]:
    while at < now:
        left = now - at
        at = min(now, at + next(step for reach, step in reversed(STEPS) if left <= reach))
        yield at


def _still(connection: Connection, plans: Plans, now: datetime) -> None:
    for stage in (match, timers, enroll):
        while stage.run(connection, plans, lanes=ALL_LANES, now=now, limit=BATCH):
            pass


def _letter(workspace_id: int, contact: int, one: Happening) -> Letter:
    text = msgspec.json.encode(one.properties).decode()
    lane = lane_of(workspace_id, contact)
    return Letter(lane, 0, workspace_id, contact, "track", one.name, one.at, one.at, text, None)


def _hear(stage: _Stage, begin: datetime, now: datetime) -> None:
    """Some opened what they got, and some of those clicked."""
    chance = Random(SEED)
    connection, said = stage.connection, []
    with transaction(connection):
        for id, sent_at, _ in demo.sent_since(connection, stage.workspace_id, begin):
            at = sent_at + timedelta(minutes=chance.lognormvariate(4.0, 1.2))
            if at >= now or chance.random() > OPENED:
                continue
            said.append(Said(stage.workspace_id, id, "opened", "", at, {}))
            if chance.random() < CLICKED:
                said.append(Said(stage.workspace_id, id, "clicked", "", min(now, at + timedelta(seconds=20)), {}))
        receipts.add(connection, said)
    plans = Plans(stage.catalog)
    while settle.run(connection, plans, lanes=ALL_LANES, now=now, limit=BATCH):
        pass
    _still(connection, plans, now)


def _months(begin: datetime, end: datetime) -> Iterator[datetime]:
    month = begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= end + timedelta(days=31):
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
