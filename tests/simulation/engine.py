"""The engine's side of the comparison: random batches and lanes through the real stages, and what came of it, read back."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.lanes import ALL_LANES
from app.stages import match, timers
from app.store import enrollments, scratch
from app.store.rows import Connection
from app.world import World
from tests.simulation.reference import Person

STATUS = ("active", "completed", "exited", "failed")
STILL_AT_MOST = 2_000


@dataclass(frozen=True)
class Pace:
    """How the work is cut: lanes in shares, rows a call, and whether timers run between two calls of match."""

    shares: int
    limit: int
    timers_between: bool


class Town(World):
    """A world without delivery whose stages run in small, oddly cut pieces."""

    pace = Pace(1, 5_000, False)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.allow({"fuse": {"marketing": 1000, "transactional": 1000}})  # the reference knows of no fuse

    def still(self) -> None:
        for _ in range(STILL_AT_MOST):
            matched = self._run(match)
            if matched and not self.pace.timers_between:
                continue
            if not self._run(timers) and not matched:
                return
        raise AssertionError(f"the stages do not come to rest at {self.now}")

    def read(self) -> None:
        """Match alone: more events arrive at this very instant, and all of them come before its timers."""
        while self._run(match):
            pass

    def _run(self, stage: Any) -> int:
        shares, limit = self.pace.shares, self.pace.limit
        return sum(
            stage.run(self.connection, self.plans, lanes=ALL_LANES[n::shares], now=self.now, limit=limit)
            for n in range(shares)
        )

    def _next_due(self) -> datetime | None:
        return enrollments.next_due(self.connection, ALL_LANES)


@dataclass(frozen=True)
class Walked:
    """An enrollment as both sides tell it."""

    journey: str
    key: str
    path: tuple[tuple[str, datetime], ...]
    status: str
    reason: str | None
    wake_at: datetime | None


def walks(connection: Connection, workspace_id: int) -> dict[int, list[Walked]]:
    """All enrollments by contact, in order of journey and entry."""
    trails: dict[int, list[tuple[str, datetime]]] = {}
    rows = connection.execute(
        "SELECT enrollment_id, walk, at, steps FROM trail WHERE workspace_id = %s ORDER BY 1, 2", (workspace_id,)
    ).fetchall()
    for enrollment, walk, at, steps in rows:
        path = trails.setdefault(enrollment, [])
        names = [step[0] for step in json.loads(steps)]
        # A later walk begins where the last one came to rest.
        assert walk == 1 or names[0] == path[-1][0], f"enrollment {enrollment} jumped from {path[-1]} to {names}"
        path += [(name, at) for name in (names if walk == 1 else names[1:])]
    found: dict[int, list[Walked]] = {}
    rows = connection.execute(
        "SELECT contact_id, journey_id, key, id, status, reason, wake_at FROM enrollment WHERE workspace_id = %s"
        " ORDER BY contact_id, journey_id, key, entered_at, id",
        (workspace_id,),
    ).fetchall()
    for contact, journey, key, id, status, reason, wake_at in rows:
        one = Walked(f"{workspace_id}/{journey}", key, tuple(trails[id]), STATUS[status], reason, wake_at)
        found.setdefault(contact, []).append(one)
    return found


def walked(person: Person) -> list[Walked]:
    """The reference's side of `walks`."""
    order = list(person.journeys)
    ordered = sorted(person.walks, key=lambda one: (order.index(one.journey.seed), one.key))
    return [Walked(w.journey.seed, w.key, tuple(w.path), w.status, w.reason, w.wake_at) for w in ordered]


def messages(connection: Connection, workspace_id: int) -> dict[int, Counter[Any]]:
    """All messages by contact: journey, key, node, visit and moment."""
    found: dict[int, Counter[Any]] = {}
    rows = connection.execute(
        "SELECT m.contact_id, m.journey_id, e.key, m.node, m.visit, m.created_at FROM message m"
        " JOIN enrollment e ON e.workspace_id = m.workspace_id AND e.lane = m.lane AND e.id = m.enrollment_id"
        " WHERE m.workspace_id = %s",
        (workspace_id,),
    ).fetchall()
    for contact, journey, *rest in rows:
        found.setdefault(contact, Counter())[f"{workspace_id}/{journey}", *rest] += 1
    return found


def tags(connection: Connection, workspace_id: int) -> dict[int, set[str]]:
    """The tags of everybody."""
    rows = connection.execute("SELECT id, tags FROM contact WHERE workspace_id = %s", (workspace_id,)).fetchall()
    return {contact: set(names) for contact, names in rows}


def contacts(connection: Connection, workspace_id: int) -> dict[str, int]:
    """Contacts by user id."""
    return {user: contact for contact, user in scratch.users(connection, workspace_id).items()}


def balance(connection: Connection, workspace_id: int) -> None:
    """I1, I3, I15: every move is an edge, and what was counted is what enrollments and trail tell.

    Enrollments are counted by status, so equal counts are balanced books: entered = active + completed + exited + failed.
    """
    counted: Counter[tuple[int, str, str]] = Counter()
    for journey, node, port, count in connection.execute(
        "SELECT journey_id, node, port, sum(count) FROM tally WHERE workspace_id = %s"
        " AND (port = '!end' OR left(port, 1) <> '!') GROUP BY 1, 2, 3",
        (workspace_id,),
    ):
        counted[journey, node, port] = int(count)
    assert +counted == _recount(connection, workspace_id)


def _recount(connection: Connection, workspace_id: int) -> Counter[tuple[int, str, str]]:
    found = connection.execute("SELECT id, document FROM version WHERE workspace_id = %s", (workspace_id,)).fetchall()
    documents = dict(found)
    told: Counter[tuple[int, str, str]] = Counter()
    for journey, status in connection.execute(
        "SELECT journey_id, status FROM enrollment WHERE workspace_id = %s", (workspace_id,)
    ):
        told[journey, "", "entered"] += 1
        if status:
            told[journey, "", STATUS[status]] += 1
    rows = connection.execute(
        "SELECT t.enrollment_id, e.journey_id, e.version_id, t.walk, t.steps FROM trail t"
        " JOIN enrollment e ON e.workspace_id = t.workspace_id"
        " AND e.lane = t.lane AND e.id = t.enrollment_id WHERE t.workspace_id = %s ORDER BY 1, 4",
        (workspace_id,),
    ).fetchall()
    last: dict[int, int] = {}
    for id, journey, version, walk, text in rows:
        assert walk == last.get(id, 0) + 1, f"enrollment {id} has a gap before walk {walk}"
        last[id] = walk
        _follow(told, journey, documents[version], (walk, json.loads(text)))
    return told


def _follow(told: Counter[Any], journey: int, document: dict[str, Any], line: tuple[int, list[list[str]]]) -> None:
    """Count the steps of one walk, each of which must be an edge of the flow."""
    walk, steps = line
    wires = {(edge["from"], edge["port"]): edge["to"] for edge in document["edges"]}
    jumps = {node["id"]: node["settings"]["node"] for node in document["nodes"] if node["type"] == "goto"}
    exits = {node["id"] for node in document["nodes"] if node["type"] == "exit"}
    for number, (node, *more) in enumerate(steps):
        port = more[0] if more else ""
        if number or walk == 1:
            told[journey, node, ""] += 1
        if number + 1 < len(steps):
            to = jumps.get(node) or wires[node, port]
            assert to == steps[number + 1][0], f"{node}.{port} leads to {to}, not to {steps[number + 1]}"
        if port:
            told[journey, node, port] += 1
        elif node in exits or len(more) > 1:
            told[journey, node, "!end"] += 1
