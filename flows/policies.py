"""When marketing may reach a person: how often (caps) and at which hours of theirs (quiet hours). Pure; knows no journey.

Transactional messages are never asked. Who has no known zone stands for all zones they may be in: only what is decent in
each of them is allowed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from flows.calendar import Duration, Window, at_wall, elapsed, opening, time_of_day
from flows.contract import Json
from flows.errors import DocumentError
from flows.problems import place, say

LONGEST_WINDOW = timedelta(days=31)
LIMIT_AT_MOST = 1000
RULES_AT_MOST = 50
CALENDAR = {"day": 1, "week": 7}
QUIET = "quiet hours"

Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Over = Literal["skip", "defer"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Cap(_Part):
    """At most `limit` marketing messages in `per`: a calendar day or week of the person, or a rolling duration."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST, strict=True)]
    per: Literal["day", "week"] | Duration = "day"
    channel: Channel | None = None
    over: Over = "skip"

    @field_validator("per")
    @classmethod
    def _bounded(cls, value: str) -> str:
        if value not in CALENDAR and not timedelta() < elapsed(value) <= LONGEST_WINDOW:
            raise ValueError(f"“day”, “week”, or a duration of at most {LONGEST_WINDOW.days} days")
        return value

    @property
    def words(self) -> str:
        """Short and fixed: it stands in the reason of every message held back."""
        return f"{self.limit} per {self.per}" + (f" by {self.channel}" if self.channel else "")


class Quiet(_Part):
    """Hours of the person's own clock in which no marketing goes out; `until` may be the next morning."""

    since: Clock = Field(alias="from")
    until: Clock = Field(alias="to")
    channel: Channel | None = None
    over: Over = "defer"

    @field_validator("until")
    @classmethod
    def _not_all_day(cls, value: str, info: Any) -> str:
        if value == info.data.get("since"):
            raise ValueError("the end is the beginning: that would be the whole day")
        return value


class Fuse(_Part):
    """When a journey is stopped by itself, whatever its settings say: something goes in circles, or far beyond what was approved.

    At most so many messages of one step to one person in 24 hours; at most so many times the approved reach a day.
    """

    marketing: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST, strict=True)] = 3
    transactional: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST, strict=True)] = 30
    reach_times: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST, strict=True)] = 3


class Policies(_Part):
    """What a workspace allows. `defer_at_most`: who cannot be reached by then is not written to any more."""

    caps: Annotated[tuple[Cap, ...], Field(max_length=RULES_AT_MOST)] = ()
    quiet: Annotated[tuple[Quiet, ...], Field(max_length=RULES_AT_MOST)] = ()
    defer_at_most: Duration = "P2D"
    fuse: Fuse = Fuse()

    @property
    def active(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.caps or self.quiet)


NONE = Policies()


def load(raw: Mapping[str, Json]) -> Policies:
    """The policies that JSON means; DocumentError names each wrong field."""
    try:
        return Policies.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise DocumentError([(place(detail["loc"]), say(detail)) for detail in details]) from None


def dump(policies: Policies) -> dict[str, Json]:
    """The policies as JSON."""
    return policies.model_dump(mode="json", by_alias=True)


class Sent(NamedTuple):
    """A marketing message that passed: it counts from then on."""

    at: datetime
    channel: str
    journey: int
    priority: int


class Wish(NamedTuple):
    """A marketing message that would go out `at`; `since`: when it was first wanted; `zones`: all it may be in."""

    contact: int
    channel: str
    journey: int
    priority: int
    at: datetime
    since: datetime
    zones: tuple[ZoneInfo, ...]


class Verdict(NamedTuple):
    """`due` None: it never goes out, for this reason. `due` later than asked for: ask again then. Else it may go now."""

    due: datetime | None
    reason: str | None = None


UNASKED = Verdict(None)


class Closed(NamedTuple):
    """Quiet hours that a wish falls into: when they end, what becomes of it, what is said of it."""

    opens: datetime
    over: Over
    reason: str


