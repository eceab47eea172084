"""Coming in as an audience."""

import pytest
from pydantic import ValidationError

from flows.contract import Json
from nodes.entry_segment import node

VIP: Json = {"tag": "vip"}


@pytest.mark.parametrize("schedule", [{"cron": "0 9 1 * *"}, {"at": "2026-06-18T20:00:00+08:00"}, {"on": "join"}])
def test_it_says_who_and_when(schedule: Json) -> None:
    assert node.start is not None
    start = node.start(node.settings.model_validate({"rule": VIP, "schedule": schedule}))
    assert (start.kind, start.rule.source, start.schedule) == ("segment", VIP, schedule)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rule": VIP, "schedule": {}}, "exactly one"),
        ({"rule": VIP, "schedule": {"cron": "0 9 * * *", "on": "join"}}, "exactly one"),
        ({"rule": VIP, "schedule": {"cron": "every day"}}, "five fields"),
        ({"rule": VIP, "schedule": {"cron": "0 0 31 2 *"}}, "would never fire"),
        ({"rule": VIP, "schedule": {"at": "soon"}}, "write a date and time"),
        ({"rule": VIP, "schedule": {"on": "leave"}}, "join"),
        ({"rule": VIP}, "required"),
        ({"schedule": {"on": "join"}}, "required"),
        ({"segment": "vip", "schedule": {"on": "join"}}, "write the audience as a rule"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(settings: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate(settings)


def test_the_card_says_who_and_when() -> None:
    settings = {"rule": VIP, "schedule": {"cron": "0 9 1 * *"}}
    assert node.summary(node.settings.model_validate(settings)) == "has the tag vip, cron 0 9 1 * *"
    settings["schedule"] = {"on": "join"}
    assert node.summary(node.settings.model_validate(settings)) == "has the tag vip, on joining"
