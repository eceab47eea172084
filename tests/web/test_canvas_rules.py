"""The rule builder, the message beside its form, and the cards: what operators do on the canvas, line by line."""

import pytest

from app.database import Connection
from flows.contract import Json
from tests.web.canvas_desk import ORIGIN, Panel, change, news
from tests.web.canvas_forms import sheet
from tests.web.canvas_people import fill
from tests.web.conftest import Staff, flow

EMPTY = {"property": "y", "op": "missing"}
CITY = {"attribute": "city", "op": "in", "value": ["上海", "Berlin"]}


def condition(rule: Json) -> dict[str, Json]:
    return {"id": "it", "type": "condition", "version": 1, "settings": {"rule": rule}}


def redrawn(panel: Panel, pairs: list[tuple[str, str]], deed: str = "") -> list[tuple[str, str]]:
    return sheet(panel.post("form", [*pairs, *([("do", deed)] if deed else [])]).text).pairs


def test_a_rule_is_built_line_by_line(panel: Panel) -> None:
    pairs = redrawn(panel, panel.open(condition({"tag": "vip"})).pairs, "add settings.rule")
    pairs = redrawn(panel, change(pairs, "settings.rule/1.kind", "event"))
    pairs = change(change(pairs, "settings.rule/1.name", "order_paid"), "settings.rule/1.times", "never")
    pairs = change(pairs, "settings.rule/1.within.n", "7")
    pairs = redrawn(panel, pairs, "add settings.rule/1.where")
    pairs = change(change(pairs, "settings.rule/1.where/0.name", "amount"), "settings.rule/1.where/0.op", "gte")
    pairs = change(change(pairs, "settings.rule/1.where/0.as", "number"), "settings.rule/1.where/0.value", "99.5")
    bought = {
        "event": "order_paid",
        "where": [{"property": "amount", "op": "gte", "value": 99.5}],
        "count": {"op": "eq", "value": 0},
        "within": "P7D",
    }
    assert panel.apply(pairs)["settings"] == {"rule": {"all": [{"tag": "vip"}, bought]}}
    pairs = redrawn(panel, pairs, "group settings.rule")
    pairs = change(change(pairs, "settings.rule/2/0.name", "city"), "settings.rule/2/0.value", "上海")
    pairs = change(pairs, "settings.rule.join", "any")
    city = {"attribute": "city", "op": "eq", "value": "上海"}
    assert panel.apply(pairs)["settings"] == {"rule": {"any": [{"tag": "vip"}, bought, {"any": [city]}]}}
    pairs = redrawn(panel, redrawn(panel, pairs, "remove settings.rule/0"), "remove settings.rule/1")
    assert panel.apply(pairs)["settings"] == {"rule": bought}


@pytest.mark.parametrize(
    "rule",
    [
        {"not": {"not": {"tag": "a"}}},
        {"not": {"any": [{"tag": "a"}, {"segment": "b"}]}},
        {"all": [{"any": [{"all": [{"tag": "a"}]}]}]},
        {"attribute": "address.city", "op": "exists"},
        {"attribute": "n", "op": "not_in", "value": [1, 2.5]},
        {"attribute": "n", "op": "in", "value": [1, "1", True]},
        {"attribute": "day", "op": "within", "value": "P1DT12H"},
        {"attribute": "day", "op": "before", "value": "2026-03-05T09:00:00+08:00"},
        {"attribute": "text", "op": "eq", "value": "two\nlines"},
        {"event": "a", "count": {"op": "gte", "value": 1}, "within": "PT60M", "where": []},
        {"event": "a", "where": [{"any": [{"property": "x", "op": "eq", "value": False}, {"not": EMPTY}]}]},
        {"not": {"event": "a", "count": {"op": "gt", "value": 3}}},
        {"message": "note", "outcome": "suppressed"},
        {"property": "amount", "op": "gt", "value": 1e3},
    ],
    ids=str,
)  # fmt: skip
def test_rules_of_every_kind_come_back_letter_for_letter(panel: Panel, rule: Json) -> None:
    pairs = panel.open(condition(rule)).pairs
    assert news(panel.post("apply", pairs))["settings"] == {"rule": rule}
    beside = redrawn(panel, pairs, "add settings.rule")
    last = int(dict(beside)["settings.rule#"]) - 1
    again = redrawn(panel, beside, f"remove settings.rule/{last}")
    kept = news(panel.post("apply", again))["settings"]["rule"]
    assert kept in (rule, {"all": [rule]}, *rule.get("all", ())), "what stood there is kept"


