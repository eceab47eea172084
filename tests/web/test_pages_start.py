"""Beginning a journey in a browser: the gallery, the guide, a file; and walking one person through the draft."""

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.gallery import templates
from app.store import accounts
from app.store.accounts import Configured
from flows.document import load
from flows.validate import validate
from nodes import catalog
from tests.web.conftest import Api, Staff, flow

SAME = {"Origin": "http://testserver"}
GUIDE = "/journeys/new/guided"
TYPED = {
    "name": "Second order",
    "event": "order_paid",
    "title": "Hello",
    "text": "Come again",
    "goal": "order_paid_again",
}
Visit = Callable[[str], TestClient]


@pytest.fixture
def visit(client: TestClient, connection: Connection, staff: Staff) -> Visit:
    """A browser in which somebody of a role is signed in."""

    def enter(role: str) -> TestClient:
        with transaction(connection):
            link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
        client.post("/login", data={"token": link}, headers=SAME, follow_redirects=False)
        return client

    return enter


def fields(page: str, form: str = "") -> dict[str, str]:
    """What a form would send as it stands, roughly: inputs, texts, chosen options."""
    text = page[page.index(form) :] if form else page
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", text):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        kind = attributes.get("type", "text")
        if "name" in attributes and (kind not in ("radio", "checkbox") or " checked" in tag):
            found[html.unescape(attributes["name"])] = html.unescape(attributes.get("value", ""))
    for name, inner in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        found[name] = html.unescape(inner)
    for name, inner in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', text, re.DOTALL):
        options = re.findall(r'<option(?: value="([^"]*)")?( selected)?>([^<]*)', inner)
        value, _, word = next((one for one in options if one[1]), options[0])
        found[name] = html.unescape(value or word)
    return found


def post(browser: TestClient, path: str, **more: Any) -> httpx2.Response:
    return browser.post(path, headers={**SAME, **more.pop("headers", {})}, follow_redirects=False, **more)


def draft(api: Api, answer: httpx2.Response) -> dict[str, Any]:
    """The document of the journey that an answer leads to."""
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/journeys/(\d+)/edit", answer.headers["location"])
    assert found
    document: dict[str, Any] = api.ok("GET", f"/journeys/{found[1]}/draft")["document"]
    return document


def mailbox(connection: Connection, staff: Staff) -> None:
    with transaction(connection):
        accounts.put(connection, staff.workspace_id, "shop-mail", Configured("email", {}, ""), datetime.now(UTC))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_gallery_shows_every_template_with_its_picture(visit: Visit, language: str) -> None:
    page = visit("viewer").get(f"/templates?lang={language}").text
    for one in templates().values():
        assert html.escape(one.name.of(language), quote=False) in html.unescape(page) or one.name.of(
            language
        ) in html.unescape(page)
    assert page.count('<svg class="tiles"') == len(templates())
    scene = visit("viewer").get("/templates?scene=win_back").text
    assert scene.count('<svg class="tiles"') == sum(one.scene == "win_back" for one in templates().values())
    assert "No template for this scene yet" in visit("viewer").get("/templates?scene=nonsense&lang=en").text


@pytest.mark.parametrize("id", sorted(templates()))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_template_is_one_click_from_a_draft_without_errors(
    visit: Visit, operator: Api, id: str, language: str
) -> None:
    browser = visit("operator")
    page = browser.get(f"/templates/{id}?lang={language}")
    assert page.status_code == 200
    document = draft(
        operator, post(browser, f"/templates/{id}", data=fields(page.text, '<form method="post" class="fields"'))
    )
    assert not [one for one in validate(load(document), catalog(), accounts={}) if one.severity == "error"]


