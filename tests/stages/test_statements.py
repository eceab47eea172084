"""The number of statements of a batch does not grow with the batch: the same for ten people and for five thousand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.database import transaction
from app.lanes import ALL_LANES, lane_of
from app.stages import enroll, match, timers
from app.store import inbox
from app.store.inbox import Letter
from app.store.rows import Connection
from app.world import World
from nodes import catalog
from tests.stages.counting import counted
from tests.stages.places import people

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FEW, MANY = 10, 5_000
LIMIT = 64_000  # a lane takes its share of the limit, and lanes are not equally full
ASKS = {
    "any": [
        {"attribute": "plan", "op": "eq", "value": "pro"},
        {"event": "viewed", "where": [{"property": "n", "op": "gte", "value": 1}], "within": "P7D"},
        {"tag": "warm"},
        {"property": "amount", "op": "gte", "value": 10},
        {"message": "hello", "outcome": "opened"},
    ]
}


def flow(entry: str, own: dict[str, Any]) -> dict[str, Any]:
    """Everything that costs a statement: all kinds of facts, effects, messages, an emitted event, waits that look back."""
    nodes: list[tuple[str, str, dict[str, Any]]] = [
        ("start", entry, own),
        ("mark", "action.tag", {"add": ["warm"]}),
        ("level", "action.attribute", {"set": {"level": "gold"}}),
        ("asked", "condition", {"rule": ASKS}),
        ("hello", "send.inapp", {"title": "hello"}),
        ("tell", "action.event", {"event": "greeted"}),
        ("pause", "wait.event", {"events": [{"event": "paid"}], "timeout": "PT1H", "since": "entry"}),
        ("again", "condition", {"rule": ASKS}),
        ("more", "send.inapp", {"title": "more"}),
        ("end", "exit", {}),
    ]
    wires = "start.next mark|mark.next level|level.next asked|asked.yes hello|hello.next tell|tell.next pause"
    wires += "|pause.paid again|pause.timeout again|again.yes more|again.no end|more.next end"
    return {
        "schema": 1,
        "settings": {"reentry": {"mode": "after_exit"}, "goal": {"event": "gone"}},
        "nodes": [{"id": name, "type": kind, "version": 1, "settings": settings} for name, kind, settings in nodes],
        "edges": [
            {
                "from": one.partition(".")[0],
                "port": one.partition(".")[2].partition(" ")[0],
                "to": one.partition(" ")[2],
            }
            for one in wires.split("|")
        ],
    }


def letters(world: World, contacts: list[int], name: str, at: datetime, *, each: int = 1) -> None:
    """The same event of everybody, `each` times."""
    lane = {contact: lane_of(world.workspace_id, contact) for contact in contacts}
    text = '{"amount": 12, "n": 1}'
    with transaction(world.connection):
        inbox.put(
            world.connection,
            [
                Letter(lane[one], 0, world.workspace_id, one, "track", name, at, at, text, None)
                for _ in range(each)
                for one in contacts
            ],
        )


def sent_by(world: World, stage: Any, at: datetime, expected: int) -> list[str]:
    """What one call of a stage sends, which handles that many."""
    with counted(world.connection) as sent:
        handled = stage.run(world.connection, world.plans, lanes=ALL_LANES, now=at, limit=LIMIT)
    assert handled >= expected
    return sent


def entered(world: World, count: int) -> list[str]:
    letters(world, people(world, count), "go", START)
    return sent_by(world, match, START, count)


def entered_by_several_letters(world: World, count: int) -> list[str]:
    letters(world, people(world, count), "go", START, each=4)
    return sent_by(world, match, START, 4 * count)


def woken(world: World, count: int) -> list[str]:
    contacts = people(world, count)
    letters(world, contacts, "go", START)
    sent_by(world, match, START, count)
    sent_by(world, match, START, count)  # what the flow told
    letters(world, contacts, "paid", START + timedelta(minutes=1))
    return sent_by(world, match, START + timedelta(minutes=1), count)


def taken_out(world: World, count: int) -> list[str]:
    contacts = people(world, count)
    letters(world, contacts, "go", START)
    sent_by(world, match, START, count)
    sent_by(world, match, START, count)
    letters(world, contacts, "gone", START + timedelta(minutes=1))
    return sent_by(world, match, START + timedelta(minutes=1), count)


def timed_out(world: World, count: int) -> list[str]:
    letters(world, people(world, count), "go", START)
    sent_by(world, match, START, count)
    sent_by(world, match, START, count)
    return sent_by(world, timers, START + timedelta(hours=1), count)


def let_in(world: World, count: int) -> list[str]:
    people(world, count)
    return sent_by(world, enroll, START + timedelta(minutes=5), count)


STAGES = (entered, entered_by_several_letters, woken, taken_out, timed_out, let_in)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_ten_people_and_five_thousand_take_the_same_statements(
    connection: Connection, stage: Callable[[World, int], list[str]]
) -> None:
    sent = []
    for count in (FEW, MANY):
        world = World(connection, catalog(), timezone="UTC", start=START)
        if stage is let_in:
            rule = {"attribute": "plan", "op": "exists"}
            world.publish("audience", flow("entry.segment", {"rule": rule, "schedule": {"at": "2026-03-02T08:05:00Z"}}))
        else:
            world.publish("event", flow("entry.event", {"event": "go", "when": ASKS}))
        sent.append(stage(world, count))
    assert sent[0] == sent[1]
    assert any(one.startswith("COPY trail") for one in sent[0]), "COPYs are not seen"
    assert len(sent[0]) <= 40
