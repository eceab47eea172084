"""The stream of a journey's page: first everything, then only what changed; it ends with the session and never runs alone."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from app import auth
from app.bench import ground
from app.database import Connection, transaction
from app.lanes import ALL_LANES
from app.plans import Plans
from app.staff import Hand, change
from app.stages import match
from app.store import journeys
from app.web.ingest import accept_now
from app.web.streams import Reader, Streams, changes
from tests.web.conftest import FLOW, Staff

SECONDS = 15


class Page:
    """A browser tab that reads a stream."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.pings = 0

    def next(self) -> tuple[str, Any]:
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith(": ping"):
                self.pings += 1
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
        raise EOFError

    def until(self, wanted: str) -> Any:
        while True:
            name, data = self.next()
            if name == wanted:
                return data


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The application behind a real server; pings come quickly."""
    app.state.streams = Streams(every=0.2, ping=0.5, at_most=3)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def visitor(address: str, connection: Connection, staff: Staff) -> Iterator[httpx2.Client]:
    with transaction(connection):
        link = auth.login(connection, staff.user_ids["operator"], staff.workspace_id, datetime.now(UTC))
    with httpx2.Client(base_url=address, timeout=SECONDS) as client:
        assert client.post("/login", data={"token": link}, headers={"Origin": address}).status_code in (200, 303)
        yield client


@pytest.fixture
def journey(connection: Connection, staff: Staff) -> int:
    return ground.publish(connection, staff.workspace_id, FLOW)[0]


@contextmanager
def reading(visitor: httpx2.Client, journey: int, query: str = "") -> Iterator[Page]:
    with visitor.stream("GET", f"/journeys/{journey}/stream?{query}") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "no-cache" in answer.headers["cache-control"]
        assert answer.headers["x-accel-buffering"] == "no"
        yield Page(answer.iter_lines())


def enter(connection: Connection, workspace: int, user: str) -> None:
    now = datetime.now(UTC)
    accept_now(connection, workspace, [{"type": "track", "event": "order_submitted", "userId": user}], now)
    match.run(connection, Plans(ground.plans().catalog), lanes=ALL_LANES, now=now, limit=100)


def test_a_page_is_told_everything_once_and_then_what_moved(
    visitor: httpx2.Client, connection: Connection, staff: Staff, journey: int
) -> None:
    enter(connection, staff.workspace_id, "u1")
    with reading(visitor, journey) as page:
        first = page.until("counters")
        assert first["nodes"]["pause"]["waiting"] == 1
        assert first["nodes"]["pause"]["due"]
        assert first["totals"]["entered"] == 1
        enter(connection, staff.workspace_id, "u2")
        news = page.until("counters")
        assert news["nodes"]["pause"]["waiting"] == 2
        assert news["ports"] == {"start next": 2}
        assert "end" not in news["nodes"]


def test_who_saves_the_draft_and_who_looks_on_is_told(
    visitor: httpx2.Client, connection: Connection, staff: Staff, journey: int
) -> None:
    with reading(visitor, journey, "mode=edit") as page:
        [one] = page.until("presence")
        assert one["name"] == "operator"
        with transaction(connection):
            saving = journeys.Saving(FLOW, f"user:{staff.user_ids['reviewer']}", datetime.now(UTC))
            assert journeys.save_draft(connection, staff.workspace_id, journey, 1, saving) == 2
        draft = page.until("draft")
        assert draft == {"revision": 2, "by": "reviewer", "actor": f"user:{staff.user_ids['reviewer']}"}
        with transaction(connection):
            [id] = (
                connection.execute(
                    "INSERT INTO comment (workspace_id, journey_id, author, text, created_at) VALUES (%s, %s, 'a', 'b', now())"
                    " RETURNING id",
                    (staff.workspace_id, journey),
                ).fetchone()
                or ()
            )
        assert page.until("comment") == {"ids": [id]}


def test_the_stream_ends_with_the_session(visitor: httpx2.Client, journey: int) -> None:
    with reading(visitor, journey) as page:
        page.until("counters")
        visitor.post("/logout", headers={"Origin": str(visitor.base_url)})
        assert page.until("over") == {}
        with pytest.raises(EOFError):
            page.next()


def test_the_stream_ends_within_a_second_of_a_change_of_rights_t13(
    app: FastAPI, visitor: httpx2.Client, connection: Connection, staff: Staff, journey: int
) -> None:
    app.state.streams.ping = 60  # no ping comes to ask: the change of rights itself must be noticed
    with reading(visitor, journey) as page:
        page.until("counters")
        began = time.monotonic()
        with transaction(connection):
            hand = Hand(connection, staff.workspace_id, "user:0", None, datetime.now(UTC))
            change(hand, staff.user_ids["operator"], {"role": "viewer"})
        assert page.until("over") == {}
        assert time.monotonic() - began < 1


def test_pages_share_their_looks_and_leave_nothing_behind(app: FastAPI, visitor: httpx2.Client, journey: int) -> None:
    streams: Streams = app.state.streams
    with reading(visitor, journey) as one, reading(visitor, journey) as other, reading(visitor, journey) as third:
        for page in (one, other, third):
            page.until("counters")
        before = streams.looks
        time.sleep(1.1)
        assert streams.looks - before <= 6, "three pages ask three times"
        assert visitor.get(f"/journeys/{journey}/stream").status_code == 503
        assert one.pings == 0
    deadline = time.monotonic() + SECONDS
    while streams.open and time.monotonic() < deadline:
        time.sleep(0.05)
    assert streams.open == 0
    before = streams.looks
    time.sleep(0.6)
    assert streams.looks - before <= 1, "somebody looks on though nobody watches"


def test_other_people_s_journeys_have_no_stream(visitor: httpx2.Client, connection: Connection, others: Staff) -> None:
    theirs = ground.publish(connection, others.workspace_id, FLOW)[0]
    assert visitor.get(f"/journeys/{theirs}/stream").status_code == 404
    assert visitor.get("/journeys/999999/stream").status_code == 404


def test_only_what_differs_is_told_and_a_slow_reader_loses_nothing() -> None:
    first = {"counters": {"nodes": {"a": 1, "b": 2}, "totals": {"entered": 3}}, "comment": {1: False}, "draft": 1}
    assert changes(None, first) == {"counters": first["counters"], "draft": 1}
    then = {
        "counters": {"nodes": {"a": 1, "b": 5}, "totals": {"entered": 3}},
        "comment": {1: True, 2: False},
        "draft": 1,
    }
    news = changes(first, then)
    assert news == {"counters": {"nodes": {"b": 5}}, "comment": {"ids": [1, 2]}}
    assert changes(then, then) == {}
    slow = Reader()
    slow.tell(news)
    slow.tell({"counters": {"nodes": {"a": 9}}, "comment": {"ids": [3]}})
    assert slow.take() == {"counters": {"nodes": {"b": 5, "a": 9}}, "comment": {"ids": [1, 2, 3]}}
    assert slow.take() == {}
