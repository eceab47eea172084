"""What all sends share: one message, and waiting for what becomes of it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from flows.contract import Event, Json, Member, Message, Wait, names
from nodes import send_email, send_inapp, send_webhook
from nodes.testing import NOON, make_batch, make_member, placements, wake

HOUR = timedelta(hours=1)
PLAIN: dict[str, Json] = {"title": "Hello", "body": "…"}
WAITING: dict[str, Json] = {**PLAIN, "wait_for": "opened", "timeout": "P1D"}
AWAITED = ("message.opened", "message.clicked", "message.failed", "message.suppressed", "message.expired")
DEADLINE = NOON + timedelta(days=1)
REST = ("stay", Wait(DEADLINE, AWAITED))


def receipt(outcome: str, **properties: Json) -> Event:
    return Event(f"message.{outcome}", NOON + HOUR, {"enrollment": 1, "node": "n", "visit": 1, **properties}, 5)


def where(settings: dict[str, Json], member: Member) -> Json:
    return placements(send_inapp.node.advance(make_batch(send_inapp.node, settings, [member])))[member.id]


def test_everybody_gets_the_message_and_goes_on() -> None:
    outcome = send_inapp.node.advance(make_batch(send_inapp.node, PLAIN, 3))
    assert (outcome.go, outcome.send) == ({"next": [1, 2, 3]}, (Message([1, 2, 3], "inapp"),))


@pytest.mark.parametrize(
    ("module", "channel"), [(send_email, "email"), (send_webhook, "webhook"), (send_inapp, "inapp")]
)
def test_each_send_uses_its_own_channel_and_account(module: Json, channel: str) -> None:
    settings = {**module.SAMPLE, "account": "mine"}
    assert module.node.advance(make_batch(module.node, settings)).send == (Message([1], channel, "mine"),)
    assert (module.node.channel.name, module.node.group) == (channel, "send")


def test_a_waiting_send_sends_at_arrival_only() -> None:
    members = [make_member(1), wake(make_member(2), NOON + HOUR)]
    outcome = send_inapp.node.advance(make_batch(send_inapp.node, WAITING, members))
    assert outcome.send == (Message([1], "inapp"),)
    assert placements(outcome) == {1: REST, 2: ("go", "timeout")}


def test_the_outcome_of_ones_own_message_ends_the_wait() -> None:
    assert where(WAITING, wake(make_member(1), NOON + HOUR, receipt("opened"))) == ("go", "opened")


def test_outcomes_climb_a_click_says_it_was_opened() -> None:
    assert where(WAITING, wake(make_member(1), NOON + HOUR, receipt("clicked"))) == ("go", "opened")
    assert where({**WAITING, "wait_for": "delivered"}, wake(make_member(1), NOON + HOUR, receipt("opened"))) == (
        "go",
        "delivered",
    )


def test_less_than_the_outcome_does_not_end_the_wait() -> None:
    assert where(WAITING, wake(make_member(1), NOON + HOUR, receipt("delivered"))) == REST


@pytest.mark.parametrize("outcome", ["failed", "suppressed", "expired"])
def test_a_message_that_never_arrives_leads_out_by_failed(outcome: str) -> None:
    assert where(WAITING, wake(make_member(1), NOON + HOUR, receipt(outcome))) == ("go", "failed")


@pytest.mark.parametrize(
    "other", [{"enrollment": 2}, {"node": "m"}, {"visit": 2}, {"enrollment": None}, {"visit": "1"}]
)
def test_receipts_of_other_messages_do_not_count(other: dict[str, Json]) -> None:
    assert where(WAITING, wake(make_member(1), NOON + HOUR, receipt("opened", **other))) == REST


def test_on_a_second_visit_only_the_second_message_counts() -> None:
    again = make_member(1, visit=2)
    assert where(WAITING, wake(again, NOON + HOUR, receipt("opened"))) == REST
    assert where(WAITING, wake(again, NOON + HOUR, receipt("opened", visit=2))) == ("go", "opened")


def test_a_receipt_exactly_at_the_time_out_wins_a_later_one_does_not() -> None:
    assert where(WAITING, wake(make_member(1), DEADLINE, receipt("opened"))) == ("go", "opened")
    late = wake(make_member(1), DEADLINE + timedelta(seconds=1), receipt("opened"))
    assert where(WAITING, late) == ("go", "timeout")


def test_ports_follow_what_is_waited_for() -> None:
    node = send_inapp.node
    assert names(node.ports, node.settings.model_validate(PLAIN)) == ("next",)
    assert names(node.ports, node.settings.model_validate(WAITING)) == ("opened", "failed", "timeout")
    assert names(node.listens, node.settings.model_validate(PLAIN)) == ()
    assert names(node.listens, node.settings.model_validate(WAITING)) == AWAITED


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"wait_for": "opened"}, "belong together"),
        ({"timeout": "P1D"}, "belong together"),
        ({"wait_for": "sent", "timeout": "P1D"}, "delivered"),
        ({"template": "welcome"}, "templates are not available yet"),
        ({"message_class": "spam"}, "marketing"),
        ({"title": ""}, "at least 1"),
        ({"expires": "P0D"}, "between"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(extra: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        send_inapp.node.settings.model_validate({**PLAIN, **extra})


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ contact.name | default: 'you' }}, your order waits", "‹name›, your order waits"),
        ("{% if contact.language == 'zh' %}订单待付{% else %}Your order waits{% endif %}", "订单待付"),
        (
            "{% case x %}{% when 1 %}one{% when 2 %}two{% endcase %}",
            "{% case x %}{% when 1 %}one{% when 2 %}two{% endcase %}",
        ),
        ("plain words", "plain words"),
    ],
)
def test_a_card_shows_a_template_as_words(template: str, shown: str) -> None:
    assert send_inapp.summary(send_inapp.Settings(title=template)) == shown
