"""What the operator is told about a journey that does not make sense."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.document import Document, load
from flows.problems import Problem
from flows.validate import errors, validate
from tests.flows.build import CATALOG, PROPERTY_TEST, flow

WHOLE = ("start -next> wait", "wait -next> end")
NODES: dict[str, Any] = {"start": "entry.event", "wait": "wait.duration", "end": "exit"}


def codes(document: Document, **more: Any) -> list[tuple[str | None, str]]:
    return [(problem.node, problem.code) for problem in validate(document, CATALOG, **more)]


def only(document: Document, **more: Any) -> Problem:
    problems = validate(document, CATALOG, **more)
    assert len(problems) == 1, [problem.text for problem in problems]
    return problems[0]


def test_a_sound_journey_has_no_problem() -> None:
    assert validate(flow(*WHOLE, **NODES), CATALOG) == []


def test_a_journey_without_an_entry_lets_nobody_in() -> None:
    assert codes(flow(end="exit")) == [(None, "entry.missing")]
    assert codes(load({"schema": 1})) == [(None, "entry.missing")]


def test_a_step_that_nobody_comes_to() -> None:
    problem = only(flow(*WHOLE, **NODES, island="exit"))
    assert (problem.node, problem.code, problem.severity) == ("island", "node.unreachable", "error")
    assert problem.text == "“island” cannot be reached from an entry"
    assert problem.render("zh") == "从任何入口都到不了“island”"
    assert problem.fix == "Connect it, or remove it"


def test_an_open_port_is_a_warning() -> None:
    problem = only(flow("start -next> wait", start="entry.event", wait="wait.duration"))
    assert (problem.node, problem.field, problem.code, problem.severity) == ("wait", "next", "port.open", "warning")
    assert errors([problem]) == []


def test_a_loop_that_nobody_leaves_has_no_end() -> None:
    document = flow("start -next> wait", "wait -next> wait", start="entry.event", wait="wait.duration")
    assert codes(document) == [(None, "end.missing")]


def test_a_corner_that_nobody_leaves_has_no_end() -> None:
    nodes = {"start": "entry.event", "ask": ("condition", {"rule": {"tag": "x"}}), "w": "wait.duration", "end": "exit"}
    document = flow("start -next> ask", "ask -yes> end", "ask -no> w", "w -next> w", **nodes)
    assert codes(document) == [("w", "end.missing")]


def test_a_loop_without_a_wait_is_refused_and_one_with_a_wait_is_not() -> None:
    rule = {"rule": {"tag": "x"}}
    ways = ("start -next> ask", "ask -yes> send", "ask -no> end", "send -next> ask")
    nodes: dict[str, Any] = {"start": "entry.event", "ask": ("condition", rule), "end": "exit"}
    problem = only(flow(*ways, **nodes, send="send.local"))
    assert (problem.node, problem.code, problem.params["nodes"]) == ("ask", "cycle.no_wait", "ask, send")
    assert codes(flow(*ways, **nodes, send="wait.duration")) == []


def test_edges_from_and_to_nowhere() -> None:
    document = flow(*WHOLE, "wait -never> end", "ghost -next> end", "start -next> phantom", **NODES)
    assert codes(document) == [
        (None, "edge.from_unknown"),
        ("start", "port.twice"),
        ("start", "edge.to_unknown"),
        ("wait", "port.unknown"),
    ]


def test_an_edge_into_an_entry_is_a_warning() -> None:
    rule = {"rule": {"tag": "x"}}
    nodes = {"start": "entry.event", "wait": "wait.duration", "ask": ("condition", rule), "end": "exit"}
    document = flow("start -next> wait", "wait -next> ask", "ask -yes> start", "ask -no> end", **nodes)
    assert [(problem.code, problem.severity) for problem in validate(document, CATALOG)] == [
        ("edge.to_entry", "warning")
    ]


def test_an_unknown_type_is_one_problem_and_no_flood() -> None:
    document = flow("start -next> odd", "odd -whatever> end", start="entry.event", odd="acme.thing", end="exit")
    problem = only(document)
    assert (problem.node, problem.code) == ("odd", "node.unknown_type")
    assert problem.text == "The step type “acme.thing” is not installed"


def test_a_step_of_a_newer_release() -> None:
    document = load(
        {
            "schema": 1,
            "nodes": [{"id": "start", "type": "entry.event", "version": 2}, {"id": "end", "type": "exit"}],
            "edges": [{"from": "start", "port": "next", "to": "end"}],
        }
    )
    assert codes(document) == [("start", "node.newer")]


def test_old_settings_that_cannot_be_upgraded() -> None:
    node = {"id": "start", "type": "send.test", "version": 1, "settings": {}}
    assert ("start", "node.not_upgraded") in codes(load({"schema": 1, "nodes": [node]}))


def test_settings_errors_name_the_field_in_plain_words() -> None:
    cases = [{"name": "a", "rule": {"attribute": "x", "op": "is", "value": 1}}, {"rule": {"tag": "y"}, "colour": 1}]
    document = flow(
        "start -next> which", start="entry.event", which=("branch", {"cases": cases}), wait=("wait.duration", {})
    )
    found = [(one.field, one.text) for one in validate(document, CATALOG) if one.code == "settings"]
    assert [field for field, _ in found] == ["cases[0].rule", "cases[1].name", "cases[1].colour"]
    assert found[0][1].startswith("rule.op: write one of eq")
    assert found[1][1] == "is needed"
    missing = next(one for one in validate(document, CATALOG) if one.field == "cases[1].name")
    assert missing.render("zh") == "必填"


@pytest.mark.parametrize(
    ("settings", "english", "chinese"),
    [
        ({"duration": "P1M"}, "write days", "write days"),
        ({"duration": "P999D"}, "must be between 1 second and 365 days", "必须在 1 秒 到 365 天 之间"),
        ({"duration": 5}, "must be text", "必须是文本"),
    ],
)
def test_a_wrong_duration_is_said_in_both_languages(settings: Any, english: str, chinese: str) -> None:
    problem = only(flow(*WHOLE, **{**NODES, "wait": ("wait.duration", settings)}))
    assert english in problem.text
    assert chinese in problem.render("zh")


def test_the_settings_of_the_journey() -> None:
    document = flow(*WHOLE, **NODES, settings={"timezone": "Mars/Olympus", "reentry": {"mode": "per_key"}})
    assert codes(document) == [(None, "timezone.unknown"), (None, "reentry.key_missing")]
    assert validate(document, CATALOG)[1].fix == "Write for example properties.order_id"
    assert codes(flow(*WHOLE, **NODES, settings={"reentry": {"mode": "cooldown"}})) == [
        (None, "reentry.cooldown_missing")
    ]


def waiting(settings: dict[str, Any], *more: str) -> Document:
    return flow("start -next> w", *more, start="entry.event", w=("wait.event", settings), end="exit")


def test_a_wait_that_nothing_can_end() -> None:
    assert ("w", "wait.endless") in codes(waiting({"events": []}))


def test_a_wait_without_a_time_out_is_a_warning() -> None:
    problem = only(waiting({"events": [{"event": "paid"}]}, "w -paid> end"))
    assert (problem.code, problem.severity) == ("wait.no_timeout", "warning")
    timed = waiting({"events": [{"event": "paid"}], "timeout": "PT1H"}, "w -paid> end", "w -timeout> end")
    assert codes(timed) == []


@pytest.mark.parametrize(
    ("weights", "said"), [((33, 33, 33), "99"), ((50, 50), None), ((1, 2), None), ((60, 45), "105")]
)
def test_shares_that_were_meant_to_be_a_hundred(weights: tuple[float, ...], said: str | None) -> None:
    arms = [{"name": str(place), "weight": weight} for place, weight in enumerate(weights)]
    ways = [f"s -{arm['name']}> end" for arm in arms]
    document = flow("start -next> s", *ways, start="entry.event", s=("split", {"arms": arms}), end="exit")
    assert [one.params["sum"] for one in validate(document, CATALOG)] == ([said] if said else [])


def test_a_jump_is_a_wire() -> None:
    nodes = {"start": "entry.event", "jump": ("goto", {"node": "end"}), "end": "exit"}
    assert codes(flow("start -next> jump", **nodes)) == []
    assert codes(flow("start -next> jump", "jump -next> end", **nodes)) == [("jump", "port.unknown")]


@pytest.mark.parametrize(("target", "code"), [("jump", "jump.itself"), ("nowhere", "jump.unknown")])
def test_a_jump_to_itself_or_nowhere(target: str, code: str) -> None:
    document = flow("start -next> jump", start="entry.event", jump=("goto", {"node": target}))
    assert ("jump", code) in codes(document)
    assert ("jump", "cycle.no_wait") not in codes(document)


def test_a_rule_about_a_message_names_a_step_that_sends() -> None:
    ask = {"any": [{"message": name, "outcome": "sent"} for name in ("nudge", "wait", "gone")]}
    document = flow(
        "start -next> nudge", "nudge -next> wait", "wait -next> ask", "ask -yes> end", "ask -no> end",
        start="entry.event", nudge="send.local", wait="wait.duration", ask=("condition", {"rule": ask}), end="exit",
    )  # fmt: skip
    assert [(one.code, one.params["other"], one.field) for one in validate(document, CATALOG)] == [
        ("message.unknown", "gone", "rule"),
        ("message.not_send", "wait", "rule"),
    ]


def test_an_audience_is_chosen_by_what_is_known_of_the_contact() -> None:
    rule = {"all": [{"tag": "x"}, {"message": "m", "outcome": "sent"}]}
    document = flow("start -next> m", start=("entry.segment", {"rule": rule}), m="send.local")
    assert ("start", "audience.leaf") in codes(document)


def test_accounts() -> None:
    def sending(account: str | None) -> Document:
        node = ("send.test", {"account": account, "title": "x"})
        return flow("start -next> m", "m -next> end", start="entry.event", m=node, end="exit")

    assert codes(sending(None)) == [("m", "account.needed")]
    assert codes(sending("demo")) == []
    assert codes(sending("demo"), accounts=frozenset({"demo"})) == []
    assert codes(sending("demo"), accounts=frozenset()) == [("m", "account.missing")]
    assert codes(sending("demo"), accounts={"demo": "test"}) == []
    assert codes(sending("demo"), accounts={"demo": "email"}) == [("m", "account.channel")]


types = st.sampled_from([*CATALOG, "acme.thing"])
ids = st.sampled_from("abcdefg")
ports = st.sampled_from(["next", "yes", "no", "other", "timeout", "paid"])


@PROPERTY_TEST
@given(st.dictionaries(ids, types), st.lists(st.tuples(ids, ports, ids), max_size=12))
def test_any_graph_is_answered_in_both_languages(nodes: dict[str, str], edges: list[tuple[str, str, str]]) -> None:
    document = load(
        {
            "schema": 1,
            "nodes": [{"id": name, "type": type_} for name, type_ in nodes.items()],
            "edges": [{"from": source, "port": port, "to": target} for source, port, target in edges],
        }
    )
    for problem in validate(document, CATALOG):
        assert problem.text
        assert problem.render("zh")
        assert problem.node is None or problem.node in nodes


def test_a_huge_journey_is_checked_in_seconds() -> None:
    nodes = [{"id": f"n{number}", "type": "wait.duration"} for number in range(4999)]
    edges = [{"from": f"n{number}", "port": "next", "to": f"n{(number + 1) % 4999}"} for number in range(4999)]
    document = load({"schema": 1, "nodes": [{"id": "start", "type": "entry.event"}, *nodes], "edges": edges})
    began = time.perf_counter()
    problems = validate(document, CATALOG)
    assert time.perf_counter() - began < 2
    assert len(problems) == 5000
