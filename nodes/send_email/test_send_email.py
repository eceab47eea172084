"""Mails as a node; how they are delivered is tested in tests/deliver."""

import pytest
from pydantic import ValidationError

from nodes.send_email import SAMPLE, node


def test_a_mail_needs_words() -> None:
    with pytest.raises(ValidationError, match="write the text, the HTML or both"):
        node.settings.model_validate({"account": "a", "subject": "s"})
    node.settings.model_validate({"account": "a", "subject": "s", "html": "<p>h</p>"})


def test_only_the_html_is_escaped_as_html() -> None:
    assert node.channel is not None
    assert {name for name, kind in node.channel.fields.items() if kind == "html"} == {"html"}
    assert node.channel.address == "email"


def test_the_card_shows_the_subject_and_what_is_waited_for() -> None:
    short = {**SAMPLE, "subject": "Your order", "wait_for": "clicked", "timeout": "P2D"}
    assert node.summary(node.settings.model_validate(short)) == "Your order · clicked in 2 days"
    assert len(node.summary(node.settings.model_validate({**short, "subject": "so long " * 50}))) <= 60
