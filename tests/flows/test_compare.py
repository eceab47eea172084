"""What a reviewer is told about a new version."""

from typing import Any

from flows.compare import Change, compare
from flows.document import Document, load

BASE: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "once"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "go"}},
        {"id": "m", "type": "send.push", "settings": {"title": "Hi", "rule": {"all": [{"tag": "a"}, {"tag": "b"}]}}},
        {"id": "end", "type": "exit"},
    ],
    "edges": [{"from": "start", "port": "next", "to": "m"}, {"from": "m", "port": "next", "to": "end"}],
}
FIRST = load(BASE)


def with_node(number: int, **changes: Any) -> Document:
    nodes = [dict(node) for node in BASE["nodes"]]
    nodes[number] |= changes
    return load({**BASE, "nodes": nodes})


def said(after: Document, language: Any = "en") -> list[str]:
    return [change.render(language) for change in compare(FIRST, after)]


def test_nothing_changed_or_only_the_layout() -> None:
    assert compare(FIRST, FIRST) == []
    moved = {**BASE, "nodes": [{**node, "x": 7} for node in reversed(BASE["nodes"])], "notes": [{"text": "hm"}]}
    assert compare(FIRST, load(moved)) == []


def test_a_setting_is_shown_before_and_after() -> None:
    after = with_node(1, settings={"title": "Hello", "url": "/x", "rule": {"all": [{"tag": "a"}]}})
    assert said(after) == [
        'm: title changed from "Hi" to "Hello"'.replace("m:", "“m”:"),
        '“m”: rule.all[1] was removed, before {"tag": "b"}',
        '“m”: url is now "/x"',
    ]
    assert said(after, "zh")[0] == '“m”：title 由 "Hi" 改为 "Hello"'


def test_one_is_not_true_but_one_point_nought_is_one() -> None:
    one, true, point = (with_node(2, settings={"v": value}) for value in (1, True, 1.0))
    assert [change.after for change in compare(one, true)] == [True]
    assert compare(one, point) == []


def test_steps_come_go_and_change_their_nature() -> None:
    after = load(
        {
            "schema": 1,
            "nodes": [
                BASE["nodes"][0],
                {"id": "m", "type": "send.sms", "name": "Text", "settings": BASE["nodes"][1]["settings"]},
                {"id": "fin", "type": "exit"},
            ],
            "edges": [{"from": "start", "port": "next", "to": "m"}, {"from": "m", "port": "next", "to": "fin"}],
        }
    )
    assert said(after) == [
        "“end” was removed (exit)",
        "“m” became another type: send.push → send.sms",
        '“m” is now called "Text", before "m"',
        "“fin” was added (exit)",
        "“m”: “next” leads to fin, before to end",
    ]


def test_edges_that_come_and_go() -> None:
    assert compare(FIRST, load({**BASE, "edges": BASE["edges"][:1]})) == [
        Change("edge_removed", "m", "next", before="end")
    ]
    assert compare(load({**BASE, "edges": []}), FIRST)[0] == Change("edge_added", "start", "next", after="m")


def test_the_journeys_own_settings() -> None:
    after = load({**BASE, "settings": {"reentry": {"mode": "after_exit"}, "priority": 70}})
    assert said(after) == [
        'The journey: reentry is now {"mode": "after_exit"}',
        "The journey: priority is now 70",
    ]
    assert said(after, "zh")[1] == "旅程：priority 设为 70"


def test_a_long_value_is_cut() -> None:
    assert len(said(with_node(1, settings={"title": "x" * 500}))[0]) < 120
