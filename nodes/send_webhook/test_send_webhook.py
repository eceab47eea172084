"""Webhooks as a node; how they are delivered is tested in tests/deliver."""

import pytest
from pydantic import ValidationError

from nodes.send_webhook import SAMPLE, node


def test_an_account_or_an_address_is_enough_neither_is_not() -> None:
    for settings in ({"account": "crm"}, {"url": "https://crm.example.com"}):
        node.settings.model_validate(settings)
    with pytest.raises(ValidationError, match="name an address"):
        node.settings.model_validate({"body": "{}"})


def test_the_body_is_escaped_as_json_and_the_contact_needs_no_address() -> None:
    assert node.channel is not None
    assert dict(node.channel.fields) == {"url": "url", "body": "json"}
    assert node.channel.address is None


def test_the_card_shows_where_it_goes() -> None:
    assert node.summary(node.settings.model_validate(SAMPLE)) == "POST https://crm.example.com/hooks/orders"
    assert node.summary(node.settings.model_validate({"account": "crm"})) == "POST crm"
