"""A browser before the sign-in page, with a clock that tests turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
from starlette.testclient import TestClient

from app.database import Connection

if TYPE_CHECKING:
    from tests.web.conftest import Staff

HERE = {"Origin": "http://testserver", "Accept": "text/html"}
PASSWORD = "quiet otters paint ladders"
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A time of day that tests turn."""

    now: datetime = AT

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **much: float) -> None:
        self.now += timedelta(**much)


@dataclass
class Door:
    """A browser before the sign-in page, and the clock on the wall."""

    client: TestClient
    clock: Clock
    staff: Staff
    connection: Connection

    def knock(self, email: str, password: str) -> httpx2.Response:
        self.client.cookies.clear()
        given = {"email": email, "password": password}
        return self.client.post("/login", data=given, headers=HERE, follow_redirects=False)

    def enter(self, role: str = "operator") -> str:
        """Sign in; the cookie."""
        answer = self.knock(f"{role}@shop.example", PASSWORD)
        assert answer.status_code == 303, answer.text
        return str(self.client.cookies["journey_session"])

    def sees(self, cookie: str) -> bool:
        self.client.cookies.clear()
        headers = {"Cookie": f"journey_session={cookie}"}
        return self.client.get("/api/v1/journeys", headers=headers).status_code == 200

    def post(self, path: str, cookie: str, **form: str) -> httpx2.Response:
        self.client.cookies.clear()
        headers = {**HERE, "Cookie": f"journey_session={cookie}"}
        return self.client.post(path, data=form, headers=headers, follow_redirects=False)
