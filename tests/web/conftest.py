"""The real application on the real database, and a staff of every role with keys of their own."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import auth, database
from app.database import Connection
from app.main import create_app
from app.settings import Settings
from app.staff import Hand, set_password
from app.store import keys, users, workspaces
from tests.web.signing import PASSWORD, Clock, Door

ROLES = ("viewer", "operator", "reviewer", "admin", "ingest")
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "after_exit"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "order_submitted"}, "x": 0, "y": 0},
        {"id": "pause", "type": "wait.duration", "version": 1, "settings": {"duration": "PT10M"}},
        {"id": "note", "type": "send.inapp", "version": 1, "settings": {"title": "Your order waits"}},
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "pause"},
        {"from": "pause", "port": "next", "to": "note"},
        {"from": "note", "port": "next", "to": "end"},
    ],
}


def flow(**settings: Any) -> dict[str, Any]:
    """A sound flow; `settings` are those of its wait."""
    made = deepcopy(FLOW)
    made["nodes"][1]["settings"].update(settings)
    return made


@dataclass
class Staff:
    """One workspace and a key for each role; each key acts for a user of its own, the write key for nobody."""

    workspace_id: int
    keys: dict[str, str] = field(default_factory=dict)
    user_ids: dict[str, int] = field(default_factory=dict)


def hire(connection: Connection, name: str) -> Staff:
    now = datetime.now(UTC)
    with database.transaction(connection):
        staff = Staff(workspaces.add(connection, name, timezone="UTC", now=now))
        for role in ROLES:
            user = None
            if role != "ingest":
                made = users.add(
                    connection, staff.workspace_id, email=f"{role}@{name}.example", name=role, role=role, now=now
                )
                assert made is not None
                user = staff.user_ids[role] = made.id
            token = auth.new_token()
            row = keys.New(staff.workspace_id, f"{role} key", role, token.prefix, token.digest, user)
            keys.add(connection, row, now)
            staff.keys[role] = token.text
    return staff


class Api:
    """Requests as one role of one workspace."""

    def __init__(self, client: TestClient, key: str | None) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(
        self, method: str, path: str, json: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        sent = {**self.headers, **(headers or {})}
        return self.client.request(method, f"/api/v1{path}", json=json, headers=sent, **more)

    def ok(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        answer = self(method, path, json, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://testserver") as opened:
        yield opened


@pytest.fixture
def staff(connection: Connection) -> Staff:
    return hire(connection, "shop")


@pytest.fixture
def others(connection: Connection) -> Staff:
    return hire(connection, "rival")


@pytest.fixture
def as_role(client: TestClient, staff: Staff) -> Callable[[str], Api]:
    return lambda role: Api(client, staff.keys[role])


@pytest.fixture
def viewer(as_role: Callable[[str], Api]) -> Api:
    return as_role("viewer")


@pytest.fixture
def operator(as_role: Callable[[str], Api]) -> Api:
    return as_role("operator")


@pytest.fixture
def reviewer(as_role: Callable[[str], Api]) -> Api:
    return as_role("reviewer")


@pytest.fixture
def admin(as_role: Callable[[str], Api]) -> Api:
    return as_role("admin")


@pytest.fixture
def publish(operator: Api, reviewer: Api) -> Callable[..., int]:
    """A live journey, by the way every journey goes: draft, submit, review by another, publish."""

    def go(document: dict[str, Any] | None = None, name: str = "Order not paid") -> int:
        made = operator.ok("POST", "/journeys", {"name": name, "document": document or FLOW})
        go_live(operator, reviewer, made["id"])
        return int(made["id"])

    return go


def go_live(operator: Api, reviewer: Api, journey_id: int) -> Any:
    """Submit, approve and publish the present draft."""
    handed = operator.ok("POST", f"/journeys/{journey_id}/submit")
    said = {"decision": "approve", "content_hash": handed["content_hash"]}
    reviewer.ok("POST", f"/journeys/{journey_id}/reviews", said)
    return operator.ok("POST", f"/journeys/{journey_id}/publish", {"content_hash": handed["content_hash"]})


@pytest.fixture
def operator_visitor(client: TestClient, connection: Connection, staff: Staff) -> TestClient:
    """A browser that an operator signed in with."""
    with database.transaction(connection):
        link = auth.login(connection, staff.user_ids["operator"], staff.workspace_id, datetime.now(UTC))
    answer = client.post(
        "/login", data={"token": link}, headers={"Origin": "http://testserver"}, follow_redirects=False
    )
    assert answer.status_code == 303
    return client


@pytest.fixture
def panel(operator_visitor: TestClient, operator: Api) -> Any:
    """The settings panel of a journey."""
    from tests.web.canvas_desk import Panel

    made = operator.ok("POST", "/journeys", {"name": "A journey", "document": flow()})
    return Panel(operator_visitor, made["id"])


@pytest.fixture
def open_door(settings: Settings, connection: Connection, staff: Staff) -> Iterator[Callable[[Settings], Door]]:
    opened: list[TestClient] = []

    def go(wish: Settings) -> Door:
        clock = Clock()
        client = TestClient(create_app(wish, now=clock), base_url="http://testserver")
        client.__enter__()
        opened.append(client)
        for user in staff.user_ids.values():
            with database.transaction(connection):
                set_password(Hand(connection, staff.workspace_id, "system", None, clock()), user, PASSWORD)
        return Door(client, clock, staff, connection)

    del settings
    yield go
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def door(open_door: Callable[[Settings], Door], settings: Settings) -> Door:
    return open_door(settings.model_copy(update={"sink": False}))


@pytest.fixture
def world(
    app: FastAPI,
    client: TestClient,
    connection: Connection,
    staff: Staff,
    others: Staff,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Two workspaces full of things and everybody who may ask for them."""
    from tests.web.grid import make

    return make(app, client, connection, staff, others, monkeypatch)
