"""Plans over the API and on their pages: targets with progress, budgets, field errors, seasons that are told of."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import reckoning
from app.database import Connection, transaction
from nodes import catalog
from tests.web.browsing import HERE, post, sign_in, statements_of
from tests.web.conftest import Api, Staff, flow, go_live

PLAN: dict[str, Any] = {
    "name": "Spring",
    "scene": "win_back",
    "target": "500 buy again",
    "starts_on": "2026-03-01",
    "ends_on": "2026-05-31",
    "measure": {"metric": "event_people", "event": "order_paid", "baseline": 0, "value": 500, "deadline": "2099-05-31"},
    "cadence": "one_off",
    "budget": {"amount": 20, "currency": "EUR", "costs": {"email": 0.01}, "over": "hold"},
}
FORM = {
    "name": "Spring",
    "scene": "retain",
    "measure.metric": "revenue",
    "measure.event": "order_paid",
    "measure.property": "amount",
    "measure.baseline": "0",
    "measure.value": "1200.5",
    "measure.deadline": "2099-01-01",
    "budget.amount": "30",
    "budget.currency": "CNY",
    "budget.costs.email": "0.02",
    "budget.costs.inapp": "",
    "budget.over": "hold",
}


@pytest.fixture
def browser(client: TestClient, connection: Connection, staff: Staff) -> TestClient:
    return sign_in(client, connection, staff, "operator")


def count(connection: Connection) -> int:
    with transaction(connection):
        return reckoning.reckon(connection, catalog(), datetime.now(UTC))


def test_a_plan_says_over_the_api_what_it_was_told(operator: Api) -> None:
    made = operator.ok("POST", "/plans", PLAN)
    for name, value in PLAN.items():
        shown = made[name]
        assert shown == (
            value if not isinstance(value, dict) else {"property": None, **value} if name == "measure" else value
        )
    assert operator.ok("GET", f"/plans/{made['id']}") == made
    assert [one["id"] for one in operator.ok("GET", "/plans?scene=win_back")["items"]] == [made["id"]]
    assert operator.ok("GET", "/plans?scene=retain")["items"] == []


def test_somebody_else_s_change_is_not_written_over_unread(operator: Api) -> None:
    made = operator("POST", "/plans", PLAN)
    path, tag = f"/plans/{made.json()['id']}", made.headers["ETag"]
    assert operator("GET", path).headers["ETag"] == tag
    first = operator("PUT", path, {**PLAN, "name": "Mine"}, headers={"If-Match": tag})
    assert first.status_code == 200
    assert first.headers["ETag"] != tag
    late = operator("PUT", path, {**PLAN, "name": "Theirs"}, headers={"If-Match": tag})
    assert (late.status_code, late.headers["ETag"]) == (412, first.headers["ETag"])
    assert operator.ok("GET", path)["name"] == "Mine"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"scene": "party"}, "scene", "must be one of"),
        ({"measure": {"metric": "goal_people", "value": 5}}, "measure.deadline", "is needed"),
        ({"measure": {**PLAN["measure"], "event": None}}, "measure.event", "choose the event that is counted"),
        (
            {"measure": {**PLAN["measure"], "metric": "revenue"}},
            "measure.property",
            "choose the property that is summed",
        ),
        ({"measure": {**PLAN["measure"], "metric": "goal_people"}}, "measure.event", "this metric does not use it"),
        ({"measure": {**PLAN["measure"], "value": 0}}, "measure.value", "there is nothing to reach"),
        (
            {"measure": {"metric": "goal_share", "value": 120, "deadline": "2099-01-01"}},
            "measure.value",
            "a share lies between 0 and 100",
        ),
        ({"measure": {**PLAN["measure"], "deadline": "2026-02-01"}}, "measure", "before the plan's first day"),
        ({"budget": {"amount": 0}}, "budget.amount", "must be more than 0"),
        ({"budget": {"amount": 5, "over": "hold"}}, "budget.over", "say what a message costs"),
        ({"budget": {"amount": 5, "costs": {"email": -1}}}, "budget.costs.email", "must be at least 0"),
        ({"budget": {"amount": 5, "currency": "euro"}}, "budget.currency", "may only be written as"),
        ({"cadence": "sometimes"}, "cadence", "must be one of"),
        ({"ends_on": "2026-02-01"}, "ends_on", "the last day lies before the first"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_field(
    operator: Api, change: dict[str, Any], field: str, message: str
) -> None:
    answer = operator("POST", "/plans", {**PLAN, **change})
    assert answer.status_code == 422
    found = {one["field"]: one["message"] for one in answer.json()["errors"]}
    assert message in found[field], found


def test_progress_is_told_with_the_moment_it_was_counted(operator: Api, connection: Connection) -> None:
    made = operator.ok("POST", "/plans", PLAN)
    path = f"/plans/{made['id']}/progress"
    before = operator.ok("GET", path)
    assert (before["as_of"], before["value"], before["standing"]) == (None, None, None)
    assert count(connection) == 1
    after = operator.ok("GET", path)
    assert (after["value"], after["percent"], after["spent"]) == (0, 0, 0)
    assert after["as_of"] is not None
    operator.ok("PUT", f"/plans/{made['id']}", {**PLAN, "target": "others"})
    assert operator.ok("GET", path)["as_of"] is None  # what was counted is not of this plan any more


def test_who_may_not_see_a_plan_does_not_see_its_progress_either(
    operator: Api, others: Staff, client: TestClient
) -> None:
    made = operator.ok("POST", "/plans", PLAN)
    stranger = Api(client, others.keys["admin"])
    assert stranger("GET", f"/plans/{made['id']}/progress").status_code == 404


def test_the_form_writes_a_target_and_a_budget_and_comes_back_with_them(browser: TestClient, operator: Api) -> None:
    place = post(browser, "/plans", **FORM).headers["HX-Redirect"]
    plan = operator.ok("GET", place)
    assert plan["measure"] == {
        "metric": "revenue", "event": "order_paid", "property": "amount", "baseline": 0, "value": 1200.5,
        "deadline": "2099-01-01",
    }  # fmt: skip
    assert plan["budget"] == {"amount": 30, "currency": "CNY", "costs": {"email": 0.02}, "over": "hold"}
    page = browser.get(place, headers=HERE).text
    for value in ('value="1200.5"', 'value="0.02"', 'value="revenue" selected', "Being counted"):
        assert value in page
    post(browser, place, **{**FORM, "measure.metric": "", "budget.amount": ""})
    plan = operator.ok("GET", place)
    assert (plan["measure"], plan["budget"]) == (None, None)


def test_a_form_with_mistakes_names_each_field_and_keeps_what_was_typed(browser: TestClient) -> None:
    wrong = post(
        browser, "/plans", **{**FORM, "measure.event": "", "measure.value": "many", "budget.costs.email": "-3"}
    )
    assert wrong.status_code == 422
    for text in (
        "choose the event that is counted",
        "must be a number",
        "must be at least 0",
        'value="many"',
        'value="-3"',
    ):
        assert text in wrong.text
    for field in ("plan-measure-event-wrong", "plan-measure-value-wrong", "plan-budget-costs-email-wrong"):
        assert f'id="{field}" role="alert"' in wrong.text


def test_a_form_opened_before_somebody_else_s_change_does_not_overwrite_it(browser: TestClient, operator: Api) -> None:
    made = operator("POST", "/plans", PLAN)
    place, tag = f"/plans/{made.json()['id']}", made.headers["ETag"]
    operator.ok("PUT", place, {**PLAN, "name": "Theirs"})
    late = post(browser, place, **FORM, etag=tag)
    assert late.status_code == 422
    assert "Somebody changed the plan since you opened it" in late.text
    assert operator.ok("GET", place)["name"] == "Theirs"


def test_the_page_shows_progress_money_and_a_warning(
    browser: TestClient, operator: Api, connection: Connection
) -> None:
    made = operator.ok("POST", "/plans", {**PLAN, "budget": {**PLAN["budget"], "amount": 0.001}})
    count(connection)
    with transaction(connection):
        connection.execute(
            """UPDATE plan_reading SET detail = detail || '{"channels": [{"channel": "email", "sent": 7, "delivered": 6,
            "opened": 5, "clicked": 4, "waiting": 0}]}'"""
        )
    page = browser.get(f"/plans/{made['id']}", headers=HERE).text
    for text in ("of 500", "0.07 EUR", "budget used up", "plan over budget", 'id="plan-line"', "One-off", "days left"):
        assert text in page, text
    assert "budget used up" in browser.get("/plans", headers=HERE).text


