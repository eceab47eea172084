"""Coming in on a date of one's own."""

import pytest
from pydantic import ValidationError

from flows.contract import Json, names
from nodes.entry_date import node


def test_it_says_which_date_and_asks_for_it_and_for_the_zone() -> None:
    settings = node.settings.model_validate({"attribute": "birthday", "at": "10:00", "every_year": True})
    assert node.start is not None
    start = node.start(settings)
    assert (start.kind, start.attribute, start.offset, start.at, start.every_year) == (
        "date", "birthday", "P0D", "10:00", True,
    )  # fmt: skip
    assert names(node.reads, settings) == ("attributes.birthday", "attributes.timezone")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"attribute": ""},
        {"attribute": "a", "at": "24:00"},
        {"attribute": "a", "offset": "soon"},
        {"attribute": "a", "at": 9},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Json) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate(settings)


def test_the_card_says_which_date() -> None:
    cards = [{"attribute": "birthday", "at": "10:00", "every_year": True}, {"attribute": "ends", "offset": "-P3D"}]
    assert [node.summary(node.settings.model_validate(card)) for card in cards] == [
        "birthday at 10:00, every year",
        "3 days before ends at 00:00",
    ]
