"""What is said about messages climbs, ends or suppresses, once each, and comes back as events (I11, D2)."""

from datetime import timedelta
from typing import Any

import pytest

from app.database import Connection, transaction
from app.lanes import ALL_LANES
from app.stages import settle
from app.store import receipts
from app.store.receipts import Said
from tests.deliver.house import House, build
from tests.deliver.peers import NOW

SENT, FAILED, UNKNOWN = 2, 3, 6


@pytest.fixture
def house(connection: Connection) -> House:
    return build(connection)


def sent(house: House, *numbers: int, status: int = SENT, **more: Any) -> None:
    for number in numbers:
        house.message(number, status=status, outcome=1, sent_at=NOW, recipient=f"p{number}@example.com", **more)


def say(house: House, number: int, kind: str, event: str = "", **detail: Any) -> int:
    with transaction(house.connection):
        return receipts.add(house.connection, [Said(house.workspace, 1000 + number, kind, event, NOW, detail)])


def settled(house: House) -> int:
    return settle.run(house.connection, house.plans, lanes=ALL_LANES, now=NOW + timedelta(seconds=5), limit=100)


def test_i11_outcomes_only_climb_whatever_the_order(house: House) -> None:
    sent(house, 1)
    for kind in ("clicked", "delivered", "opened"):
        say(house, 1, kind, url="https://shop.example/") if kind == "clicked" else say(house, 1, kind)
        settled(house)
    assert [one["outcome"] for one in house.messages()] == [4]
    names = [name for name, _ in house.letters()]
    assert names == ["message.clicked", "message.delivered", "message.opened"]
    properties = house.letters()[0][1]
    assert properties == {
        "message": 1001,
        "enrollment": 1,
        "node": "send",
        "visit": 1,
        "journey": house.journey,
        "channel": "email",
        "url": "https://shop.example/",
    }


def test_d2_a_receipt_said_twice_is_said_once(house: House) -> None:
    sent(house, 1)
    assert say(house, 1, "delivered", "evt-1") == 1
    assert say(house, 1, "delivered", "evt-1") == 0
    assert settled(house) == 1
    assert say(house, 1, "delivered", "evt-1") == 0
    assert settled(house) == 0
    assert len(house.letters()) == 1


def test_a_receipt_of_a_message_that_never_was_is_not_kept(house: House) -> None:
    assert say(house, 9, "delivered") == 0


def test_a_bounce_ends_the_message_and_suppresses_the_address(house: House) -> None:
    sent(house, 1)
    say(house, 1, "bounced", reason="550 no such user")
    settled(house)
    (one,) = house.messages()
    assert (one["status"], one["reason"]) == (FAILED, "hard_bounce: 550 no such user")
    assert house.rows("SELECT channel, address, reason FROM suppression") == [
        ("email", "p1@example.com", "hard_bounce")
    ]
    assert house.letters()[0][0] == "message.failed"
    say(house, 1, "opened")
    settled(house)
    assert house.statuses() == [FAILED]


def test_a_soft_bounce_suppresses_nobody(house: House) -> None:
    sent(house, 1)
    say(house, 1, "soft_bounced", reason="mailbox full")
    settled(house)
    assert house.statuses() == [SENT]
    assert house.rows("SELECT * FROM suppression") == []


def test_a_complaint_suppresses_the_address_and_takes_the_consent_back(house: House) -> None:
    sent(house, 1)
    say(house, 1, "complained")
    settled(house)
    assert house.rows("SELECT reason FROM suppression") == [("complaint",)]
    assert house.rows("SELECT consents FROM contact") == [({"email": {"marketing": False}},)]


def test_d7_a_receipt_settles_what_nobody_knew(house: House) -> None:
    sent(house, 1, status=UNKNOWN, due_at=NOW + timedelta(minutes=15))
    say(house, 1, "delivered")
    settled(house)
    assert house.statuses() == [SENT]
    assert house.deliver(NOW + timedelta(minutes=16)) == 0


def test_h63_what_machines_click_is_kept_and_decides_nothing(house: House) -> None:
    sent(house, 1)
    say(house, 1, "clicked", "machine/1", machine=True)
    settled(house)
    assert [one["outcome"] for one in house.messages()] == [1]
    assert house.letters() == []
    assert len(house.rows("SELECT * FROM receipt")) == 1


def test_workers_settle_side_by_side_without_saying_anything_twice(house: House, database_url: str) -> None:
    from app.database import connect

    sent(house, *range(1, 11))
    for number in range(1, 11):
        say(house, number, "delivered")
    with connect(database_url) as other, transaction(other):
        held = receipts.take(other, 4, NOW)
        assert len(held) == 4
        assert settled(house) == 6
    assert len(house.rows("SELECT * FROM receipt WHERE settled_at IS NULL")) == 0


def test_delivered_and_complained_about_count_once_each_for_the_standing_of_the_channel(house: House) -> None:
    sent(house, 1, 2, 3, 4)
    for number in (1, 2, 3):
        say(house, number, "delivered")
    settled(house)
    for number, kind in ((1, "delivered"), (1, "opened"), (2, "complained"), (4, "opened"), (4, "complained")):
        say(house, number, kind, "again")
    settled(house)
    say(house, 2, "complained", "once more")
    say(house, 3, "bounced")
    settled(house)
    said = house.rows(
        "SELECT channel, journey_id, marketing, sum(delivered), sum(complained) FROM reputation GROUP BY 1, 2, 3"
    )
    assert said == [("email", house.journey, True, 4, 2)]
