"""Coming in on call."""

from nodes.entry_api import node
from nodes.testing import make_batch


def test_whoever_is_enrolled_goes_on() -> None:
    assert node.start is not None
    assert node.start(node.settings()).kind == "api"
    assert node.advance(make_batch(node, {}, 2)).go == {"next": [1, 2]}
