"""All 69,659 purchases of 23,570 real customers, through the ingest door into one keyed journey, compared person by person."""

import csv
import lzma
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from app.store.rows import Connection
from nodes import catalog
from tests.simulation import engine
from tests.simulation.engine import Town, walked
from tests.simulation.reference import Event, Journey, Person

FILE = Path(__file__).parent.parent / "data" / "cdnow.csv.xz"
NOON = timedelta(hours=12)  # the file knows days; several purchases of a day keep the order of the file
AFTER = timedelta(days=365)
BOUGHT = [{"event": "purchase"}]
NODES: list[tuple[str, str, dict[str, Any]]] = [
    ("start", "entry.event", {"event": "purchase"}),
    ("second", "wait.event", {"events": BOUGHT, "timeout": "P30D", "since": "entry"}),
    ("again", "action.tag", {"add": ["repeat"]}),
    ("loyal", "exit", {"reason": "second purchase"}),
    ("half", "split", {"arms": [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]}),
    ("reminder", "send.inapp", {"title": "Something new to hear"}),
    ("quiet", "wait.event", {"events": BOUGHT, "timeout": "P60D"}),
    ("big", "condition", {"rule": {"property": "dollars", "op": "gte", "value": 30}}),
    ("winback", "send.inapp", {"title": "Come back: a voucher"}),
    ("last", "wait.event", {"events": [{"event": "purchase", "name": "back"}], "timeout": "P90D"}),
    ("lost", "exit", {}),
]
WIRES = (
    "start.next second|second.purchase again|again.next loyal|second.timeout half|half.A reminder|half.B quiet|"
    "reminder.next quiet|quiet.purchase again|quiet.timeout big|big.yes winback|big.no lost|winback.next last|"
    "last.back again|last.timeout lost"
)
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {
        # Each customer walks once. The goal is a large purchase; it takes people out wherever they wait.
        "reentry": {"mode": "per_key", "key": "properties.customer"},
        "goal": {"event": "purchase", "where": [{"property": "dollars", "op": "gte", "value": 60}], "within": "P150D"},
    },
    "nodes": [{"id": name, "type": kind, "version": 1, "settings": own} for name, kind, own in NODES],
    "edges": [
        {"from": wire.partition(".")[0], "port": wire.partition(".")[2].partition(" ")[0], "to": wire.partition(" ")[2]}
        for wire in WIRES.split("|")
    ],
}

ENDS = {"lost": 15_738, "second purchase": 6_747, "goal": 1_085}


def purchases() -> list[tuple[datetime, str, dict[str, Any], str]]:
    """When, who, what, and a message id of their own for each: in order of time, and of the file within a day."""
    with lzma.open(FILE, "rt") as file:
        rows = list(csv.DictReader(file))
    found = [
        (
            datetime.strptime(row["date"], "%Y%m%d").replace(tzinfo=UTC) + NOON,
            row["customer"],
            {"customer": row["customer"], "dollars": float(row["dollars"]), "cds": int(row["cds"])},
            f"cdnow-{number}",
        )
        for number, row in enumerate(rows)
    ]
    return sorted(found, key=lambda one: one[0])


@pytest.mark.timeout(400)
def test_every_customer_walks_as_the_reference_says(connection: Connection) -> None:
    found = purchases()
    assert len(found) == 69_659
    town = Town(connection, catalog(), timezone="UTC", start=found[0][0])
    journey = town.publish("first purchases", FLOW)
    for day, bought in groupby(found, key=lambda one: one[0]):
        town.until(day, including=False)
        town.accept(
            [
                {"type": "track", "event": "purchase", "userId": who, "properties": what, "messageId": message}
                for _, who, what, message in bought
            ],
            at=day,
        )
        town.now = day
        town.still()
    end = found[-1][0] + AFTER
    town.until(end)
    told = tell(
        found, engine.contacts(connection, town.workspace_id), Journey(f"{town.workspace_id}/{journey}", FLOW), end
    )
    assert engine.walks(connection, town.workspace_id) == {contact: walked(one) for contact, one in told.items()}
    sent = {contact: Counter(one.messages) for contact, one in told.items() if one.messages}
    assert engine.messages(connection, town.workspace_id) == sent
    engine.balance(connection, town.workspace_id)
    assert len(told) == 23_570
    # A comparison is worth what it walks: every way of the flow is taken by hundreds, most by thousands.
    taken: Counter[tuple[str, str]] = Counter()
    for one in told.values():
        names = [name for name, _ in one.walks[0].path]
        taken.update(pairwise(names))
    assert set(taken) == {(edge["from"], edge["to"]) for edge in FLOW["edges"]}
    assert min(taken.values()) > 300, taken
    assert Counter(one.walks[0].reason for one in told.values()) == ENDS


def tell(
    found: list[tuple[datetime, str, dict[str, Any], str]], people: dict[str, int], journey: Journey, end: datetime
) -> dict[int, Person]:
    """The reference's telling, one customer at a time."""
    events: dict[int, list[Event]] = {}
    for at, who, what, _ in found:
        events.setdefault(people[who], []).append(Event(at, "purchase", at, what))
    told = {contact: Person(contact, [journey]) for contact in events}
    for contact, mine in events.items():
        told[contact].live(mine, end)
    return told
