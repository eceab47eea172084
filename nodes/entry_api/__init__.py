"""Let people in when another system says so, with a context of its own (`POST …/enroll`)."""

from flows.contract import Batch, Json, NodeSettings, NodeType, Outcome, Start
from flows.words import _, say

SAMPLE: dict[str, Json] = {}


class Settings(NodeSettings):
    """Nothing to choose."""


def summary(settings: Settings) -> str:
    del settings
    return say(_("On call by the API"))


def start(settings: Settings) -> Start:
    del settings
    return Start("api")


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "entry.api",
    version=1,
    title=_("API"),
    group="entry",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    start=start,
    help=_("Whoever another system names comes in."),
)
