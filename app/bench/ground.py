"""What benchmarks stand on: a workspace of invented contacts and published journeys in a scratch database. Never real data."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from app.database import BY_KEY, connect, transaction
from app.lanes import ALL_LANES, lane_of
from app.plans import Plans
from app.store import history, journeys, schedules, versions, workspaces
from app.store.rows import Connection, copy_lines, instant, take_ids
from flows import document
from nodes import catalog

TRACKS = 2
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def workspace(connection: Connection, name: str = "bench") -> int:
    """A fresh workspace."""
    with transaction(connection):
        row = connection.execute(
            "INSERT INTO workspace (name, timezone, secret, created_at) VALUES (%s, 'UTC', 'bench', %s) RETURNING id",
            (name, START),
        ).fetchone()
        history.make_partitions(connection, [START.replace(day=1, hour=0)])
    if row is None:
        raise RuntimeError("no workspace")
    return int(row[0])


def people(connection: Connection, workspace_id: int, count: int, *, named: bool = False) -> list[int]:
    """Contacts, half of them on plan `pro`; `named` gives each the user id `u<n>`."""
    with transaction(connection):
        ids = [id for id, _ in zip(take_ids(connection, "contact_block", count), range(count), strict=False)]
        at = instant(START)
        copy_lines(
            connection,
            "contact (workspace_id, lane, id, attributes, tags, consents, created_at, updated_at)",
            (
                f"{workspace_id}\t{lane_of(workspace_id, id)}\t{id}\t"
                f'{{"plan": "{"pro" if n % 2 else "free"}", "name": "Contact {n}", "city": "上海", "age": {n % 70}}}'
                f"\t{{}}\t{{}}\t{at}\t{at}"
                for n, id in enumerate(ids)
            ),
        )
        if named:
            copy_lines(
                connection,
                "identity (workspace_id, kind, value, contact_id, created_at)",
                (f"{workspace_id}\tuser_id\tu{n}\t{id}\t{at}" for n, id in enumerate(ids)),
            )
    with transaction(connection):
        connection.execute("ANALYZE contact, identity")
    return ids


def publish(connection: Connection, workspace_id: int, raw: dict[str, Any], name: str = "bench") -> tuple[int, int]:
    """Put a journey live as it is, past review: (journey, version)."""
    with transaction(connection):
        journey = connection.execute(
            "INSERT INTO journey (workspace_id, name, status, draft, created_at, created_by, updated_at)"
            " VALUES (%s, %s, 'live', %s, %s, 'bench', %s) RETURNING id",
            (workspace_id, name, json.dumps(raw), START, START),
        ).fetchone()
        version = connection.execute(
            "INSERT INTO version (workspace_id, journey_id, number, document, content_hash, published_at, published_by)"
            " VALUES (%s, %s, 1, %s, %s, %s, 'bench') RETURNING id",
            (workspace_id, journey and journey[0], json.dumps(raw), document.content_hash(document.load(raw)), START),
        ).fetchone()
        if journey is None or version is None:
            raise RuntimeError("not published")
        connection.execute("UPDATE journey SET live_version_id = %s WHERE id = %s", (version[0], journey[0]))
        versions.bump(connection)
    return int(journey[0]), int(version[0])


def publish_next(connection: Connection, workspace_id: int, journey_id: int, raw: dict[str, Any]) -> int:
    """The next version of a journey, past review."""
    with transaction(connection):
        saving = journeys.Saving(raw, "bench", START)
        hashed = document.content_hash(document.load(raw))
        version = journeys.add_version(connection, workspace_id, journey_id, journeys.Approved(hashed, {}), saving)
        journeys.switch(connection, workspace_id, journey_id, version.id, START)
        versions.bump(connection)
    return version.id


def allow(connection: Connection, workspace_id: int, raw: dict[str, Any]) -> None:
    """Caps and quiet hours for the workspace."""
    with transaction(connection):
        workspaces.set_policies(connection, workspace_id, raw)
        versions.bump(connection)


def fire(connection: Connection, workspace_id: int, journey_id: int, version_id: int, node: str) -> None:
    """Make an audience entry due now."""
    with transaction(connection):
        schedules.replace(connection, workspace_id, journey_id, version_id, [(node, "segment", START)])


def plans() -> Plans:
    """Plans over the built-in nodes."""
    return Plans(catalog())


def drain(
    connection: Connection, stage: Callable[..., int], now: datetime, limit: int, told: Callable[[int], None]
) -> int:
    """Run a stage until nothing is left, as one worker process does: on its tracks, each in a thread of its own.

    Returns how many they handled together; `told` hears how far each of them is.
    """

    def work(own: Connection, lanes: tuple[int, ...]) -> int:
        handled, known = 0, plans()
        while done := stage(own, known, lanes=lanes, now=now, limit=limit):
            handled += done
            told(handled)
        return handled

    shares = [tuple(lane for lane in ALL_LANES if lane % TRACKS == number) for number in range(TRACKS)]
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(twin_url(connection), statement_seconds=300, **BY_KEY)) for _ in shares]
        with ThreadPoolExecutor(TRACKS) as pool:
            return sum(pool.map(work, opened, shares))


def twin_url(connection: Connection) -> str:
    """The address of the database that a connection is on."""
    info = connection.info
    password = f":{quote(info.password)}" if info.password else ""
    return f"postgresql://{info.user}{password}@/{info.dbname}?host={quote(info.host)}&port={info.port}"
