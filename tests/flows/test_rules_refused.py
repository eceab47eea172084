"""What the rule language does not understand, and what it says about it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.contract import Facts
from flows.rules import RuleError, parse

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)


def asks(op: str, value: Any = None, *, of: str = "a") -> dict[str, Any]:
    return {"attribute": of, "op": op} if value is None else {"attribute": of, "op": op, "value": value}


def nested(depth: int) -> Any:
    rule: Any = {"tag": "x"}
    for _ in range(depth - 1):
        rule = {"not": rule}
    return rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (5, "rule: a rule is an object"),
        ({}, "rule: write exactly one of"),
        ({"tag": "a", "event": "b"}, "found tag and event"),
        ({"tag": "a", "op": "eq"}, "rule.op: unknown"),
        ({"tag": ""}, "rule.tag: must not be empty"),
        ({"tag": 5}, "rule.tag: must be text"),
        ({"tag": "x" * 201}, "at most 200 characters"),
        ({"attribute": "a"}, "rule.op: write one of"),
        ({"attribute": "a", "op": ["eq"], "value": 1}, "rule.op: write one of"),
        ({"attribute": "a", "op": "eq"}, "rule.value: eq needs a value"),
        ({"attribute": "a", "op": "exists", "value": 1}, "rule.value: exists takes no value"),
        (asks("eq", "\0"), "rule.value: text holds"),
        (asks("eq", "\ud800"), "rule.value: text holds"),
        (asks("eq", "x" * 1001), "at most 1000 characters"),
        (asks("eq", float("nan")), "numbers reach"),
        (asks("eq", 10**16), "numbers reach"),
        ({"attribute": "a", "op": "eq", "value": None}, "null is not a value"),
        (asks("eq", [1]), "write text, a number"),
        (asks("gt", True), "have no order"),
        (asks("in", []), "a list of 1 to 1000"),
        (asks("in", ["x", None]), r"rule.value\[1\]: null"),
        (asks("in", "x"), "a list of 1 to 1000"),
        (asks("before", "tomorrow"), "write a date such as"),
        (asks("within", "P1M"), "write days"),
        (asks("within", "P9999D"), "between 1 second and 3660 days"),
        (asks("starts_with", 5), "must be text"),
        (asks("eq", 1, of="a..b"), "joined by single dots"),
        (asks("eq", 1, of=".".join("abcdefghi")), "joined by single dots"),
        ({"all": []}, "at least one rule"),
        ({"all": {"tag": "a"}}, "rule.all: write a list"),
        ({"all": [{"tag": "a"}, {"any": [{"tag": 1}]}]}, r"rule.all\[1\].any\[0\].tag: must be text"),
        ({"event": "a", "where": [{"tag": "b"}]}, r"rule.where\[0\].tag: a where asks"),
        ({"event": "a", "where": [{"property": "b", "op": "within", "value": "P1D"}]}, "has no window"),
        ({"event": "a", "where": {"property": "b"}}, "rule.where: write a list"),
        ({"event": "a", "count": 3}, "rule.count: write an object"),
        ({"event": "a", "count": {"op": "in", "value": 3}}, "rule.count.op: write one of"),
        ({"event": "a", "count": {"op": "eq", "value": -1}}, "a whole number from 0"),
        ({"event": "a", "count": {"op": "eq", "value": True}}, "a whole number from 0"),
        ({"event": "a", "within": 5}, "rule.within: must be text"),
        ({"event": "a", "since": "entry"}, "rule.since: unknown"),
        ({"message": "a", "outcome": "read"}, "rule.outcome: write one of sent"),
        (nested(9), "nested at most 8 deep"),
        (nested(2000), "nested at most 8 deep"),
        ({"all": [{"tag": str(number)} for number in range(201)]}, "at most 200 conditions"),
        ({"event": "a", "where": [{"property": "b", "op": "exists"}] * 200}, "at most 200 conditions"),
    ],
)
def test_what_is_not_understood_is_refused_with_place_and_fix(rule: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        parse(rule)


def test_a_rule_may_be_eight_deep() -> None:
    assert not parse(nested(8)).holds(Facts(tags={"x"}), NOW, None, None)


KEYS = ["all", "any", "not", "tag", "event", "op", "value", "attribute", "where", "count"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(ANY_JSON)
def test_no_json_upsets_the_reader(source: Any) -> None:
    try:
        said = parse(source).sentence()
    except RuleError as error:
        said = str(error)
    assert said
