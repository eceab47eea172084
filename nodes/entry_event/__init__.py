"""Let people in when they do something."""

from pydantic import Field

from flows.contract import Batch, Json, NodeSettings, NodeType, Outcome, Start
from flows.rules import EVERY_EVENT, Rule, Where
from flows.words import _, clip, say
from nodes.fields import EventName

SAMPLE: dict[str, Json] = {"event": "order_submitted"}
MORE_SAMPLES: tuple[dict[str, Json], ...] = (
    {
        "event": "bought",
        "where": [{"property": "amount", "op": "gte", "value": 50}],
        "when": {"attribute": "country", "op": "eq", "value": "CN"},
    },
)


class Settings(NodeSettings):
    event: EventName = Field(title=_("Event"), description=_("The name of the event that lets people in."))
    where: Where = Field(EVERY_EVENT, title=_("Where"), description=_("Only if its properties are like this."))
    when: Rule | None = Field(None, title=_("When"), description=_("Only people of whom this is true at that moment."))


def summary(settings: Settings) -> str:
    filtered = say(_(", filtered")) if settings.where or settings.when else ""
    return clip(say(_("On {event}{filtered}"), event=clip(settings.event, 45), filtered=filtered))


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(sorted(settings.when.reads)) if settings.when else ()


def start(settings: Settings) -> Start:
    return Start("event", event=settings.event, where=settings.where, when=settings.when)


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "entry.event",
    version=1,
    title=_("Event"),
    group="entry",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    reads=reads,
    start=start,
    help=_("Whoever does something comes in."),
)
