"""Why a rule held or not, and rules in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.contract import Event, Facts
from flows.rules import parse, parse_where

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
ANA = Facts(
    {"plan": "pro", "address": {"city": "上海"}, "bio": "x" * 200},
    {"vip"},
    {"paid": [Event("paid", NOW - timedelta(days=age), {}) for age in (9, 2, 1)]},
    frozenset({"lapsed"}),
)
PLAN = {"attribute": "plan", "op": "eq", "value": "pro"}


@pytest.mark.parametrize(
    ("rule", "leaf", "seen", "text", "held"),
    [
        (PLAN, "rule", "pro", 'plan = "pro"', True),
        ({"attribute": "age", "op": "gt", "value": 1}, "rule", None, "age is missing", False),
        ({"attribute": "address.city", "op": "eq", "value": "x"}, "rule", "上海", 'address.city = "上海"', False),
        ({"all": [PLAN, {"tag": "cold"}, {"tag": "vip"}]}, "rule.all[1]", False, "no tag cold", False),
        ({"all": [PLAN, {"tag": "vip"}]}, "rule.all[1]", True, "tag vip", True),
        ({"any": [{"tag": "cold"}, PLAN, {"tag": "vip"}]}, "rule.any[1]", "pro", 'plan = "pro"', True),
        ({"any": [{"tag": "cold"}, {"tag": "old"}]}, "rule.any[1]", False, "no tag old", False),
        ({"not": {"all": [PLAN, {"tag": "cold"}]}}, "rule.not.all[1]", False, "no tag cold", True),
        ({"event": "paid", "within": "P7D"}, "rule", 2, "paid 2x in 7 days", True),
        ({"event": "seen"}, "rule", 0, "seen 0x", False),
        ({"segment": "lapsed"}, "rule", True, "in audience lapsed", True),
        ({"segment": "new"}, "rule", False, "not in audience new", False),
        ({"message": "nudge", "outcome": "clicked"}, "rule", True, "nudge clicked", True),
        ({"message": "nudge", "outcome": "opened"}, "rule", False, "nudge not opened", False),
        ({"property": "amount", "op": "gt", "value": 5}, "rule", 7, "amount = 7", True),
    ],
)
def test_the_leaf_that_decided_and_what_it_saw(rule: Any, leaf: str, seen: Any, text: str, held: bool) -> None:
    why = parse(rule).explain(ANA, NOW, {"amount": 7}, {"nudge": frozenset({"clicked"})})
    assert (why.leaf, why.seen, why.text, why.held) == (leaf, seen, text, held)


def test_a_long_value_is_cut() -> None:
    why = parse({"attribute": "bio", "op": "exists"}).explain(ANA, NOW)
    assert len(why.text) == 80
    assert why.text.endswith("…")


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        (PLAN, 'plan is "pro"', 'plan 等于 "pro"'),
        (
            {"all": [{"tag": "vip"}, {"any": [{"segment": "s"}, PLAN]}]},
            'has the tag vip and (is in the audience s or plan is "pro")',
            '有标签 vip 且 (属于人群 s 或 plan 等于 "pro")',
        ),
        ({"not": {"tag": "vip"}}, "not (has the tag vip)", "不满足 (有标签 vip)"),
        (
            {"attribute": "seen", "op": "within", "value": "P7D"},
            "seen is within the last 7 days",
            "seen 在最近 7 天内",
        ),
        (
            {"attribute": "city", "op": "in", "value": ["上海", 5]},
            'city is one of "上海", 5',
            'city 是 "上海"、5 之一',
        ),
        (
            {"event": "paid", "count": {"op": "gte", "value": 3}, "within": "PT1H"},
            "paid happened at least 3 times in the last 1 hour",
            "最近 1 小时内 paid 发生 至少 3 次",
        ),
        ({"event": "paid", "count": {"op": "eq", "value": 0}}, "paid never happened", "从未发生 paid"),
        ({"message": "m", "outcome": "clicked"}, "the message m was clicked", "消息 m 的结果是 已点击"),
    ],
)
def test_a_rule_in_words(rule: Any, english: str, chinese: str) -> None:
    assert parse(rule).sentence() == english
    assert parse(rule).sentence("zh") == chinese


def test_each_leaf_has_its_place_and_its_words() -> None:
    assert parse({"all": [PLAN, {"not": {"tag": "vip"}}]}).sentences() == [
        ("rule.all[0]", 'plan is "pro"'),
        ("rule.all[1].not", "has the tag vip"),
    ]


def test_a_where_in_words() -> None:
    where = parse_where([{"property": "amount", "op": "gte", "value": 5}, {"property": "sku", "op": "exists"}])
    assert where.sentence() == "the event's amount is at least 5 and the event's sku is known"
    assert where.sentence("zh") == "事件的 amount 大于或等于 5 且 事件的 sku 有值"
    assert parse_where([]).sentence() == ""