def test_only_accounts_that_exist_are_offered(
    visit: Visit, operator: Api, connection: Connection, staff: Staff
) -> None:
    browser = visit("operator")
    page = browser.get("/templates/abandoned-order?lang=en").text
    assert "No e-mail account is set up yet" in page
    assert 'name="account"' not in page
    mailbox(connection, staff)
    page = browser.get("/templates/abandoned-order").text
    assert "<option selected>shop-mail</option>" in page
    typed = fields(page, '<form method="post" class="fields"')
    sent = {
        node["settings"].get("account")
        for node in draft(operator, post(browser, "/templates/abandoned-order", data=typed))["nodes"]
    }
    assert "shop-mail" in sent
    forged = draft(operator, post(browser, "/templates/abandoned-order", data={**typed, "account": "somebody-else"}))
    assert {node["type"] for node in forged["nodes"]} & {"send.email"} == set()


def test_a_blank_that_cannot_stay_is_marked_and_nothing_typed_is_lost(visit: Visit, operator: Api) -> None:
    browser = visit("operator")
    typed = fields(browser.get("/templates/welcome?lang=en").text, '<form method="post" class="fields"')
    answer = post(browser, "/templates/welcome", data={**typed, "event": "", "link": "shop", "gift_title": "Mine <b>"})
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2
    assert "Mine &lt;b&gt;" in answer.text
    assert operator.ok("GET", "/journeys")["items"] == []
    wild = post(browser, "/templates/welcome", data={**typed, "gift_title": "{{ contact.name"})
    assert (wild.status_code, operator.ok("GET", "/journeys")["items"]) == (422, [])


def test_a_viewer_may_look_but_not_make(visit: Visit) -> None:
    browser = visit("viewer")
    page = browser.get("/templates/welcome?lang=en").text
    assert "Your role may look at templates" in page
    assert "Use this template" not in page
    for path in ("/templates/welcome", "/journeys/new", "/journeys/new/import", "/journeys/new/guided"):
        assert post(browser, path, data={}).status_code == 403
    assert browser.get("/journeys/new").status_code == 403
    assert browser.get("/templates/nothing").status_code == 404


def test_another_site_cannot_make_a_journey(visit: Visit) -> None:
    answer = visit("operator").post("/journeys/new", headers={"Origin": "https://evil.example"}, follow_redirects=False)
    assert answer.status_code == 403


def test_an_empty_canvas_is_one_click_away(visit: Visit, operator: Api) -> None:
    browser = visit("operator")
    page = browser.get("/journeys/new?lang=en").text
    assert "From a template" in page
    assert draft(operator, post(browser, "/journeys/new"))["nodes"] == []
    assert [one["name"] for one in operator.ok("GET", "/journeys")["items"]] == ["New journey"]


def test_a_journey_begins_inside_its_plan_by_every_way(visit: Visit, operator: Api, connection: Connection) -> None:
    browser = visit("operator")
    plan = operator.ok("POST", "/plans", {"name": "Spring", "scene": "retain"})["id"]
    page = browser.get(f"/journeys/new?plan={plan}").text
    ways = set(re.findall(rf'href="([^"]+)\?plan={plan}"', page))
    assert {"/templates", "/journeys/new/guided", "/templates/welcome"} <= ways
    post(browser, "/journeys/new", data={"plan": plan})
    post(browser, "/journeys/new/import", data={"plan": plan}, files={"file": ("a.json", json.dumps(flow()))})
    form = fields(browser.get(f"/templates/welcome?plan={plan}").text, '<form method="post" class="fields"')
    assert form["plan"] == str(plan)
    post(browser, "/templates/welcome", data=form)
    post(browser, GUIDE, data={**TYPED, "plan": str(plan), "step": "overview", "go": "create"})
    post(browser, "/journeys/new", data={"plan": "999999"})
    found = connection.execute("SELECT plan_id, count(*) FROM journey GROUP BY 1 ORDER BY 1 NULLS LAST").fetchall()
    assert found == [(plan, 4), (None, 1)]


