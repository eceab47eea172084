"""The page of the canvas: who may draw, what the page brings along, and that operators' words stay words."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.web.files import Files
from nodes import catalog
from tests.web.conftest import Api, Staff, flow

HERE = {"Origin": "http://testserver"}
Visit = Callable[[str], TestClient]


@pytest.fixture
def visit(client: TestClient, connection: Connection, staff: Staff) -> Visit:
    """A browser in which somebody of this role is signed in."""

    def go(role: str) -> TestClient:
        with transaction(connection):
            link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
        client.cookies.clear()
        assert client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code == 303
        return client

    return go


def made(operator: Api, document: dict[str, Any] | None = None, name: str = "Order not paid") -> int:
    return int(operator.ok("POST", "/journeys", {"name": name, "document": document or flow()})["id"])


def data_of(text: str) -> Any:
    block = re.search(r'<script type="application/json" id="canvas-data">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    return json.loads(block[1])


def test_a_draft_leads_to_the_editor_and_a_live_journey_to_its_live_view(
    visit: Visit, operator: Api, publish: Callable[..., int]
) -> None:
    draft, live = made(operator), publish()
    browser = visit("operator")
    assert browser.get(f"/journeys/{draft}", follow_redirects=False).headers["location"] == f"/journeys/{draft}/edit"
    assert browser.get(f"/journeys/{live}", follow_redirects=False).headers["location"] == f"/journeys/{live}/live"
    assert browser.get("/journeys/999999", follow_redirects=False).status_code == 404


def test_the_page_brings_everything_the_canvas_needs_to_draw_at_once(visit: Visit, operator: Api) -> None:
    journey = made(operator)
    page = visit("operator").get(f"/journeys/{journey}/edit")
    assert page.status_code == 200
    data = data_of(page.text)
    assert data["mode"] == "edit"
    assert data["journey"] == {
        "id": journey, "name": "Order not paid", "status": "draft", "revision": 1, "live": False, "version": None,
    }  # fmt: skip
    assert data["can"] == {"edit": True, "submit": True, "review": False, "publish": True, "run": True, "comment": True}
    assert [node["id"] for node in data["document"]["nodes"]] == ["start", "pause", "note", "end"]
    assert data["facets"]["pause"]["summary"]
    assert set(data["types"]) == set(catalog())
    assert next(iter(data["types"])) == "entry.event"
    assert data["problems"] == []
    for name, address in data["urls"].items():
        assert str(journey) in address, name
    for type_ in data["types"]:
        assert f'id="type-{type_}"' in page.text


def test_who_may_not_edit_sees_the_draft_and_gets_nothing_to_change_it_with(visit: Visit, operator: Api) -> None:
    journey = made(operator)
    page = visit("viewer").get(f"/journeys/{journey}/edit").text
    data = data_of(page)
    assert (data["mode"], data["can"]["edit"]) == ("version", False)
    for control in ('id="palette"', 'id="undo"', 'id="journey-name"', 'id="tidy"', "canvas/edit.js"):
        assert control not in page, control
    assert 'id="canvas"' in page


def test_words_of_operators_cannot_leave_their_place_t05(visit: Visit, operator: Api) -> None:
    evil = "</script><script>alert(1)</script><!-- ' \" & {{ 7*7 }}"
    document = flow()
    document["nodes"][0]["name"] = evil
    document["notes"] = [{"id": "n", "text": evil}]
    page = visit("operator").get(f"/journeys/{made(operator, document, name=evil)}/edit").text
    data = data_of(page)
    assert data["journey"]["name"] == evil
    assert data["document"]["nodes"][0]["name"] == data["document"]["notes"][0]["text"] == evil
    assert data["facets"]["start"]["title"] == evil
    assert "alert(1)</script>" not in page
    assert "49" not in data["journey"]["name"]


def test_the_palette_speaks_the_reader_s_language(visit: Visit, operator: Api) -> None:
    journey = made(operator)
    data = data_of(visit("operator").get(f"/journeys/{journey}/edit", headers={"Accept-Language": "zh-CN"}).text)
    assert data["language"] == "zh"
    for name, shown in data["types"].items():
        assert re.search("[一-鿿]", shown["group_title"]), name
    assert data["types"]["wait.duration"]["title"] == "等待"
    assert "wait" in data["types"]["wait.duration"]["searchable"], "English words still find it"


def test_a_new_step_starts_with_the_only_account_there_is(visit: Visit, operator: Api, admin: Api) -> None:
    journey = made(operator)
    settings = {"url": "https://example.com/hook"}
    before = data_of(visit("operator").get(f"/journeys/{journey}/edit").text)["types"]["send.webhook"]["settings"]
    answer = admin("POST", "/accounts", {"name": "crm", "channel": "webhook", "settings": settings})
    after = data_of(visit("operator").get(f"/journeys/{journey}/edit").text)["types"]["send.webhook"]["settings"]
    assert before == {}
    assert (after == {"account": "crm"}) == answer.is_success


def test_a_draft_that_was_handed_in_says_so_until_it_changes(visit: Visit, operator: Api, reviewer: Api) -> None:
    journey = made(operator)
    browser = visit("operator")
    assert data_of(browser.get(f"/journeys/{journey}/edit").text)["submission"] is None
    handed = operator.ok("POST", f"/journeys/{journey}/submit")
    shown = data_of(browser.get(f"/journeys/{journey}/edit").text)["submission"]
    assert shown == {"status": "open", "content_hash": handed["content_hash"], "own": True}
    reviewer.ok("POST", f"/journeys/{journey}/reviews", {"decision": "approve", "content_hash": handed["content_hash"]})
    assert data_of(browser.get(f"/journeys/{journey}/edit").text)["submission"]["status"] == "approved"
    changed = {"document": flow(duration="PT20M")}
    operator.ok("PUT", f"/journeys/{journey}/draft", changed, headers={"If-Match": '"1"'})
    assert data_of(browser.get(f"/journeys/{journey}/edit").text)["submission"] is None


def test_a_dropped_file_is_read_and_a_wrong_one_is_explained(visit: Visit, operator: Api) -> None:
    journey = made(operator)
    browser = visit("operator")
    text = "schema: 1\nnodes:\n- {id: in, type: entry.event, settings: {event: x}}\nedges: []\n"
    read = browser.post(f"/journeys/{journey}/read", json={"text": text}, headers=HERE)
    assert read.status_code == 200
    assert read.json()["document"]["nodes"][0] == {
        "id": "in", "type": "entry.event", "version": 1, "settings": {"event": "x"},
    }  # fmt: skip
    wrong = browser.post(f"/journeys/{journey}/read", json={"text": "nodes: [{id: 'a b'}]"}, headers=HERE)
    assert wrong.status_code == 422
    assert wrong.json()["errors"]
    assert browser.post(f"/journeys/{journey}/read", json={"text": "x"}).status_code == 403, "another site sent it"


def test_the_page_asks_for_all_its_modules_at_once_and_for_none_that_comes_later(visit: Visit, operator: Api) -> None:
    page = visit("operator").get(f"/journeys/{made(operator)}/edit").text
    asked = set(re.findall(r'<link rel="modulepreload" href="/static/[0-9a-f]+/([^"]+)">', page))
    assert {"js/canvas/edit.js", "js/canvas/main.js", "js/canvas/editor.js", "js/dom.js"} <= asked
    assert not {"js/canvas/export.js", "js/canvas/outline.js", "js/canvas/conflict.js"} & asked


def test_the_editor_s_scripts_are_sent_lean_and_packed_within_their_budget(visit: Visit, operator: Api) -> None:
    page = visit("operator").get(f"/journeys/{made(operator)}/edit").text
    files = Files()
    asked = set(re.findall(r'"/static/[0-9a-f]+/([^"]+[.]js)"', page))
    assert len(asked) > 30
    packed = {path: len(file.packed or file.plain) for path, file in files._files.items() if path in asked}
    assert sum(packed.values()) <= 90_000, sorted(packed.items(), key=lambda one: -one[1])[:9]
    assert b"@param" not in files._files["js/canvas/editor.js"].plain


def test_the_layout_s_worker_may_load_its_library(client: TestClient) -> None:
    build = client.get("/static/x/js/canvas/layout.worker.js")
    assert build.headers["Content-Security-Policy"] == "default-src 'none'; script-src 'self'"
