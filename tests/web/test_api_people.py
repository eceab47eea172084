"""Contacts, walks, messages and numbers over HTTP, after the real stages have moved people (shapes: DESIGN §7)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import nodes
from app.database import Connection
from app.lanes import ALL_LANES
from app.main import create_app
from app.plans import Plans
from app.settings import Settings
from app.stages import match, rollup, timers
from tests.web.conftest import FLOW, Api, Staff, flow

Publish = Callable[..., int]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    """The time of the application and of the stages under test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    return create_app(settings, now=clock)


@pytest.fixture
def run(connection: Connection, clock: Clock) -> Callable[..., None]:
    plans = Plans(nodes.catalog())

    def go(minutes: int = 0) -> None:
        clock.now += timedelta(minutes=minutes)
        for stage in (match, timers, match):
            while stage.run(connection, plans, lanes=ALL_LANES, now=clock.now, limit=1000):
                pass

    return go


def enroll(api: Api, journey: int, user: str, key: str = "") -> Any:
    wish = {"user_id": user, "context": {"order_id": user}, "idempotency_key": key or user}
    return api("POST", f"/journeys/{journey}/enroll", wish)


def test_people_let_in_by_the_api_are_counted_listed_and_told_about(
    operator: Api, publish: Publish, run: Callable[..., None]
) -> None:
    journey = publish()
    for user in ("u1", "u2", "u3"):
        answer = enroll(operator, journey, user)
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert enroll(operator, journey, "u1").status_code == 202  # the same key again
    run()
    stats = operator.ok("GET", f"/journeys/{journey}/stats")
    assert {name: stats[name] for name in ("entered", "active", "completed", "exited", "failed")} == {
        "entered": 3,
        "active": 3,
        "completed": 0,
        "exited": 0,
        "failed": 0,
    }
    assert stats["nodes"]["pause"] == {"entered": 3, "waiting": 3, "ports": {}, "messages": None}
    page = operator.ok("GET", f"/journeys/{journey}/enrollments?node=pause&status=active&limit=2")
    item = page["items"][0]
    assert item.keys() >= {"id", "contact_id", "node", "status", "version", "wake_at", "entered_at"}
    assert (item["node"], item["status"], item["version"]) == ("pause", "active", 1)
    assert item["wake_at"] == "2026-11-21T12:10:00Z"
    rest = operator.ok(
        "GET",
        f"/journeys/{journey}/enrollments",
        params={"node": "pause", "status": "active", "limit": 2, "next": page["next"]},
    )
    assert rest["next"] is None
    assert len({one["id"] for one in (*page["items"], *rest["items"])}) == 3
    run(minutes=10)
    stats = operator.ok("GET", f"/journeys/{journey}/stats?version=1")
    assert (stats["active"], stats["completed"]) == (0, 3)
    assert stats["nodes"]["pause"] == {"entered": 3, "waiting": 0, "ports": {"next": 3}, "messages": None}
    assert operator("GET", f"/journeys/{journey}/stats?version=2").status_code == 404
    done = operator.ok("GET", f"/journeys/{journey}/enrollments?status=completed&limit=1000")["items"]
    assert {(one["status"], one["reason"]) for one in done} == {("completed", "end")}
    assert operator.ok("GET", f"/journeys/{journey}/enrollments")["items"] == done
    assert operator.ok("GET", f"/journeys/{journey}/enrollments?status=active")["items"] == []


def test_a_contact_is_found_by_a_name_and_their_story_is_told(
    operator: Api, publish: Publish, run: Callable[..., None]
) -> None:
    journey = publish()
    enroll(operator, journey, "u1")
    run()
    run(minutes=10)
    found = operator.ok("GET", "/contacts?identity=user_id:u1")
    assert found["next"] is None
    contact = found["items"][0]
    assert contact["identities"] == [{"kind": "user_id", "value": "u1"}]
    assert contact.keys() >= {"id", "identities", "attributes", "tags", "consents"}
    assert operator.ok("GET", "/contacts?identity=user_id:nobody") == {"items": [], "next": None}
    assert operator.ok("GET", "/contacts")["items"] == [contact] == [operator.ok("GET", f"/contacts/{contact['id']}")]
    story = operator.ok("GET", f"/contacts/{contact['id']}/timeline")["items"]
    assert [one["at"] for one in story] == sorted((one["at"] for one in story), reverse=True)
    assert {one["kind"] for one in story} == {"event", "entered", "walk", "message"}
    walks = [one for one in story if one["kind"] == "walk"]
    assert [step["node"] for step in walks[0]["steps"]] == ["pause", "note", "end"]
    assert walks[0]["cause"] == "timer"
    paged: list[Any] = []
    place = None
    while True:
        page = operator.ok(
            "GET", f"/contacts/{contact['id']}/timeline", params={"limit": 1} | ({"next": place} if place else {})
        )
        paged += page["items"]
        place = page["next"]
        if place is None:
            break
    assert paged == story


