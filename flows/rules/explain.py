"""Says why a rule held or not, with the value seen, and puts rules into words, English and Chinese. Decides nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any as Json

from flows.contract import Facts
from flows.durations import Language, elapsed, words
from flows.rules.closures import Condition, Messages, Properties, condition, count, matcher, reader
from flows.rules.tree import All, Any, Compare, Happened, InSegment, Leaf, Not, Reached, Tagged, Tree
from flows.words import spoken

TEXT_AT_MOST = 80


@dataclass(frozen=True, slots=True)
class Explanation:
    """The leaf that decided (its place), the value it saw, what was seen in a few words, and whether the rule held."""

    leaf: str
    seen: Json
    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What a rule is asked about: one contact at one moment."""

    facts: Facts
    at: datetime
    properties: Properties | None = None
    messages: Messages | None = None


class Explainer:
    """The explaining form of a tree, made when first asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._conditions: dict[int, Condition] = {}

    def explain(self, situation: Situation) -> Explanation:
        """Which leaf decided: the first that settles an `all` or `any`, else the last one asked."""
        held, leaf = self._decide(self._tree, situation)
        seen, text = _seen(leaf, situation)
        return Explanation(
            leaf.place, seen, text if len(text) <= TEXT_AT_MOST else f"{text[: TEXT_AT_MOST - 1]}…", held
        )

    def _decide(self, tree: Tree, situation: Situation) -> tuple[bool, Leaf]:
        if isinstance(tree, Not):
            held, leaf = self._decide(tree.part, situation)
            return not held, leaf
        if isinstance(tree, All | Any):
            settles = isinstance(tree, Any)
            for part in tree.parts:
                held, leaf = self._decide(part, situation)
                if held is settles:
                    break
            return held, leaf
        test = self._conditions.get(id(tree))
        if test is None:
            test = self._conditions[id(tree)] = condition(tree)
        return test(situation.facts, situation.at, situation.properties, situation.messages), tree


def _seen(leaf: Leaf, situation: Situation) -> tuple[Json, str]:
    facts = situation.facts
    if isinstance(leaf, Compare):
        values = facts.attributes if leaf.of == "attribute" else situation.properties or {}
        seen, name = reader(leaf.path)(values), ".".join(leaf.path)
        return seen, f"{name} is missing" if seen is None else f"{name} = {_shown(seen)}"
    if isinstance(leaf, Tagged):
        tagged = leaf.tag in facts.tags
        return tagged, f"tag {leaf.tag}" if tagged else f"no tag {leaf.tag}"
    if isinstance(leaf, InSegment):
        inside = leaf.segment in facts.segments
        return inside, f"in audience {leaf.segment}" if inside else f"not in audience {leaf.segment}"
    if isinstance(leaf, Reached):
        reached = leaf.outcome in (situation.messages or {}).get(leaf.message, ())
        return reached, f"{leaf.message} {leaf.outcome}" if reached else f"{leaf.message} not {leaf.outcome}"
    window: timedelta | None = None if leaf.within is None else elapsed(leaf.within)
    times = count(facts.events.get(leaf.event, ()), situation.at, window, matcher(leaf.where), inf)
    return times, f"{leaf.event} {times}x" + (f" in {words(leaf.within)}" if leaf.within else "")


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


_ENGLISH = {
    "eq": "{name} is {value}",
    "ne": "{name} is something other than {value}",
    "gt": "{name} is more than {value}",
    "gte": "{name} is at least {value}",
    "lt": "{name} is less than {value}",
    "lte": "{name} is at most {value}",
    "in": "{name} is one of {value}",
    "not_in": "{name} is none of {value}",
    "contains": "{name} contains {value}",
    "starts_with": "{name} starts with {value}",
    "exists": "{name} is known",
    "missing": "{name} is missing",
    "before": "{name} is before {value}",
    "after": "{name} is after {value}",
    "within": "{name} is within the last {value}",
    "property": "the event's {name}",
    "tag": "has the tag {name}",
    "segment": "is in the audience {name}",
    "message": "the message {name} was {value}",
    "event": "{name} happened {times}{window}{where}",
    "times_eq": "exactly {count} times",
    "times_ne": "not exactly {count} times",
    "times_gt": "more than {count} times",
    "times_gte": "at least {count} times",
    "times_lt": "fewer than {count} times",
    "times_lte": "at most {count} times",
    "never": "{name} never happened{window}{where}",
    "once": "at least once",
    "window": " in the last {value}",
    "where": " where {value}",
    "all": " and ",
    "any": " or ",
    "not": "not ({value})",
    "list": ", ",
}
_CHINESE = {
    "eq": "{name} 等于 {value}",
    "ne": "{name} 不等于 {value}",
    "gt": "{name} 大于 {value}",
    "gte": "{name} 大于或等于 {value}",
    "lt": "{name} 小于 {value}",
    "lte": "{name} 小于或等于 {value}",
    "in": "{name} 是 {value} 之一",
    "not_in": "{name} 不是 {value} 中的任何一个",
    "contains": "{name} 包含 {value}",
    "starts_with": "{name} 以 {value} 开头",
    "exists": "{name} 有值",
    "missing": "{name} 没有值",
    "before": "{name} 早于 {value}",
    "after": "{name} 晚于 {value}",
    "within": "{name} 在最近 {value}内",
    "property": "事件的 {name}",
    "tag": "有标签 {name}",
    "segment": "属于人群 {name}",
    "message": "消息 {name} 的结果是 {value}",
    "event": "{window}{name} 发生 {times}{where}",
    "times_eq": "恰好 {count} 次",
    "times_ne": "不是 {count} 次",
    "times_gt": "超过 {count} 次",
    "times_gte": "至少 {count} 次",
    "times_lt": "少于 {count} 次",
    "times_lte": "至多 {count} 次",
    "never": "{window}从未发生 {name}{where}",
    "once": "至少 1 次",
    "window": "最近 {value}内 ",
    "where": "(其中 {value})",
    "all": " 且 ",
    "any": " 或 ",
    "not": "不满足 ({value})",
    "list": "、",
}
_OUTCOMES_IN_CHINESE = {
    "sent": "已发送",
    "delivered": "已送达",
    "opened": "已打开",
    "clicked": "已点击",
    "failed": "失败",
    "suppressed": "被拦截",
}


def sentence(tree: Tree, language: Language | None = None) -> str:
    """The rule in words, in the language spoken if none is named."""
    language = language or spoken()
    text = _CHINESE if language == "zh" else _ENGLISH
    if isinstance(tree, All | Any):
        return text["all" if isinstance(tree, All) else "any"].join(_inner(part, language) for part in tree.parts)
    if isinstance(tree, Not):
        return text["not"].format(value=sentence(tree.part, language))
    if isinstance(tree, Compare):
        return _comparison(tree, text, language)
    if isinstance(tree, Tagged):
        return text["tag"].format(name=tree.tag)
    if isinstance(tree, InSegment):
        return text["segment"].format(name=tree.segment)
    if isinstance(tree, Reached):
        outcome = _OUTCOMES_IN_CHINESE[tree.outcome] if language == "zh" else tree.outcome
        return text["message"].format(name=tree.message, value=outcome)
    return _happening(tree, text, language)


def sentences(trees: Sequence[Tree], language: Language | None = None) -> str:
    """A list of rules, all of which must hold, in words."""
    return sentence(All(tuple(trees)), language) if trees else ""


def _inner(part: Tree, language: Language) -> str:
    inner = sentence(part, language)
    return f"({inner})" if isinstance(part, All | Any) and len(part.parts) > 1 else inner


def _comparison(leaf: Compare, text: dict[str, str], language: Language) -> str:
    name = ".".join(leaf.path)
    if leaf.of == "property":
        name = text["property"].format(name=name)
    if leaf.op == "within":
        shown = words(str(leaf.value), language)
    elif isinstance(leaf.value, tuple):
        shown = text["list"].join(_shown(value) for value in leaf.value)
    else:
        shown = _shown(leaf.value)
    return text[leaf.op].format(name=name, value=shown)


def _happening(leaf: Happened, text: dict[str, str], language: Language) -> str:
    if (leaf.op, leaf.count) in (("gte", 1), ("gt", 0)):
        times = text["once"]
    elif (leaf.op, leaf.count) in (("eq", 0), ("lt", 1), ("lte", 0)):
        times = ""
    else:
        times = text[f"times_{leaf.op}"].format(count=leaf.count)
    return text["event" if times else "never"].format(
        name=leaf.event,
        times=times,
        window=text["window"].format(value=words(leaf.within, language)) if leaf.within else "",
        where=text["where"].format(value=sentences(leaf.where, language)) if leaf.where else "",
    )
