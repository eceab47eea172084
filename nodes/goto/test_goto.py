"""Going on elsewhere."""

import pytest
from pydantic import ValidationError

from nodes.goto import node
from nodes.testing import make_batch


def test_the_wire_comes_from_the_settings() -> None:
    settings = node.settings.model_validate({"node": "paid"})
    assert node.jumps is not None
    assert node.jumps(settings) == {"next": "paid"}
    assert node.advance(make_batch(node, settings, 2)).go == {"next": [1, 2]}
    assert node.summary(settings) == "Go to paid"


def test_nowhere_is_refused() -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"node": " "})
