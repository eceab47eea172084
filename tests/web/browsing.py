"""A browser without a screen: signed in as a role, sending what a page's own scripts would send."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from psycopg import Connection as Psycopg
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from tests.web.conftest import Staff

HERE = {"Origin": "http://testserver", "Accept": "text/html"}
PART = {**HERE, "HX-Request": "true"}


def sign_in(client: TestClient, connection: Connection, staff: Staff, role: str) -> TestClient:
    """The client, from now on with a session of this role."""
    with transaction(connection):
        link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
    client.cookies.clear()
    assert client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code == 303
    return client


def post(client: TestClient, path: str, **fields: Any) -> httpx2.Response:
    """What a form of ours sends by htmx."""
    return client.post(path, data=fields, headers=PART)


def said(answer: httpx2.Response) -> dict[str, Any]:
    """The news in an answer: what the toast says."""
    news: dict[str, Any] = json.loads(answer.headers.get("HX-Trigger", "{}"))
    return dict(news.get("toast", {}))


def statements_of(monkeypatch: pytest.MonkeyPatch, client: TestClient, path: str) -> list[str]:
    """The statements that a page asks the database."""
    sent: list[str] = []
    plain = Psycopg.execute

    def listening(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        sent.append(" ".join(str(query).split()))
        return plain(self, query, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Psycopg, "execute", listening)
        answer = client.get(path, headers=HERE)
    assert answer.status_code == 200, answer.text
    return sent
