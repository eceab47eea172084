"""Checks one step of a journey by itself: its type, version, settings, account, shares and waits. Never the graph."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from flows import upgrade
from flows.contract import NodeType, names
from flows.document import Node
from flows.errors import RuleError
from flows.problems import Problem, place, refused, say
from flows.rules import Rule
from flows.rules.audience import check_audience

PROBLEMS_AT_MOST = 50
HUNDRED = 100
NEARLY_HUNDRED = 10

Accounts = Set[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the document with what is known of it; `ports` None where its type or settings cannot be read."""

    node: Node
    kind: NodeType | None
    settings: BaseModel | None = None
    ports: tuple[str, ...] | None = None
    jumps: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_entry(self) -> bool:
        return self.kind.start is not None if self.kind else self.node.type.startswith("entry.")


def read(node: Node, catalog: Mapping[str, NodeType]) -> tuple[Step, list[Problem]]:
    """The step, and what is wrong with its type and its settings."""
    kind = catalog.get(node.type)
    if kind is None:
        return Step(node, None), [Problem(node.id, "type", "node.unknown_type", {"type": node.type})]
    if node.version > kind.version:
        params = {"version": str(node.version), "known": str(kind.version)}
        return Step(node, kind), [Problem(node.id, "version", "node.newer", params)]
    try:
        current = upgrade.settings(kind, node.settings, node.version)
    except upgrade.UNEXPECTED:
        return Step(node, kind), [Problem(node.id, None, "node.not_upgraded", {"version": str(node.version)})]
    try:
        settings = kind.settings.model_validate(current)
    except ValidationError as error:
        return Step(node, kind), _settings_problems(node, error)
    jumps = kind.jumps(settings) if kind.jumps else {}
    return Step(node, kind, settings, names(kind.ports, settings), jumps), []


def _settings_problems(node: Node, error: ValidationError) -> list[Problem]:
    found = []
    for detail in refused(error)[:PROBLEMS_AT_MOST]:
        reasons = {f"reason_{language}": say(detail, language) for language in ("en", "zh")}
        found.append(
            Problem(node.id, place(detail["loc"]) or None, "settings", reasons | {"reason": reasons["reason_en"]})
        )
    return found


def check(step: Step, channels: Mapping[str, bool], accounts: Accounts | None) -> Iterator[Problem]:
    """What is wrong with a step whose settings can be read. `channels` says of each node whether it sends."""
    if step.kind is None or step.settings is None:
        return
    yield from _account(step, accounts)
    yield from _rules(step, channels)
    yield from _shares(step)
    yield from _wait(step)
    for port, target in step.jumps.items():
        if target == step.node.id:
            yield Problem(step.node.id, port, "jump.itself")
        elif target not in channels:
            yield Problem(step.node.id, port, "jump.unknown", {"other": target})


def _account(step: Step, accounts: Accounts | None) -> Iterator[Problem]:
    channel = step.kind.channel if step.kind else None
    if channel is None or channel.account is None:
        return
    account = getattr(step.settings, "account", None)
    if not account:
        yield Problem(step.node.id, "account", "account.needed")
    elif accounts is not None and account not in accounts:
        yield Problem(step.node.id, "account", "account.missing", {"account": account})
    elif isinstance(accounts, Mapping) and accounts[account] != channel.name:
        yield Problem(step.node.id, "account", "account.channel", {"account": account, "channel": accounts[account]})


def _rules(step: Step, channels: Mapping[str, bool]) -> Iterator[Problem]:
    start = step.kind.start(step.settings) if step.kind and step.kind.start else None
    for path, rule in rules_in(step.settings):
        for name in sorted(rule.reads):
            kind, _, other = name.partition(":")
            if kind == "message" and not channels.get(other, False):
                code = "message.not_send" if other in channels else "message.unknown"
                yield Problem(step.node.id, path, code, {"other": other})
    if start is not None and start.kind != "event" and isinstance(start.rule, Rule):
        try:
            check_audience(start.rule.tree)
        except RuleError as error:
            yield Problem(step.node.id, "rule", "audience.leaf", {"reason": str(error)})


def rules_in(value: Any, path: str = "") -> Iterator[tuple[str, Rule]]:
    """Every rule inside parsed settings, with the path of its field."""
    if isinstance(value, Rule):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from rules_in(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from rules_in(item, f"{path}[{number}]")


def _shares(step: Step) -> Iterator[Problem]:
    arms = getattr(step.settings, "arms", None)
    weights = [getattr(arm, "weight", None) for arm in arms] if isinstance(arms, list | tuple) else []
    numbers = [weight for weight in weights if isinstance(weight, int | float)]
    total = round(sum(numbers), 6)
    if len(numbers) > 1 and total != HUNDRED and abs(total - HUNDRED) <= NEARLY_HUNDRED:
        # Weights such as 1 : 2 are meant as they are; 33 + 33 + 33 was meant to be a hundred.
        yield Problem(step.node.id, "arms", "weights.sum", {"sum": f"{total:g}"}, "warning")


def _wait(step: Step) -> Iterator[Problem]:
    kind, settings = step.kind, step.settings
    if kind is None or not kind.waits or getattr(settings, "timeout", ...) is not None:
        return
    if names(kind.listens, settings):
        yield Problem(step.node.id, "timeout", "wait.no_timeout", {}, "warning")
    else:
        yield Problem(step.node.id, "timeout", "wait.endless")
