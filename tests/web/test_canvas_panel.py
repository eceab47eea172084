"""The settings panel as a browser meets it: every node type's form goes out and comes back, and nothing is lost on the way."""

import json

from app.database import Connection
from flows.contract import Json
from nodes import catalog, samples
from tests.web.canvas_desk import ORIGIN, Panel, change, news
from tests.web.canvas_forms import sheet
from tests.web.canvas_people import fill
from tests.web.conftest import Staff, flow

EVERY = [(kind, sample) for kind in catalog(plugins=False).values() for sample in samples(kind)]


def test_settings_of_every_step_go_out_as_a_form_and_come_back_as_they_were(panel: Panel) -> None:
    lost = []
    for kind, sample in EVERY:
        node = {"id": "it", "type": kind.type, "version": kind.version, "settings": sample, "name": "A name"}
        told = panel.apply(panel.open(node).pairs)
        # As text: to Python 1, 1.0 and true are one value.
        if json.dumps(told["settings"], sort_keys=True) != json.dumps(sample, sort_keys=True):
            lost.append((kind.type, sample, told["settings"]))
        assert told["name"] == "A name"
    assert lost == []
    assert len(EVERY) >= 25


def test_the_journey_s_own_settings_go_the_same_way(panel: Panel) -> None:
    settings: dict[str, Json] = {
        "timezone": "Asia/Shanghai",
        "reentry": {"mode": "per_key", "key": "properties.order_id"},
        "holdout_percent": 5.0,
        "goal": {"event": "order_paid", "where": [{"property": "amount", "op": "gte", "value": 10}], "within": "P3D"},
    }
    page = panel.open({"id": "~"}, {**flow(), "settings": settings})
    assert panel.apply(page.pairs, node="~")["settings"] == settings
    changed = change(change(page.pairs, "settings.reentry.mode", "cooldown"), "settings.reentry.cooldown.n", "7")
    told = panel.apply(changed, node="~")
    assert told["settings"]["reentry"] == {"mode": "cooldown", "cooldown": "P7D"}, "a key says nothing with a cool-down"
    without = [pair for pair in page.pairs if pair != ("settings.goal?", "on")]
    assert "goal" not in panel.apply(without, node="~")["settings"]
    answer = panel.client.post(
        f"/journeys/{panel.journey}/settings/panel", json={"node": None, "document": flow()}, headers=ORIGIN
    )
    assert "settings.priority" in dict(sheet(answer.text).pairs)


def test_what_is_changed_is_changed_and_nothing_else(panel: Panel) -> None:
    sample = {"events": [{"event": "paid"}, {"event": "replied", "name": "accepted"}], "timeout": "PT90M"}
    page = panel.open({"id": "it", "type": "wait.event", "version": 1, "settings": sample})
    assert dict(page.pairs)["settings.timeout.n"] == "90"
    told = panel.apply(change(page.pairs, "settings.timeout.u", "H"))
    assert told["settings"] == {**sample, "timeout": "PT90H"}
    assert told["facet"]["ports"][-1] == {"name": "timeout", "label": "time ran out"}
    told = panel.apply(change(page.pairs, "settings.timeout.n", ""))
    assert told["settings"] == {"events": sample["events"]}


def test_another_way_drops_what_belonged_to_the_first_and_going_back_brings_it_again(panel: Panel) -> None:
    sample = {"time": "09:00", "weekdays": ["mon", "fri"]}
    page = panel.open({"id": "it", "type": "wait.until", "version": 1, "settings": sample})
    other = change(change(page.pairs, "settings@", "2"), "settings|2.attribute", "birthday")
    other = change(change(change(other, "settings|2.offset.s", "-"), "settings|2.offset.n", "3"), "settings|2.time", "")
    assert panel.apply(other)["settings"] == {"attribute": "birthday", "offset": "-P3D"}
    assert panel.apply(change(other, "settings@", "0"))["settings"] == sample


def test_rows_are_added_removed_moved_and_made_equal_with_what_was_typed(panel: Panel) -> None:
    arms = [{"name": "A", "weight": 50}, {"name": "B", "weight": 30}]
    page = panel.open({"id": "it", "type": "split", "version": 1, "settings": {"arms": arms}})
    typed = change(page.pairs, "settings.arms[0].name", "Letter")

    def after(deed: str) -> list[dict[str, Json]]:
        answer = panel.post("form", [*typed, ("do", deed)])
        assert answer.status_code == 200
        found: list[dict[str, Json]] = panel.apply(sheet(answer.text).pairs)["settings"]["arms"]
        return found

    assert [one["name"] for one in after("add settings.arms")] == ["Letter", "B", "A"]
    assert [one["name"] for one in after("remove settings.arms[0]")] == ["B"]
    assert [one["weight"] for one in after("equal settings.arms")] == [50, 50]
    cases = [{"name": name, "rule": {"tag": name}} for name in ("x", "y", "z")]
    page = panel.open({"id": "it", "type": "branch", "version": 1, "settings": {"cases": cases}})
    answer = panel.post("form", [*page.pairs, ("do", "down settings.cases[0]")])
    told = panel.apply(sheet(answer.text).pairs)
    assert told["settings"]["cases"] == [cases[1], cases[0], cases[2]]
    assert [port["name"] for port in told["facet"]["ports"]] == ["y", "x", "z", "other"]


