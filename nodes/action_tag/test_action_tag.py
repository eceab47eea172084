"""Giving and taking tags."""

import pytest
from pydantic import ValidationError

from flows.contract import Json, Tag
from nodes.action_tag import node
from nodes.testing import make_batch


def test_everybody_gets_and_loses_the_tags_and_goes_on() -> None:
    outcome = node.advance(make_batch(node, {"add": ["warm"], "remove": ["cold"]}, 2))
    assert outcome.go == {"next": [1, 2]}
    assert outcome.effects == (Tag([1, 2], ("warm",), ("cold",)),)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({}, "at least one tag"), ({"add": ["a"], "remove": ["a"]}, "at once: a"), ({"add": [""]}, "at least 1")],
)
def test_tags_that_make_no_sense_are_refused_with_a_sentence(settings: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate(settings)


def test_the_card_shows_the_tags() -> None:
    assert node.summary(node.settings.model_validate({"add": ["warm"], "remove": ["cold"]})) == "+warm −cold"
