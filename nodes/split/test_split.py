"""Dealing people out by chance that is their own for ever."""

from hashlib import blake2b

import pytest
from pydantic import ValidationError

from flows.contract import Json, names
from nodes.split import node
from nodes.testing import make_batch, make_member, placements

HALVES: Json = {"arms": [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]}


def test_anybody_can_recompute_who_got_which_arm() -> None:
    members = [make_member(number, contact=number + 500, key="o1" if number % 2 else "") for number in range(200)]
    got = placements(node.advance(make_batch(node, HALVES, members, seed="7/12/ab")))
    for member in members:
        name = f"7/12/ab/{member.contact}" + (f"/{member.key}" if member.key else "")
        draw = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
        assert got[member.id] == ("go", "A" if draw < 0.5 else "B")


def test_whoever_comes_again_gets_the_same_arm() -> None:
    first = node.advance(make_batch(node, HALVES, [make_member(n, contact=n) for n in range(100)]))
    again = node.advance(make_batch(node, HALVES, [make_member(n, contact=n, visit=2) for n in range(100)]))
    assert first.go == again.go


def test_arms_get_their_shares_whatever_the_weights_sum_to() -> None:
    arms: Json = {"arms": [{"name": "a", "weight": 1}, {"name": "off", "weight": 0}, {"name": "b", "weight": 2}]}
    go = node.advance(make_batch(node, arms, 30_000)).go
    assert set(go) == {"a", "b"}
    assert len(go["a"]) / 30_000 == pytest.approx(1 / 3, abs=0.01)


def test_two_splits_deal_independently() -> None:
    here, there = (node.advance(make_batch(node, HALVES, 20_000, seed=seed)).go["A"] for seed in ("1/1/x", "1/1/y"))
    assert len(set(here) & set(there)) / 20_000 == pytest.approx(0.25, abs=0.015)


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        ([], "at least 1"),
        ([{"name": "A", "weight": 0}], "above 0"),
        ([{"name": "A"}, {"name": "A"}], "a name of its own"),
        ([{"name": "A", "weight": -1}], "greater than or equal to 0"),
        ([{"name": "A", "weight": float("nan")}], "finite"),
        ([{"name": "", "weight": 1}], "at least 1"),
    ],
)
def test_arms_that_make_no_sense_are_refused_with_a_sentence(arms: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate({"arms": arms})


def test_a_new_split_is_half_and_half_and_the_card_shows_percent() -> None:
    settings = node.settings()
    assert names(node.ports, settings) == ("A", "B")
    assert node.summary(settings) == "A 50% / B 50%"
