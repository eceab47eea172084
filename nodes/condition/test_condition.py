"""One question, yes or no."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from flows.contract import Event, Json, names
from nodes.condition import node
from nodes.testing import NOON, make_batch, make_member, placements

PRO: Json = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}}


def test_each_person_goes_by_yes_or_no_and_the_reason_is_told() -> None:
    people = [make_member(1, attributes={"plan": "pro"}), make_member(2, attributes={"plan": "free"}), make_member(3)]
    outcome = node.advance(make_batch(node, PRO, people))
    assert placements(outcome) == {1: ("go", "yes"), 2: ("go", "no"), 3: ("go", "no")}
    assert outcome.why == {1: 'plan = "pro"', 2: 'plan = "free"', 3: "plan is missing"}


def test_a_remembered_answer_never_mixes_up_one_true_and_the_text_one() -> None:
    values: list[Json] = [1, True, "1", 1.0, [1], {"a": 1}, None] * 2
    people = [make_member(number, attributes={"n": value}) for number, value in enumerate(values)]
    outcome = node.advance(make_batch(node, {"rule": {"attribute": "n", "op": "eq", "value": 1}}, people))
    assert outcome.go == {"yes": [0, 3, 7, 10], "no": [1, 2, 4, 5, 6, 8, 9, 11, 12, 13]}


def test_tags_and_attributes_are_remembered_together() -> None:
    rule: Json = {"rule": {"all": [{"tag": "vip"}, {"attribute": "age", "op": "gte", "value": 18}]}}
    known = [({"vip"}, 20), (set(), 20), ({"vip", "new"}, 20), ({"vip"}, 17)]
    people = [make_member(n, tags=tags, attributes={"age": age}) for n, (tags, age) in enumerate(known * 2)]
    assert node.advance(make_batch(node, rule, people)).go == {"yes": [0, 2, 4, 6], "no": [1, 3, 5, 7]}


def test_a_window_is_reckoned_from_each_ones_own_moment() -> None:
    rule: Json = {"rule": {"event": "viewed", "count": {"op": "gte", "value": 2}, "within": "PT1H"}}
    seen = [Event("viewed", NOON - timedelta(minutes=90), {}), Event("viewed", NOON - timedelta(minutes=10), {})]
    people = [
        make_member(n, NOON - timedelta(minutes=back), events={"viewed": seen}) for n, back in enumerate((0, 5, 40))
    ]
    early = make_member(
        3, NOON - timedelta(minutes=31), events={"viewed": [Event("viewed", seen[0].timestamp, {})] * 2}
    )
    assert node.advance(make_batch(node, rule, [*people, early])).go == {"yes": [3], "no": [0, 1, 2]}


def test_a_date_within_the_last_days_is_asked_at_each_ones_own_moment() -> None:
    rule: Json = {"rule": {"attribute": "born", "op": "within", "value": "P7D"}}
    people = [
        make_member(n, NOON + timedelta(days=days), attributes={"born": "2026-03-01"}) for n, days in enumerate((0, 30))
    ]
    assert node.advance(make_batch(node, rule, people)).go == {"yes": [0], "no": [1]}


def test_the_entry_event_and_the_messages_of_the_walk_can_be_asked() -> None:
    rule: Json = {
        "rule": {
            "any": [{"property": "amount", "op": "gt", "value": 9}, {"message": "nudge", "outcome": "clicked"}],
        }
    }
    people = [
        make_member(1, entry=Event("bought", NOON, {"amount": 10})),
        make_member(2, messages={"nudge": frozenset({"sent", "clicked"})}),
        make_member(3),
    ]
    assert node.advance(make_batch(node, rule, people)).go == {"yes": [1, 2], "no": [3]}


def test_it_asks_for_the_facts_of_its_rule() -> None:
    rule: Json = {"all": [{"tag": "vip"}, {"attribute": "plan", "op": "exists"}, {"event": "paid", "within": "P7D"}]}
    settings = node.settings.model_validate({"rule": rule})
    assert names(node.reads, settings) == ("attributes.plan", "event:paid within P7D", "tags")


@pytest.mark.parametrize(
    "rule", [None, {}, [], "plan = pro", {"attribute": "plan"}, {"attribute": "plan", "op": "like"}]
)
def test_a_rule_that_is_none_is_refused(rule: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"rule": rule})


def test_the_card_says_the_rule_in_words() -> None:
    assert node.summary(node.settings.model_validate(PRO)) == 'plan is "pro"'
