"""The demo as it is invented: so many people of both languages, ninety days of what they did, the same every time."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from app.demo.past import happenings
from app.demo.people import invent
from app.demo.seed import journeys

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_five_thousand_invented_people_of_both_languages_with_ninety_days_behind_them() -> None:
    people = invent(NOW)
    assert people == invent(NOW)
    assert len({one.email for one in people}) == len({one.phone for one in people}) == len(people) == 5_000
    assert all(one.email.endswith("example.com") for one in people), "an address that could be somebody's"
    chinese = sum(not str(one.attributes["name"]).isascii() for one in people)
    assert 1_000 < chinese < 4_000
    events = happenings(people, NOW)
    assert happenings(people[:500], NOW) == happenings(people[:500], NOW)
    assert NOW - timedelta(days=90) <= events[0].at < NOW - timedelta(days=89)
    assert NOW - timedelta(hours=1) < events[-1].at <= NOW
    assert [one.at for one in events] == sorted(one.at for one in events)
    names = Counter(one.name for one in events)
    assert min(names[name] for name in ("registered", "order_submitted", "order_paid")) > 100, names


def test_its_four_journeys_are_those_that_were_asked_for() -> None:
    found = {name: Counter(node["type"] for node in flow["nodes"]) for name, flow in journeys(NOW)}
    asked = {
        "Order not paid": {"entry.event", "wait.event", "send.email"},
        "New-user gift": {"entry.event", "wait.duration", "split", "send.email"},
        "First-order offer": {"entry.segment", "send.email"},
        "Air-conditioner service": {"entry.date"},
    }
    assert found.keys() == asked.keys()
    for name, types in asked.items():
        assert types <= found[name].keys(), f"{name}: {dict(found[name])}"
    unpaid = dict(journeys(NOW))["Order not paid"]
    assert unpaid["settings"]["goal"]["event"] == "order_paid"
    assert [one["settings"].get("timeout") for one in unpaid["nodes"] if one["type"] == "wait.event"] == ["PT10M"]