def test_a_line_that_is_not_finished_is_named_by_its_place(panel: Panel) -> None:
    rule = {"all": [{"tag": "vip"}, {"attribute": "city", "op": "eq", "value": "上海"}]}
    page = panel.open(
        {"id": "it", "type": "branch", "version": 1, "settings": {"cases": [{"name": "x", "rule": rule}]}}
    )
    answer = panel.post("apply", change(page.pairs, "settings.cases[0].rule/1.name", ""), language="zh")
    back = sheet(answer.text)
    assert answer.status_code == 422
    assert back.wrong() == ["settings.cases[0].rule/1.name"]
    assert "不能为空" in back.text


def test_a_number_that_is_none_is_refused_and_stays(panel: Panel) -> None:
    page = panel.open(condition({"attribute": "age", "op": "gte", "value": 30}))
    answer = panel.post("apply", change(page.pairs, "settings.rule/0.value", "old"))
    assert answer.status_code == 422
    assert "must be a number" in sheet(answer.text).text
    assert dict(sheet(answer.text).pairs)["settings.rule/0.value"] == "old"


def test_a_rule_says_itself_in_words_and_counts(panel: Panel, connection: Connection, staff: Staff) -> None:
    fill(connection, staff.workspace_id)
    rule = {"all": [CITY, {"event": "order_paid", "count": {"op": "eq", "value": 0}}]}
    asked = [*panel.open(condition(rule)).pairs, ("rule", "settings.rule")]
    said = sheet(panel.post("count", asked).text).text
    assert 'city is one of "上海", "Berlin" and order_paid never happened' in said
    assert "14 of 40 contacts match now" in said
    said = sheet(panel.post("count", asked, language="zh").text).text
    assert 'city 是 "上海"、"Berlin" 之一 且 从未发生 order_paid' in said
    assert "现有 40 位联系人中" in said
    asked = [*panel.open(condition({"message": "note", "outcome": "clicked"})).pairs, ("rule", "settings.rule")]
    said = sheet(panel.post("count", asked).text).text
    assert "the message In-app message · Your order waits was clicked" in said
    assert "cannot be counted ahead" in said


def test_a_mail_is_shown_for_a_real_contact_in_a_frame_without_rights(
    panel: Panel, connection: Connection, staff: Staff
) -> None:
    fill(connection, staff.workspace_id)
    settings = {
        "account": "m",
        "subject": "{{ contact.name }}, {{ entry.properties.order_id }}",
        "html": "<p>{{ contact.city }}<script>x</script>",
    }
    page = panel.open({"id": "it", "type": "send.email", "version": 1, "settings": settings})
    said = sheet(panel.post("preview", [*page.pairs, ("try-who", "u1")]).text)
    assert "Person 1, A-1001" in said.text
    assert dict(said.pairs)["html"].startswith("<p>Berlin<script>")
    assert [given["sandbox"] for tag, given in said.tags if tag == "iframe"] == [""]
    mail = panel.post("mail", [("html", "<p>x<script>x</script>")])
    assert mail.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "script-src" not in mail.headers["content-security-policy"]
    said = sheet(panel.post("preview", [*page.pairs, ("try-who", "u5")]).text)
    assert "u5 has no value for contact.name" in said.text
    said = sheet(panel.post("preview", [*page.pairs, ("try-who", "u1"), ("try.entry.properties.order_id", "Z-9")]).text)
    assert "Person 1, Z-9" in said.text


def test_people_are_found_by_the_start_of_a_name(panel: Panel, connection: Connection, staff: Staff) -> None:
    fill(connection, staff.workspace_id)
    found = panel.client.get(f"/journeys/{panel.journey}/nodes/it/panel/people", params={"try-who": "p3"}).text
    assert 'value="p3@example.com"' in found
    assert "u4" not in found


def test_cards_of_an_unsaved_document_are_described_in_the_reader_s_language(panel: Panel) -> None:
    document = flow()
    document["nodes"][1]["settings"] = {"duration": "soon"}
    document["edges"].append({"from": "note", "port": "nowhere", "to": "end"})
    answer = panel.client.post(
        f"/journeys/{panel.journey}/describe", json=document, headers={**ORIGIN, "Accept-Language": "zh"}
    ).json()
    start = {"title": "事件", "summary": "发生 order_submitted", "ports": [{"name": "next", "label": "下一步"}]}
    assert answer["nodes"]["start"] == start
    assert answer["nodes"]["pause"]["summary"] == "尚未填完"
    wrong = {one["code"]: one for one in answer["problems"]}
    assert (wrong["settings"]["node"], wrong["settings"]["field"]) == ("pause", "duration")
    assert "不是时长" in wrong["settings"]["text"]
    gone = {"op": "edge-", "edge": {"from": "note", "port": "nowhere", "to": "end"}}
    assert wrong["port.unknown"]["fix"]["ops"] == [gone]
