"""The calls of the tracking protocol, one by one, over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.lanes import lane_of
from app.web.ingest_docs import openapi_paths
from tests.web.door import KEY, NOW, Server, inbox, rows, serving, workspace


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    workspace(database_url)
    with serving(database_url, clock=lambda: NOW) as running:
        yield running


def test_a_track_call_is_answered_when_it_lies_in_the_inbox(server: Server, database_url: str) -> None:
    answer = server.post("/v1/track", {"userId": "u1", "event": "order_paid", "properties": {"amount": 9.5}})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [letter] = inbox(database_url)
    assert (letter.kind, letter.name, letter.said) == ("track", "order_paid", {"amount": 9.5})
    assert letter.timestamp == letter.received_at == NOW
    assert letter.lane == lane_of(letter.workspace_id, letter.contact_id)
    [identity] = rows(database_url, "SELECT * FROM identity")
    assert (identity.kind, identity.value, identity.contact_id) == ("user_id", "u1", letter.contact_id)
    [contact] = rows(database_url, "SELECT * FROM contact")
    assert (contact.id, contact.lane, contact.attributes) == (letter.contact_id, letter.lane, {})


@pytest.mark.parametrize(
    ("path", "call", "kind", "name", "said"),
    [
        ("page", {"name": "Home", "properties": {"url": "/"}}, "track", "page", {"name": "Home", "url": "/"}),
        ("p", {"category": "Docs"}, "track", "page", {"category": "Docs"}),
        ("screen", {"name": "Cart"}, "track", "screen", {"name": "Cart"}),
        ("group", {"groupId": 7, "traits": {"plan": "pro"}}, "track", "group", {"groupId": "7", "plan": "pro"}),
        ("identify", {"traits": {"plan": "pro"}}, "identify", "identify", {"plan": "pro"}),
        ("t", {"event": "signed_up"}, "track", "signed_up", {}),
        ("alias", {"previousId": "a9"}, "track", "alias", {"previousId": "a9", "userId": "u1"}),
    ],
)
def test_every_kind_of_call_becomes_a_letter(
    server: Server, database_url: str, path: str, call: dict[str, object], kind: str, name: str, said: dict[str, object]
) -> None:
    assert server.post(f"/v1/{path}", {"userId": "u1", **call}).status_code == 200
    [letter] = inbox(database_url)
    assert (letter.kind, letter.name, letter.said) == (kind, name, said)


def test_a_batch_keeps_its_order_and_takes_its_key_from_the_body(server: Server, database_url: str) -> None:
    batch = [{"type": "track", "userId": f"u{n % 3}", "event": f"e{n}"} for n in range(50)]
    assert server.post("/v1/batch", {"batch": batch, "writeKey": KEY}, key=None).status_code == 200
    assert [letter.name for letter in inbox(database_url)] == [f"e{n}" for n in range(50)]
    assert len(rows(database_url, "SELECT FROM contact")) == 3


def test_ids_may_be_numbers_and_are_kept_as_text(server: Server, database_url: str) -> None:
    server.post("/v1/track", {"userId": 42, "event": "a"})
    server.post("/v1/track", {"userId": "42", "event": "b"})
    first, second = inbox(database_url)
    assert first.contact_id == second.contact_id


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-20T09:00:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T17:00:00.123+08:00", datetime(2026, 11, 20, 9, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-11-20t09:00:00z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1_700_000_000_000.0, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-11-21T09:30:07Z", NOW),  # from a clock that runs ahead
        ("2199-01-01T00:00:00Z", NOW),
    ],
)
def test_timestamps_are_understood_and_never_lie_in_the_future(
    server: Server, database_url: str, timestamp: str | float, expected: datetime
) -> None:
    assert server.post("/v1/track", {"userId": "u1", "event": "a", "timestamp": timestamp}).status_code == 200
    assert [letter.timestamp for letter in inbox(database_url)] == [expected]


def test_a_client_s_wrong_clock_is_corrected_by_sent_at_as_segment_does(server: Server, database_url: str) -> None:
    behind = NOW - timedelta(hours=2)
    batch = [{"type": "track", "userId": "u1", "event": "a", "timestamp": (behind - timedelta(minutes=1)).isoformat()}]
    server.post("/v1/batch", {"batch": batch, "sentAt": behind.isoformat()})
    assert [letter.timestamp for letter in inbox(database_url)] == [NOW - timedelta(minutes=1)]


def test_a_moment_on_the_way_is_not_taken_for_a_wrong_clock(server: Server, database_url: str) -> None:
    sent = (NOW - timedelta(milliseconds=900)).isoformat()
    server.post("/v1/track", {"userId": "u1", "event": "a", "timestamp": "2026-11-01T00:00:00Z", "sentAt": sent})
    assert [letter.timestamp for letter in inbox(database_url)] == [datetime(2026, 11, 1, tzinfo=UTC)]


def test_p9_a_message_id_is_taken_once_and_answered_alike(server: Server, database_url: str) -> None:
    call = {"type": "track", "userId": "u1", "event": "a", "messageId": "m1"}
    answers = [
        server.post("/v1/track", call),
        server.post("/v1/batch", {"batch": [call, call]}),
        server.post("/v1/t", call),
    ]
    assert {answer.text for answer in answers} == {'{"success": true}'}
    assert len(inbox(database_url)) == 1


def test_p9_the_same_message_id_in_another_workspace_is_another_event(server: Server, database_url: str) -> None:
    other = KEY.replace("0123", "4567")
    workspace(database_url, other)
    for key in (KEY, other):
        server.post("/v1/track", {"userId": "u1", "event": "a", "messageId": "m1"}, key=key)
    assert len({letter.workspace_id for letter in inbox(database_url)}) == 2
    assert len(rows(database_url, "SELECT FROM contact")) == 2


def test_calls_without_a_message_id_are_all_taken(server: Server, database_url: str) -> None:
    for _ in range(3):
        server.post("/v1/track", {"userId": "u1", "event": "a"})
    assert len(inbox(database_url)) == 3


def test_an_empty_batch_is_a_success(server: Server, database_url: str) -> None:
    assert server.post("/v1/batch", {"batch": []}).status_code == 200
    assert inbox(database_url) == []


def test_any_page_may_send_but_only_by_post(server: Server) -> None:
    preflight = server.client.options(server.url + "/v1/track", headers={"origin": "https://shop.example"})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    refused = server.client.get(server.url + "/v1/track")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST, OPTIONS")


def test_the_description_s_examples_are_taken_as_they_stand(server: Server, database_url: str) -> None:
    paths = openapi_paths()
    assert len(paths) == 7
    for path, methods in paths.items():
        example = methods["post"]["requestBody"]["content"]["application/json"]["example"]
        assert server.post(path, example).status_code == 200, path
    assert len(inbox(database_url)) == 7 + 1 - 1  # the track stands in the batch as well, with the same messageId
