"""Caps, quiet hours, priority: what a manager would say of them, and the same against a naive reference over all zones."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import DocumentError
from flows.policies import Policies, Sent, Verdict, Wish, decide, dump, load, look_back

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
ZONES = sorted(available_timezones())


def wish(at: datetime = NOW, *, contact: int = 1, journey: int = 7, priority: int = 50, **more: Any) -> Wish:
    zones = more.get("zones", (ZoneInfo("UTC"),))
    return Wish(contact, more.get("channel", "email"), journey, priority, at, more.get("since", at), zones)


def one_a_day(over: str = "skip", **more: Any) -> Policies:
    return load({"caps": [{"limit": 1, "per": "day", "over": over, **more}]})


def test_without_policies_everything_goes_at_once() -> None:
    assert decide([wish(), wish()], {}, Policies()) == [Verdict(NOW), Verdict(NOW)]
    assert not Policies().active


def test_over_the_cap_the_second_message_of_the_day_is_lost_to_the_first() -> None:
    sent = {1: [Sent(NOW - HOUR, "email", 3, 50)]}
    assert decide([wish()], sent, one_a_day()) == [Verdict(None, "lost to journey 3: 1 per day")]
    assert decide([wish(contact=2)], sent, one_a_day()) == [Verdict(NOW)]


def test_a_cap_of_one_channel_does_not_count_the_others() -> None:
    sent = {1: [Sent(NOW - HOUR, "sms", 3, 50)]}
    assert decide([wish()], sent, one_a_day(channel="email")) == [Verdict(NOW)]
    assert decide([wish(channel="sms")], sent, one_a_day(channel="email")) == [Verdict(NOW)]


def test_of_two_at_once_the_higher_priority_is_sent_f105() -> None:
    low, high = wish(journey=1, priority=10), wish(journey=2, priority=90)
    assert decide([low, high], {}, one_a_day()) == [Verdict(None, "lost to journey 2: 1 per day"), Verdict(NOW)]
    assert decide([high, low], {}, one_a_day()) == [Verdict(NOW), Verdict(None, "lost to journey 2: 1 per day")]


def test_of_equal_priority_the_first_wanted_is_sent() -> None:
    early, late = wish(journey=1, since=NOW - HOUR), wish(journey=2)
    assert decide([late, early], {}, one_a_day())[1].reason is None


def test_a_calendar_day_is_the_person_s_own() -> None:
    just_before = datetime(2026, 3, 4, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    sent = {1: [Sent(just_before - HOUR, "email", 3, 50)]}
    there = {"zones": (SHANGHAI,)}
    assert decide([wish(just_before, **there)], sent, one_a_day())[0].reason
    assert decide([wish(just_before + timedelta(minutes=1), **there)], sent, one_a_day()) == [
        Verdict(just_before + timedelta(minutes=1))
    ]


def test_deferred_means_the_first_moment_with_room() -> None:
    sent = {1: [Sent(NOW - HOUR, "email", 3, 50)]}
    tomorrow = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert decide([wish(zones=(SHANGHAI,))], sent, one_a_day("defer"))[0].due == tomorrow
    rolling = load({"caps": [{"limit": 1, "per": "PT3H", "over": "defer"}]})
    assert decide([wish()], sent, rolling)[0].due == NOW + 2 * HOUR


def test_who_cannot_be_reached_in_time_is_not_written_to_any_more() -> None:
    policies = load({"caps": [{"limit": 1, "per": "P7D", "over": "defer"}], "defer_at_most": "P1D"})
    sent = {1: [Sent(NOW - HOUR, "email", 3, 50)]}
    assert decide([wish()], sent, policies)[0].due is None


def test_quiet_hours_are_those_of_the_person_s_clock() -> None:
    policies = load({"quiet": [{"from": "21:00", "to": "08:00"}]})
    evening = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
    assert decide([wish(evening, zones=(SHANGHAI,))], {}, policies) == [
        Verdict(datetime(2026, 3, 5, 0, 0, tzinfo=UTC), "quiet hours: until 08:00 Asia/Shanghai")
    ]
    assert decide([wish(evening, zones=(BERLIN,))], {}, policies) == [Verdict(evening)]


def test_an_unknown_zone_stands_for_all_it_may_be() -> None:
    policies = load({"quiet": [{"from": "21:00", "to": "08:00", "over": "skip"}]})
    at = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    assert decide([wish(at, zones=(BERLIN,))], {}, policies)[0].reason is None
    assert decide([wish(at, zones=(BERLIN, SHANGHAI))], {}, policies) == [
        Verdict(None, "quiet hours: until 08:00 Europe/Berlin")
    ]


def test_what_is_deferred_takes_nobody_s_place() -> None:
    policies = load({"caps": [{"limit": 1}], "quiet": [{"from": "21:00", "to": "08:00", "channel": "sms"}]})
    night = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)
    found = decide([wish(night, channel="sms", priority=90), wish(night, channel="email")], {}, policies)
    assert found[0].due == datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
    assert found[1] == Verdict(night)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"caps": [{"limit": 0}]}, "caps[0].limit"),
        ({"caps": [{"limit": 1, "per": "P32D"}]}, "caps[0].per"),
        ({"caps": [{"limit": 1, "per": "month"}]}, "caps[0].per"),
        ({"caps": [{"limit": 1, "channel": "E MAIL"}]}, "caps[0].channel"),
        ({"quiet": [{"from": "9", "to": "10:00"}]}, "quiet[0].from"),
        ({"quiet": [{"from": "10:00", "to": "10:00"}]}, "quiet[0].to"),
        ({"defer_at_most": "soon"}, "defer_at_most"),
        ({"limits": []}, "limits"),
    ],
)
def test_a_wrong_policy_names_the_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(raw)
    assert any(name.startswith(field) for name, _ in caught.value.errors)


def test_policies_survive_a_round_trip() -> None:
    policies = load({"caps": [{"limit": 3, "per": "PT12H"}], "quiet": [{"from": "22:00", "to": "07:00"}]})
    assert load(dump(policies)) == policies
    assert look_back(policies) == timedelta(hours=12)


moments = st.integers(0, 4 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=minutes)
)
policy = st.builds(
    lambda caps, quiet: load({"caps": caps, "quiet": quiet}),
    st.lists(
        st.fixed_dictionaries(
            {
                "limit": st.integers(1, 3),
                "per": st.sampled_from(("day", "week", "PT1H", "PT24H", "P3D")),
                "channel": st.sampled_from((None, "email", "sms")),
                "over": st.sampled_from(("skip", "defer")),
            }
        ),
        max_size=2,
    ),
    st.lists(
        st.sampled_from(
            (
                {"from": "21:00", "to": "08:00"},
                {"from": "01:30", "to": "02:30"},
                {"from": "12:00", "to": "13:00", "channel": "sms", "over": "skip"},
            )
        ),
        max_size=2,
    ),
)
people = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3)


@given(
    policy,
    people,
    st.lists(
        st.tuples(moments, st.integers(0, 2), st.sampled_from(("email", "sms")), st.integers(0, 100)), max_size=25
    ),
)
def test_no_cap_and_no_quiet_hour_is_ever_broken_p11(
    policies: Policies, zones: list[str], wanted: list[tuple[datetime, int, str, int]]
) -> None:
    """Whatever is wanted when: what went out stays under every cap and outside of every quiet hour, deferred or not."""
    went: dict[int, list[Sent]] = {}
    queue = [
        wish(at, contact=contact, channel=channel, priority=priority, zones=(ZoneInfo(zones[contact % len(zones)]),))
        for at, contact, channel, priority in sorted(wanted)
    ]
    rounds = 0
    while queue:
        rounds += 1
        assert rounds < 500
        at = min(one.at for one in queue)
        now, queue = [one for one in queue if one.at == at], [one for one in queue if one.at > at]
        for one, verdict in zip(now, decide(now, went, policies), strict=True):
            if verdict.due == at:
                went.setdefault(one.contact, []).append(Sent(at, one.channel, one.journey, one.priority))
            elif verdict.due is not None:
                assert verdict.due > at
                assert verdict.reason
                queue.append(one._replace(at=verdict.due))
    for contact, sent in went.items():
        zone = ZoneInfo(zones[contact % len(zones)])
        for cap in policies.caps:
            mine = [one.at for one in sent if cap.channel in (None, one.channel)]
            assert all(_within(mine, at, cap.per, zone) <= cap.limit for at in mine)
        for rule in policies.quiet:
            assert not [one for one in sent if rule.channel in (None, one.channel) and _hushed(rule, one.at, zone)]


def _within(times: list[datetime], at: datetime, per: str, zone: ZoneInfo) -> int:
    """Naively: how many fall into the window that ends at an instant, or into its day or week."""
    if per == "day":
        return sum(one.astimezone(zone).date() == at.astimezone(zone).date() for one in times)
    if per == "week":
        return sum(
            one.astimezone(zone).date().isocalendar()[:2] == at.astimezone(zone).date().isocalendar()[:2]
            for one in times
        )
    window = {"PT1H": HOUR, "PT24H": 24 * HOUR, "P3D": 3 * DAY}[per]
    return sum(at - window < one <= at for one in times)


def _hushed(rule: Any, at: datetime, zone: ZoneInfo) -> bool:
    clock = at.astimezone(zone).strftime("%H:%M")
    return rule.since <= clock < rule.until if rule.since < rule.until else clock >= rule.since or clock < rule.until
