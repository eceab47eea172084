"""Deal people out over weighted arms by chance; the same person always gets the same arm here."""

from bisect import bisect_right
from itertools import accumulate
from typing import Annotated

from pydantic import Field, model_validator

from flows.contract import Batch, MemberId, NodeSettings, NodeType, Outcome
from flows.hints import Ask
from flows.words import _, clip
from nodes.fields import PortName

SAMPLE = {"arms": [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]}
MORE_SAMPLES = (
    {"arms": [{"name": "big", "weight": 3}, {"name": "off", "weight": 0}, {"name": "small", "weight": 0.5}]},
)
ARMS_AT_MOST = 1000


class Arm(NodeSettings):
    name: PortName = Field(title=_("Name"), description=_("The name of this arm's port."))
    weight: Annotated[float, Ask("weight")] = Field(
        50, title=_("Weight"), description=_("Its share of the sum of all weights; 0 switches the arm off."),
        ge=0, le=1_000_000, allow_inf_nan=False,
    )  # fmt: skip


class Settings(NodeSettings):
    arms: tuple[Arm, ...] = Field(
        (Arm(name="A", weight=50), Arm(name="B", weight=50)),
        title=_("Arms"),
        description=_("Everybody goes one way, in these proportions; whoever comes again goes the same way."),
        min_length=1,
        max_length=ARMS_AT_MOST,
    )

    @model_validator(mode="after")
    def _distinct(self) -> "Settings":
        if len({arm.name for arm in self.arms}) != len(self.arms):
            raise ValueError(_("each arm needs a name of its own"))
        if not any(arm.weight for arm in self.arms):
            raise ValueError(_("at least one arm needs a weight above 0"))
        return self


def ports(settings: Settings) -> tuple[str, ...]:
    return tuple(arm.name for arm in settings.arms)


def summary(settings: Settings) -> str:
    total = sum(arm.weight for arm in settings.arms)
    return clip(" / ".join(f"{arm.name} {100 * arm.weight / total:.3g}%" for arm in settings.arms))


def advance(batch: Batch) -> Outcome:
    arms: tuple[Arm, ...] = tuple(arm for arm in batch.settings.arms if arm.weight)
    total = sum(arm.weight for arm in arms)
    # Where each arm but the last ends in [0, 1): a draw beyond them all is the last arm's, whatever was rounded.
    bounds = [end / total for end in accumulate(arm.weight for arm in arms)][:-1]
    dealt: list[list[MemberId]] = [[] for _arm in arms]
    draw = batch.draw
    for member in batch.members:
        dealt[bisect_right(bounds, draw(member))].append(member.id)
    return Outcome(go={arm.name: ids for arm, ids in zip(arms, dealt, strict=True) if ids})


node = NodeType(
    "split",
    version=1,
    title=_("Split"),
    group="decide",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    help=_("Deals people out by chance, for example to compare two messages."),
)
