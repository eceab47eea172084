"""Hold people for a fixed time, then let them go on."""

from collections import defaultdict
from datetime import datetime

from pydantic import Field

from flows.calendar import Duration, elapsed, words
from flows.contract import Batch, MemberId, NodeSettings, NodeType, Outcome, Wait
from flows.words import _, clip, say

SAMPLE = {"duration": "P1D"}


class Settings(NodeSettings):
    duration: Duration = Field(
        "PT1H",
        title=_("Time to wait"),
        description=_("From the moment each person arrives. A day is 24 hours, whatever the clocks do."),
    )


def summary(settings: Settings) -> str:
    return clip(say(_("Wait {time}"), time=words(settings.duration)))


def advance(batch: Batch) -> Outcome:
    gone: list[MemberId] = []
    arrivals: dict[datetime, list[MemberId]] = defaultdict(list)
    for member in batch.members:
        (gone if member.waiting else arrivals[member.arrived_at]).append(member.id)
    pause = elapsed(batch.settings.duration)
    return Outcome(go={"next": gone} if gone else {}, stay={Wait(at + pause): ids for at, ids in arrivals.items()})


node = NodeType(
    "wait.duration",
    version=1,
    title=_("Wait"),
    group="flow",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    waits=True,
    help=_("Holds each person for the same length of time."),
)
