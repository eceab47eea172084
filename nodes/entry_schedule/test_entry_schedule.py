"""Coming in at fixed times."""

import pytest
from pydantic import ValidationError

from flows.contract import Json
from nodes.entry_schedule import node


def test_it_says_when_and_everybody_unless_a_rule_is_given() -> None:
    assert node.start is not None
    start = node.start(node.settings.model_validate({"schedule": {"cron": "0 9 * * mon"}}))
    assert (start.kind, start.rule, start.schedule) == ("schedule", None, {"cron": "0 9 * * mon"})
    ruled = node.start(node.settings.model_validate({"schedule": {"at": "2026-06-18T20:00"}, "rule": {"tag": "vip"}}))
    assert ruled.rule.source == {"tag": "vip"}


@pytest.mark.parametrize("schedule", [{}, {"on": "join"}, {"at": "x"}, {"cron": "* * * *"}, None])
def test_schedules_that_are_none_are_refused(schedule: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"schedule": schedule})


def test_the_card_says_who_and_when() -> None:
    assert (
        node.summary(node.settings.model_validate({"schedule": {"cron": "0 9 * * mon"}}))
        == "Everybody, cron 0 9 * * mon"
    )
