"""What the door refuses, with the field that is wrong: nothing of it is written, nothing is a fault of ours (P17, T19)."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.tracking import Limits
from tests.web.door import KEY, NOW, Server, authorization, inbox, key_of, rows, serving, workspace

CORPUS = json.loads((Path(__file__).parent.parent / "data" / "bad_events.json").read_text())


def body_of(parts: list[Any]) -> bytes:
    return b"".join((one if isinstance(one, str) else one[0] * one[1]).encode("latin-1") for one in parts)


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    workspace(database_url)
    with serving(database_url, clock=lambda: NOW) as running:
        yield running


def test_p17_the_corpus_of_bad_bodies_is_refused_with_the_field_and_nothing_is_written(
    server: Server, database_url: str
) -> None:
    wrong = []
    assert len(CORPUS) >= 170
    for case in CORPUS:
        began = time.monotonic()
        answer = server.post(f"/v1/{case['path']}", body_of(case["parts"]))
        said = answer.json()
        fields = [error["field"] for error in said.get("errors", [])]
        right = (answer.status_code, said["status"]) == (case["status"], case["status"]) and fields[:1] == [
            case["field"]
        ]
        if not right or answer.headers["content-type"] != "application/problem+json" or time.monotonic() - began > 2:
            wrong.append((case["name"], answer.status_code, said))
    assert wrong == []
    for table in ("inbox", "seen", "contact", "identity"):
        assert rows(database_url, f"SELECT FROM {table} LIMIT 1") == []


def test_every_wrong_call_of_a_batch_is_named_at_once(server: Server) -> None:
    batch = [
        {"type": "track", "userId": "u1", "event": "a"},
        {"type": "track", "event": "a"},
        {"type": "page", "userId": "u"},
    ]
    said = server.post("/v1/batch", {"batch": [*batch, {"type": "track", "userId": "u1"}]}).json()
    assert [error["field"] for error in said["errors"]] == ["batch[1].userId", "batch[3].event"]
    assert said["title"] == "Bad Request"


def test_sizes_are_settings(database_url: str) -> None:
    workspace(database_url)
    with serving(database_url, limits=Limits(event_bytes=100, batch_bytes=1_000, batch_events=3)) as server:
        event = {"type": "track", "userId": "u1", "event": "a"}
        large = {**event, "properties": {"a": "x" * 90}}
        assert server.post("/v1/track", large).status_code == 413
        assert server.post("/v1/batch", {"batch": [event, large]}).json()["errors"][0]["field"] == "batch[1]"
        assert server.post("/v1/batch", {"batch": [event] * 4}).status_code == 413
        assert server.post("/v1/batch", {"batch": [event] * 3}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        authorization("jc_unknown"),
        authorization(key_of(99)),
        authorization(""),
        authorization("x" * 300),
        {"authorization": "Basic ???"},
        {"authorization": "Basic /w=="},
        {"authorization": "Digest abc"},
        {"authorization": ""},
        {"authorization": "Basic"},
    ],
)
def test_t14_an_unknown_key_is_401(server: Server, database_url: str, headers: dict[str, str]) -> None:
    answer = server.post("/v1/track", {"userId": "u1", "event": "a"}, key=None, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="events"')
    assert KEY not in answer.text
    assert inbox(database_url) == []


def test_a_wrong_key_in_the_header_is_not_saved_by_a_right_one_in_the_body(server: Server) -> None:
    call = {"userId": "u1", "event": "a", "writeKey": KEY}
    assert server.post("/v1/track", call, key="jc_unknown").status_code == 401


def test_a_key_of_another_role_is_403(server: Server, database_url: str) -> None:
    workspace(database_url, key_of(1), role="operator")
    assert server.post("/v1/track", {"userId": "u1", "event": "a"}, key=key_of(1)).status_code == 403


def test_a_revoked_key_stops_within_a_second(server: Server, database_url: str) -> None:
    assert server.post("/v1/track", {"userId": "u1", "event": "a"}).status_code == 200
    rows(database_url, "UPDATE key SET revoked_at = %s RETURNING id", NOW)
    until = time.monotonic() + 1
    while (status := server.post("/v1/track", {"userId": "u1", "event": "a"}).status_code) == 200:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert status == 401


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain;charset=UTF-8", 200),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
    ],
)
def test_the_body_must_be_called_json(server: Server, content_type: str, status: int) -> None:
    body = b'{"userId":"u1","event":"a"}'
    assert server.post("/v1/track", body, headers={"content-type": content_type}).status_code == status


def test_gzip_is_unpacked_and_a_bomb_is_not(server: Server, database_url: str) -> None:
    def send(body: bytes, encoding: str = "gzip") -> httpx2.Response:
        return server.post("/v1/batch", body, headers={"content-encoding": encoding})

    good = json.dumps({"batch": [{"type": "track", "userId": "u1", "event": f"e{n}"} for n in range(20)]}).encode()
    assert send(gzip.compress(good)).status_code == 200
    assert len(inbox(database_url)) == 20
    bomb = gzip.compress(b'{"batch":[' + b" " * 400_000_000 + b"]}")
    assert len(bomb) < 500_000
    began = time.monotonic()
    assert send(bomb).status_code == 413
    assert time.monotonic() - began < 1
    for broken in (good, gzip.compress(good)[:-9], gzip.compress(good) + b"x", b"", gzip.compress(good)[:5]):
        assert send(broken).status_code == 400
    assert send(good, "br").status_code == 415
    assert len(inbox(database_url)) == 20


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (
    "type",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "event",
    "name",
    "properties",
    "traits",
    "timestamp",
)
CALLS = st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "sentAt", "messageId", "context"), JSON_VALUES))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["track", "identify", "page", "group", "alias"]),
    CALLS | st.fixed_dictionaries({"userId": st.just("u1"), "event": st.just("a"), "traits": JSON_VALUES}),
)
def test_p17_no_json_whatever_makes_a_fault(server: Server, kind: str, call: dict[str, Any]) -> None:
    answer = server.post(f"/v1/{kind}", json.dumps(call).encode())
    assert answer.status_code in (200, 400), (call, answer.text)
    batch = server.post("/v1/batch", json.dumps({"batch": [{"type": kind, **call}, call]}).encode())
    assert batch.status_code in (200, 400), (call, batch.text)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_p17_no_bytes_whatever_make_a_fault(server: Server, body: bytes) -> None:
    assert server.post("/v1/batch", body).status_code == 400