def test_what_is_wrong_is_said_at_its_field_and_stays_as_it_was_typed(panel: Panel) -> None:
    page = panel.open({"id": "it", "type": "split", "version": 1, "settings": {"arms": [{"name": "A", "weight": 5}]}})
    answer = panel.post("apply", change(page.pairs, "settings.arms[0].weight", "plenty"))
    back = sheet(answer.text)
    assert answer.status_code == 422
    assert back.wrong() == ["settings.arms[0].weight"]
    assert dict(back.pairs)["settings.arms[0].weight"] == "plenty"
    assert "must be a number" in back.text
    answer = panel.post("apply", change(page.pairs, "settings.arms[0].weight", "-3"), language="zh")
    back = sheet(answer.text)
    assert (answer.status_code, back.wrong()) == (422, ["settings.arms[0].weight"])
    assert "不能小于 0" in back.text
    assert dict(back.pairs)["settings.arms[0].weight"] == "-3"
    told = news(answer)
    assert (told["valid"], told["settings"]["arms"][0]["weight"]) == (False, -3), (
        "the draft keeps what is not right yet"
    )


def test_a_sentence_about_all_fields_stands_above_them(panel: Panel) -> None:
    page = panel.open({"id": "it", "type": "send.inapp", "version": 1, "settings": {"title": "Hi"}})
    answer = panel.post("apply", change(page.pairs, "settings.wait_for", "clicked"))
    assert answer.status_code == 422
    assert "wait_for and timeout belong together" in sheet(answer.text).text


def test_fields_the_form_does_not_know_are_kept(panel: Panel) -> None:
    settings = {"duration": "P1D", "from_a_newer_release": {"deep": [1, None]}}
    page = panel.open({"id": "it", "type": "wait.duration", "version": 1, "settings": settings})
    answer = panel.post("apply", change(page.pairs, "settings.duration.n", "2"))
    assert news(answer)["settings"] == {**settings, "duration": "P2D"}
    assert answer.status_code == 422, "and what may not be there is said"
    assert "is unknown here" in sheet(answer.text).text


def test_pickers_offer_what_the_workspace_has(panel: Panel, connection: Connection, staff: Staff) -> None:
    fill(connection, staff.workspace_id)
    rule = {"all": [{"attribute": "age", "op": "gte", "value": 30}, {"attribute": "vip", "op": "eq", "value": True}]}
    text = panel.html({"id": "it", "type": "condition", "settings": {"rule": rule}})
    offered = {one.split('"')[0]: one for one in text.split('<datalist id="known-')[1:]}
    assert 'value="order_paid"' in offered["event"]
    assert 'value="order_submitted"' in offered["event"], "named by the journey, whoever has done it"
    assert all(f'value="{name}"' in offered["attribute"] for name in ("age", "city", "vip"))
    assert 'value="warm"' in offered["tag"]
    assert dict(sheet(text).pairs)["settings.rule/0.as"] == "number", "known, so nobody is asked"
    assert "starts_with" not in text.split('name="settings.rule/0.op"')[1].split("</select>")[0]


STRANGE = [
    '"><script>x</script>',
    "'><img src=x onerror=x>",
    "{{ 7*7 }}{% raw %}",
    "</textarea><b>",
    "&lt;&amp;",
    "\u202etxt",
]


def test_hostile_words_stay_words_and_come_back(panel: Panel) -> None:
    for text in STRANGE:
        settings: dict[str, Json] = {"title": text, "body": text, "url": text, text: text}
        page = panel.open({"id": "it", "type": "send.inapp", "version": 1, "settings": settings, "name": text})
        assert "script" not in {tag for tag, _ in page.tags}
        assert not [given for _, given in page.tags if any(name.startswith("on") for name in given)]
        told = news(panel.post("apply", page.pairs))
        assert (told["settings"], told["name"]) == (settings, text.strip())
        shown = panel.post("preview", page.pairs)
        assert shown.status_code == 200
        assert {tag for tag, _ in sheet(shown.text).tags}.isdisjoint({"script", "img", "b"} - {"b"})
    rule = {
        "all": [{"attribute": STRANGE[0], "op": "eq", "value": STRANGE[1]}, {"event": STRANGE[1]}, {"odd": STRANGE[0]}]
    }
    page = panel.open({"id": "it", "type": "condition", "version": 1, "settings": {"rule": rule}})
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert news(panel.post("apply", page.pairs))["settings"] == {"rule": rule}


def test_strangers_and_other_sites_get_nothing(panel: Panel) -> None:
    body = {"node": {"id": "it", "type": "exit"}, "document": flow()}
    assert panel.client.post("/journeys/999999/nodes/it/panel", json=body, headers=ORIGIN).status_code == 404
    path = f"/journeys/{panel.journey}/nodes/it/panel/apply"
    assert panel.client.post(path, content="", headers={"Origin": "http://evil"}).status_code == 403
    assert panel.client.post(path, content="a=1&" * 20_001, headers=ORIGIN).status_code == 413


def test_what_is_too_long_for_a_header_is_told_in_the_page(panel: Panel) -> None:
    settings = {"account": "m", "subject": "s", "html": "<p>" + "长" * 30_000}
    page = panel.open({"id": "it", "type": "send.email", "version": 1, "settings": settings})
    answer = panel.post("apply", page.pairs)
    assert "HX-Trigger" not in answer.headers
    assert news(answer)["settings"] == settings


def test_a_step_whose_type_is_not_installed_is_left_as_it_is(panel: Panel) -> None:
    page = panel.open({"id": "it", "type": "acme.gone", "version": 1, "settings": {"a": 1}})
    assert "not installed here" in page.text
    assert page.pairs == []
