"""The doors that strangers use: click, open, way out, call-backs, in-app pull and the sink's pages."""

import hashlib
import hmac
import json
import random
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.keys import user_hash
from app.lanes import ALL_LANES
from app.links import Tokens
from app.main import create_app
from app.settings import Settings
from app.stages import settle
from app.store import caught, keys, links
from app.store.caught import Catch
from tests.deliver.house import House, build
from tests.deliver.peers import NOW

PERSON = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"}


@pytest.fixture
def house(connection: Connection) -> House:
    return build(connection)


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    return Tokens(settings.secret_bytes)


@pytest.fixture
def web(house: House, settings: Settings) -> Iterator[TestClient]:
    del house
    app, here = create_app(settings, now=lambda: NOW), ("127.0.0.1", 5000)
    with TestClient(app, "http://127.0.0.1:8000", client=here, follow_redirects=False, headers=PERSON) as client:
        yield client


def key(house: House, role: str) -> str:
    token = auth.new_token()
    with transaction(house.connection):
        row = keys.New(house.workspace, role, role, token.prefix, token.digest, None, None)
        keys.add(house.connection, row, NOW)
    return token.text


def link(house: House, url: str = "https://shop.example/?a=1") -> int:
    with transaction(house.connection):
        return links.keep(house.connection, [(house.workspace, url, 1)])[house.workspace, url]


def said(house: House) -> list[tuple[Any, ...]]:
    return house.rows("SELECT message_id, kind, provider_event_id, detail FROM receipt ORDER BY id")