def test_a_file_becomes_a_draft_or_says_which_field_is_wrong(visit: Visit, operator: Api) -> None:
    browser = visit("operator")
    whole = post(browser, "/journeys/new/import", files={"file": ("order-not-paid.json", json.dumps(flow()))})
    assert [node["id"] for node in draft(operator, whole)["nodes"]] == ["start", "pause", "note", "end"]
    assert [one["name"] for one in operator.ok("GET", "/journeys")["items"]] == ["order not paid"]
    text = "schema: 1\nnodes:\n  - {id: a b, type: entry.event}\n"
    broken = post(browser, "/journeys/new/import", files={"file": ("mine.yaml", text)})
    assert broken.status_code == 422
    assert "<code>nodes[0].id</code>" in broken.text
    for bad in ("", "\x00\xff", "[1", "nodes: &a [*a]", '{"schema": 99}'):
        assert post(browser, "/journeys/new/import", files={"file": ("mine.yaml", bad)}).status_code == 422
    assert len(operator.ok("GET", "/journeys")["items"]) == 1


def test_the_guide_walks_four_steps_and_ends_on_a_valid_draft(visit: Visit, operator: Api) -> None:
    browser = visit("operator")
    page = browser.get(f"{GUIDE}?lang=en").text
    for step in ("plan", "audience", "tool", "effect"):
        form = fields(page, '<form method="post" action="/journeys/new/guided"')
        assert form["step"] == step
        own = {name: text for name, text in TYPED.items() if f'id="{name}"' in page}
        answer = post(browser, GUIDE, data={**form, **own, "go": "next"})
        assert answer.status_code == 200, answer.text
        page = answer.text
    assert "This is what happens" in page
    form = fields(page, '<form method="post" action="/journeys/new/guided"')
    back = fields(post(browser, GUIDE, data={**form, "go": "back"}).text, "/journeys/new/guided")
    assert (back["step"], back["goal"], back["title"]) == ("effect", "order_paid_again", "Hello")
    document = draft(operator, post(browser, GUIDE, data={**form, "go": "create"}))
    assert validate(load(document), catalog(), accounts={}) == []
    assert [one["name"] for one in operator.ok("GET", "/journeys")["items"]] == ["Second order"]


def test_the_guide_says_what_is_missing_and_keeps_what_was_typed(visit: Visit, operator: Api) -> None:
    browser = visit("operator")
    answer = post(browser, GUIDE, data={"step": "tool", "go": "next", "text": "Kept <i>", "name": "Also kept"})
    assert answer.status_code == 422
    assert "Kept &lt;i&gt;" in answer.text
    assert fields(answer.text)["name"] == "Also kept"
    early = post(browser, GUIDE, data={"step": "overview", "go": "create", "name": "Only a name"})
    assert early.status_code == 422
    assert fields(early.text)["step"] == "audience"
    jumped = post(browser, GUIDE, data={"step": "plan", "go": "overview", "name": "Only a name"})
    assert fields(jumped.text)["step"] == "audience"
    assert operator.ok("GET", "/journeys")["items"] == []


def test_the_audience_is_counted_as_it_is_chosen(visit: Visit) -> None:
    browser = visit("operator")
    typed = {"who": "rule", "what.0": "attribute", "of.0": "city", "op.0": "eq", "value.0": "上海"}
    assert "0 people now" in post(browser, f"{GUIDE}/count?lang=en", data=typed).text
    assert "value" in post(browser, f"{GUIDE}/count", data={**typed, "value.0": ""}).text


@pytest.fixture
def journey(operator: Api) -> int:
    made = operator.ok("POST", "/journeys", {"name": "Order not paid", "document": flow()})
    return int(made["id"])


def state(page: str) -> dict[str, str]:
    """What the panel carries from answer to answer."""
    return fields(page, '<div id="sim-state"')


