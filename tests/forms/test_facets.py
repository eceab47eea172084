"""What cards say of documents nobody has saved: in any state, in any language, soon; and what a button can mend."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from app.facets import describe
from app.language import words
from app.textlength import measure
from flows.contract import Json
from flows.words import speaking
from nodes import catalog

TYPES = catalog(plugins=False)
ACCOUNTS = {"shop-mail": "email", "hook": "webhook"}
SETTINGS: tuple[tuple[str, dict[str, Json]], ...] = (
    ("condition", {"rule": {"all": [{"attribute": "plan", "op": "eq", "value": "x"}, {"tag": "v"}]}}),
    ("send.email", {"subject": "s", "text": "t", "account": "shop-mail"}),
    ("wait.event", {"events": [{"event": "p"}], "timeout": "P1D"}),
)


def document(nodes: list[dict[str, Json]], *edges: tuple[str, str, str]) -> dict[str, Json]:
    wired = [{"from": source, "port": port, "to": target} for source, port, target in edges]
    return {"schema": 1, "settings": {}, "nodes": nodes, "edges": wired}


def mended(flow: dict[str, Json], code: str) -> dict[str, Json]:
    """The document after the button of a problem was pressed; the problem must be gone then."""
    problem = next(one for one in describe(flow, TYPES, ACCOUNTS)["problems"] if one["code"] == code)
    made: dict[str, Any] = {**flow, "nodes": [*flow["nodes"]], "edges": [*flow["edges"]]}
    for op in problem["fix"]["ops"]:
        if op["op"] == "node+":
            made["nodes"].append(op["node"])
        elif op["op"] == "node-":
            made["nodes"] = [node for node in made["nodes"] if node["id"] != op["node"]["id"]]
        elif op["op"] == "edge+":
            made["edges"].append(op["edge"])
        elif op["op"] == "edge-":
            made["edges"].remove(op["edge"])
        elif op["op"] == "node=":
            made["nodes"] = [{**node, **op["after"]} if node["id"] == op["id"] else node for node in made["nodes"]]
        else:
            made["settings"] = op["after"]
    left = describe(made, TYPES, ACCOUNTS)["problems"]
    assert (problem["code"], problem["node"], problem["field"]) not in [
        (p["code"], p["node"], p["field"]) for p in left
    ]
    return made


START: dict[str, Json] = {"id": "a", "type": "entry.event", "version": 1, "settings": {"event": "e"}, "x": 0, "y": 0}
END: dict[str, Json] = {"id": "z", "type": "exit", "version": 1, "settings": {}}


WAIT: dict[str, Json] = {"id": "w", "type": "wait.event", "settings": {"events": [{"event": "p"}]}}
THIRDS: dict[str, Json] = {
    "id": "s", "type": "split", "settings": {"arms": [{"name": name, "weight": 33} for name in "ABC"]},
}  # fmt: skip
MAIL: dict[str, Json] = {"id": "m", "type": "send.email", "settings": {"account": "x", "subject": "s", "text": "t"}}


@pytest.mark.parametrize(
    ("code", "flow"),
    [
        ("port.open", document([START])),
        ("entry.missing", document([END])),
        ("node.unreachable", document([START, END])),
        ("port.unknown", document([START, END], ("a", "gone", "z"))),
        ("edge.to_unknown", document([START], ("a", "next", "nobody"))),
        ("wait.no_timeout", document([START, WAIT], ("a", "next", "w"))),
        ("weights.sum", document([START, THIRDS], ("a", "next", "s"))),
        ("account.missing", document([START, MAIL], ("a", "next", "m"))),
        ("timezone.unknown", {**document([START]), "settings": {"timezone": "Nowhere/Land"}}),
        ("reentry.cooldown_missing", {**document([START]), "settings": {"reentry": {"mode": "cooldown"}}}),
    ],
)  # fmt: skip
def test_a_button_mends_its_problem(code: str, flow: dict[str, Json]) -> None:
    mended(flow, code)


def test_weights_are_made_to_add_up() -> None:
    made = mended(document([START, THIRDS], ("a", "next", "s")), "weights.sum")["nodes"][1]["settings"]["arms"]
    assert sum(arm["weight"] for arm in made) == pytest.approx(100)


def test_three_hundred_steps_are_described_while_one_blinks() -> None:
    nodes = [{"id": f"n{i}", "type": SETTINGS[i % 3][0], "settings": SETTINGS[i % 3][1]} for i in range(300)]
    flow = document(
        [START, *nodes], ("a", "next", "n0"), *((f"n{i}", ("yes", "next", "p")[i % 3], f"n{i + 1}") for i in range(299))
    )
    describe(flow, TYPES, ACCOUNTS)
    least = 1.0
    for _try in range(5):
        begun = time.process_time()
        found = describe(flow, TYPES, ACCOUNTS)
        least = min(least, time.process_time() - begun)
    assert len(found["nodes"]) == 301
    assert least < 0.15, "60 ms are aimed at; this machine may be busy"


def test_a_document_that_is_broken_still_has_cards() -> None:
    flow = {
        "schema": 1,
        "nodes": [START, {"id": "x", "type": "gone", "settings": 5}, 7, {"id": 3}],
        "settings": {"goal": {}},
    }
    found = describe(flow, TYPES, ACCOUNTS)
    assert found["nodes"]["a"]["summary"] == "On e"
    assert set(found["nodes"]) == {"a", "x"}
    assert {one["code"] for one in found["problems"]} == {"document"}
    assert describe([], TYPES, ACCOUNTS)["problems"]


def test_names_that_operators_chose_are_never_translated() -> None:
    arms = [{"name": "yes", "weight": 50}, {"name": "no", "weight": 50}]
    flow = document(
        [
            START,
            {"id": "s", "type": "split", "settings": {"arms": arms}},
            {"id": "c", "type": "condition", "settings": {"rule": {"tag": "t"}}},
        ]
    )
    with speaking("zh", words("zh").gettext):
        faces: Mapping[str, Any] = describe(flow, TYPES, ACCOUNTS)["nodes"]
    assert [port["label"] for port in faces["s"]["ports"]] == ["yes", "no"]
    assert [port["label"] for port in faces["c"]["ports"]] == ["是", "否"]


def test_every_sample_has_a_card_of_one_line_in_chinese() -> None:
    from nodes import samples

    for kind in TYPES.values():
        for sample in samples(kind):
            with speaking("zh", words("zh").gettext):
                line = kind.summary(kind.settings.model_validate(sample))
            assert 0 < len(line) <= 60, (kind.type, line)
            assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "left"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 164, 2, 141),
        ("你" * 70, "UCS-2", 70, 1, 0),
        ("你" * 71, "UCS-2", 71, 2, 63),
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("😀" * 36, "UCS-2", 72, 2, 61),
        ("Grüße", "GSM-7", 5, 1, 155),
        ("çok", "UCS-2", 3, 1, 67),
    ],
)
def test_text_messages_are_measured_as_networks_do(text: str, encoding: str, units: int, parts: int, left: int) -> None:
    assert measure(text) == (encoding, units, parts, left)