def test_messages_are_listed_with_what_the_provider_was_told(
    operator: Api, publish: Publish, run: Callable[..., None]
) -> None:
    journey = publish()
    for user in ("u1", "u2"):
        enroll(operator, journey, user)
    run()
    u2 = operator.ok("GET", "/contacts?identity=user_id:u2")["items"][0]["id"]
    change = {"consents": {"inapp": {"marketing": False}}}
    assert operator("PATCH", f"/contacts/{u2}", change).status_code == 202
    run(minutes=10)
    items = operator.ok("GET", f"/messages?journey={journey}")["items"]
    assert [one["status"] for one in items].count("suppressed") == 1
    refused = next(one for one in items if one["status"] == "suppressed")
    shape = {
        "id",
        "journey_id",
        "node",
        "contact_id",
        "channel",
        "status",
        "reason",
        "idempotency_key",
        "created_at",
        "sent_at",
    }
    assert refused.keys() >= shape
    assert (refused["reason"], refused["contact_id"], refused["node"], refused["channel"]) == (
        "opted_out",
        u2,
        "note",
        "inapp",
    )
    assert operator.ok("GET", f"/messages?contact={u2}")["items"] == [refused]
    assert operator.ok("GET", "/messages?status=suppressed&node=note")["items"] == [refused]
    assert operator.ok("GET", f"/messages/{refused['id']}") == refused
    assert operator.ok("GET", f"/messages?journey={journey + 1}")["items"] == []
    assert operator("GET", "/messages/999999").status_code == 404
    first = operator.ok("GET", "/messages?limit=1")
    assert (
        first["items"] + operator.ok("GET", "/messages", params={"limit": 1, "next": first["next"]})["items"] == items
    )


def test_a_contact_s_attributes_tags_and_consents_can_be_changed(
    operator: Api, publish: Publish, run: Callable[..., None]
) -> None:
    enroll(operator, publish(), "u1")
    run()
    contact = operator.ok("GET", "/contacts?identity=user_id:u1")["items"][0]
    path = f"/contacts/{contact['id']}"
    operator.ok("PATCH", path, {"attributes": {"city": "上海", "age": 30}, "tags": {"add": ["vip", "new"]}})
    operator.ok(
        "PATCH",
        path,
        {"attributes": {"age": None}, "tags": {"remove": ["new"]}, "consents": {"email": {"marketing": False}}},
    )
    run()
    after = operator.ok("GET", path)
    assert (after["attributes"], after["tags"]) == ({"city": "上海"}, ["vip"])
    assert after["consents"]["email"]["marketing"] is False
    preview = operator.ok(
        "POST",
        "/segments/preview",
        {"rule": {"all": [{"tag": "vip"}, {"attribute": "city", "op": "eq", "value": "上海"}]}},
    )
    assert preview == {"count": 1}
    for wrong in (
        {"attributes": {"a": "x" * 40_000}},
        {"tags": {"add": [""]}},
        {"consents": {"email": {"marketing": "no"}}},
        {"id": 1},
    ):
        assert operator("PATCH", path, wrong).status_code == 422


def test_only_a_live_journey_lets_people_in(operator: Api, publish: Publish) -> None:
    draft = operator.ok("POST", "/journeys", {"name": "A", "document": FLOW})["id"]
    assert enroll(operator, draft, "u1").status_code == 409
    journey = publish()
    operator.ok("POST", f"/journeys/{journey}/pause")
    assert enroll(operator, journey, "u1").status_code == 409


def test_resuming_a_journey_adds_the_pause_to_every_wait(
    operator: Api, publish: Publish, run: Callable[..., None], clock: Clock
) -> None:
    journey = publish(flow(duration="PT10M"))
    enroll(operator, journey, "u1")
    run()
    run(minutes=4)
    operator.ok("POST", f"/journeys/{journey}/pause")
    run(minutes=60)
    held = operator.ok("GET", f"/journeys/{journey}/enrollments?status=held")["items"]
    assert len(held) == 1, "whose time came during the pause is held"
    operator.ok("POST", f"/journeys/{journey}/resume")
    item = operator.ok("GET", f"/journeys/{journey}/enrollments?status=active")["items"][0]
    assert datetime.fromisoformat(item["wake_at"]) == clock.now + timedelta(minutes=6)
    run(minutes=5)
    assert operator.ok("GET", f"/journeys/{journey}/stats")["active"] == 1
    run(minutes=1)
    assert operator.ok("GET", f"/journeys/{journey}/stats")["completed"] == 1


def test_stopping_a_journey_takes_everybody_out(operator: Api, publish: Publish, run: Callable[..., None]) -> None:
    journey = publish(flow(duration="P30D"))
    for user in ("u1", "u2"):
        enroll(operator, journey, user)
    run()
    operator.ok("POST", f"/journeys/{journey}/stop")
    run()
    stats = operator.ok("GET", f"/journeys/{journey}/stats")
    assert (stats["active"], stats["exited"]) == (0, 2)
    gone = operator.ok("GET", f"/journeys/{journey}/enrollments?status=exited")["items"]
    assert {one["reason"] for one in gone} == {"manual"}


