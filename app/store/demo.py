"""The demo's people and their past, written in bulk: the only place that fills history without the inbox. Never deletes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.lanes import lane_of
from app.store.rows import Connection, copy_lines, escape, instant, take_ids

COLLEAGUE = "rui@demo.example"  # who reviews in the demo
WANTED, BEGUN, MOVING = "wanted", "begun", "moving"


class Invented(NamedTuple):
    """A contact to be written, with all names it goes by."""

    user_id: str
    email: str
    phone: str
    attributes: dict[str, Any]
    tags: list[str]
    consents: dict[str, Any]
    created_at: datetime


class Past(NamedTuple):
    """One event that happened long ago."""

    contact_id: int
    at: datetime
    name: str
    properties: dict[str, Any]


def state(connection: Connection, workspace_id: int) -> str | None:
    """How far the demo has come in this workspace: None, wanted, begun, moving."""
    row = connection.execute("SELECT settings ->> 'demo' FROM workspace WHERE id = %s", (workspace_id,)).fetchone()
    return row[0] if row else None


def mark(connection: Connection, workspace_id: int, how_far: str, at: datetime) -> None:
    """Remember it, and the moment the demo was made for."""
    connection.execute(
        "UPDATE workspace SET settings = settings || jsonb_build_object('demo', %s::text, 'demo_at', %s::text) WHERE id = %s",
        (how_far, at.isoformat(), workspace_id),
    )


def begun(connection: Connection, workspace_id: int) -> tuple[datetime, datetime, list[int]]:
    """Of a demo that is not finished: the moment it is made for, up to when its past was lived through, its people in order."""
    row = connection.execute(
        """
        SELECT settings ->> 'demo_at', greatest((SELECT max(received_at) FROM event WHERE workspace_id = %(w)s),
                   (SELECT max(received_at) FROM inbox WHERE workspace_id = %(w)s)),
               (SELECT array_agg(contact_id ORDER BY value) FROM identity WHERE workspace_id = %(w)s AND kind = 'user_id')
        FROM workspace WHERE id = %(w)s
        """,
        {"w": workspace_id},
    ).fetchone()
    assert row is not None
    return datetime.fromisoformat(row[0]), row[1], row[2]


def add_people(connection: Connection, workspace_id: int, people: Sequence[Invented]) -> list[int]:
    """Write contacts and their identities; returns their ids in order."""
    fresh = take_ids(connection, "contact_block", len(people))
    ids = [id for id, _ in zip(fresh, people, strict=False)]
    encode = msgspec.json.encode
    copy_lines(
        connection,
        "contact (workspace_id, lane, id, attributes, tags, consents, created_at, updated_at)",
        (
            f"{workspace_id}\t{lane_of(workspace_id, id)}\t{id}\t{escape(encode(one.attributes).decode())}"
            f"\t{{{','.join(one.tags)}}}\t{escape(encode(one.consents).decode())}"
            f"\t{instant(one.created_at)}\t{instant(one.created_at)}"
            for id, one in zip(ids, people, strict=True)
        ),
    )
    copy_lines(
        connection,
        "identity (workspace_id, kind, value, contact_id, created_at)",
        (
            f"{workspace_id}\t{kind}\t{escape(value)}\t{id}\t{instant(one.created_at)}"
            for id, one in zip(ids, people, strict=True)
            for kind, value in (("user_id", one.user_id), ("email", one.email), ("phone", one.phone))
        ),
    )
    return ids


def add_history(connection: Connection, workspace_id: int, events: Sequence[Past]) -> None:
    """Write events as history; their ids come before those of all letters to come."""
    first = _reserve(connection, len(events))
    encode = msgspec.json.encode
    copy_lines(
        connection,
        "event (workspace_id, lane, contact_id, timestamp, id, received_at, name, properties)",
        (
            f"{workspace_id}\t{lane_of(workspace_id, one.contact_id)}\t{one.contact_id}\t{one.at.isoformat()}\t{first + place}"
            f"\t{one.at.isoformat()}\t{escape(one.name)}\t{escape(encode(one.properties).decode())}"
            for place, one in enumerate(events)
        ),
    )


def _reserve(connection: Connection, count: int) -> int:
    """A run of letter ids that nobody else will be given; returns the first."""
    row = connection.execute(
        "SELECT setval(name, nextval(name) + %s) FROM pg_get_serial_sequence('inbox', 'id') AS name", (count,)
    ).fetchone()
    assert row is not None
    return int(row[0]) - count


def sent_since(connection: Connection, workspace_id: int, since: datetime) -> list[tuple[int, datetime, str]]:
    """Messages that went out: (id, when, channel)."""
    return connection.execute(
        "SELECT id, sent_at, channel FROM message WHERE workspace_id = %s AND status = 2 AND sent_at >= %s ORDER BY id",
        (workspace_id, since),
    ).fetchall()


def unpaid(connection: Connection, workspace_id: int, limit: int) -> list[tuple[str, str, float]]:
    """Orders that nobody has paid, the newest first: (user id, order id, amount)."""
    rows = connection.execute(
        """
        SELECT i.value, e.key, max((o.properties ->> 'amount')::float) FROM enrollment e
        JOIN identity i ON i.workspace_id = e.workspace_id AND i.contact_id = e.contact_id AND i.kind = 'user_id'
        JOIN event o ON o.workspace_id = e.workspace_id AND o.lane = e.lane AND o.contact_id = e.contact_id
         AND o.timestamp = e.since AND o.id = e.entry_event
        WHERE e.workspace_id = %s AND e.status = 0 AND e.key <> '' GROUP BY 1, 2, e.entered_at
        ORDER BY e.entered_at DESC LIMIT %s
        """,
        (workspace_id, limit),
    ).fetchall()
    return [(user, order, float(amount or 0)) for user, order, amount in rows]


def look_again(connection: Connection, tables: Iterable[str]) -> None:
    """Let the planner see what was just written."""
    for table in tables:
        connection.execute(f"ANALYZE {table}")
