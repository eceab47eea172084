"""Setting and removing attributes."""

import pytest
from pydantic import ValidationError

from flows.contract import Json, SetAttributes
from nodes.action_attribute import node
from nodes.testing import make_batch


def test_values_keep_their_types_and_removing_is_none() -> None:
    new: Json = {"level": "gold", "score": 1, "rate": 1.5, "vip": True, "likes": ["tea", 2, False]}
    outcome = node.advance(make_batch(node, {"set": new, "unset": ["trial"]}, 2))
    (effect,) = outcome.effects
    assert isinstance(effect, SetAttributes)
    assert (outcome.go, effect.members) == ({"next": [1, 2]}, [1, 2])
    assert effect.values == {**new, "trial": None}
    assert [type(value) for value in effect.values.values()][:4] == [str, int, float, bool]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "at least one attribute"),
        ({"set": {"a": 1}, "unset": ["a"]}, "at once: a"),
        ({"set": {"a": None}}, "valid"),
        ({"set": {"a": {"b": 1}}}, "valid"),
        ({"set": {"a": float("nan")}}, "finite"),
        ({"set": {"": 1}}, "at least 1"),
        ({"set": {"a": 2**63}}, "less than"),
    ],
)
def test_values_that_cannot_be_kept_are_refused(settings: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate(settings)


def test_the_card_shows_the_values() -> None:
    assert (
        node.summary(node.settings.model_validate({"set": {"level": "gold"}, "unset": ["trial"]}))
        == "level = gold, −trial"
    )
