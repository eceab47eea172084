"""Asks one rule of many members: whether it holds, and why. Never which port that means: that is the node's."""

from collections.abc import Callable, Sequence
from typing import Any

from flows.contract import Facts, Member
from flows.rules import Rule
from flows.rules.tree import Compare, Tagged, leaves

ANSWERS_KEPT = 4096

Verdict = tuple[bool, str]
Judge = Callable[[Member], Verdict]


def judge(rule: Rule, *, why_not: bool = True) -> Judge:
    """The rule as a function of a member, for the length of one batch; a no goes without reason unless `why_not`.

    In a cohort most people show a rule the same few values; where it asks for nothing but attributes and tags, its
    answer is worked out once for each.
    """

    def ask(member: Member) -> Verdict:
        properties = member.entry.properties if member.entry else {}
        if not why_not and not rule.holds(member.facts, member.arrived_at, properties, member.messages):
            return False, ""
        found = rule.explain(member.facts, member.arrived_at, properties, member.messages)
        return found.held, found.text

    asked = _asked(rule)
    if asked is None:
        return ask
    seen = _seen(*asked)
    answers: dict[Any, Verdict] = {}

    def ask_once(member: Member) -> Verdict:
        key = seen(member.facts)
        try:
            known = answers.get(key)
        except TypeError:  # a list or an object among the values
            return ask(member)
        if known is None:
            known = ask(member)
            if len(answers) < ANSWERS_KEPT:
                answers[key] = known
        return known

    return ask_once


def _asked(rule: Rule) -> tuple[Sequence[str], Sequence[str]] | None:
    """The attributes and tags that alone decide the rule; None where moments, events or messages do as well."""
    attributes: dict[str, None] = {}
    tags: dict[str, None] = {}
    for leaf in leaves(rule.tree):
        if isinstance(leaf, Tagged):
            tags[leaf.tag] = None
        elif isinstance(leaf, Compare) and leaf.of == "attribute" and leaf.op != "within":
            attributes[leaf.path[0]] = None
        else:
            return None
    return list(attributes), list(tags)


def _seen(attributes: Sequence[str], tags: Sequence[str]) -> Callable[[Facts], Any]:
    """What the rule sees of somebody, as a key; the types are part of it because to Python 1 and True are one key."""
    if len(attributes) == 1 and not tags:
        name = attributes[0]

        def seen_one(facts: Facts) -> Any:
            value = facts.attributes.get(name)
            return value.__class__, value

        return seen_one

    def seen(facts: Facts) -> Any:
        values = [facts.attributes.get(name) for name in attributes]
        return (*values, *map(type, values), *[tag in facts.tags for tag in tags])

    return seen
