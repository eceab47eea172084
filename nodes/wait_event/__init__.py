"""Hold people until they do one of several things, or until a time-out. Never who wakes them: that is `flows.match`."""

from collections import defaultdict
from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from flows.calendar import Duration, elapsed, words
from flows.contract import Batch, Event, Json, Member, MemberId, NodeSettings, NodeType, Outcome, Wait
from flows.hints import shown
from flows.rules import EVERY_EVENT, Where
from flows.words import _, clip, say
from nodes.fields import EventName, PortName

SAMPLE: dict[str, Json] = {"events": [{"event": "order_paid"}], "timeout": "PT10M", "since": "entry"}
MORE_SAMPLES: tuple[dict[str, Json], ...] = (
    {
        "events": [
            {"event": "replied", "where": [{"property": "text", "op": "eq", "value": "yes"}], "name": "accepted"},
            {"event": "replied", "name": "other_answer"},
            {"event": "blocked"},
        ]
    },
)
TIMEOUT = "timeout"


class Case(NodeSettings):
    event: EventName = Field(title=_("Event"), description=_("The name of the event that ends the wait."))
    where: Where = Field(EVERY_EVENT, title=_("Where"), description=_("Only if its properties are like this."))
    name: PortName | None = Field(None, title=_("Way out"), description=_("Its port's name; the event's if empty."))

    @property
    def port(self) -> str:
        return self.name or self.event


class Settings(NodeSettings):
    events: tuple[Case, ...] = Field(
        title=_("Events"), description=_("The first that fits ends the wait."), min_length=1, max_length=50
    )
    timeout: Duration | None = Field(
        None, title=_("Time-out"), description=_("How long to wait at most; without it, until the event.")
    )
    since: Literal["arrival", "entry"] = Field(
        "arrival",
        title=_("Counts from"),
        description=_("“entry”: an event that happened since the person came into the journey counts as well."),
        json_schema_extra=shown(labels={"arrival": _("Their arrival here"), "entry": _("Their entry")}),
    )

    @model_validator(mode="after")
    def _own_timeout(self) -> "Settings":
        if any(case.port == TIMEOUT for case in self.events):
            raise ValueError(_("“timeout” is the time-out's own port: give the event another name"))
        return self


def ports(settings: Settings) -> tuple[str, ...]:
    """Cases of one name share a port: any of them leads there."""
    given = tuple(dict.fromkeys(case.port for case in settings.events))
    return (*given, TIMEOUT) if settings.timeout else given


def listens(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.event for case in settings.events))


def reads(settings: Settings) -> tuple[str, ...]:
    return tuple(f"event:{name} since entry" for name in listens(settings)) if settings.since == "entry" else ()


def summary(settings: Settings) -> str:
    most = say(_(", {time} at most"), time=words(settings.timeout)) if settings.timeout else ""
    events = clip(say(_(" or ")).join(listens(settings)), max(20, 50 - len(most)))
    return clip(say(_("Wait for {events}{most}"), events=events, most=most))


def advance(batch: Batch) -> Outcome:
    settings: Settings = batch.settings
    names = listens(settings)
    limit = elapsed(settings.timeout) if settings.timeout else None
    go: dict[str, list[MemberId]] = defaultdict(list)
    rest: dict[datetime | None, list[MemberId]] = defaultdict(list)
    for member in batch.members:
        begun = (member.rested_at or member.arrived_at) if member.waiting else member.arrived_at
        deadline = None if limit is None else begun + limit
        port = _port(batch, member, deadline)
        if port is None:
            rest[deadline].append(member.id)
        else:
            go[port].append(member.id)
    return Outcome(go=go, stay={Wait(deadline, names): ids for deadline, ids in rest.items()})


def _port(batch: Batch, member: Member, deadline: datetime | None) -> str | None:
    """The way out, or None to rest (on)."""
    settings: Settings = batch.settings
    if not member.waiting:
        return _earlier(batch, member) if settings.since == "entry" else None
    event = member.woken_by
    # An event that arrives after the deadline is too late even where the clock's own stage was slower than the event.
    if deadline is not None and (event is None or member.arrived_at > deadline):
        return TIMEOUT
    return None if event is None else _case(batch, member, event)


def _case(batch: Batch, member: Member, event: Event) -> str | None:
    """The port of the first case the event fits."""
    settings: Settings = batch.settings
    if settings.since == "entry" and event.timestamp < member.since:
        return None  # it happened before the entry, whenever it came: any order of arrival gives the same walk
    if batch.same_key(member, event):
        for case in settings.events:
            if case.event == event.name and case.where.matches(event.properties):
                return case.port
    return None


def _earlier(batch: Batch, member: Member) -> str | None:
    """The port of the first fitting event between the entry and now; of several at one instant, the first to arrive."""
    best: tuple[tuple[datetime, int], str] | None = None
    for name in listens(batch.settings):
        for event in member.facts.events.get(name, ()):
            place = event.timestamp, event.id or 0
            if event.timestamp > member.arrived_at or (best and place >= best[0]) or _is_entry(event, member):
                continue
            if port := _case(batch, member, event):
                best = (place, port)
    return best[1] if best else None


def _is_entry(event: Event, member: Member) -> bool:
    """The event that let somebody in ends none of their own waits."""
    if event.id is not None and member.entry_event is not None:
        return event.id == member.entry_event
    entry = member.entry
    return entry is not None and (event is entry or (event.id == entry.id if event.id is not None else event == entry))


node = NodeType(
    "wait.event",
    version=1,
    title=_("Wait for an event"),
    group="flow",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    reads=reads,
    listens=listens,
    waits=True,
    help=_("Holds people until they do one of several things; a time-out sends the rest another way."),
)
