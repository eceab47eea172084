"""Holding a share of people back."""

import pytest
from pydantic import ValidationError

from flows.contract import Json
from nodes.holdout import node
from nodes.testing import make_batch


@pytest.mark.parametrize(("percent", "held"), [(0, 0), (100, 500)])
def test_nobody_and_everybody_are_exact(percent: float, held: int) -> None:
    assert len(node.advance(make_batch(node, {"percent": percent}, 500)).go.get("held", [])) == held


def test_the_share_is_held_and_stays_the_same_people() -> None:
    go = node.advance(make_batch(node, {"percent": 10}, 20_000)).go
    assert len(go["held"]) / 20_000 == pytest.approx(0.1, abs=0.01)
    assert node.advance(make_batch(node, {"percent": 10}, 20_000)).go == go


def test_a_larger_share_holds_the_same_people_and_more() -> None:
    few, many = (set(node.advance(make_batch(node, {"percent": p}, 2000)).go["held"]) for p in (5, 20))
    assert few < many


@pytest.mark.parametrize("percent", [-1, 100.1, float("inf"), "half", None])
def test_a_share_that_is_none_is_refused(percent: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"percent": percent})


def test_the_card_says_the_share() -> None:
    assert node.summary(node.settings.model_validate({"percent": 2.5})) == "Hold back 2.5%"
