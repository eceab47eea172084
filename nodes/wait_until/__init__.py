"""Hold people until a moment: a date, a time of day (on some weekdays, within hours), or a date of their own."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from flows.calendar import (
    WEEKDAY_WORDS,
    Period,
    TimeOfDay,
    Window,
    around,
    as_instant,
    at_offset,
    next_wall,
    opening,
    time_of_day,
    zone,
)
from flows.contract import Batch, Member, MemberId, NodeSettings, NodeType, Outcome, Wait
from flows.hints import Ask, shown, ways
from flows.words import _, clip, say
from nodes.fields import AttributeName

SAMPLE = {"time": "09:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
MORE_SAMPLES = (
    {"at": "2026-03-05T20:00:00+08:00", "late": "skip"},
    {"at": "2026-03-02T20:00", "late": "go"},
    {"time": "09:00", "end": "21:30"},
    {"attribute": "birthday", "offset": "-P3D", "time": "10:00", "late": "skip"},
)
MOMENTS_KEPT = 4096

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Moment = Callable[[Member, ZoneInfo], datetime | None]


class Settings(NodeSettings):
    model_config = ConfigDict(
        json_schema_extra=ways(
            (_("A time of day"), ["time", "end", "weekdays"]),
            (_("A date and time"), ["at", "late"]),
            (_("A date of the person"), ["attribute", "offset", "time", "late"]),
        )
    )
    at: Annotated[str, Ask("instant")] | None = Field(
        None,
        title=_("Date and time"),
        description=_("Such as 2026-06-18T20:00+08:00. Without an offset it is local time of each person."),
        max_length=40,
    )
    time: TimeOfDay | None = Field(
        None,
        title=_("Time of day"),
        description=_("HH:MM, local time of each person: the next one from their arrival on."),
    )
    weekdays: tuple[Weekday, ...] | None = Field(
        None,
        title=_("Weekdays"),
        description=_("Only on these days; every day where none is chosen."),
        min_length=1,
        json_schema_extra=shown(labels=WEEKDAY_WORDS),
    )
    end: TimeOfDay | None = Field(
        None, title=_("Until"), description=_("Whoever arrives between the time of day and this one goes on at once.")
    )
    attribute: AttributeName | None = Field(
        None,
        title=_("Date attribute"),
        description=_("A date or time of the person; a date alone is its first moment."),
    )
    offset: Period | None = Field(
        None, title=_("Offset"), description=_("Before or after the attribute's date: -P3D is three days before it.")
    )
    late: Literal["go", "skip"] = Field(
        "go",
        title=_("If the moment has passed"),
        description=_("Go on at once, or leave by the port “past”."),
        json_schema_extra=shown(labels={"go": _("Go on at once"), "skip": _("Leave by “past”")}),
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Settings":
        if self.at is not None and as_instant(self.at) is None:
            raise ValueError(_("at: write a date and time such as 2026-06-18T20:00+08:00"))
        ways = [self.at is not None, self.attribute is not None, self.time is not None and self.attribute is None]
        if sum(ways) != 1:
            raise ValueError(_("choose one: a date and time, a time of day, or an attribute"))
        if (self.weekdays or self.end) and (self.time is None or self.attribute is not None):
            raise ValueError(_("weekdays and until belong to a time of day"))
        if self.offset is not None and self.attribute is None:
            raise ValueError(_("the offset belongs to an attribute"))
        if self.end is not None and self.end == self.time:
            raise ValueError(_("until must differ from the time of day"))
        return self


def summary(settings: Settings) -> str:
    if settings.at is not None:
        return clip(say(_("Until {time}"), time=settings.at.replace("T", " ", 1)))
    if settings.attribute is not None:
        clock = f" {settings.time}" if settings.time else ""
        return clip(say(_("Until {time}"), time=around(clip(settings.attribute, 25), settings.offset or "P0D") + clock))
    hours = f"{settings.time}–{settings.end}" if settings.end else settings.time
    days = " ".join(say(WEEKDAY_WORDS[day]) for day in settings.weekdays or ())
    return clip(say(_("Until {time}"), time=f"{hours} {days}"))


def reads(settings: Settings) -> tuple[str, ...]:
    own = (f"attributes.{settings.attribute}",) if settings.attribute and settings.attribute != "timezone" else ()
    return (*own, "attributes.timezone")


def advance(batch: Batch) -> Outcome:
    settings: Settings = batch.settings
    moment, late_port = _moment(settings), "past" if settings.late == "skip" else "next"
    home = zone(batch.timezone) or ZoneInfo("UTC")
    ports: dict[str, list[MemberId]] = {"next": [], "past": []}
    rest: dict[datetime, list[MemberId]] = defaultdict(list)
    why: dict[MemberId, str] = {}
    for member in batch.members:
        if member.waiting:
            ports["next"].append(member.id)
            continue
        arrived = member.arrived_at
        until = moment(member, zone(member.facts.attributes.get("timezone")) or home)
        if until is None:
            ports["past"].append(member.id)
            why[member.id] = clip(f"no date in {settings.attribute}", 200)
        elif until > arrived:
            rest[until].append(member.id)
        else:
            ports["next" if until == arrived else late_port].append(member.id)
    return Outcome(
        go={port: ids for port, ids in ports.items() if ids}, stay={Wait(at): ids for at, ids in rest.items()}, why=why
    )


def _moment(settings: Settings) -> Moment:
    """How these settings find the moment; people of one zone who come together share the answer."""
    attribute, fixed = settings.attribute, settings.at
    at = time_of_day(settings.time) if settings.time else None
    if attribute is not None:
        period = settings.offset or "P0D"
        return lambda member, local: at_offset(member.facts.attributes.get(attribute), period, zone=local, at=at)
    if fixed is not None:
        instant = lru_cache(MOMENTS_KEPT)(lambda local: as_instant(fixed, local))
        return lambda _member, local: instant(local)
    assert at is not None  # the settings say so
    if settings.end is not None:
        window = Window(at, time_of_day(settings.end), frozenset(settings.weekdays) if settings.weekdays else None)
        opens = lru_cache(MOMENTS_KEPT)(lambda local, arrived: opening(local, window, arrived))
        return lambda member, local: opens(local, member.arrived_at)
    # Whoever comes round again at the very time the wait ended would loop within one moment: for them it is the next.
    wall = lru_cache(MOMENTS_KEPT)(
        lambda local, arrived, again: next_wall(local, arrived, at, weekdays=settings.weekdays, strictly=again)
    )
    return lambda member, local: wall(local, member.arrived_at, member.visit > 1)


node = NodeType(
    "wait.until",
    version=1,
    title=_("Wait until"),
    group="flow",
    settings=Settings,
    ports=("next", "past"),
    summary=summary,
    advance=advance,
    reads=reads,
    waits=True,
    help=_("Holds people until a date, a time of day in their own zone, or a date of their own such as a birthday."),
)
