"""The list of journeys and the plans: found, filtered, in pages, archived and brought back; the palette finds things too."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from tests.web.browsing import HERE, post, said, sign_in, statements_of
from tests.web.conftest import Api, Staff, flow

Enter = Callable[[str], TestClient]
NASTY = '"><img src=x onerror=alert(1)>{{ 7*7 }}'


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def made(operator: Api, name: str, **more: object) -> int:
    return int(operator.ok("POST", "/journeys", {"name": name, "document": flow(), **more})["id"])


def names(page: str) -> list[str]:
    """The journeys of the list, in order."""
    return re.findall(r'<td class="title">\s*<a href="/journeys/\d+">([^<]*)</a>', page)


def test_an_empty_list_offers_a_template_the_guide_and_an_empty_canvas(enter: Enter) -> None:
    page = enter("operator").get("/journeys", headers=HERE).text
    assert "No journey yet" in page
    for way in ('href="/templates"', 'href="/journeys/new/guided"', 'hx-post="/journeys"'):
        assert way in page


def test_a_list_in_which_nothing_fits_offers_to_clear_the_filters(enter: Enter, operator: Api) -> None:
    made(operator, "Welcome")
    page = enter("viewer").get("/journeys?q=nothing-like-it", headers=HERE).text
    assert "No journey is like that" in page
    assert names(page) == []


def test_journeys_are_found_by_name_state_plan_and_whose_they_are(
    enter: Enter, operator: Api, reviewer: Api, publish: Callable[..., int]
) -> None:
    plan = operator.ok("POST", "/plans", {"name": "Spring", "scene": "retain"})["id"]
    publish(name="Order not paid")
    made(operator, "Welcome", plan_id=plan)
    made(reviewer, "WELCOME back")
    browser = enter("operator")

    def found(query: str) -> list[str]:
        return sorted(names(browser.get(f"/journeys?{query}", headers=HERE).text))

    assert found("") == ["Order not paid", "WELCOME back", "Welcome"]
    assert found("q=&status=&plan=&sort=changed") == found("")  # what the form sends as it stands
    assert found("q=welcome") == ["WELCOME back", "Welcome"]
    assert found("status=live") == ["Order not paid"]
    assert found(f"plan={plan}") == ["Welcome"]
    assert found("plan=0") == ["Order not paid", "WELCOME back"]
    assert found("mine=true") == ["Order not paid", "Welcome"]
    assert found("archived=true") == []


@pytest.mark.parametrize("sort", ["changed", "name", "new"])
def test_pages_of_every_order_hold_each_journey_once(
    enter: Enter, operator: Api, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("app.web.lists.A_PAGE", 3)
    wanted = [f"Journey {letter}" for letter in "hgfedcba"]
    for name in wanted:
        made(operator, name)
    browser, seen, address = enter("viewer"), [], f"/journeys?sort={sort}"
    while address:
        page = browser.get(address, headers=HERE).text
        seen += names(page)
        later = re.search(r'href="(/journeys\?[^"]*after=[^"]*)"', page)
        address = later[1].replace("&amp;", "&") if later else ""
    assert sorted(seen) == sorted(wanted)
    assert len(seen) == 8
    if sort == "name":
        assert seen == sorted(wanted)


def test_a_forged_place_is_refused_and_breaks_nothing(enter: Enter, operator: Api) -> None:
    made(operator, "Welcome")
    for place in ("nonsense", "WzEsMl0", "WyJzb29uIiwxXQ"):
        assert enter("viewer").get(f"/journeys?after={place}", headers=HERE).status_code == 422


def test_a_hostile_name_is_only_text(enter: Enter, operator: Api) -> None:
    plan = operator.ok("POST", "/plans", {"name": NASTY, "scene": "acquire", "target": NASTY})["id"]
    made(operator, NASTY, plan_id=plan)
    browser = enter("operator")
    for path in ("/journeys", "/plans", f"/plans/{plan}", "/"):
        page = browser.get(path, headers=HERE).text
        assert "<img src=x" not in page, path
        assert "{{ 7*7 }}" in page, path


def test_archiving_puts_out_of_sight_and_the_toast_brings_back(enter: Enter, operator: Api) -> None:
    first, second = made(operator, "One"), made(operator, "Two")
    browser = enter("operator")
    news = said(post(browser, "/journeys/archive", id=[first, second]))
    assert "2" in news["text"]
    assert names(browser.get("/journeys", headers=HERE).text) == []
    assert sorted(names(browser.get("/journeys?archived=true", headers=HERE).text)) == ["One", "Two"]
    post(browser, news["undo"])
    assert sorted(names(browser.get("/journeys", headers=HERE).text)) == ["One", "Two"]


def test_a_live_journey_cannot_be_archived_and_it_is_said_why(
    enter: Enter, operator: Api, publish: Callable[..., int]
) -> None:
    live, draft = publish(), made(operator, "Draft")
    browser = enter("operator")
    refused = post(browser, f"/journeys/{live}/archive")
    assert refused.status_code == 409
    assert "Pause or stop it first" in said(refused)["text"]
    menu = browser.get(f"/journeys/{live}/menu", headers=HERE).text
    assert "cannot be archived" in menu
    assert f"/journeys/{live}/archive" not in menu
    assert f"/journeys/{draft}/archive" in browser.get(f"/journeys/{draft}/menu", headers=HERE).text
    assert "live ones stayed" in said(post(browser, "/journeys/archive", id=[live, draft]))["text"]
    assert names(browser.get("/journeys", headers=HERE).text) == ["Order not paid"]


def test_an_archived_journey_that_goes_on_is_in_sight_again(
    enter: Enter, operator: Api, publish: Callable[..., int]
) -> None:
    journey, browser = publish(), enter("operator")
    post(browser, f"/journeys/{journey}/state", to="paused")
    post(browser, f"/journeys/{journey}/archive")
    assert names(browser.get("/journeys", headers=HERE).text) == []
    post(browser, f"/journeys/{journey}/state", to="live")
    assert names(browser.get("/journeys", headers=HERE).text) == ["Order not paid"]
    assert operator.ok("GET", f"/journeys/{journey}")["status"] == "live"


def test_a_copy_is_a_new_draft_of_whoever_made_it(enter: Enter, operator: Api, reviewer: Api) -> None:
    journey = made(operator, "N" * 200)
    led = post(enter("reviewer"), f"/journeys/{journey}/duplicate").headers["HX-Redirect"]
    copy = reviewer.ok("GET", f"/journeys/{led.split('/')[2]}")
    assert copy["status"] == "draft"
    assert copy["name"].endswith("(copy)")
    assert copy["created_by"] != operator.ok("GET", f"/journeys/{journey}")["created_by"]


def test_journeys_are_laid_into_plans_of_their_own_workspace_only(
    enter: Enter, operator: Api, others: Staff, client: TestClient
) -> None:
    theirs = Api(client, others.keys["operator"]).ok("POST", "/plans", {"name": "Theirs", "scene": "retain"})["id"]
    ours = operator.ok("POST", "/plans", {"name": "Ours", "scene": "retain"})["id"]
    journey, browser = made(operator, "Welcome"), enter("operator")
    assert post(browser, "/journeys/move", id=[journey], plan=theirs).status_code == 404
    assert operator("POST", "/journeys", {"name": "A", "document": flow(), "plan_id": theirs}).status_code == 404
    post(browser, "/journeys/move", id=[journey], plan=ours)
    assert "Welcome" in browser.get(f"/plans/{ours}", headers=HERE).text
    assert operator.ok("GET", f"/plans/{ours}")["journeys"] == 1
    post(browser, "/journeys/move", id=[journey], plan="")
    assert operator.ok("GET", f"/plans/{ours}")["journeys"] == 0


def test_a_viewer_sees_no_deeds_and_may_do_none(enter: Enter, operator: Api) -> None:
    journey = made(operator, "Welcome")
    browser = enter("viewer")
    page = browser.get("/journeys", headers=HERE).text
    assert "Duplicate" not in browser.get(f"/journeys/{journey}/menu", headers=HERE).text
    assert 'type="checkbox" name="id"' not in page
    assert post(browser, f"/journeys/{journey}/archive").status_code == 403


def test_numbers_of_the_rows_are_those_that_were_counted(
    enter: Enter, connection: Connection, staff: Staff, publish: Callable[..., int]
) -> None:
    journey = publish()
    counted = [("entered", 10), ("completed", 4), ("exited", 4), ("failed", 1), ("!goal", 3)]
    with transaction(connection):
        for port, count in counted:
            connection.execute(
                "INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)"
                " VALUES (%s, %s, 1, '', %s, now(), %s)",
                (staff.workspace_id, journey, port, count),
            )
    browser = enter("viewer")
    for path in ("/journeys", f"/journeys/numbers?id={journey}"):
        page = browser.get(path, headers=HERE).text
        assert f'<span data-live="{journey}-active"><b>1</b></span>' in page
        assert "33% by goal" in page
        assert "10 entered in two weeks" in page
        assert "1 stuck" in page


def test_the_list_asks_as_many_questions_for_thirty_journeys_as_for_two(
    enter: Enter, operator: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(operator, "One")
    made(operator, "Two")
    browser = enter("viewer")
    few = statements_of(monkeypatch, browser, "/journeys")
    for number in range(28):
        made(operator, f"Journey {number}")
    many = statements_of(monkeypatch, browser, "/journeys")
    assert len(many) == len(few)
    assert len([one for one in many if "SELECT" in one]) <= 9


def test_a_plan_is_written_mended_and_put_out_of_sight(enter: Enter, operator: Api) -> None:
    browser = enter("operator")
    assert "No plan yet" in browser.get("/plans", headers=HERE).text
    wrong = post(browser, "/plans", name="", scene="retain", starts_on="2026-05-02", ends_on="2026-05-01")
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert (
        "lies before the first"
        in post(browser, "/plans", name="Spring", scene="retain", starts_on="2026-05-02", ends_on="2026-05-01").text
    )
    place = post(browser, "/plans", name="Spring", scene="retain", target="500 come back").headers["HX-Redirect"]
    assert "500 come back" in browser.get(place, headers=HERE).text
    post(browser, place, name="Summer", scene="convert", target="")
    assert operator.ok("GET", f"/plans/{place.split('/')[2]}")["name"] == "Summer"
    undo = said(post(browser, f"{place}/archive"))["undo"]
    assert "Summer" not in browser.get("/plans", headers=HERE).text
    assert "Summer" in browser.get("/plans?archived=true", headers=HERE).text
    post(browser, undo)
    assert "Summer" in browser.get("/plans", headers=HERE).text


def test_plans_over_the_api_are_made_listed_changed_and_archived(operator: Api, viewer: Api) -> None:
    sample = {"name": "Spring", "scene": "win_back", "target": "500", "starts_on": "2026-03-01", "ends_on": None}
    made_plan = operator.ok("POST", "/plans", sample)
    assert made_plan["starts_on"] == "2026-03-01"
    changed = operator.ok("PUT", f"/plans/{made_plan['id']}", {"name": "Summer", "scene": "retain"})
    assert (changed["name"], changed["target"], changed["starts_on"]) == ("Summer", "", None)
    assert [plan["name"] for plan in viewer.ok("GET", "/plans")["items"]] == ["Summer"]
    assert viewer("POST", "/plans", sample).status_code == 403
    assert operator("POST", "/plans", {**sample, "ends_on": "2026-01-01"}).status_code == 422
    operator.ok("POST", f"/plans/{made_plan['id']}/archive", {"archived": True})
    assert viewer.ok("GET", "/plans")["items"] == []
    assert len(viewer.ok("GET", "/plans?archived=true")["items"]) == 1


def test_the_palette_finds_journeys_plans_and_people_by_name_but_no_others(
    enter: Enter, operator: Api, publish: Callable[..., int], others: Staff, client: TestClient
) -> None:
    journey = publish(name="Spring welcome")
    operator.ok("POST", "/plans", {"name": "Spring", "scene": "retain"})
    operator.ok("POST", f"/journeys/{journey}/enroll", {"user_id": "spring", "idempotency_key": "1"})
    Api(client, others.keys["operator"]).ok("POST", "/journeys", {"name": "Spring of theirs", "document": flow()})
    found = enter("viewer").get("/find?q=SPRING", headers=HERE).json()["items"]
    assert [(one["kind"], one["title"]) for one in found] == [("journey", "Spring welcome"), ("plan", "Spring")]
    people = client.get("/find?q=spring", headers=HERE).json()["items"]
    assert ("contact", "spring") in [(one["kind"], one["title"]) for one in people]
    assert client.get("/find?q=", headers=HERE).json() == {"items": []}
