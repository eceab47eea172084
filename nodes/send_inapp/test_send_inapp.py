"""In-app messages as a node."""

import asyncio

import pytest

from flows.contract import Outgoing
from nodes.send_inapp import SAMPLE, node
from nodes.send_inapp.deliver import deliver


def test_it_stays_in_the_house_and_needs_neither_account_nor_address() -> None:
    assert node.channel is not None
    assert node.channel.local
    assert (node.channel.account, node.channel.address) == (None, None)


def test_it_expires_after_a_week_unless_said_otherwise() -> None:
    assert node.settings.model_validate({"title": "t"}).model_dump()["expires"] == "P7D"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_storing_it_is_sending_it(count: int) -> None:
    messages = [Outgoing(n, "u1", {"title": "t"}, {}, f"key-{n}") for n in range(count)]
    reports = asyncio.run(deliver(messages, None))
    assert [report.status for report in reports] == ["sent"] * count


def test_the_card_shows_the_title() -> None:
    assert node.summary(node.settings.model_validate(SAMPLE)) == "Order ‹order_id› waits"
