"""Go on at another node, without an edge across the whole canvas."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from flows.contract import Batch, NodeSettings, NodeType, Outcome
from flows.hints import Ask
from flows.words import _, clip, say

SAMPLE = {"node": "paid"}


class Settings(NodeSettings):
    node: Annotated[str, Ask("step")] = Field(
        title=_("Node"),
        description=_("Where people go on; a way back must lead through a wait."),
        min_length=1,
        max_length=200,
    )


def summary(settings: Settings) -> str:
    return clip(say(_("Go to {step}"), step=settings.node))


def jumps(settings: Settings) -> Mapping[str, str]:
    return {"next": settings.node}


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "goto",
    version=1,
    title=_("Go to"),
    group="flow",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    jumps=jumps,
    help=_("Continues at another node of the same journey."),
)
