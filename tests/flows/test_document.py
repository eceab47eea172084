"""The flow document: what comes in, what is refused, what goes out, what an approval binds."""

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.document import Document, content_hash, dump, load
from flows.errors import DocumentError

EXAMPLE: dict[str, Any] = {
    "schema": 1,
    "settings": {
        "timezone": "Asia/Shanghai",
        "reentry": {"mode": "per_key", "key": "properties.order_id"},
        "goal": {"event": "order_paid", "where": [{"property": "amount", "op": "gte", "value": 100}], "within": "P3D"},
        "exit_when": {"event": "account_closed"},
        "holdout_percent": 0,
        "message_class": "marketing",
        "priority": 50,
        "visit_limit": 100,
    },
    "nodes": [
        {"id": "start", "type": "entry.event", "version": 1, "settings": {"event": "order"}, "x": 0, "y": 0},
        {"id": "nudge", "type": "send.push", "version": 2, "settings": {"title": "你好"}, "name": "Reminder"},
        {"id": "end", "type": "exit"},
    ],
    "edges": [{"from": "start", "port": "next", "to": "nudge"}, {"from": "nudge", "port": "next", "to": "end"}],
    "notes": [{"text": "ask Ana", "x": 5, "y": 6.5, "node": "nudge"}],
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(EXAMPLE)), **changes}


def refusals(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        load(raw)
    return caught.value.errors


def test_a_document_comes_out_as_it_went_in() -> None:
    document = load(EXAMPLE)
    assert load(dump(document)) == document == load(json.dumps(EXAMPLE)) == load(json.dumps(EXAMPLE).encode())
    assert document.settings.goal is not None
    assert document.settings.goal.where.matches({"amount": 100})
    assert document.index()["nudge"].name == "Reminder"


def test_what_stands_at_its_default_is_not_written() -> None:
    assert dump(load({"schema": 1, "nodes": [{"id": "a", "type": "exit"}]})) == {
        "schema": 1,
        "settings": {},
        "nodes": [{"id": "a", "type": "exit", "version": 1, "settings": {}}],
        "edges": [],
    }


def test_layout_is_no_change_and_neither_is_order_or_a_written_out_default() -> None:
    before = content_hash(load(EXAMPLE))
    moved = changed(notes=[], nodes=[{**node, "x": 99, "y": 99} for node in reversed(EXAMPLE["nodes"])])
    moved["edges"].reverse()
    moved["settings"]["reentry"]["cooldown"] = None
    assert content_hash(load(moved)) == before


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {}},
        {"edges": []},
        {"nodes": EXAMPLE["nodes"][:2]},
        {"nodes": [*EXAMPLE["nodes"][:2], {"id": "end", "type": "exit", "name": "Finish"}]},
        {"nodes": [*EXAMPLE["nodes"][:2], {"id": "end", "type": "exit", "version": 2}]},
        {"nodes": [*EXAMPLE["nodes"][:2], {"id": "end", "type": "exit", "settings": {"reason": True}}]},
        {"nodes": [*EXAMPLE["nodes"][:2], {"id": "end", "type": "exit", "settings": {"reason": 1}}]},
    ],
)
def test_every_change_of_meaning_changes_the_hash(change: dict[str, Any]) -> None:
    assert content_hash(load(changed(**change))) != content_hash(load(EXAMPLE))


def test_the_hash_covers_what_the_flow_depends_on() -> None:
    document = load(EXAMPLE)
    assert content_hash(document, {"account:push": "a"}) != content_hash(document, {"account:push": "b"})
    assert content_hash(document, {"a": "1", "b": "2"}) == content_hash(document, {"b": "2", "a": "1"})
    assert content_hash(document, {}) == content_hash(document)


