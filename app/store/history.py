"""The event history: written by match, read for facts, copy and timelines. Never updates a row, except in a merge."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from app.store.inbox import Letter
from app.store.rows import NULL, Connection, columns, copy_lines, escape, instant
from flows.contract import Event

decode = msgspec.json.decode


def write(connection: Connection, letters: Iterable[Letter]) -> None:
    """Keep the letters as events; the inbox id becomes the event's id, so order is kept."""
    copy_lines(
        connection,
        "event (workspace_id, lane, contact_id, timestamp, id, received_at, name, properties, digest)",
        (
            f"{one.workspace_id}\t{one.lane}\t{one.contact_id}\t{instant(one.timestamp)}\t{one.id}"
            f"\t{instant(one.received_at)}\t{escape(one.name)}\t{escape(one.properties)}\t{one.digest or NULL}"
            for one in letters
        ),
    )


def of_contacts(
    connection: Connection, wanted: Sequence[tuple[int, int, int, datetime]], names: Sequence[str]
) -> list[tuple[int, Event]]:
    """Events of the given names, `(contact, event)` in order of timestamp, for `(workspace, lane, contact, from)`."""
    if not wanted or not names:
        return []
    lowest = min(one[3] for one in wanted)
    rows = connection.execute(
        """
        SELECT found.contact_id, found.name, found.timestamp, found.properties::text, found.id
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::timestamptz[]) AS one(workspace_id, lane, contact_id, lowest)
        CROSS JOIN LATERAL (
            SELECT * FROM event WHERE event.workspace_id = one.workspace_id AND event.lane = one.lane
              AND event.contact_id = one.contact_id AND event.timestamp >= one.lowest
              AND event.name = ANY(%s) AND event.timestamp >= %s
            OFFSET 0  -- by key for each, also while the planner takes a young table for an empty one
        ) AS found
        ORDER BY found.timestamp, found.id
        """,
        (*columns(wanted, 4), list(names), lowest),
    ).fetchall()
    return [(contact, Event(name, at, decode(text), id)) for contact, name, at, text, id in rows]


def entries(connection: Connection, wanted: Sequence[tuple[int, int, int, datetime, int]]) -> dict[int, Event]:
    """The events that let people in, by event id, for `(workspace, lane, contact, timestamp, id)`."""
    if not wanted:
        return {}
    rows = connection.execute(
        """
        SELECT found.id, found.name, found.timestamp, found.properties::text
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::timestamptz[], %s::bigint[])
          AS one(workspace_id, lane, contact_id, timestamp, id)
        CROSS JOIN LATERAL (
            SELECT * FROM event WHERE event.workspace_id = one.workspace_id AND event.lane = one.lane
              AND event.contact_id = one.contact_id AND event.timestamp = one.timestamp AND event.id = one.id
              AND event.timestamp >= %s AND event.timestamp <= %s
            OFFSET 0
        ) AS found
        """,
        (*columns(wanted, 5), min(one[3] for one in wanted), max(one[3] for one in wanted)),
    ).fetchall()
    return {id: Event(name, at, decode(text), id) for id, name, at, text in rows}


def make_partitions(connection: Connection, months: Iterable[datetime]) -> int:
    """A partition for each month that has none; `months` are first days at midnight UTC. Returns how many were made.

    Made aside and attached, so that readers and writers of `event` are not locked out; what lay in the default partition for
    want of a better place (events dated ahead) moves over.
    """
    found = connection.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass")
    existing = {name for (name,) in found.fetchall()}
    made = 0
    for month in months:
        name, after = f"event_{month:%Y_%m}", _month_after(month)
        if name in existing:
            continue
        bounds = f"'{month:%Y-%m-%d} 00:00:00+00'", f"'{after:%Y-%m-%d} 00:00:00+00'"
        for statement in (
            "SET LOCAL lock_timeout = '1s'",
            f"CREATE TABLE {name} (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
            f"WITH moved AS (DELETE FROM event_other WHERE timestamp >= {bounds[0]} AND timestamp < {bounds[1]} RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved",
            f"ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})",
        ):
            connection.execute(statement)  # names and bounds are made of digits
        made += 1
    return made


def _month_after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
