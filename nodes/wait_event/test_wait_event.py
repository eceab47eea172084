"""Waiting for something people do."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from flows.contract import Event, Json, Wait, names
from nodes.testing import NOON, make_batch, make_member, placements, wake
from nodes.wait_event import node

MINUTE = timedelta(minutes=1)
PAID: dict[str, Json] = {"events": [{"event": "order_paid"}], "timeout": "PT10M"}
FROM_ENTRY = {**PAID, "since": "entry"}
DEADLINE = NOON + 10 * MINUTE


def event(name: str = "order_paid", at: timedelta = MINUTE, id: int | None = 7, **properties: Json) -> Event:
    return Event(name, NOON + at, properties, id)


def where(settings: dict[str, Json], member: Any, **given: Any) -> Json:
    return placements(node.advance(make_batch(node, settings, [member], **given)))[member.id]


def test_people_wait_for_the_event_and_for_the_time_out() -> None:
    assert where(PAID, make_member(1)) == ("stay", Wait(DEADLINE, ("order_paid",)))


def test_without_a_time_out_nothing_but_the_event_ends_the_wait() -> None:
    assert where({"events": [{"event": "order_paid"}]}, make_member(1)) == ("stay", Wait(None, ("order_paid",)))


def test_the_event_leads_out_by_its_own_name() -> None:
    assert where(PAID, wake(make_member(1), NOON + MINUTE, event())) == ("go", "order_paid")


def test_the_clock_leads_out_by_timeout() -> None:
    assert where(PAID, wake(make_member(1), DEADLINE)) == ("go", "timeout")


def test_an_event_exactly_at_the_time_out_wins() -> None:
    assert where(PAID, wake(make_member(1), DEADLINE, event(at=10 * MINUTE))) == ("go", "order_paid")


def test_an_event_after_the_time_out_is_too_late_even_if_the_clocks_stage_was_slower() -> None:
    late = wake(make_member(1), DEADLINE + timedelta(seconds=1), event())
    assert where(PAID, late) == ("go", "timeout")


def test_an_event_that_was_not_meant_leaves_the_deadline_as_it_was() -> None:
    settings = {**PAID, "events": [{"event": "order_paid", "where": [{"property": "amount", "op": "gte", "value": 9}]}]}
    cheap = wake(make_member(1), NOON + 3 * MINUTE, event(amount=8))
    assert where(settings, cheap) == ("stay", Wait(DEADLINE, ("order_paid",)))
    again = wake(cheap, NOON + 5 * MINUTE, event(amount=9))
    assert where(settings, again) == ("go", "order_paid")


def test_another_order_does_not_end_the_wait_of_this_one() -> None:
    member = make_member(1, key="o1")
    other = wake(member, NOON + MINUTE, event(order_id="o2"))
    own = wake(member, NOON + MINUTE, event(order_id="o1"))
    keyed = {"key_path": "properties.order_id"}
    assert where(PAID, other, **keyed) == ("stay", Wait(DEADLINE, ("order_paid",)))
    assert where(PAID, own, **keyed) == ("go", "order_paid")


def test_the_first_case_that_fits_names_the_port() -> None:
    settings: dict[str, Json] = {
        "events": [
            {"event": "replied", "where": [{"property": "text", "op": "eq", "value": "yes"}], "name": "accepted"},
            {"event": "replied", "name": "other_answer"},
            {"event": "blocked"},
        ]
    }
    member = make_member(1)
    answers = [event("replied", text="yes"), event("replied", text="no"), event("replied"), event("blocked")]
    assert [where(settings, wake(member, NOON + MINUTE, answer))[1] for answer in answers] == [
        "accepted",
        "other_answer",
        "other_answer",
        "blocked",
    ]


def test_several_events_may_share_a_way_out() -> None:
    settings = node.settings.model_validate(
        {"events": [{"event": "called", "name": "reached"}, {"event": "replied", "name": "reached"}], "timeout": "P1D"}
    )
    assert names(node.ports, settings) == ("reached", "timeout")
    assert names(node.listens, settings) == ("called", "replied")


def test_without_a_time_out_there_is_no_such_port() -> None:
    assert names(node.ports, node.settings.model_validate({"events": [{"event": "a"}]})) == ("a",)


def test_since_entry_an_event_that_overtook_its_order_counts() -> None:
    member = make_member(1, NOON + MINUTE, since=NOON, events={"order_paid": [event(at=timedelta(seconds=3))]})
    assert where(FROM_ENTRY, member) == ("go", "order_paid")
    assert where(PAID, member)[0] == "stay"


def test_since_entry_an_event_before_the_entry_does_not_count_whenever_it_comes() -> None:
    old = event(at=-MINUTE)
    assert where(FROM_ENTRY, make_member(1, events={"order_paid": [old]}))[0] == "stay"
    assert where(FROM_ENTRY, wake(make_member(1), NOON + MINUTE, old)) == ("stay", Wait(DEADLINE, ("order_paid",)))
    assert where(PAID, wake(make_member(1), NOON + MINUTE, old)) == ("go", "order_paid")


def test_since_entry_an_event_of_the_same_moment_as_the_entry_counts() -> None:
    entered = event("order_submitted", at=timedelta(), id=1)
    member = make_member(1, entry=entered, events={"order_paid": [event(at=timedelta())]})
    assert where(FROM_ENTRY, member) == ("go", "order_paid")


@pytest.mark.parametrize("id", [1, None])
def test_the_event_that_let_somebody_in_ends_none_of_their_waits(id: int | None) -> None:
    entered = event(at=timedelta(), id=id)
    same = Event(*entered)
    member = make_member(1, entry=entered, events={"order_paid": [same]})
    assert where(FROM_ENTRY, member)[0] == "stay"
    second = event(at=timedelta(), id=2)
    member = make_member(1, entry=entered, events={"order_paid": [same, second]})
    assert where(FROM_ENTRY, member) == ("go", "order_paid")


def test_since_entry_what_has_not_happened_yet_does_not_count() -> None:
    assert where(FROM_ENTRY, make_member(1, events={"order_paid": [event(at=MINUTE)]}))[0] == "stay"


def test_since_entry_the_earliest_event_decides() -> None:
    settings: dict[str, Json] = {"events": [{"event": "a"}, {"event": "b"}], "since": "entry"}
    facts = {"a": [event("a", at=3 * MINUTE)], "b": [event("b", at=2 * MINUTE), event("b", at=4 * MINUTE)]}
    assert where(settings, make_member(1, NOON + 5 * MINUTE, since=NOON, events=facts)) == ("go", "b")


def test_since_entry_asks_for_the_events_it_looks_back_at() -> None:
    assert names(node.reads, node.settings.model_validate(FROM_ENTRY)) == ("event:order_paid since entry",)
    assert names(node.reads, node.settings.model_validate(PAID)) == ()


def test_since_entry_the_key_counts_as_well() -> None:
    member = make_member(1, key="o1", events={"order_paid": [event(at=timedelta(), order_id="o2")]})
    assert where(FROM_ENTRY, member, key_path="properties.order_id")[0] == "stay"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"events": []}, "at least 1"),
        ({"events": [{"event": ""}]}, "at least 1"),
        ({"events": [{"event": "timeout"}]}, "another name"),
        ({"events": [{"event": "a", "name": "timeout"}]}, "another name"),
        ({"events": [{"event": "a", "where": [{"tag": "vip"}]}]}, "properties of the event only"),
        ({"events": [{"event": "a"}], "since": "yesterday"}, "entry"),
        ({"events": [{"event": "a"}], "timeout": "1h"}, "length of time"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(settings: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        node.settings.model_validate(settings)


def test_the_card_says_what_is_awaited() -> None:
    assert node.summary(node.settings.model_validate(PAID)) == "Wait for order_paid, 10 minutes at most"
    many = {"events": [{"event": f"something_rather_long_{n}"} for n in range(9)], "timeout": "P2D"}
    assert node.summary(node.settings.model_validate(many)).endswith("…, 2 days at most")