def test_the_straight_way_of_a_plan_without_a_first_day_begins_when_it_was_made_on_the_workspace_s_clocks(
    browser: TestClient, operator: Api, connection: Connection
) -> None:
    made = operator.ok("POST", "/plans", {name: value for name, value in PLAN.items() if name != "starts_on"})
    with transaction(connection):
        connection.execute("UPDATE workspace SET timezone = 'Asia/Shanghai'")
        connection.execute("UPDATE plan SET created_at = '2026-03-01T20:00:00Z'")
    count(connection)
    page = browser.get(f"/plans/{made['id']}", headers=HERE).text
    line = json.loads(page.partition('id="plan-line">')[2].partition("</script>")[0])
    assert (line["first"], line["days"][0]) == ("2026-03-02", "2026-03-02")


def test_a_periodic_plan_says_when_it_runs_next_f005(
    browser: TestClient, operator: Api, reviewer: Api, connection: Connection
) -> None:
    plan = operator.ok("POST", "/plans", {**PLAN, "cadence": "periodic"})["id"]
    document = flow()
    document["nodes"][0] = {"id": "start", "type": "entry.schedule", "version": 1}
    document["nodes"][0]["settings"] = {"schedule": {"cron": "0 9 * * *"}}
    journey = operator.ok("POST", "/journeys", {"name": "Daily", "document": document, "plan_id": plan})["id"]
    count(connection)
    assert operator.ok("GET", f"/plans/{plan}/progress")["next_run"] is None
    go_live(operator, reviewer, journey)
    now = datetime.now(UTC)
    told = datetime.fromisoformat(operator.ok("GET", f"/plans/{plan}/progress")["next_run"])
    assert (told.hour, told.minute) == (9, 0)
    assert now < told <= now + timedelta(days=1)
    page = browser.get(f"/plans/{plan}?lang=en", headers=HERE).text
    assert "Periodic · next run" in page
    assert "下次运行" in browser.get(f"/plans/{plan}?lang=zh", headers=HERE).text