def test_somebody_walks_a_draft_at_the_reader_s_hand(visit: Visit, journey: int) -> None:
    browser, path = visit("viewer"), f"/journeys/{journey}/simulate"
    page = browser.get(f"{path}?lang=en").text
    assert "Somebody who fits the entry" in page
    begun = post(browser, path, data={"do": "start"}, headers={"HX-Request": "true"})
    assert "order_submitted" in begun.text
    assert "<html" not in begun.text
    said = json.loads(begun.headers["hx-trigger"])["simulated"]
    assert said == {"path": [{"node": "start", "port": "next"}], "at": "pause", "entered": True}
    after = post(browser, path, data={**state(begun.text), "do": "next"})
    assert "Your order waits" in after.text
    assert "Came to the end" in after.text
    assert json.loads(after.headers["hx-trigger"])["simulated"]["at"] == "end"
    again = post(browser, path, data={**state(after.text), "do": "back"})
    assert "Came to the end" not in again.text


def test_the_drawn_draft_walks_before_it_is_saved(visit: Visit, journey: int) -> None:
    browser, path = visit("viewer"), f"/journeys/{journey}/simulate"
    drawn = flow(duration="PT3H")
    drawn["nodes"][2]["settings"]["title"] = "Not <b>saved</b> yet"
    begun = post(browser, path, data={"do": "start", "document": json.dumps(drawn)})
    after = post(browser, path, data={**state(begun.text), "do": "wait", "amount": "3", "unit": "H"})
    assert "Not &lt;b&gt;saved&lt;/b&gt; yet" in after.text


def test_what_is_wrong_with_the_draft_is_said_instead(visit: Visit, journey: int) -> None:
    browser, path = visit("viewer"), f"/journeys/{journey}/simulate"
    broken = flow(duration="P1Y")
    for document in (json.dumps(broken), "{", '{"schema": 1, "nodes": 5}'):
        answer = post(browser, f"{path}?lang=en", data={"do": "start", "document": document})
        assert "Mend this first" in answer.text


@pytest.mark.parametrize(
    "typed",
    [
        {"do": "next", "story": "{"}, {"do": "next", "story": ""}, {"do": "next", "story": '{"start": "soon"}'},
        {"do": "start", "start": "yesterday"}, {"do": "start", "attributes": "no sign"}, {"do": "start", "contact": "nobody"},
        {"do": "start", "past.0.event": "x", "past.0.days": "many"}, {"do": "start", "properties": '{"a": 1}'},
        {"do": "next", "story": json.dumps({"start": "2026-01-01T00:00:00Z", "happenings": [{"do": "next"}] * 501})},
    ],
)  # fmt: skip
def test_a_story_that_cannot_be_read_is_refused_in_words(visit: Visit, journey: int, typed: dict[str, str]) -> None:
    answer = post(visit("viewer"), f"/journeys/{journey}/simulate", data=typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_real_contact_is_read_and_never_written(
    visit: Visit, journey: int, operator: Api, client: TestClient, staff: Staff, connection: Connection
) -> None:
    sent = client.post(
        "/v1/identify",
        json={"userId": "u7", "traits": {"name": "Wei", "email": "wei@example.com"}},
        auth=(staff.keys["ingest"], ""),
    )
    assert sent.status_code == 200
    contact = operator.ok("GET", "/contacts?identity=user_id:u7")["items"][0]
    begun = post(visit("viewer"), f"/journeys/{journey}/simulate", data={"do": "start", "contact": "u7"})
    assert json.loads(state(begun.text)["story"])["person"]["contact"] == int(contact["id"])
    written = "SELECT (SELECT count(*) FROM enrollment), (SELECT count(*) FROM message), (SELECT count(*) FROM event)"
    assert connection.execute(written).fetchone() == (0, 0, 0)


def test_the_drafts_of_others_are_not_there(visit: Visit, others: Staff, client: TestClient) -> None:
    theirs = Api(client, others.keys["operator"]).ok("POST", "/journeys", {"name": "Theirs", "document": flow()})["id"]
    assert visit("admin").get(f"/journeys/{theirs}/simulate").status_code == 404
