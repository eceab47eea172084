"""Ask a question about each person: yes goes one way, no the other."""

from pydantic import Field

from flows.contract import Batch, Json, MemberId, NodeSettings, NodeType, Outcome
from flows.rules import Rule
from flows.words import _, clip
from nodes.verdicts import judge

SAMPLE: dict[str, Json] = {"rule": {"attribute": "plan", "op": "eq", "value": "pro"}}
MORE_SAMPLES: tuple[dict[str, Json], ...] = (
    {"rule": {"all": [{"tag": "vip"}, {"not": {"attribute": "age", "op": "lt", "value": 30}}]}},
    {"rule": {"any": [{"event": "order_paid", "within": "P7D"}, {"message": "nudge", "outcome": "clicked"}]}},
)


class Settings(NodeSettings):
    rule: Rule = Field(title=_("Rule"), description=_("What must be true of a person to go on by “yes”."))


def summary(settings: Settings) -> str:
    return clip(settings.rule.sentence())


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(settings.rule.reads))


def advance(batch: Batch) -> Outcome:
    ask = judge(batch.settings.rule)
    sides: tuple[list[MemberId], list[MemberId]] = ([], [])
    why: dict[MemberId, str] = {}
    for member in batch.members:
        holds, why[member.id] = ask(member)
        sides[holds].append(member.id)
    return Outcome(go={port: ids for port, ids in zip(("no", "yes"), sides, strict=True) if ids}, why=why)


node = NodeType(
    "condition",
    version=1,
    title=_("Condition"),
    group="decide",
    settings=Settings,
    ports=("yes", "no"),
    summary=summary,
    advance=advance,
    reads=reads,
    help=_("Parts people by one question about what they are and what they did."),
)
