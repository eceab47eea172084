"""The first page: who may see it, what it shows, in which language, and that operators' words stay words."""

import asyncio
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from app import auth
from app.database import Connection, transaction
from app.web.picture import WIDTH, draw
from nodes import catalog
from tests.web.browsing import sign_in
from tests.web.conftest import Api, Staff, flow

NOW = datetime.now(UTC)


@pytest.fixture
def visitor(client: TestClient, connection: Connection, staff: Staff) -> TestClient:
    """A browser that somebody signed in with."""
    with transaction(connection):
        link = auth.login(connection, staff.user_ids["viewer"], staff.workspace_id, datetime.now(UTC))
    answer = client.post(
        "/login", data={"token": link}, headers={"Origin": "http://testserver"}, follow_redirects=False
    )
    assert answer.status_code == 303
    return client


def test_who_has_no_session_is_shown_a_friendly_door(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/login"
    assert client.get("/fragments/journeys", follow_redirects=False).status_code == 303
    page = client.get("/")
    assert page.status_code == 200
    assert "Sign in to Journey Canvas" in page.text


def test_a_session_that_was_ended_opens_nothing(visitor: TestClient) -> None:
    assert visitor.get("/", follow_redirects=False).status_code == 200
    kept = dict(visitor.cookies)
    visitor.post("/logout", headers={"Origin": "http://testserver"})
    visitor.cookies.update(kept)
    assert visitor.get("/", follow_redirects=False).status_code == 303


def test_an_empty_workspace_says_what_to_do_next(visitor: TestClient) -> None:
    page = visitor.get("/").text
    assert "No journey yet" in page
    assert "Nothing has been sent yet" in page
    assert "demo data" not in page


def test_journeys_of_others_are_not_there(visitor: TestClient, operator: Api, others: Staff) -> None:
    operator.ok("POST", "/journeys", {"name": "Ours & <b>bold</b>", "document": flow()})
    Api(visitor, others.keys["operator"]).ok("POST", "/journeys", {"name": "Of the rival", "document": flow()})
    page = visitor.get("/").text
    assert "Ours &amp; &lt;b&gt;bold&lt;/b&gt;" in page
    assert "Of the rival" not in page


def test_a_reader_s_language_is_spoken_and_remembered(visitor: TestClient) -> None:
    assert "旅程" in visitor.get("/", headers={"Accept-Language": "zh-CN"}).text
    assert '<html lang="zh-Hans"' in visitor.get("/?lang=zh").text
    assert '<html lang="zh-Hans"' in visitor.get("/", headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in visitor.get("/?lang=en").text


def test_nothing_from_elsewhere_runs_in_the_page(visitor: TestClient) -> None:
    answer = visitor.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_picture_shows_who_came_through_and_who_waits() -> None:
    counts = {("start", ""): 9, ("start", "next"): 9, ("pause", ""): 9, ("pause", "next"): 5, ("pause", "!end"): 1}
    picture = draw(flow(), catalog(plugins=False), counts, str)
    cards = {card.id: card for card in picture.cards}
    assert (cards["start"].waiting, cards["pause"].waiting, cards["pause"].ended) == (0, 3, 1)
    assert [card.x for card in picture.cards] == sorted(card.x for card in picture.cards)
    assert all(card.x + WIDTH <= picture.width and card.y + card.height <= picture.height for card in picture.cards)
    assert len(picture.lines) == 3


def test_a_draft_that_is_not_whole_has_no_picture_and_breaks_nothing(visitor: TestClient, operator: Api) -> None:
    broken = flow()
    broken["nodes"][1]["settings"] = {"duration": "soon"}
    assert draw(broken, catalog(plugins=False), {}, str).cards == []
    operator.ok("POST", "/journeys", {"name": "Half", "document": broken})
    assert "not whole yet" in visitor.get("/").text


def test_a_picture_of_a_circle_is_drawn_too() -> None:
    round_ = flow()
    round_["edges"][2] = {"from": "note", "port": "next", "to": "pause"}
    picture = draw(round_, catalog(plugins=False), {}, str)
    assert len(picture.cards) == 4
    assert any("C" in line for line in picture.lines)


def test_who_leaves_while_still_speaking_is_no_fault_of_ours(
    client: TestClient, connection: Connection, staff: Staff, operator: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = operator.ok("POST", "/journeys", {"name": "A", "document": flow()})["id"]
    browser = sign_in(client, connection, staff, "operator")
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    path = f"/journeys/{journey}/nodes/start/panel/apply"
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "state": dict(client.app_state), "http_version": "1.1",
        "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        "headers": [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie.encode()),
                    (b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"100")],
    }  # fmt: skip
    said: list[Message] = [
        {"type": "http.request", "body": b"settings.event=a", "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return said.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    capsys.readouterr()
    asyncio.run(client.app(scope, receive, send))
    assert said == [], answered
    assert answered == []
    assert "unexpected" not in "".join(capsys.readouterr())
