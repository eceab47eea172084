"""What sending rules would have done: what was wanted before the days that are looked at counts for caps, and not in the sum."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app import effects
from app.effects import Effect, Past
from flows.policies import Wish, load

SINCE = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)


def wish(hours: float) -> Wish:
    at = SINCE + timedelta(hours=hours)
    return Wish(1, "email", 1, 50, at, at, (ZoneInfo("UTC"),))


def test_what_a_cap_held_back_before_the_days_looked_at_is_not_counted() -> None:
    (cap,) = load({"caps": [{"limit": 1, "per": "P7D"}]}).caps
    wishes = [wish(hours) for hours in (-30, -20, -10, 1, 2)]
    assert effects.of(Past(wishes, SINCE, 2, cut=False), cap) == Effect(2, 2)