def test_one_and_true_are_two_settings_and_one_point_nought_is_one() -> None:
    def hashed(value: Any) -> str:
        return content_hash(load({"schema": 1, "nodes": [{"id": "a", "type": "exit", "settings": {"v": [value]}}]}))

    assert hashed(1) == hashed(1.0)
    assert hashed(1) != hashed(True)
    assert hashed(1) != hashed("1")


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        ([], "", "a flow document is an object"),
        ("[]", "", "a flow document is an object"),
        ("{", "", "not JSON: "),
        (b"\xff", "", "not UTF-8"),
        ('{"a": 1, "a": 2}', "", "“a” stands twice"),
        ('{"schema": 1, "x": NaN}', "", "NaN is not a number"),
        ('{"schema": 1, "x": 1e999}', "x", "too large"),
        ('{"schema": 1, "x": ' + "9" * 5000 + "}", "", "too many digits"),
        ('{"schema": 1, "x": 99999999999999999999}', "x", "too large"),
        ("[" * 100_000, "", "nested deeper"),
        ('{"schema": 1, "notes": ' + "[" * 50 + "]" * 50 + "}", "notes", "nested deeper"),
        ('{"schema": 1, "x": ["a", "\\u0000"]}', "x[1]", "NUL"),
        ('{"schema": 1, "x": "\\ud800"}', "x", "half a surrogate"),
        ('{"schema": 1, "\\ud800": 1}', "", "half a surrogate"),
        ("x" * (10 * 1024 * 1024 + 1), "", "longer than 10 MB"),
        ({}, "schema", "is needed"),
        ({"schema": "1"}, "schema", "is needed"),
        ({"schema": True}, "schema", "is needed"),
        ({"schema": 2}, "schema", "newer release"),
        ({"schema": 0}, "schema", "never a format"),
        (changed(colour="red"), "colour", "is unknown here"),
        (changed(nodes={}), "nodes", "must be a list"),
        (changed(nodes=[5]), "nodes[0]", "must be an object"),
        (changed(nodes=[{"id": "a"}]), "nodes[0].type", "is needed"),
        (changed(nodes=[{"id": "a b", "type": "exit"}]), "nodes[0].id", "may only be written as"),
        (changed(nodes=[{"id": "a" * 65, "type": "exit"}]), "nodes[0].id", "may only be written as"),
        (changed(nodes=[{"id": "a\n", "type": "exit"}]), "nodes[0].id", "may only be written as"),
        (changed(nodes=[{"id": "a", "type": "exit", "colour": 1}]), "nodes[0].colour", "is unknown here"),
        (changed(nodes=[{"id": "a", "type": "exit", "version": "1"}]), "nodes[0].version", "a whole number"),
        (changed(nodes=[{"id": "a", "type": "exit", "version": True}]), "nodes[0].version", "a whole number"),
        (changed(nodes=[{"id": "a", "type": "exit", "settings": []}]), "nodes[0].settings", "must be an object"),
        (changed(nodes=[{"id": "a", "type": "x"}, {"id": "a", "type": "y"}]), "nodes[1].id", "an earlier node"),
        (changed(edges=[{"from": "a", "port": "next"}]), "edges[0].to", "is needed"),
        (changed(settings={"reentry": {"mode": "never"}}), "settings.reentry.mode", "must be one of"),
        (changed(settings={"goal": {"event": "a", "within": "P1M"}}), "settings.goal.within", "write days"),
        (changed(settings={"goal": {"event": "a", "where": [{}]}}), "settings.goal.where", "where[0]: write exactly"),
        (changed(settings={"visit_limit": 0}), "settings.visit_limit", "at least 1"),
        (changed(settings={"holdout_percent": 101}), "settings.holdout_percent", "at most 100"),
        (changed(settings={"timezone": 5}), "settings.timezone", "must be text"),
        (changed(settings={"timezone": ""}), "settings.timezone", "is needed"),
        (changed(settings={"x": {1, 2}}), "settings.x", "is not a JSON value"),
        (changed(settings={5: 1}), "", "keys are text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_answered_with_the_field(raw: Any, field: str, message: str) -> None:
    found, text = refusals(raw)[0]
    assert (found, message in text) == (field, True), (found, text)


def test_every_wrong_field_is_named() -> None:
    found = refusals(changed(nodes=[{"id": 1, "type": 2}], edges=[{}], colour=1))
    assert [field for field, _ in found] == [
        "nodes[0].id", "nodes[0].type", "edges[0].from", "edges[0].port", "edges[0].to", "colour",
    ]  # fmt: skip


def test_a_hundred_thousand_nodes_are_answered_at_once() -> None:
    nodes = [{"id": f"n{number}", "type": "exit"} for number in range(100_000)]
    text = json.dumps({"schema": 1, "nodes": nodes, "edges": []})
    began = time.perf_counter()
    assert "at most 5,000" in refusals(text)[0][1]
    assert time.perf_counter() - began < 2
    tracemalloc.start()
    refusals({"schema": 1, "nodes": nodes})
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_five_thousand_nodes_are_loaded_in_less_than_a_second() -> None:
    nodes = [{"id": f"n{number}", "type": "exit", "settings": {"a": [number]}} for number in range(5000)]
    edges = [{"from": f"n{number}", "port": "next", "to": f"n{number + 1}"} for number in range(4999)]
    text = json.dumps({"schema": 1, "nodes": nodes, "edges": edges})
    began = time.perf_counter()
    content_hash(load(text))
    assert time.perf_counter() - began < 1


KEYS = ["schema", "settings", "nodes", "edges", "id", "type", "from", "to", "port", "goal", "event", "where", "within"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([1, "exit", "P1D"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
)


@given(ANY_JSON)
def test_any_json_is_a_document_or_a_list_of_fields(raw: Any) -> None:
    value = {**raw, "schema": 1} if isinstance(raw, dict) else json.dumps(raw)
    try:
        answer: Any = load(value)
    except DocumentError as error:
        answer = error.errors
    assert isinstance(answer, Document) or answer
