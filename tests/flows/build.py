"""Tiny node types and documents for the tests of the pure core; the real types have tests of their own."""

from collections.abc import Mapping
from typing import Any, Literal

from hypothesis import settings

from flows.contract import Batch, Channel, NodeSettings, NodeType, Outcome, Start
from flows.document import Document, load
from flows.durations import Duration
from flows.rules import EVERY_EVENT, Rule, Where

PROPERTY_TEST = settings(max_examples=60, deadline=None)


class Nothing(NodeSettings):
    pass


class EntrySettings(NodeSettings):
    event: str = "go"
    when: Rule | None = None


class AudienceSettings(NodeSettings):
    rule: Rule | None = None


class RuleSettings(NodeSettings):
    rule: Rule


class Case(NodeSettings):
    name: str
    rule: Rule


class BranchSettings(NodeSettings):
    cases: tuple[Case, ...]


class WaitSettings(NodeSettings):
    duration: Duration = "PT1H"


class Awaited(NodeSettings):
    event: str
    where: Where = EVERY_EVENT


class WaitEventSettings(NodeSettings):
    events: tuple[Awaited, ...] = ()
    timeout: Duration | None = None


class Arm(NodeSettings):
    name: str
    weight: float


class SplitSettings(NodeSettings):
    arms: tuple[Arm, ...]


class SendSettings(NodeSettings):
    account: str | None = None
    title: str = ""
    colour: Literal["red", "blue"] = "red"


class GotoSettings(NodeSettings):
    node: str


def _advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


async def _deliver(messages: Any, egress: Any) -> list[Any]:
    del messages, egress
    return []


def _upgrade(settings: dict[str, Any], from_version: int) -> dict[str, Any]:
    if from_version == 1:
        return {"title": settings["subject"], "account": settings.get("account")}
    return {**settings, "colour": "blue"}


def kind(name: str, settings: Any = Nothing, ports: Any = ("next",), **more: Any) -> NodeType:
    more.setdefault("version", 1)
    return NodeType(
        name, title=name, group="test", settings=settings, ports=ports, summary=str, advance=_advance, **more
    )


def _events(settings: Any) -> tuple[str, ...]:
    return tuple(one.event for one in settings.events)


def _event_ports(settings: Any) -> tuple[str, ...]:
    return (*_events(settings), "timeout") if settings.timeout else _events(settings)


CATALOG: Mapping[str, NodeType] = {
    node.type: node
    for node in (
        kind("entry.event", EntrySettings, start=lambda given: Start("event", event=given.event, when=given.when)),
        kind("entry.segment", AudienceSettings, start=lambda given: Start("segment", rule=given.rule)),
        kind("condition", RuleSettings, ("yes", "no")),
        kind("branch", BranchSettings, lambda given: (*(case.name for case in given.cases), "other")),
        kind("wait.duration", WaitSettings, waits=True),
        kind("wait.event", WaitEventSettings, _event_ports, waits=True, listens=_events),
        kind("split", SplitSettings, lambda given: tuple(arm.name for arm in given.arms)),
        kind(
            "send.test",
            SendSettings,
            version=3,
            upgrade=_upgrade,
            channel=Channel("test", {"title": "text"}, _deliver, account=Nothing),
        ),
        kind("send.local", SendSettings, channel=Channel("local", {"title": "text"}, _deliver)),
        kind("goto", GotoSettings, jumps=lambda given: {"next": given.node}),
        kind("exit", ports=()),
    )
}

VERSIONS = {"send.test": 3}


def flow(*ways: str, settings: dict[str, Any] | None = None, **nodes: Any) -> Document:
    """A document from ways such as `start -next> end`; each node is its type, or a pair of type and settings."""
    listed = []
    for name, given in nodes.items():
        type_, own = given if isinstance(given, tuple) else (given, {})
        listed.append({"id": name, "type": type_, "settings": own, "version": VERSIONS.get(type_, 1)})
    edges = []
    for way in ways:
        source, rest = way.split(" -", 1)
        port, target = rest.split("> ", 1)
        edges.append({"from": source, "port": port, "to": target})
    return load({"schema": 1, "settings": settings or {}, "nodes": listed, "edges": edges})