def test_a_click_is_counted_and_leads_to_the_stored_address(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    id = link(house)
    answer = web.get(f"/r/{tokens.make('click', house.workspace, 1001, id)}")
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/?a=1")
    assert said(house) == [(1001, "clicked", str(id), {"url": "https://shop.example/?a=1"})]
    web.get(f"/r/{tokens.make('click', house.workspace, 1001, id)}")
    assert len(said(house)) == 1


def test_t04_a_thousand_changed_tokens_lead_nowhere(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    token = tokens.make("click", house.workspace, 1001, link(house))
    chance = random.Random(3)
    for _ in range(1000):
        letters = list(token)
        place = chance.randrange(len(letters))
        letters[place] = chance.choice([one for one in "abcXYZ019-_~" if one != letters[place]])
        answer = web.get(f"/r/{''.join(letters)}?url=https://evil.test&to=//evil.test")
        assert answer.status_code == 404
        assert "location" not in answer.headers
    for path in ("/r/", "/r/x", "/r/https://evil.test", f"/o/{token}.gif", f"/u/{token}"):
        assert web.get(path).status_code == 404
    assert said(house) == []


def test_t04_an_address_that_is_not_of_the_web_is_not_followed(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    assert (
        web.get(f"/r/{tokens.make('click', house.workspace, 1001, link(house, 'javascript:alert(1)'))}").status_code
        == 404
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"User-Agent": "Barracuda Link Scanner"},
    ],
)
def test_h63_machines_are_led_on_but_not_counted(
    house: House, web: TestClient, tokens: Tokens, headers: dict[str, str]
) -> None:
    house.message(1, status=2, outcome=1)
    id = link(house)
    assert web.get(f"/r/{tokens.make('click', house.workspace, 1001, id)}", headers=headers).status_code == 302
    assert web.get(f"/o/{tokens.make('open', house.workspace, 1001)}.gif", headers=headers).status_code == 200
    settle.run(house.connection, house.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert [one["outcome"] for one in house.messages()] == [1]
    web.get(f"/r/{tokens.make('click', house.workspace, 1001, id)}")  # the person comes after the scanner
    settle.run(house.connection, house.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert [one["outcome"] for one in house.messages()] == [4]


def test_the_pixel_counts_an_open_and_is_a_picture(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    path = f"/o/{tokens.make('open', house.workspace, 1001)}.gif"
    assert web.head(path).status_code == 200
    assert said(house) == []
    answer = web.get(path)
    assert (answer.headers["content-type"], answer.content[:6]) == ("image/gif", b"GIF89a")
    assert [one[:2] for one in said(house)] == [(1001, "opened")]


def test_t22_no_get_opts_anybody_out(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    path = f"/u/{tokens.make('unsubscribe', house.workspace, 1001, 1)}"
    for method in ("GET", "HEAD", "OPTIONS"):
        web.request(method, path, headers={"Sec-Purpose": "prefetch"})
    assert house.rows("SELECT consents FROM contact") == [({},)]
    assert ">Unsubscribe</button>" in web.get(path, headers={"Accept-Language": "en"}).text
    assert said(house) == []


def test_the_way_out_speaks_one_language_names_the_sender_and_leads_nowhere_else(
    house: House, web: TestClient, tokens: Tokens
) -> None:
    house.message(1, status=2)
    path = f"/u/{tokens.make('unsubscribe', house.workspace, 1001, 1)}"
    chinese = web.get(path, headers={"Accept-Language": "zh-CN"}).text
    done = web.post(f"{path}?lang=zh", data={"page": "1"}).text
    for page, said in ((chinese, "退订</button>"), (done, "已退订")):
        assert '<html lang="zh-Hans"' in page
        assert said in page
        assert "Unsubscribe" not in page
        assert '<span class="pill' in page
        assert 'href="/"' not in page
        assert "Journey Canvas" not in page
    assert "没有做任何更改" in chinese


@pytest.mark.parametrize("body", [{"List-Unsubscribe": "One-Click"}, {"page": "1"}])
def test_rfc8058_one_click_opts_out_without_cookie_or_redirect(
    house: House, web: TestClient, tokens: Tokens, body: dict[str, str]
) -> None:
    house.message(1, status=2)
    path = f"/u/{tokens.make('unsubscribe', house.workspace, 1001, 1)}"
    for _twice in range(2):
        answer = web.post(path, data=body)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert house.rows("SELECT consents FROM contact") == [({"email": {"marketing": False}},)]
    assert [one[:2] for one in said(house)] == [(1001, "unsubscribed")]
    house.message(2, consents={"email": {"marketing": False}})
    house.deliver()
    assert house.rows("SELECT reason FROM message WHERE id = 1002") == [("opted_out",)]


def test_the_way_out_works_when_the_message_is_long_forgotten(house: House, web: TestClient, tokens: Tokens) -> None:
    house.message(1, status=2)
    assert web.post(f"/u/{tokens.make('unsubscribe', house.workspace, 999_999, 1)}").status_code == 200
    assert house.rows("SELECT consents FROM contact") == [({"email": {"marketing": False}},)]


def hook_headers(body: bytes, secret: str = "hook-secret", id: str = "d1", stamp: int | None = None) -> dict[str, str]:
    at = str(int(NOW.timestamp()) if stamp is None else stamp)
    mark = hmac.new(secret.encode(), f"{id}.{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Journey-Id": id, "X-Journey-Timestamp": at, "X-Journey-Signature": f"v1={mark}"}


@pytest.fixture
def hooked(house: House, settings: Settings) -> House:
    del settings
    house.account("mail", "email", {"host": "h", "from_address": "a@b.c", "hook_secret": "hook-secret"})
    house.message(1, status=2, recipient="p1@example.com")
    house.message(2, status=2, recipient="p2@example.com")
    return house


WORDS = {
    "receipts": [
        {"message": 1001, "event": "delivered", "id": "e1"},
        {"message": f"<{'a' * 64}.1002@example.com>", "event": "bounced", "id": "e2", "reason": "550 no such user"},
        {"message": "999", "event": "opened", "id": "e3"},
        {"message": "nonsense", "event": "opened", "id": "e4"},
    ]
}


def test_a_signed_call_back_becomes_receipts_and_a_replay_changes_nothing(hooked: House, web: TestClient) -> None:
    body = json.dumps(WORDS).encode()
    assert web.post("/hooks/mail", content=body, headers=hook_headers(body)).json() == {"accepted": 2, "ignored": 2}
    assert web.post("/hooks/mail", content=body, headers=hook_headers(body)).json() == {"accepted": 0, "ignored": 4}
    assert web.post("/hooks/mail", content=body, headers=hook_headers(body, id="d2")).json() == {
        "accepted": 0,
        "ignored": 4,
    }
    settle.run(hooked.connection, hooked.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert [(one["status"], one["outcome"]) for one in hooked.messages()] == [(2, 2), (3, 0)]
    assert hooked.rows("SELECT address FROM suppression") == [("p2@example.com",)]


def test_a_call_back_that_is_not_rightly_signed_is_refused(hooked: House, web: TestClient) -> None:
    body = json.dumps(WORDS).encode()
    good, now = hook_headers(body), int(NOW.timestamp())
    bad = [
        {},
        {**good, "X-Journey-Signature": ""},
        {**good, "X-Journey-Signature": "v1="},
        {**good, "X-Journey-Signature": good["X-Journey-Signature"].replace("v1", "v0")},
        {**good, "X-Journey-Signature": good["X-Journey-Signature"].upper()},
        {**good, "X-Journey-Signature": good["X-Journey-Signature"][3:]},
        {**good, "X-Journey-Id": "d9"},
        {**good, "X-Journey-Id": ""},
        {**good, "X-Journey-Timestamp": str(now + 1)},
        {**good, "X-Journey-Timestamp": "٣"},
        {**good, "X-Journey-Timestamp": "1e9"},
        hook_headers(body, secret="other"),
        hook_headers(body, secret=""),
        hook_headers(body, stamp=now - 301),
        hook_headers(body, stamp=now + 301),
        hook_headers(json.dumps(WORDS, indent=1).encode()),
    ]
    for headers in bad:
        raw = {name.encode(): value.encode() for name, value in headers.items()}
        assert web.post("/hooks/mail", content=body, headers=raw).status_code == 401, headers
    assert web.post("/hooks/nobody", content=body, headers=good).status_code == 401
    assert said(hooked) == []
    two = f"v1={'0' * 64}, {good['X-Journey-Signature']}"
    assert web.post("/hooks/mail", content=body, headers={**good, "X-Journey-Signature": two}).status_code == 200


def test_an_account_without_a_hook_secret_believes_nobody(house: House, web: TestClient) -> None:
    house.account("mail", "email", {"host": "h", "from_address": "a@b.c"})
    body = json.dumps(WORDS).encode()
    assert web.post("/hooks/mail", content=body, headers=hook_headers(body, secret="")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"receipts": 1}', b'{"receipts": [{"message": 1, "event": "eaten"}]}', b'{"receipts": [], "x": 1}',
     b'{"receipts": [{"message": 1, "event": "opened", "at": "soon"}]}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_a_signed_call_back_that_says_nonsense_is_told_so(hooked: House, web: TestClient, body: bytes) -> None:
    answer = web.post("/hooks/mail", content=body, headers=hook_headers(body))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said(hooked) == []


@pytest.fixture
def write_key(house: House) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{key(house, 'ingest')}:".encode()).decode()}


def test_t21_in_app_messages_are_pulled_with_a_signed_user_id_only(
    house: House, web: TestClient, write_key: dict[str, str]
) -> None:
    house.message(1, "pop")
    house.deliver()
    good = {"userId": "u1", "userHash": user_hash("workspace-secret", "u1")}
    (item,) = web.get("/v1/inapp", params=good, headers=write_key).json()["items"]
    assert (item["title"], item["body"], item["expires_at"]) == ("Hi P1", "there", "2026-03-02T12:00:00Z")
    assert web.get("/v1/inapp", params=good).status_code == 401
    for wrong in ({"userId": "u1"}, {**good, "userHash": "0" * 64}, {**good, "userId": "u2"}):
        assert web.get("/v1/inapp", params=wrong, headers=write_key).status_code == 403
    assert web.get("/v1/inapp", headers=write_key).status_code == 422
    assert said(house) == []


def test_in_app_receipts_climb_and_a_closed_message_is_gone(
    house: House, web: TestClient, write_key: dict[str, str]
) -> None:
    house.message(1, "pop")
    house.deliver()
    good = {"userId": "u1", "userHash": user_hash("workspace-secret", "u1")}
    (item,) = web.get("/v1/inapp", params=good, headers=write_key).json()["items"]
    for what in ("impression", "impression", "click", "close"):
        assert web.post(f"/v1/inapp/{item['token']}/{what}").json() == {"success": True}
    assert web.post("/v1/inapp/forged/click").status_code == 404
    assert web.post(f"/v1/inapp/{item['token']}/dance").status_code == 422
    settle.run(house.connection, house.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert [one["outcome"] for one in house.messages()] == [4]
    assert web.get("/v1/inapp", params=good, headers=write_key).json()["items"] == []


def test_an_expired_in_app_message_is_not_shown_and_strangers_see_nothing(
    house: House, web: TestClient, write_key: dict[str, str]
) -> None:
    house.message(1, "pop")
    house.deliver(NOW - timedelta(days=2))
    house.message(2, "pop", due_at=NOW - timedelta(days=3))
    house.deliver(NOW - timedelta(days=2))
    with transaction(house.connection):
        house.connection.execute(
            "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at) VALUES (%s, 'anonymous_id', 'a1', 1, %s)",
            (house.workspace, NOW),
        )
    for name in ("u1", "u2"):
        params = {"userId": name, "userHash": user_hash("workspace-secret", name)}
        assert web.get("/v1/inapp", params=params, headers=write_key).json()["items"] == []
    for anonymous in ("a1", "nobody", "\x00"):
        assert web.get("/v1/inapp", params={"anonymousId": anonymous}, headers=write_key).json()["items"] == []


def test_an_empty_sink_says_what_to_do_next(web: TestClient) -> None:
    assert "Nothing has been sent yet" in web.get("/sink").text
    assert web.get("/sink/1").status_code == 404


def test_t05_the_sink_shows_each_message_as_the_contact_would_see_it(house: House, web: TestClient) -> None:
    nasty = '<script>alert(1)</script><p onclick="x()">Hi</p>"></iframe><script>alert(2)</script>'
    with transaction(house.connection):
        mail = caught.add(
            house.connection,
            Catch(
                0,
                "email",
                "p@example.com",
                "<b>Hi</b>",
                {"html": nasty, "text": "plain", "headers": {"From": "a"}},
                NOW,
            ),
        )
        hook = caught.add(house.connection, Catch(0, "webhook", "https://x", "POST", {"body": {"a": "<i>"}}, NOW))
        pop = caught.add(
            house.connection, Catch(0, "inapp", "u1", "T", {"title": "T", "body": "<b>B</b>", "url": ""}, NOW)
        )
    listed = web.get("/sink").text
    assert listed.index(f"/sink/{pop}") < listed.index(f"/sink/{hook}") < listed.index(f"/sink/{mail}")
    assert "<b>Hi</b>" not in listed
    assert f"/sink/{hook}" not in web.get("/sink?channel=email").text
    shown = web.get(f"/sink/{mail}")
    assert "<script" not in shown.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown.text
    assert "script-src" not in shown.headers["content-security-policy"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "&lt;b&gt;B&lt;/b&gt;" in web.get(f"/sink/{pop}").text
    assert "&lt;i&gt;" in web.get(f"/sink/{hook}").text


def test_the_sink_speaks_the_reader_s_language_and_names_channels_in_words(house: House, web: TestClient) -> None:
    with transaction(house.connection):
        one = caught.add(house.connection, Catch(0, "inapp", "u1", "Hi", {"title": "Hi", "body": "there"}, NOW))
    for path in ("/sink", f"/sink/{one}"):
        chinese, english = (web.get(path, headers={"Accept-Language": wish}).text for wish in ("zh-CN", "en"))
        assert '<html lang="zh-Hans"' in chinese
        assert "应用内消息" in chinese
        assert "Caught messages" not in chinese
        assert "In-app message" in english
        assert not re.search("[\u4e00-\u9fff]", english.replace(">中文<", "><"))
    assert web.get("/sink?lang=zh").cookies["journey_language"] == "zh"


def test_without_a_sink_there_are_no_such_pages(settings: Settings, web: TestClient) -> None:
    object.__setattr__(settings, "sink", False)
    assert web.get("/sink").status_code in (401, 404)


def test_the_sink_is_for_staff_and_for_browsers_on_this_machine(web: TestClient, write_key: dict[str, str]) -> None:
    for path in ("/sink", "/sink/1"):
        assert web.get(path, headers={**write_key, "Host": "evil.test"}).status_code == 401
