"""Ask several questions in order: the first that holds decides the way, the rest go to “other”."""

from collections import defaultdict

from pydantic import Field, model_validator

from flows.contract import Batch, Json, Member, MemberId, NodeSettings, NodeType, Outcome
from flows.rules import Rule
from flows.words import _, clip, say
from nodes.fields import PortName
from nodes.verdicts import Judge, judge

SAMPLE: dict[str, Json] = {
    "cases": [
        {"name": "big", "rule": {"attribute": "spent", "op": "gte", "value": 1000}},
        {"name": "vip", "rule": {"tag": "vip"}},
    ]
}
OTHER = "other"
EVERYBODY_ELSE = _("everybody else")
CASES_AT_MOST = 100
NONE_HOLDS = _("no case holds")


class Case(NodeSettings):
    name: PortName = Field(title=_("Name"), description=_("The name of this case's port."))
    rule: Rule = Field(title=_("Rule"), description=_("What must be true of a person to go this way."))


class Settings(NodeSettings):
    cases: tuple[Case, ...] = Field(
        title=_("Cases"),
        description=_("Asked from top to bottom; the first that holds wins."),
        min_length=1,
        max_length=CASES_AT_MOST,
    )

    @model_validator(mode="after")
    def _distinct(self) -> "Settings":
        names = [case.name for case in self.cases]
        if OTHER in names:
            raise ValueError(_("“other” is the port of those whom no case fits: choose another name"))
        if len(set(names)) != len(names):
            raise ValueError(_("each case needs a name of its own"))
        return self


def ports(settings: Settings) -> tuple[str, ...]:
    return (*(case.name for case in settings.cases), OTHER)


def summary(settings: Settings) -> str:
    return clip(" / ".join([*(case.name for case in settings.cases), say(EVERYBODY_ELSE)]))


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(frozenset[str]().union(*(case.rule.reads for case in settings.cases))))


def advance(batch: Batch) -> Outcome:
    cases = [(case.name, judge(case.rule, why_not=False)) for case in batch.settings.cases]
    go: dict[str, list[MemberId]] = defaultdict(list)
    why: dict[MemberId, str] = {}
    for member in batch.members:
        port, why[member.id] = _first(cases, member)
        go[port].append(member.id)
    return Outcome(go=go, why=why)


def _first(cases: list[tuple[str, Judge]], member: Member) -> tuple[str, str]:
    for name, ask in cases:
        holds, why = ask(member)
        if holds:
            return name, why
    return OTHER, NONE_HOLDS


node = NodeType(
    "branch",
    version=1,
    title=_("Branch"),
    group="decide",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    reads=reads,
    help=_("Parts people by several questions, asked in order."),
)
