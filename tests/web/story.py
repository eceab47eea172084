"""A story told through the engine on a clock of its own, for pages: people come, wait, are written to, leave; then pages look."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from app.database import Connection, transaction
from app.lanes import ALL_LANES
from app.plans import Plans
from app.stages import rollup
from app.store import receipts
from app.store.receipts import Said
from app.world import World
from nodes import catalog

START = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "after_exit"}, "goal": {"event": "order_paid"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "order_submitted"}},
        {"id": "big", "type": "condition", "version": 1, "settings": {"rule": {"property": "amount", "op": "gte", "value": 50}}},
        {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": "PT6H"}},
        {"id": "note", "type": "send.inapp", "version": 1, "settings": {"title": "Your order waits"}},
        {"id": "later", "type": "wait.duration", "version": 1, "settings": {"duration": "P9D"}},
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "big"},
        {"from": "big", "port": "yes", "to": "pause"},
        {"from": "big", "port": "no", "to": "end"},
        {"from": "pause", "port": "next", "to": "note"},
        {"from": "note", "port": "next", "to": "later"},
        {"from": "later", "port": "next", "to": "end"},
    ],
}  # fmt: skip


class Told:
    """A workspace with a journey in which things have happened."""

    def __init__(self, connection: Connection, workspace_id: int | None = None) -> None:
        self.connection = connection
        self.world = World(connection, catalog(), timezone="Asia/Shanghai", start=START)
        if workspace_id is not None:
            self.world.workspace_id = workspace_id
        self.workspace_id = self.world.workspace_id
        self.journey = self.world.publish("Order not paid", FLOW)

    def go(self, people: int, steps: int, seed: int) -> None:
        """Random orders and payments over some days; tallies are folded now and then, as they are in life."""
        random, world = Random(seed), self.world
        for step in range(steps):
            at = world.now + timedelta(minutes=random.randrange(1, 200))
            world.until(at, including=False)
            who, paid = random.randrange(people), random.random() < 0.25
            name = "order_paid" if paid else "order_submitted"
            properties = {} if paid else {"amount": random.randrange(100)}
            payload = {"type": "track", "event": name, "userId": f"u{who}", "properties": properties}
            world.accept([{**payload, "timestamp": at.isoformat(), "messageId": f"{seed}.{step}"}], at=at)
            world.now = at
            if random.random() < 0.3:
                self.consent(f"u{random.randrange(people)}", random.random() < 0.5)
            world.still()
            if random.random() < 0.3:
                self.receipts(random)
            if random.random() < 0.2:
                self.fold()

    def consent(self, user: str, allowed: bool) -> None:
        with transaction(self.connection):
            self.connection.execute(
                "UPDATE contact SET consents = %s::jsonb WHERE workspace_id = %s AND id IN"
                " (SELECT contact_id FROM identity WHERE value = %s)",
                (f'{{"inapp": {{"marketing": {str(allowed).lower()}}}}}', self.workspace_id, user),
            )

    def receipts(self, random: Random) -> None:
        """Some messages are opened, some clicked, some twice."""
        ids = [id for (id,) in self.ask("SELECT id FROM message WHERE workspace_id = %s")]
        with transaction(self.connection):
            for id in random.sample(ids, min(len(ids), 3)):
                for kind in random.choice((["opened"], ["opened", "clicked"], ["clicked"], ["unsubscribed"])):
                    receipts.add(self.connection, [Said(self.workspace_id, id, kind, "", self.world.now, {})])
        self.world.still()

    def fold(self) -> None:
        rollup.run(self.connection, Plans(catalog()), lanes=ALL_LANES, now=self.world.now, limit=100_000)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with transaction(self.connection):
            return self.connection.execute(query, values or (self.workspace_id,)).fetchall()

    def counted(self, since: datetime | None = None, until: datetime | None = None) -> Counter[tuple[str, str]]:
        """What the trail tells, counted step by step: arrivals `(node, "")` and ways `(node, port)`."""
        found: Counter[tuple[str, str]] = Counter()
        rows = self.ask("SELECT enrollment_id, walk, at, steps::jsonb FROM trail WHERE workspace_id = %s ORDER BY 1, 2")
        for _, walk, at, steps in rows:
            if (since and at < since) or (until and at >= until):
                continue
            # The first step of a later walk is where the last one came to rest: no arrival.
            for number, (node, *rest) in enumerate(steps):
                if walk == 1 or number:
                    found[node, ""] += 1
                if rest and rest[0]:
                    found[node, rest[0]] += 1
        return found