def test_the_list_of_plans_asks_as_much_for_many_as_for_one(
    browser: TestClient, operator: Api, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.ok("POST", "/plans", PLAN)
    count(connection)
    few = statements_of(monkeypatch, browser, "/plans")
    for number in range(12):
        operator.ok("POST", "/plans", {**PLAN, "name": f"Plan {number}"})
    count(connection)
    assert len(statements_of(monkeypatch, browser, "/plans")) == len(few)


def test_a_season_is_told_of_on_both_journeys_and_in_the_list(
    browser: TestClient, operator: Api, reviewer: Api
) -> None:
    permanent = operator.ok("POST", "/journeys", {"name": "Always", "document": flow()})["id"]
    today = datetime.now(UTC).date()
    season = {
        "starts_on": (today - timedelta(days=2)).isoformat(),
        "ends_on": (today + timedelta(days=2)).isoformat(),
        "journeys": [permanent],
    }
    document = {**flow(), "settings": {"season": season}}
    sale = operator.ok("POST", "/journeys", {"name": "Sale <b>", "document": document})["id"]
    assert ">seasonal<" in browser.get(f"/journeys/{sale}/edit", headers=HERE).text
    go_live(operator, reviewer, permanent)
    go_live(operator, reviewer, sale)
    listed = browser.get("/journeys", headers=HERE).text
    assert ">in season<" in listed
    assert "kept shut by “Sale &lt;b&gt;”" in listed
    assert "nobody comes in here" in browser.get(f"/journeys/{permanent}/live", headers=HERE).text
    assert "nobody comes in at other times" in browser.get(f"/journeys/{sale}/live", headers=HERE).text


def test_the_canvas_says_what_is_wrong_with_a_season_while_it_is_drawn(browser: TestClient, operator: Api) -> None:
    made = operator.ok("POST", "/journeys", {"name": "Sale", "document": flow()})["id"]
    season = {"starts_on": "2099-11-02", "ends_on": "2099-11-01", "journeys": [made, 999]}
    answer = browser.post(f"/journeys/{made}/describe", json={**flow(), "settings": {"season": season}}, headers=HERE)
    told = [one["text"] for one in answer.json()["problems"]]
    assert told == [
        "The season ends before it begins",
        "The journey overrides itself",
        "The season overrides journey 999, which does not exist",
    ]


def test_who_was_kept_out_reads_it_on_the_timeline(
    browser: TestClient, operator: Api, connection: Connection, staff: Staff
) -> None:
    from app.lanes import lane_of

    made = operator.ok("POST", "/journeys", {"name": "Always", "document": flow()})["id"]
    with transaction(connection):
        connection.execute(
            "INSERT INTO contact (workspace_id, lane, id, attributes, created_at, updated_at)"
            " VALUES (%s, %s, 77, '{}', now(), now())",
            (staff.workspace_id, lane_of(staff.workspace_id, 77)),
        )
        version = connection.execute(
            "INSERT INTO version (workspace_id, journey_id, number, document, content_hash, published_at, published_by)"
            " SELECT workspace_id, id, 1, draft, '', now(), '' FROM journey WHERE id = %s RETURNING id",
            (made,),
        ).fetchone()
        assert version is not None
        connection.execute(
            "INSERT INTO turned_away (workspace_id, lane, contact_id, journey_id, reason, version_id, at, times)"
            " VALUES (%s, %s, 77, %s, 'overridden by journey 8', %s, now(), 2)",
            (staff.workspace_id, lane_of(staff.workspace_id, 77), made, version[0]),
        )
    moments = operator.ok("GET", "/contacts/77/timeline")["items"]
    assert [(one["kind"], one["reason"]) for one in moments] == [("kept_out", "overridden by journey 8")]
    page = browser.get("/contacts/77", headers=HERE).text
    assert "would have entered “Always”, and was not let in" in page
    assert "journey 8 is in season and goes first" in page
