"""What changed between two flows, as reviewers read it: every kind of change, by titles, in both languages, never layout."""

from copy import deepcopy
from typing import Any

import pytest

from app import differences
from app.language import words
from flows.document import load
from flows.words import speaking
from nodes import catalog

CATALOG = catalog(plugins=False)
FLOW: dict[str, Any] = {
    "schema": 1,
    "settings": {"goal": {"event": "order_paid", "within": "P3D"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "order_submitted"}, "x": 0, "y": 0},
        {"id": "ask", "type": "condition", "version": 1, "settings": {"rule": {"tag": "vip"}}},
        {"id": "pause", "type": "wait.duration", "version": 1, "name": "Pause", "settings": {"duration": "P7D"}},
        {
            "id": "split",
            "type": "split",
            "version": 1,
            "settings": {"arms": [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]},
        },
        {"id": "end", "type": "exit", "version": 1, "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "ask"},
        {"from": "ask", "port": "yes", "to": "pause"},
        {"from": "ask", "port": "no", "to": "split"},
        {"from": "pause", "port": "next", "to": "end"},
        {"from": "split", "port": "A", "to": "end"},
        {"from": "split", "port": "B", "to": "end"},
    ],
}


def flow() -> dict[str, Any]:
    return deepcopy(FLOW)


def node(document: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["nodes"] if one["id"] == id)
    return found


def items(after: dict[str, Any], before: dict[str, Any] | None = None, language: str = "en") -> dict[str, list[str]]:
    """The sentences by step."""
    with speaking("zh" if language == "zh" else "en", words(language).gettext):
        found = differences.items(load(before or FLOW), load(after), CATALOG)
    return {one.node: list(one.lines) for one in found}


def test_nothing_changed_where_only_the_layout_did() -> None:
    after = flow()
    node(after, "start").update(x=500, y=-20)
    after["notes"] = [{"text": "a remark"}]
    assert items(after) == {}


def test_a_setting_is_named_by_its_title_and_its_value_in_words() -> None:
    after = flow()
    node(after, "pause")["settings"]["duration"] = "P5D"
    assert items(after) == {"pause": ["Time to wait: 7 days → 5 days"]}
    assert items(after, language="zh")["pause"][0].endswith("7 天 → 5 天")


def test_a_rule_is_a_sentence_on_both_sides() -> None:
    after = flow()
    node(after, "ask")["settings"]["rule"] = {"attribute": "city", "op": "eq", "value": "Paris"}
    (line,) = items(after)["ask"]
    assert "vip" in line
    assert "Paris" in line
    assert "{" not in line


def test_arms_are_told_apart_by_name_and_not_by_place() -> None:
    after = flow()
    node(after, "split")["settings"]["arms"].insert(0, {"name": "C", "weight": 10})
    node(after, "split")["settings"]["arms"][2]["weight"] = 40
    lines = items(after)["split"]
    assert any("C" in line and "10" in line for line in lines)
    assert any("B" in line and "50 → 40" in line for line in lines)
    assert not any("Arms · A" in line for line in lines)


def test_ways_out_lead_to_steps_by_their_names() -> None:
    after = flow()
    after["edges"][1]["to"] = "end"
    assert items(after)["ask"] == ["“yes” leads to “End”, before to “Pause”"]
    del after["edges"][1]
    assert items(after)["ask"] == ["“yes” no longer leads to “Pause”"]


def test_steps_come_and_go_and_are_renamed() -> None:
    after = flow()
    after["nodes"] = [one for one in after["nodes"] if one["id"] != "pause"]
    after["nodes"].append({"id": "tag", "type": "action.tag", "version": 1, "settings": {"add": ["lapsed"]}})
    after["edges"] = [edge for edge in after["edges"] if "pause" not in (edge["from"], edge["to"])]
    after["edges"].append({"from": "ask", "port": "yes", "to": "tag"})
    node(after, "end")["name"] = "Over"
    found = items(after)
    assert found["pause"] == ["“Pause” was removed"]
    assert found["tag"][0].startswith("“Tag” was added")
    assert found["end"] == ["Is now called “Over”, before “End”"]


def test_the_journey_s_own_settings_come_first_and_by_name() -> None:
    after = flow()
    after["settings"]["goal"]["within"] = "P1D"
    after["settings"]["timezone"] = "Asia/Shanghai"
    found = items(after)
    assert next(iter(found)) == ""
    assert "Goal · Within: 3 days → 1 day" in found[""]
    assert any(line.startswith("Time zone:") for line in found[""])


def test_everything_is_new_beside_nothing() -> None:
    after = flow()
    after["settings"]["season"] = {"starts_on": "2026-12-01", "ends_on": "2026-12-03"}
    found = items(after, {"schema": 1})
    assert set(found) == {"", "start", "ask", "pause", "split", "end"}
    assert "Goal · Within: 3 days" in found[""]
    assert "Season · First day: “2026-12-01”" in found[""]


def test_the_overlay_marks_what_is_there_and_keeps_ghosts_of_what_is_gone() -> None:
    after = flow()
    after["nodes"] = [one for one in after["nodes"] if one["id"] != "pause"]
    after["edges"] = [edge for edge in after["edges"] if "pause" not in (edge["from"], edge["to"])]
    after["edges"].append({"from": "ask", "port": "yes", "to": "split"})
    old, new = load(FLOW), load(after)
    laid = differences.overlay(old, new, differences.items(old, new, CATALOG), differences.faces_of(old, CATALOG))
    assert laid["nodes"]["ask"]["state"] == "changed"
    assert [ghost["id"] for ghost in laid["ghosts"]] == ["pause"]
    assert laid["ghosts"][0]["summary"] == "Wait 7 days"
    assert laid["wires"] == {"ask yes": "changed"}
    assert {"from": "ask", "port": "yes", "to": "pause"} in laid["ghostWires"]


@pytest.mark.parametrize("strange", [{"duration": ["x", {"y": 1}]}, {"nonsense": {"deep": [1, 2]}}, {}])
def test_settings_that_nobody_can_read_are_told_as_they_stand(strange: dict[str, Any]) -> None:
    after = flow()
    node(after, "pause")["settings"] = strange
    assert items(after)["pause"]
