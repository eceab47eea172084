"""Saying something about people."""

import pytest
from pydantic import ValidationError

from flows.contract import Emit, Json
from nodes.action_event import node
from nodes.testing import make_batch


def test_everybody_says_the_event_and_goes_on() -> None:
    outcome = node.advance(make_batch(node, {"event": "promoted", "properties": {"level": "gold"}}, 2))
    assert outcome.go == {"next": [1, 2]}
    assert outcome.effects == (Emit([1, 2], "promoted", {"level": "gold"}),)


@pytest.mark.parametrize("event", ["", "message.delivered", "message.", "a\nb", "x" * 201, None])
def test_names_that_are_none_or_belong_to_receipts_are_refused(event: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"event": event})


def test_the_card_says_the_event() -> None:
    assert node.summary(node.settings.model_validate({"event": "promoted"})) == "Say promoted"
