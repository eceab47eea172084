"""The end of a walk."""

from nodes.exit import node
from nodes.testing import make_batch


def test_people_leave_with_the_reason() -> None:
    assert node.advance(make_batch(node, {"reason": "bought"}, 2)).leave == {"bought": [1, 2]}


def test_without_a_reason_the_node_is_the_reason() -> None:
    assert node.advance(make_batch(node, {}, 1, node="end")).leave == {"end": [1]}
    assert node.advance(make_batch(node, {"reason": "  "}, 1, node="")).leave == {"exit": [1]}


def test_nobody_leaves_where_nobody_came() -> None:
    assert not node.advance(make_batch(node, {}, 0)).leave


def test_the_card_says_the_reason() -> None:
    assert [node.summary(node.settings(**given)) for given in ({}, {"reason": "bought"})] == ["End", "End: bought"]
