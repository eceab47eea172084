"""Let people in on a date of their own: a birthday, three days before an end, a year after a purchase."""

from pydantic import Field

from flows.calendar import Period, TimeOfDay, around
from flows.contract import Batch, Json, NodeSettings, NodeType, Outcome, Start
from flows.words import _, clip, say
from nodes.fields import AttributeName

SAMPLE: dict[str, Json] = {"attribute": "birthday", "at": "10:00", "every_year": True}
MORE_SAMPLES: tuple[dict[str, Json], ...] = ({"attribute": "contract_ends", "offset": "-P3D"},)


class Settings(NodeSettings):
    attribute: AttributeName = Field(title=_("Date attribute"), description=_("An attribute that holds a date."))
    offset: Period = Field(
        "P0D", title=_("Offset"), description=_("-P3D: three days before the date; P1Y: a year after it.")
    )
    at: TimeOfDay = Field("00:00", title=_("Time of day"), description=_("HH:MM, local time of each person."))
    every_year: bool = Field(
        False, title=_("Every year"), description=_("As for birthdays; 29 February is the 28th in other years.")
    )


def summary(settings: Settings) -> str:
    again = say(_(", every year")) if settings.every_year else ""
    when = around(clip(settings.attribute, 25), settings.offset)
    return clip(say(_("{when} at {time}{again}"), when=when, time=settings.at, again=again))


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys((f"attributes.{settings.attribute}", "attributes.timezone")))


def start(settings: Settings) -> Start:
    return Start(
        "date", attribute=settings.attribute, offset=settings.offset, at=settings.at, every_year=settings.every_year
    )


def advance(batch: Batch) -> Outcome:
    return Outcome(go={"next": [member.id for member in batch.members]})


node = NodeType(
    "entry.date",
    version=1,
    title=_("Date"),
    group="entry",
    settings=Settings,
    ports=("next",),
    summary=summary,
    advance=advance,
    reads=reads,
    start=start,
    help=_("Each person comes in on a date of their own."),
)
