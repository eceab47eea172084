"""Several questions, asked in order."""

import pytest
from pydantic import ValidationError

from flows.contract import Json, names
from nodes.branch import node
from nodes.testing import make_batch, make_member, placements

CASES: Json = {
    "cases": [
        {"name": "big", "rule": {"attribute": "spent", "op": "gte", "value": 1000}},
        {"name": "local", "rule": {"attribute": "city", "op": "in", "value": ["上海", "杭州"]}},
        {"name": "vip", "rule": {"tag": "vip"}},
    ]
}


def test_the_first_case_that_holds_wins_and_the_rest_go_to_other() -> None:
    people = [
        make_member(1, attributes={"spent": 1000, "city": "上海"}, tags={"vip"}),
        make_member(2, attributes={"spent": 999.99, "city": "杭州"}, tags={"vip"}),
        make_member(3, tags={"vip"}),
        make_member(4, attributes={"spent": "1000"}),
    ]
    outcome = node.advance(make_batch(node, CASES, people))
    assert [place for _kind, place in placements(outcome).values()] == ["big", "local", "vip", "other"]
    assert outcome.why == {1: "spent = 1000", 2: 'city = "杭州"', 3: "tag vip", 4: "no case holds"}


def test_it_has_a_port_for_each_case_and_asks_for_the_facts_of_all() -> None:
    settings = node.settings.model_validate(CASES)
    assert names(node.ports, settings) == ("big", "local", "vip", "other")
    assert names(node.reads, settings) == ("attributes.city", "attributes.spent", "tags")


@pytest.mark.parametrize(
    ("cases", "sentence"),
    [
        ([], "at least 1"),
        ([{"name": "other", "rule": {"tag": "a"}}], "another name"),
        ([{"name": "a", "rule": {"tag": "a"}}, {"name": "a", "rule": {"tag": "b"}}], "a name of its own"),
        ([{"name": "a"}], "required"),
        ([{"name": "a", "rule": {"tag": ""}}], "must not be empty"),
    ],
)
def test_cases_that_make_no_sense_are_refused_with_a_sentence(cases: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate({"cases": cases})


def test_the_card_names_the_ways() -> None:
    assert node.summary(node.settings.model_validate(CASES)) == "big / local / vip / everybody else"
