"""A shop whose contacts turn out to be one: calls come in, lanes are worked off one after the other, books are checked."""

from datetime import timedelta
from typing import Any

from app.bench import ground
from app.database import Connection
from app.lanes import ALL_LANES
from app.plans import Plans
from app.stages import match, timers
from app.web.ingest import accept_now
from tests.web.door import NOW, rows, workspace

SECOND = timedelta(seconds=1)


def flow(event: str = "visit", mode: str = "once", wait: str = "P1D") -> dict[str, Any]:
    return {
        "schema": 1,
        "settings": {"reentry": {"mode": mode, **({"key": "properties.order"} if mode == "per_key" else {})}},
        "nodes": [
            {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": event}},
            {"id": "hello", "type": "send.inapp", "version": 1, "settings": {"title": "Hello", "body": "…"}},
            {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": wait}},
            {"id": "end", "type": "exit", "version": 1, "settings": {}},
        ],
        "edges": [
            {"from": "start", "port": "next", "to": "hello"},
            {"from": "hello", "port": "next", "to": "pause"},
            {"from": "pause", "port": "next", "to": "end"},
        ],
    }


class Shop:
    """One workspace; calls come in, and the lanes are worked off at the same moment, one lane after the other."""

    def __init__(self, connection: Connection, url: str) -> None:
        self.connection, self.url = connection, url
        self.workspace = workspace(url)
        self.plans = Plans(ground.plans().catalog)
        self.now = NOW

    def publish(self, **of: str) -> int:
        return ground.publish(self.connection, self.workspace, flow(**of))[0]

    def take(self, *calls: dict[str, Any]) -> None:
        self.now += SECOND
        accept_now(self.connection, self.workspace, calls, self.now)

    def track(self, event: str = "visit", properties: dict[str, Any] | None = None, **ids: str) -> None:
        self.take({"type": "track", "event": event, "properties": properties or {}, **ids})

    def work(self) -> None:
        """Lane by lane, as workers that share them would."""
        moved = True
        while moved:
            moved = False
            for lane in ALL_LANES:
                while match.run(self.connection, self.plans, lanes=(lane,), now=self.now, limit=100):
                    moved = True

    def wait(self, time: timedelta) -> None:
        self.now += time
        while timers.run(self.connection, self.plans, lanes=ALL_LANES, now=self.now, limit=100):
            pass

    def contact(self, name: str) -> int:
        [row] = rows(self.url, "SELECT contact_id FROM identity WHERE value = %s", name)
        return int(row.contact_id)

    def walks(self, name: str = "u1") -> list[Any]:
        query = "SELECT * FROM enrollment WHERE contact_id = %s ORDER BY entered_at, id"
        return rows(self.url, query, self.contact(name))

    def balance(self) -> None:
        """Entered = active + completed + exited + failed (I1), counted apart."""
        said = {
            row.port: row.n
            for row in rows(self.url, "SELECT port, sum(count) AS n FROM tally WHERE node = '' GROUP BY 1")
        }
        names = {0: "active", 1: "completed", 2: "exited", 3: "failed", 4: "active"}
        counted: dict[str, int] = {}
        for row in rows(self.url, "SELECT status FROM enrollment"):
            counted[names[row.status]] = counted.get(names[row.status], 0) + 1
        assert said.get("entered", 0) == sum(counted.values())
        assert {port: said.get(port, 0) for port in ("completed", "exited", "failed")} == {
            port: counted.get(port, 0) for port in ("completed", "exited", "failed")
        }
        homeless = "SELECT FROM enrollment e JOIN contact c ON c.id = e.contact_id WHERE e.lane <> c.lane"
        assert rows(self.url, f"{homeless} OR c.merged_into IS NOT NULL") == []
        for table in ("trail", "message"):
            mine = "SELECT FROM enrollment e WHERE e.id = t.enrollment_id AND e.lane = t.lane"
            assert rows(self.url, f"SELECT FROM {table} t WHERE NOT EXISTS ({mine})") == []


def join(shop: Shop, traits: dict[str, Any] | None = None, user: str = "u1", visitor: str = "a1") -> None:
    """The visitor signs in as the user."""
    shop.take({"type": "identify", "userId": user, "anonymousId": visitor, "traits": traits or {}})
