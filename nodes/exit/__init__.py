"""The end of a walk, with a reason that statistics can tell apart."""

from pydantic import Field

from flows.contract import Batch, NodeSettings, NodeType, Outcome
from flows.words import _, clip, say

SAMPLE = {"reason": "bought"}
MORE_SAMPLES: tuple[dict[str, str], ...] = ({},)


class Settings(NodeSettings):
    reason: str = Field(
        "",
        title=_("Reason"),
        description=_("How this end is called in lists and numbers; the node's id if empty."),
        max_length=100,
    )


def summary(settings: Settings) -> str:
    return clip(say(_("End: {reason}"), reason=settings.reason) if settings.reason else say(_("End")))


def advance(batch: Batch) -> Outcome:
    reason = batch.settings.reason or batch.node or node.type
    return Outcome(leave={reason: [member.id for member in batch.members]} if batch.members else {})


node = NodeType(
    "exit",
    version=1,
    title=_("End"),
    group="flow",
    settings=Settings,
    ports=(),
    summary=summary,
    advance=advance,
    help=_("People who come here have completed the journey."),
)
