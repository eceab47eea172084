"""Tell the world something about people: an event that comes in again by the front door, for other journeys to hear."""

from typing import Any

from pydantic import Field, JsonValue

from flows.contract import Batch, Emit, NodeSettings, NodeType, Outcome
from flows.words import _, clip, say
from nodes.fields import OwnEventName

SAMPLE: dict[str, Any] = {"event": "promoted", "properties": {"level": "gold"}}
PROPERTIES_AT_MOST = 100


class Settings(NodeSettings):
    event: OwnEventName = Field(
        title=_("Event"), description=_("Its name; other journeys can start with it or wait for it.")
    )
    properties: dict[str, JsonValue] = Field(
        default_factory=dict,
        title=_("Properties"),
        description=_("What the event carries, the same for everybody."),
        max_length=PROPERTIES_AT_MOST,
    )


def summary(settings: Settings) -> str:
    return clip(say(_("Say {event}"), event=settings.event))


def advance(batch: Batch) -> Outcome:
    everybody = [member.id for member in batch.members]
    settings: Settings = batch.settings
    return Outcome(go={"next": everybody}, effects=(Emit(everybody, settings.event, settings.properties),))


node = NodeType(
    "action.event",
    version=1,
    title=_("Event"),
    group="action",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    help=_("Records an event of the person, which other journeys can react to."),
)
