"""A small town whose every fate is known: contacts, journeys, letters, and what must be in the tables when all is done.

Ids are given, so lanes and random arms are the same in every run; moments are kept relative to when the story began.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from app.database import Connection, transaction
from app.lanes import lane_of
from app.store import history, inbox, versions
from app.store.inbox import Letter

WORKSPACE = 1
PEOPLE = 120
AGO = timedelta(seconds=150)  # all waits are over when the story is told, and none is five minutes late

ORDER = {
    "schema": 1,
    "settings": {
        "reentry": {"mode": "per_key", "key": "properties.order_id"},
        "goal": {"event": "vip_call"},
        "exit_when": {"event": "account_closed"},
    },
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "order_submitted"}},
        {"id": "pro", "type": "condition", "settings": {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}}},
        {"id": "paid", "type": "wait.event", "settings": {"events": [{"event": "order_paid"}], "timeout": "PT30S"}},
        {"id": "buyer", "type": "action.tag", "settings": {"add": ["buyer"]}},
        {"id": "nudge", "type": "send.inapp", "settings": {"title": "Order {{ entry.properties.order_id }} waits"}},
        {"id": "later", "type": "wait.duration", "settings": {"duration": "PT20S"}},
        {"id": "tell", "type": "action.event", "settings": {"event": "reminded"}},
        {"id": "arms", "type": "split", "settings": {"arms": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]}},
        {"id": "offer", "type": "send.inapp", "settings": {"title": "An offer"}},
        {"id": "end", "type": "exit", "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "pro"},
        {"from": "pro", "port": "yes", "to": "paid"},
        {"from": "pro", "port": "no", "to": "arms"},
        {"from": "paid", "port": "order_paid", "to": "buyer"},
        {"from": "buyer", "port": "next", "to": "end"},
        {"from": "paid", "port": "timeout", "to": "nudge"},
        {"from": "nudge", "port": "next", "to": "later"},
        {"from": "later", "port": "next", "to": "tell"},
        {"from": "tell", "port": "next", "to": "end"},
        {"from": "arms", "port": "a", "to": "offer"},
        {"from": "arms", "port": "b", "to": "end"},
        {"from": "offer", "port": "next", "to": "end"},
    ],
}
REMINDED = {
    "schema": 1,
    "settings": {"reentry": {"mode": "once"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "reminded"}},
        {"id": "pause", "type": "wait.duration", "settings": {"duration": "PT10S"}},
        {"id": "note", "type": "send.inapp", "settings": {"title": "Still there"}},
        {"id": "end", "type": "exit", "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "pause"},
        {"from": "pause", "port": "next", "to": "note"},
        {"from": "note", "port": "next", "to": "end"},
    ],
}


class State(NamedTuple):
    """What the tables say, in terms that do not change from run to run."""

    enrollments: list[Any]
    trail: list[Any]
    messages: list[Any]
    tallies: list[Any]
    contacts: list[Any]
    events: list[Any]


def prepare(connection: Connection) -> None:
    """A workspace with its people."""
    at = datetime.now(UTC)
    people = [(n, lane_of(WORKSPACE, n), json.dumps({"plan": "pro" if n % 3 else "free"})) for n in everybody()]
    with transaction(connection):
        connection.execute(
            "INSERT INTO workspace (id, name, timezone, secret, created_at) VALUES (%s, 'town', 'UTC', 'x', %s)",
            (WORKSPACE, at),
        )
        connection.cursor().executemany(
            "INSERT INTO contact (workspace_id, lane, id, attributes, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [(WORKSPACE, lane, n, attributes, at, at) for n, lane, attributes in people],
        )
        month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        history.make_partitions(connection, [month])


def publish(connection: Connection, document: dict[str, Any], journey: int) -> None:
    """Put a flow live as journey and version of this number."""
    at, text = datetime.now(UTC), json.dumps(document)
    with transaction(connection):
        connection.execute(
            "INSERT INTO journey (id, workspace_id, name, status, draft, created_at, created_by, updated_at)"
            " VALUES (%s, %s, 'journey', 'live', %s, %s, 'test', %s)",
            (journey, WORKSPACE, text, at, at),
        )
        connection.execute(
            "INSERT INTO version (id, workspace_id, journey_id, number, document, content_hash, published_at, published_by)"
            " VALUES (%s, %s, %s, 1, %s, '', %s, 'test')",
            (journey, WORKSPACE, journey, text, at),
        )
        connection.execute("UPDATE journey SET live_version_id = %s WHERE id = %s", (journey, journey))
        versions.bump(connection)


def everybody() -> Iterable[int]:
    return range(1, PEOPLE + 1)


def letter(
    person: int, name: str, at: datetime, properties: dict[str, Any] | None = None, kind: str = "track"
) -> Letter:
    """One letter as the front door would have put it down."""
    lane = lane_of(WORKSPACE, person)
    return Letter(lane, 0, WORKSPACE, person, kind, name, at, at, json.dumps(properties or {}), None)


def letters(begun: datetime) -> list[Letter]:
    """What happened in town: orders, payments in time and too late, changes of mind, closed accounts."""
    told: list[Letter] = []
    moment = count()

    def at(seconds: float) -> datetime:
        return begun + timedelta(seconds=seconds, milliseconds=next(moment))

    told += [letter(n, "order_submitted", at(0), {"order_id": f"o{n}"}) for n in everybody()]
    for n in everybody():
        if n % 4 == 1:
            told.append(letter(n, "order_paid", at(5), {"order_id": f"o{n}"}))
        if n % 7 == 0:
            told.append(letter(n, "identify", at(6), {"plan": "pro", "city": "上海"}, "identify"))
        if n % 10 == 3:
            told.append(letter(n, "account_closed", at(7)))
        if n % 5 == 2:
            told.append(letter(n, "order_submitted", at(8), {"order_id": f"p{n}"}))
        if n % 11 == 5:
            told.append(letter(n, "vip_call", at(9), {"order_id": f"o{n}"}))
    return told


def tell(connection: Connection) -> datetime:
    """Prepare everything; returns when the story began."""
    prepare(connection)
    publish(connection, ORDER, 1)
    publish(connection, REMINDED, 2)
    begun = datetime.now(UTC) - AGO
    post(connection, letters(begun))
    return begun


def post(connection: Connection, some: Sequence[Letter]) -> None:
    with transaction(connection):
        inbox.put(connection, some)


def over(connection: Connection) -> bool:
    """Whether the lanes have nothing left to do: no letter, nobody on the way whose time has come."""
    with transaction(connection):
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM enrollment WHERE status = 0 AND wake_at <= %s)",
            (datetime.now(UTC),),
        ).fetchone()
    assert row is not None
    return not row[0]


def state(connection: Connection, begun: datetime) -> State:
    """What the tables say now."""
    with transaction(connection):
        rows = [connection.execute(query).fetchall() for query in QUERIES]
    return State(
        *(sorted((tuple(_relative(value, begun) for value in row) for row in part), key=repr) for part in rows)
    )


def _relative(value: Any, begun: datetime) -> Any:
    return round((value - begun).total_seconds(), 6) if isinstance(value, datetime) else value


QUERIES = (
    "SELECT contact_id, lane, journey_id, version_id, key, status, node, reason, walks, visits, entered_at, since, rested_at,"
    " wake_at, slot = 0 FROM enrollment",
    "SELECT e.contact_id, e.journey_id, e.key, e.since, t.walk, t.at, t.cause, t.steps FROM trail t JOIN enrollment e"
    " ON e.workspace_id = t.workspace_id AND e.lane = t.lane AND e.id = t.enrollment_id",
    # What the deliver loop makes of a message has its own tests; a lease that a kill left behind runs out in its own time.
    "SELECT m.contact_id, m.journey_id, e.key, e.since, m.node, m.visit, m.channel, m.status = 4, m.reason, m.created_at"
    " FROM message m JOIN enrollment e"
    " ON e.workspace_id = m.workspace_id AND e.lane = m.lane AND e.id = m.enrollment_id",
    "SELECT version_id, node, port, sum(count)::bigint FROM (SELECT version_id, node, port, count FROM tally"
    " UNION ALL SELECT version_id, node, port, count FROM tally_hour) AS every"
    " WHERE port = '!end' OR left(port, 1) <> '!' GROUP BY 1, 2, 3",
    "SELECT id, attributes, tags FROM contact",
    "SELECT contact_id, name, timestamp, properties FROM event",
)
