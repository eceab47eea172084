"""Alone with the demo: the colleague's seat is there for who needs a reviewer, and nowhere else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.main import create_app
from app.settings import Settings
from app.store import demo, users
from tests.web.conftest import FLOW, Staff

HERE = {"Origin": "http://localhost", "Accept": "text/html"}


@pytest.fixture
def local(settings: Settings) -> Iterator[TestClient]:
    """A browser on this machine, where a sink stands in for providers."""
    made = create_app(settings.model_copy(update={"sink": True}))
    with TestClient(made, base_url="http://localhost", client=("127.0.0.1", 50_000), follow_redirects=False) as opened:
        yield opened


def sit(client: TestClient, connection: Connection, staff: Staff, *, of_demo: bool) -> None:
    now = datetime.now(UTC)
    with transaction(connection):
        users.add(connection, staff.workspace_id, email=demo.COLLEAGUE, name="Rui Chen", role="reviewer", now=now)
        if of_demo:
            demo.mark(connection, staff.workspace_id, demo.MOVING, now)
        link = auth.login(connection, staff.user_ids["admin"], staff.workspace_id, now)
    assert client.post("/login", data={"token": link}, headers=HERE).status_code == 303


def test_somebody_alone_reviews_as_their_colleague_and_comes_back(
    local: TestClient, connection: Connection, staff: Staff
) -> None:
    sit(local, connection, staff, of_demo=True)
    made = local.post("/api/v1/journeys", json={"name": "mine", "document": FLOW}, headers=HERE).json()["id"]
    handed = local.post(f"/api/v1/journeys/{made}/submit", headers=HERE).json()["content_hash"]
    said = {"decision": "approve", "content_hash": handed}
    assert local.post(f"/api/v1/journeys/{made}/reviews", json=said, headers=HERE).status_code == 403
    assert "Review it as Rui Chen" in local.get(f"/journeys/{made}/review", headers=HERE).text
    moved = local.post("/demo/colleague", data={"back": f"/journeys/{made}/review"}, headers=HERE)
    assert moved.headers["location"] == f"/journeys/{made}/review"
    assert "Back to your own seat" in local.get("/journeys", headers=HERE).text
    assert local.post(f"/api/v1/journeys/{made}/reviews", json=said, headers=HERE).json()["status"] == "approved"
    assert local.post(f"/api/v1/journeys/{made}/publish", json={"content_hash": handed}, headers=HERE).is_success
    local.post("/demo/colleague", data={"back": "//elsewhere.example"}, headers=HERE)
    assert "Back to your own seat" not in local.get("/journeys", headers=HERE).text


def test_outside_of_the_demo_there_is_no_such_seat(local: TestClient, connection: Connection, staff: Staff) -> None:
    sit(local, connection, staff, of_demo=False)
    assert local.post("/demo/colleague", headers=HERE).status_code == 404


def test_from_another_machine_there_is_no_such_seat(client: TestClient, connection: Connection, staff: Staff) -> None:
    here = {"Origin": "http://testserver", "Accept": "text/html"}
    with transaction(connection):
        demo.mark(connection, staff.workspace_id, demo.MOVING, datetime.now(UTC))
        link = auth.login(connection, staff.user_ids["admin"], staff.workspace_id, datetime.now(UTC))
    client.post("/login", data={"token": link}, headers=here)
    assert client.post("/demo/colleague", headers=here).status_code == 404
