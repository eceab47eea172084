"""The official Segment SDKs, unchanged, as clients."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client

from tests.web.door import KEY, Server, inbox, key_of, rows, serving, workspace

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 20, 8, 0, 0, 123_000, tzinfo=UTC)


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    workspace(database_url)
    with serving(database_url) as running:
        yield running


def client(server: Server, failures: list[Any], key: str = KEY, **more: Any) -> Client:
    wishes = {"upload_interval": 0.05, "max_retries": 2, "timeout": 10, **more}
    return Client(key, host=server.url, on_error=lambda error, items: failures.append((error, items)), **wishes)


@pytest.mark.parametrize("packed", [False, True])
def test_the_python_sdk_works_unchanged(server: Server, database_url: str, packed: bool) -> None:
    failures: list[Any] = []
    analytics = client(server, failures, gzip=packed, upload_size=4)
    analytics.track(anonymous_id="a1", event="visited", properties={"url": "/"}, timestamp=AT, message_id="m1")
    analytics.track(anonymous_id="a1", event="visited", properties={"url": "/"}, message_id="m1")
    analytics.identify("u1", {"email": "Ana@Example.com", "born": AT}, anonymous_id="a1")
    analytics.page("u1", "Docs", "Home", {"url": "/home"})
    analytics.screen("u1", name="Cart")
    analytics.group("u1", 7, {"seats": 3})
    analytics.alias("u1", "u2")
    analytics.track("u2", "order_paid", {"amount": 12.5, "note": "🛒 购物车"})
    analytics.shutdown()
    assert failures == []
    letters = inbox(database_url)
    assert [letter.name for letter in letters] == [
        "visited",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
        "order_paid",
    ]
    assert letters[0].timestamp == AT
    assert letters[1].said == {"email": "Ana@Example.com", "born": AT.isoformat()}
    assert letters[-1].said == {"amount": 12.5, "note": "🛒 购物车"}
    assert len({letter.contact_id for letter in letters}) == 1
    assert {(row.kind, row.value) for row in rows(database_url, "SELECT kind, value FROM identity")} == {
        ("anonymous_id", "a1"), ("user_id", "u1"), ("user_id", "u2"), ("email", "ana@example.com"),
    }  # fmt: skip


def test_the_python_sdk_hears_that_its_key_is_unknown_and_does_not_try_for_ever(server: Server) -> None:
    failures: list[Any] = []
    analytics = client(server, failures, key=key_of(9))
    analytics.track("u1", "order_paid")
    analytics.shutdown()
    [(error, items)] = failures
    assert error.status == 401
    assert len(items) == 1


def test_the_python_sdk_keeps_its_events_while_the_door_is_behind(server: Server, database_url: str) -> None:
    failures: list[Any] = []
    server.door.committer._open = False
    analytics = client(server, failures)
    analytics.track("u1", "order_paid", message_id="m1")
    time.sleep(0.3)  # long enough for the first try, which is told to come again after a second
    server.door.committer._open = True
    analytics.shutdown()
    assert failures == []
    assert [letter.name for letter in inbox(database_url)] == ["order_paid"]


def test_the_node_sdk_works_unchanged(server: Server, database_url: str) -> None:
    script = ROOT / "tests" / "web" / "segment.mjs"
    found = subprocess.run(
        ["node", str(script), server.url, KEY, str(ROOT / "package.json")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    said = dict(line.split(" ", 1) for line in found.stdout.splitlines())
    assert said == dict.fromkeys(("track", "again", "identify", "page", "screen", "group", "alias", "paid"), "ok")
    letters = inbox(database_url)
    assert [letter.name for letter in letters] == [
        "visited",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
        "order_paid",
    ]
    assert letters[0].said == {"url": "/", "nested": {"emoji": "🛒 购物车"}}
    assert letters[0].timestamp == AT
    assert len({letter.contact_id for letter in letters}) == 1
