"""The rule language: what holds for whom, what it reads, what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError

from flows.contract import Event, Facts
from flows.rules import EVERY_EVENT, Rule, Where, parse, parse_where
from tests.flows.build import PROPERTY_TEST
from tests.flows.rule_strategies import AT, audience_rules, contacts, objects

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)


def holds(rule: Any, **attributes: Any) -> bool:
    return parse(rule).holds(Facts(attributes), NOW, None, None)


def asks(op: str, value: Any = None, *, of: str = "a") -> dict[str, Any]:
    return {"attribute": of, "op": op} if value is None else {"attribute": of, "op": op, "value": value}


@pytest.mark.parametrize(
    ("rule", "seen", "answer"),
    [
        (asks("eq", "上海"), "上海", True),
        (asks("eq", 1), 1.0, True),
        (asks("eq", 1), True, False),
        (asks("eq", True), 1, False),
        (asks("eq", 1000), "1000", False),
        (asks("ne", "x"), "y", True),
        (asks("ne", "x"), 5, False),
        (asks("ne", "x"), None, False),
        (asks("gte", 18), 18, True),
        (asks("gt", 18), 18, False),
        (asks("lt", 18), 17.9, True),
        (asks("lte", 18), 18.1, False),
        (asks("lt", 18), "17", False),
        (asks("lt", 18), False, False),
        (asks("gt", "a"), "b", True),
        (asks("gt", "a"), 5, False),
        (asks("in", ["x", 1]), 1.0, True),
        (asks("in", ["x", 1]), True, False),
        (asks("in", ["x", 1]), ["x"], False),
        (asks("not_in", ["x", "y"]), "z", True),
        (asks("not_in", ["x", "y"]), "x", False),
        (asks("not_in", ["x", "y"]), 5, False),
        (asks("not_in", ["x", "y"]), None, False),
        (asks("contains", "海"), "上海", True),
        (asks("contains", "海"), ["海"], True),
        (asks("contains", "海"), ["上海"], False),
        (asks("contains", 1), [1.0], True),
        (asks("contains", 1), [True], False),
        (asks("contains", True), [True], True),
        (asks("contains", 1), "1", False),
        (asks("starts_with", "上"), "上海", True),
        (asks("starts_with", "上"), ["上"], False),
        (asks("exists"), 0, True),
        (asks("exists"), None, False),
        (asks("missing"), None, True),
        (asks("missing"), "", False),
        (asks("before", "2026-03-05"), "2026-03-04T23:59:59Z", True),
        (asks("before", "2026-03-05"), "2026-03-05", False),
        (asks("after", "2026-03-05T00:00:00+08:00"), "2026-03-05", True),
        (asks("after", "2026-03-05"), "soon", False),
        (asks("after", "2026-03-05"), 1772668800, False),
        (asks("within", "P7D"), "2026-03-06T12:00:00Z", True),
        (asks("within", "P7D"), "2026-03-06T12:00:01Z", False),
        (asks("within", "P7D"), "2026-02-27T12:00:00Z", False),
        (asks("within", "P7D"), "2026-02-27T12:00:01Z", True),
        (asks("within", "P7D"), None, False),
    ],
)
def test_a_comparison(rule: dict[str, Any], seen: Any, answer: bool) -> None:
    assert holds(rule, a=seen) is answer
    # A value of no such attribute, and one of an event, are asked in the same way.
    of_event = {"property" if key == "attribute" else key: value for key, value in rule.items()}
    assert parse(of_event).holds(Facts(), NOW, {"a": seen}, None) is answer
    if rule["op"] != "within":
        assert parse_where([of_event]).matches({"a": seen}) is answer


def test_a_missing_attribute_is_neither_more_nor_less() -> None:
    young = asks("lt", 30, of="age")
    assert not holds(young)
    assert holds({"not": young})


def test_a_dotted_path_walks_into_objects_never_into_lists() -> None:
    assert holds(asks("eq", "Bonn", of="address.city"), address={"city": "Bonn"})
    assert not holds(asks("eq", "Bonn", of="address.0"), address=["Bonn"])
    assert holds(asks("missing", of="address.city.name"), address={"city": "Bonn"})


def test_tags_segments_and_messages() -> None:
    facts = Facts(tags={"vip"}, segments=frozenset({"lapsed"}))
    clicked = {"nudge": frozenset({"sent", "clicked"})}
    for rule, answer in (
        ({"tag": "vip"}, True),
        ({"tag": "cold"}, False),
        ({"segment": "lapsed"}, True),
        ({"segment": "new"}, False),
        ({"message": "nudge", "outcome": "clicked"}, True),
        ({"message": "nudge", "outcome": "failed"}, False),
        ({"message": "other", "outcome": "clicked"}, False),
    ):
        assert parse(rule).holds(facts, NOW, None, clicked) is answer
    assert not parse({"message": "nudge", "outcome": "clicked"}).holds(facts, NOW, None, None)


@pytest.mark.parametrize("number", range(1, 12))
def test_all_and_any_of_any_length(number: int) -> None:
    tags = [{"tag": str(place)} for place in range(number)]
    for missing in range(number):
        everyone = Facts(tags={str(place) for place in range(number)})
        nobody = Facts(tags={str(missing)})
        assert parse({"all": tags}).holds(everyone, NOW, None, None)
        assert parse({"any": tags}).holds(nobody, NOW, None, None)
        everyone.tags.discard(str(missing))
        assert not parse({"all": tags}).holds(everyone, NOW, None, None)
    assert not parse({"any": tags}).holds(Facts(), NOW, None, None)


def history(*ages: float, sku: str = "A1") -> Facts:
    events = [Event("viewed", NOW - timedelta(hours=age), {"sku": sku}) for age in sorted(ages, reverse=True)]
    return Facts(events={"viewed": events})


@pytest.mark.parametrize(
    ("more", "ages", "answer"),
    [
        ({}, [], False),
        ({}, [5], True),
        ({"within": "PT1H"}, [1], False),
        ({"within": "PT1H"}, [0.999], True),
        ({"within": "PT1H"}, [0], True),
        ({"within": "PT1H"}, [-0.001], False),
        ({"count": {"op": "eq", "value": 0}}, [], True),
        ({"count": {"op": "eq", "value": 0}}, [-1], True),
        ({"count": {"op": "eq", "value": 2}}, [1, 2], True),
        ({"count": {"op": "eq", "value": 2}}, [1, 2, 3], False),
        ({"count": {"op": "ne", "value": 2}}, [1, 2, 3], True),
        ({"count": {"op": "gt", "value": 2}}, [1, 2], False),
        ({"count": {"op": "gte", "value": 3}, "within": "PT3H"}, [0, 1, 2, 4], True),
        ({"count": {"op": "lt", "value": 2}}, [1], True),
        ({"count": {"op": "lte", "value": 2}}, [1, 2, 3], False),
        ({"count": {"op": "gte", "value": 0}}, [], True),
        ({"where": [{"property": "sku", "op": "eq", "value": "B2"}]}, [1], False),
        ({"where": [{"not": {"property": "sku", "op": "eq", "value": "B2"}}]}, [1], True),
    ],
)
def test_events_are_counted_inside_a_window(more: dict[str, Any], ages: list[float], answer: bool) -> None:
    assert parse({"event": "viewed", **more}).holds(history(*ages), NOW, None, None) is answer


def test_every_rule_of_a_where_must_hold() -> None:
    where = parse_where(
        [
            {"any": [{"property": "a", "op": "eq", "value": 1}, {"property": "b", "op": "eq", "value": 1}]},
            {"all": [{"property": "c", "op": "exists"}]},
        ]
    )
    assert where.matches({"b": 1, "c": 0})
    assert not where.matches({"b": 1})
    assert not where.matches({"c": 0})
    assert EVERY_EVENT.matches({})


def test_a_rule_names_the_facts_it_reads() -> None:
    rule = parse(
        {
            "all": [
                asks("eq", 1, of="address.city"),
                {"any": [{"tag": "vip"}, {"segment": "lapsed"}, {"message": "nudge", "outcome": "sent"}]},
                {"not": {"property": "amount", "op": "gt", "value": 1}},
                {"event": "paid", "within": "P7D", "where": [{"property": "sku", "op": "exists"}]},
                {"event": "Order Completed"},
            ]
        }
    )
    assert rule.reads == {
        "attributes.address",
        "tags",
        "segment:lapsed",
        "message:nudge",
        "entry",
        "event:paid within P7D",
        "event:Order Completed",
    }


class Form(BaseModel):
    rule: Rule
    where: Where = EVERY_EVENT


def test_a_rule_is_a_field_of_a_form() -> None:
    given = {"rule": {"tag": "vip"}, "where": [{"property": "a", "op": "eq", "value": 1}]}
    form = Form.model_validate(given)
    assert form.rule.holds(Facts(tags={"vip"}), NOW, None, None)
    assert form.where.matches({"a": 1})
    assert form.model_dump() == given
    assert Form.model_validate_json(form.model_dump_json()) == form
    assert Form.model_json_schema()["properties"]["rule"]["format"] == "rule"
    with pytest.raises(ValidationError, match=r"rule\.tag: must be text"):
        Form.model_validate({"rule": {"tag": 1}})
    with pytest.raises(ValidationError, match=r"where\[0\]"):
        Form.model_validate({"rule": {"tag": "a"}, "where": [{}]})


def test_one_and_true_are_two_rules() -> None:
    assert parse(asks("eq", 1)) != parse(asks("eq", True))
    assert parse(asks("eq", 1)) == parse(asks("eq", 1))
    assert len({parse(asks("eq", 1)), parse(asks("eq", 1))}) == 1


@PROPERTY_TEST
@given(audience_rules(), contacts(), objects)
def test_a_rule_always_answers_and_explains_the_same(rule: Any, facts: Facts, properties: dict[str, Any]) -> None:
    compiled = parse(rule)
    answer = compiled.holds(facts, AT, properties, None)
    assert type(answer) is bool
    why = compiled.explain(facts, AT, properties)
    assert why.held is answer
    assert len(why.text) <= 80
    assert why.leaf.startswith("rule")
    assert compiled.sentence("en") != compiled.sentence("zh")
    assert parse({"not": rule}).holds(facts, AT, properties, None) is not answer
