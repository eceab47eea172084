"""A workspace with one journey that sends, and messages waiting to go: what the stage tests stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.courier import Courier
from app.database import transaction
from app.lanes import lane_of
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site
from app.settings import Settings
from app.stages import deliver
from app.store import history
from app.store.inbox import Letter
from app.store.rows import Connection
from app.vault import seal
from nodes import catalog
from tests.deliver.peers import NOW

SECRET = b"bY7kQ2-xr9Wd_4mZ1uTn8Pv6Hs3Lc5Ga"
BASE = "https://go.example.com"
MAIL = {
    "account": "mail",
    "subject": "Hi {{ contact.name }}",
    "html": "<p>Hi {{ contact.name }}</p>"
    '<a href="https://shop.example/o/{{ entry.properties.order }}?a=1&amp;b=2">Pay</a>',
}


def text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@dataclass
class House:
    """One workspace under test."""

    connection: Connection
    plans: Plans
    courier: Courier
    workspace: int
    journey: int
    version: int

    def deliver(self, now: datetime = NOW, limit: int = 1000) -> int:
        return deliver.run(self.connection, self.plans, self.courier, now=now, limit=limit)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with transaction(self.connection):
            return self.connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def messages(self) -> list[dict[str, Any]]:
        names = (
            "id",
            "status",
            "reason",
            "attempt",
            "title",
            "outcome",
            "due_at",
            "sent_at",
            "recipient",
            "provider_id",
        )
        found = self.rows(f"SELECT {', '.join(names)} FROM message ORDER BY id")  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in found]

    def statuses(self) -> list[int]:
        return [one["status"] for one in self.messages()]

    def letters(self) -> list[tuple[str, dict[str, Any]]]:
        found = self.rows("SELECT name, properties FROM inbox ORDER BY id")
        return [(name, msgspec.json.decode(properties)) for name, properties in found]

    def account(self, name: str, channel: str, given: Mapping[str, Any]) -> None:
        node = next(one for one in self.plans.catalog.values() if one.channel and one.channel.name == channel)
        assert node.channel is not None
        assert node.channel.account is not None
        shown, sealed = seal(
            node.channel.account.model_validate(given), owner=f"{self.workspace}/{name}", secret=SECRET
        )
        with transaction(self.connection):
            self.connection.execute(
                "INSERT INTO account (workspace_id, name, channel, settings, sealed, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (self.workspace, name, channel, text(shown), sealed, NOW, NOW),
            )

    def message(self, number: int, node: str = "send", **more: Any) -> None:
        self.people([number], node, **more)

    def people(
        self,
        numbers: Sequence[int],
        node: str = "send",
        *,
        attributes: Mapping[str, Any] | None = None,
        consents: Mapping[str, Any] | None = None,
        marketing: bool = True,
        **columns: Any,
    ) -> None:
        """Contacts with a mail address and a name, each with one pending message."""
        channel = {"send": "email", "hook": "webhook", "pop": "inapp"}[node]
        with transaction(self.connection):
            letters = []
            for number in numbers:
                lane, at = lane_of(self.workspace, number), NOW - timedelta(minutes=1)
                own = {"name": f"P{number}", "email": f"p{number}@example.com"} if attributes is None else attributes
                self.connection.execute(
                    "INSERT INTO contact (workspace_id, lane, id, attributes, consents, created_at, updated_at)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (self.workspace, lane, number, text(own), text(consents or {}), at, at),
                )
                self.connection.execute(
                    "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at)"
                    " VALUES (%s, 'user_id', %s, %s, %s)",
                    (self.workspace, f"u{number}", number, at),
                )
                self.connection.execute(
                    "INSERT INTO enrollment (workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at,"
                    " entry_event, journey_id, version_id, status, walks, node, key)"
                    " VALUES (%s, %s, %s, %s, 0, %s, %s, %s, %s, %s, %s, 0, 1, %s, '')",
                    (self.workspace, lane, number, number, at, at, at, number, self.journey, self.version, node),
                )
                given = {
                    "workspace_id": self.workspace, "lane": lane, "enrollment_id": number, "node": node, "visit": 1,
                    "id": number + 1000, "contact_id": number, "created_at": at, "due_at": at,
                    "journey_id": self.journey, "version_id": self.version, "status": 0, "marketing": marketing,
                    "channel": channel, "account": {"send": "mail", "hook": "crm", "pop": None}[node], **columns,
                }  # fmt: skip
                marks = ", ".join(["%s"] * len(given))
                self.connection.execute(
                    f"INSERT INTO message ({', '.join(given)}) VALUES ({marks})",  # type: ignore[arg-type]  # noqa: S608
                    list(given.values()),
                )
                entry = text({"order": f"o{number}"})
                letters.append(Letter(lane, number, self.workspace, number, "track", "go", at, at, entry, None))
            history.write(self.connection, letters)


def build(connection: Connection, settings: Settings | None = None, **steps: Mapping[str, Any]) -> House:
    """A workspace, a journey with the steps `send`, `hook`, `pop`, and a courier that may reach this machine."""
    del settings
    nodes = [
        {"id": "start", "type": "entry.event", "settings": {"event": "go"}},
        {"id": "send", "type": "send.email", "settings": {**MAIL, **steps.get("send", {})}},
        {
            "id": "hook",
            "type": "send.webhook",
            "settings": {"account": "crm", "body": '{"who": "{{ contact.id }}"}', **steps.get("hook", {})},
        },
        {
            "id": "pop",
            "type": "send.inapp",
            "settings": {"title": "Hi {{ contact.name }}", "body": "there", "expires": "P1D", **steps.get("pop", {})},
        },
        {"id": "end", "type": "exit", "settings": {}},
    ]
    order = [one["id"] for one in nodes]
    edges = [
        {"from": one["id"], "port": "delivered" if "wait_for" in one["settings"] else "next", "to": after}
        for one, after in zip(nodes, order[1:], strict=False)
    ]
    document = {
        "schema": 1,
        "settings": {"reentry": {"mode": "once"}},
        "nodes": [{**one, "version": 1} for one in nodes],
        "edges": edges,
    }
    with transaction(connection):
        history.make_partitions(connection, [NOW.replace(day=1, hour=0, minute=0)])
        (workspace,) = connection.execute(
            "INSERT INTO workspace (name, secret, created_at) VALUES ('w', 'workspace-secret', %s) RETURNING id", (NOW,)
        ).fetchone() or (0,)
        (journey,) = connection.execute(
            "INSERT INTO journey (workspace_id, name, status, draft, created_at, created_by, updated_at)"
            " VALUES (%s, 'j', 'live', '{}', %s, 'x', %s) RETURNING id",
            (workspace, NOW, NOW),
        ).fetchone() or (0,)
        (version,) = connection.execute(
            "INSERT INTO version (workspace_id, journey_id, number, document, content_hash, published_at, published_by)"
            " VALUES (%s, %s, 1, %s, 'h', %s, 'x') RETURNING id",
            (workspace, journey, text(document), NOW),
        ).fetchone() or (0,)
        connection.execute("UPDATE journey SET live_version_id = %s WHERE id = %s", (version, journey))
    courier = Courier(Site(BASE, Tokens(SECRET)), SECRET)
    return House(connection, Plans(catalog(plugins=False)), courier, workspace, journey, version)
