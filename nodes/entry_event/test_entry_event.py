"""Coming in by an event."""

import pytest
from pydantic import ValidationError

from flows.contract import Json, names
from nodes.entry_event import node
from nodes.testing import NOON, make_batch, make_member

FILTERED: Json = {
    "event": "bought",
    "where": [{"property": "amount", "op": "gte", "value": 50}],
    "when": {"attribute": "country", "op": "eq", "value": "CN"},
}


def test_everybody_who_came_in_goes_on() -> None:
    assert node.advance(make_batch(node, {"event": "bought"}, 3)).go == {"next": [1, 2, 3]}


def test_it_says_which_event_lets_whom_in() -> None:
    settings = node.settings.model_validate(FILTERED)
    assert node.start is not None
    start = node.start(settings)
    assert (start.kind, start.event) == ("event", "bought")
    assert [start.where.matches({"amount": amount}) for amount in (50, 49)] == [True, False]
    assert start.when.holds(make_member(attributes={"country": "CN"}).facts, NOON, {}, {})
    assert names(node.reads, settings) == ("attributes.country",)


def test_without_filters_every_such_event_lets_in() -> None:
    assert node.start is not None
    start = node.start(node.settings.model_validate({"event": "bought"}))
    assert start.where.matches({})
    assert start.when is None


@pytest.mark.parametrize(
    "settings", [{}, {"event": ""}, {"event": "a", "where": {"property": "b"}}, {"event": "a", "if": 1}]
)
def test_settings_that_make_no_sense_are_refused(settings: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate(settings)


def test_the_card_names_the_event() -> None:
    assert node.summary(node.settings.model_validate({"event": "bought"})) == "On bought"
    assert node.summary(node.settings.model_validate(FILTERED)) == "On bought, filtered"