def test_a_paused_journey_takes_a_new_version_and_stays_paused(operator: Api, reviewer: Api, publish: Publish) -> None:
    path = f"/journeys/{publish()}"
    operator.ok("POST", f"{path}/pause")
    operator.ok("PUT", f"{path}/draft", {"document": flow(duration="PT3M")}, headers={"If-Match": '"1"'})
    content_hash = operator.ok("POST", f"{path}/submit")["content_hash"]
    reviewer.ok("POST", f"{path}/reviews", {"decision": "approve", "content_hash": content_hash})
    assert operator.ok("POST", f"{path}/publish", {"content_hash": content_hash}) == {
        "version": 2,
        "status": "paused",
        "migration": None,
    }


def test_secrets_of_an_account_go_in_and_never_come_out_t25(admin: Api, connection: Connection) -> None:
    canary = "canary-7f3a9c-secret"
    wish = {"channel": "webhook", "settings": {"url": "https://shop.example/hook", "secret": canary}}
    shown = admin("PUT", "/accounts/hook", wish)
    assert shown.json()["settings"] == {"url": "https://shop.example/hook"}
    assert shown.json()["sealed"] is True
    for text in (shown.text, admin("GET", "/accounts").text, admin("GET", "/accounts/hook").text):
        assert canary not in text
    row = connection.execute("SELECT settings::text || sealed FROM account").fetchone()
    assert row is not None
    assert canary not in row[0]
    wrong = admin("PUT", "/accounts/hook", {"channel": "webhook", "settings": {"secret": 7, "nonsense": canary}})
    assert wrong.status_code == 422
    assert canary not in wrong.text
    assert {one["field"] for one in wrong.json()["errors"]} == {"settings.secret", "settings.nonsense"}
    assert admin("PUT", "/accounts/hook", {"channel": "pigeon", "settings": {}}).status_code == 422
    assert admin("DELETE", "/accounts/hook").status_code == 204
    assert admin("GET", "/accounts/hook").status_code == 404


def test_keys_and_users_are_made_listed_and_paged(client: TestClient, admin: Api, staff: Staff) -> None:
    made = admin("POST", "/keys", {"name": "SDK", "role": "ingest"})
    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith(made.json()["prefix"])
    assert client.post("/v1/track", json={"userId": "u9", "event": "x"}, auth=(key, "")).status_code == 200
    assert key not in admin("GET", "/keys").text
    assert "digest" not in admin("GET", "/keys").text
    user = {"email": "li@shop.example", "name": "Li Na", "role": "viewer"}
    assert admin("POST", "/users", user).status_code == 201
    taken = admin("POST", "/users", user)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "email")
    first = admin.ok("GET", "/users?limit=2")
    second = admin.ok("GET", "/users", params={"limit": 100, "next": first["next"]})
    assert [one["name"] for one in (*first["items"], *second["items"])] == [
        "viewer",
        "operator",
        "reviewer",
        "admin",
        "Li Na",
    ]
    assert admin("POST", "/keys", {"name": "x", "role": "viewer", "user_id": 999_999}).status_code == 404
    assert admin("POST", "/keys", {"name": "x", "role": "root"}).status_code == 422
    assert (
        admin("POST", "/keys", {"name": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}).status_code == 422
    )
    assert staff.workspace_id


def test_node_types_come_with_the_schema_of_their_settings_and_an_icon(viewer: Api) -> None:
    items = viewer.ok("GET", "/node-types")["items"]
    assert {"entry.event", "wait.event", "send.email", "exit"} <= {one["type"] for one in items}
    email = next(one for one in items if one["type"] == "send.email")
    assert email["settings"]["properties"]["subject"]["title"]
    assert email["account"]["properties"]
    assert viewer.ok("GET", "/node-types/exit")["ports"] == []
    icon = viewer("GET", "/node-types/exit/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in icon.headers["content-security-policy"]
    assert viewer("GET", "/node-types/nothing").status_code == 404


def test_whom_a_batch_under_way_parked_behind_a_resume_or_stop_is_called_in(
    operator: Api, publish: Publish, run: Callable[..., None], connection: Connection, clock: Clock
) -> None:
    resumed, stopped, waiting = publish(), publish(flow(duration="P30D")), publish(flow(duration="P30D"))
    for journey in (resumed, stopped, waiting):
        enroll(operator, journey, "u1", str(journey))
    run()
    for journey, actions in ((resumed, ("pause", "resume")), (stopped, ("stop",)), (waiting, ("pause", "resume"))):
        for action in actions:
            operator.ok("POST", f"/journeys/{journey}/{action}")
    # A worker that knew of the pause, and not yet of what came after, writes last.
    connection.execute("UPDATE enrollment SET status = 4, wake_at = %s WHERE journey_id = %s", (clock.now, resumed))
    connection.execute("UPDATE enrollment SET status = 0, wake_at = NULL WHERE journey_id = %s", (stopped,))
    connection.commit()
    rollup.run(connection, Plans(nodes.catalog()), lanes=ALL_LANES, now=clock.now, limit=1000)
    run()
    assert operator.ok("GET", f"/journeys/{resumed}/stats")["completed"] == 1
    assert operator.ok("GET", f"/journeys/{stopped}/stats")["exited"] == 1
    assert operator.ok("GET", f"/journeys/{waiting}/stats")["active"] == 1