class _Asked:
    """One question with what its answers share: a cohort has few zones and one moment."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.patience = elapsed(policies.defer_at_most)
        self.caps: dict[str, tuple[Cap, ...]] = {}
        self.hours: dict[tuple[str, tuple[ZoneInfo, ...], datetime], Closed | None] = {}

    def hush(self, wish: Wish) -> Verdict | None:
        """What quiet hours say against it."""
        key = wish.channel, wish.zones, wish.at
        if key not in self.hours:
            self.hours[key] = self._closed(wish)
        closed = self.hours[key]
        if closed is None:
            return None
        opens, over, reason = closed
        return Verdict(None, reason) if over == "skip" else self._later(wish, opens, reason)

    def full(self, wish: Wish, past: Sequence[Sent]) -> Verdict | None:
        """What caps say against it, given what has passed."""
        if wish.channel not in self.caps:
            self.caps[wish.channel] = tuple(one for one in self.policies.caps if one.channel in (None, wish.channel))
        for cap in self.caps[wish.channel]:
            counted = _counted(cap, wish, past)
            if len(counted) >= cap.limit:
                reason = _lost(cap, counted)
                return (
                    Verdict(None, reason)
                    if cap.over == "skip"
                    else self._later(wish, _free(cap, wish, counted), reason)
                )
        return None

    def _closed(self, wish: Wish) -> Closed | None:
        for rule in self.policies.quiet:
            if rule.channel in (None, wish.channel):
                window = Window(time_of_day(rule.until), time_of_day(rule.since))
                opens = opening(wish.zones, window, wish.at)
                if opens is None:
                    return Closed(wish.at, "skip", f"{QUIET}: never")  # no decent hour in all the zones it may be
                if opens > wish.at:
                    return Closed(opens, rule.over, _until(wish.zones, window, wish.at, opens))
        return None

    def _later(self, wish: Wish, due: datetime, reason: str) -> Verdict:
        return Verdict(None, reason) if due - wish.since > self.patience else Verdict(due, reason)


def decide(wishes: Sequence[Wish], past: Mapping[int, Sequence[Sent]], policies: Policies) -> list[Verdict]:
    """For each wish its verdict. Within a contact the higher priority is asked first; what passes counts for the rest."""
    asked, sent = _Asked(policies), dict(past)
    found = [UNASKED] * len(wishes)
    order: Iterable[int] = range(len(wishes))
    alone = len({wish.contact for wish in wishes}) == len(wishes)
    if not alone:
        order = sorted(order, key=lambda one: (-wishes[one].priority, wishes[one].since, one))
    for number in order:
        wish = wishes[number]
        verdict = asked.hush(wish) if policies.quiet else None
        if verdict is None and (before := sent.get(wish.contact)):
            verdict = asked.full(wish, before)
        if verdict is None:
            verdict = Verdict(wish.at)
            if not alone:
                mine = Sent(wish.at, wish.channel, wish.journey, wish.priority)
                sent[wish.contact] = [*sent.get(wish.contact, ()), mine]
        found[number] = verdict
    return found


def rehearse(wishes: Iterable[Wish], policies: Policies) -> list[Wish]:
    """Which of past wishes these policies would have put off or refused, had they held then. What passes counts for the rest."""
    asked, sent, held = _Asked(policies), dict[int, list[Sent]](), []
    for wish in sorted(wishes, key=lambda one: (one.at, -one.priority)):
        before = sent.setdefault(wish.contact, [])
        verdict = asked.hush(wish) if policies.quiet else None
        if verdict is None and before:
            verdict = asked.full(wish, before)
        if verdict is None:
            before.append(Sent(wish.at, wish.channel, wish.journey, wish.priority))
        else:
            held.append(wish)
    return held


def hushed(wish: Wish, policies: Policies) -> Verdict | None:
    """What quiet hours say now against a message that passed before; None where nothing."""
    return _Asked(policies).hush(wish) if policies.quiet else None


def look_back(policies: Policies) -> timedelta:
    """How far back the longest window reaches, days of any zone included; nothing where there is no cap."""
    reach = [
        timedelta(days=CALENDAR[cap.per] + 2) if cap.per in CALENDAR else elapsed(cap.per) for cap in policies.caps
    ]
    return max(reach, default=timedelta())


def _counted(cap: Cap, wish: Wish, past: Iterable[Sent]) -> list[Sent]:
    """What fills the window, the latest last."""
    begins = _begins(cap, wish)
    rolling = cap.per not in CALENDAR
    inside = (
        one for one in past if cap.channel in (None, one.channel) and (one.at > begins if rolling else one.at >= begins)
    )
    return sorted(inside)


def _begins(cap: Cap, wish: Wish) -> datetime:
    """Where the window begins: the person's day, the earliest of those it may be."""
    if cap.per not in CALENDAR:
        return wish.at - elapsed(cap.per)
    return min(_edge(cap, zone, wish.at, 0) for zone in wish.zones)


def _free(cap: Cap, wish: Wish, counted: Sequence[Sent]) -> datetime:
    """When the window has room again."""
    if cap.per in CALENDAR:
        return max(_edge(cap, zone, wish.at, 1) for zone in wish.zones)
    return counted[-cap.limit].at + elapsed(cap.per)


def _edge(cap: Cap, zone: ZoneInfo, at: datetime, later: int) -> datetime:
    """The beginning of the day or week (from Monday) that holds an instant, or of a later one."""
    day = at.astimezone(zone).date()
    if cap.per == "week":
        day -= timedelta(days=day.weekday())
    return at_wall(zone, day + timedelta(days=CALENDAR[cap.per] * later), time_of_day("00:00"))


def _until(zones: Sequence[ZoneInfo], window: Window, at: datetime, opens: datetime) -> str:
    """Until when it is quiet, on the clock of the zone where the morning comes last."""
    last = zones[0] if len(zones) == 1 else next((one for one in zones if opening(one, window, at) == opens), zones[0])
    return f"{QUIET}: until {opens.astimezone(last):%H:%M} {last.key}"


def _lost(cap: Cap, counted: Sequence[Sent]) -> str:
    """The strongest of those that came first is whom it was lost to."""
    winner = max(counted, key=lambda one: (one.priority, one.at))
    return f"lost to journey {winner.journey}: {cap.words}"
