"""Hold a share of people back, to compare the others with; the same person always falls on the same side."""

from pydantic import Field

from flows.contract import Batch, MemberId, NodeSettings, NodeType, Outcome
from flows.words import _, clip, say

SAMPLE = {"percent": 10}
MORE_SAMPLES = ({"percent": 0}, {"percent": 100})


class Settings(NodeSettings):
    percent: float = Field(
        10,
        title=_("Percent held back"),
        description=_("This share leaves by the port “held”; leave it open to end their journey there."),
        ge=0,
        le=100,
        allow_inf_nan=False,
    )


def summary(settings: Settings) -> str:
    return clip(say(_("Hold back {percent}%"), percent=f"{settings.percent:.4g}"))


def advance(batch: Batch) -> Outcome:
    share = batch.settings.percent / 100
    sides: tuple[list[MemberId], list[MemberId]] = ([], [])
    for member in batch.members:
        sides[share < 1 and batch.draw(member) >= share].append(member.id)  # a draw may round up to 1
    return Outcome(go={port: ids for port, ids in zip(("held", "go"), sides, strict=True) if ids})


node = NodeType(
    "holdout",
    version=1,
    title=_("Holdout"),
    group="decide",
    settings=Settings,
    ports=("go", "held"),
    summary=summary,
    advance=advance,
    help=_("Keeps a random control group out of what follows."),
)
