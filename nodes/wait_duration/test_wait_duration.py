"""Waiting for a fixed time."""

from datetime import datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from flows.contract import Wait
from nodes.testing import NOON, make_batch, make_member, placements, wake
from nodes.wait_duration import node


def test_people_rest_until_their_own_arrival_plus_the_time() -> None:
    later = NOON + timedelta(seconds=90)
    batch = make_batch(node, {"duration": "PT10M"}, [make_member(1), make_member(2, later), make_member(3)])
    outcome = node.advance(batch)
    assert outcome.stay == {Wait(NOON + timedelta(minutes=10)): [1, 3], Wait(later + timedelta(minutes=10)): [2]}
    assert not outcome.go


def test_the_moment_is_the_arrival_and_not_the_clock_of_the_batch() -> None:
    batch = make_batch(node, {"duration": "PT10M"}, 1, now=NOON + timedelta(days=3))
    assert placements(node.advance(batch)) == {1: ("stay", Wait(NOON + timedelta(minutes=10)))}


def test_people_woken_by_the_clock_go_on() -> None:
    member = wake(make_member(1), NOON + timedelta(minutes=10))
    assert placements(node.advance(make_batch(node, {"duration": "PT10M"}, [member]))) == {1: ("go", "next")}


def test_people_who_come_round_again_wait_again_from_then() -> None:
    again = make_member(1, NOON + timedelta(days=1), visit=2)
    assert placements(node.advance(make_batch(node, {"duration": "P1D"}, [again]))) == {
        1: ("stay", Wait(NOON + timedelta(days=2)))
    }


def test_a_day_is_24_hours_over_the_change_of_the_clocks() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=timezone(timedelta(hours=1)))  # Berlin springs forward in the night
    batch = make_batch(node, {"duration": "P1D"}, [make_member(1, before)], timezone="Europe/Berlin")
    assert placements(node.advance(batch)) == {
        1: ("stay", Wait(datetime(2026, 3, 29, 13, tzinfo=timezone(timedelta(hours=2)))))
    }


@pytest.mark.parametrize("duration", ["", "10 minutes", "PT0S", "-PT1H", "P1M", "P9999D", 600, None])
def test_a_time_that_is_none_is_refused(duration: object) -> None:
    with pytest.raises(ValidationError):
        node.settings.model_validate({"duration": duration})


def test_the_card_says_how_long() -> None:
    assert node.summary(node.settings.model_validate({"duration": "P1DT2H"})) == "Wait 1 day 2 hours"
