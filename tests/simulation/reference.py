"""The naive reference: what must become of one person, one event at a time, written from the specification (DESIGN §4-6).

It shares no code with the engine: no cohorts, no rounds, no plans, its own reading of rules. Slow and obvious on purpose.
"""

import operator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

Json = Any
ORDER = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
UNITS = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(eq=False)
class Event:
    """Something a person did: `at` is when it arrived, `timestamp` when it happened; `identify` brings attributes."""

    at: datetime
    name: str
    timestamp: datetime
    properties: dict[str, Json]
    identify: bool = False


@dataclass(eq=False)
class Journey:
    """A flow document; `seed` is `workspace/journey`, `timezone` the workspace's, for flows that name none."""

    seed: str
    document: dict[str, Json]
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        self.settings = self.document["settings"]
        self.nodes = {node["id"]: node for node in self.document["nodes"]}
        self.wires = {(edge["from"], edge["port"]): edge["to"] for edge in self.document["edges"]}
        self.reentry = self.settings.get("reentry", {"mode": "once"})

    def key(self, event: Event) -> str | None:
        """The key of an event; None where the journey needs one and the event has none."""
        if self.reentry["mode"] != "per_key":
            return ""
        value = event.properties.get(self.reentry["key"].removeprefix("properties."))
        return None if value in (None, "") else str(value)


@dataclass(eq=False)
class Walk:
    """One enrollment: the path with the moment of each arrival, and what became of it."""

    journey: Journey
    key: str
    entry: Event
    path: list[tuple[str, datetime]] = field(default_factory=list)
    status: str = "active"
    reason: str | None = None
    wake_at: datetime | None = None

    @property
    def node(self) -> str:
        return self.path[-1][0]

    def visits(self, node: str) -> int:
        return [name for name, _ in self.path].count(node)

    def end(self, status: str, reason: str) -> None:
        self.status, self.reason, self.wake_at = status, reason, None


class Person:
    """One contact: what it is, did, where it walks; `messages` are `(journey seed, key, node, visit, at)`."""

    def __init__(self, contact: int, journeys: list[Journey], attributes: dict[str, Json] | None = None) -> None:
        self.contact, self.journeys, self.attributes = contact, journeys, dict(attributes or {})
        self.tags: set[str] = set()
        self.past: list[Event] = []
        self.walks: list[Walk] = []
        self.messages: list[tuple[str, str, str, int, datetime]] = []

    def live(self, events: list[Event], until: datetime) -> None:
        """All events in order of arrival, and every wait that ends before them or until then; an event beats a time-out."""
        for event in events:
            self._tick(event.at, including=False)
            self._receive(event)
        self._tick(until, including=True)

    def _active(self) -> list[Walk]:
        return sorted((w for w in self.walks if w.status == "active"), key=lambda w: self.journeys.index(w.journey))

    def _tick(self, moment: datetime, *, including: bool) -> None:
        while due := [
            w for w in self._active() if w.wake_at and (w.wake_at < moment or (including and w.wake_at == moment))
        ]:
            walk = min(due, key=lambda one: one.wake_at)
            self._go(walk, "timeout" if walk.journey.nodes[walk.node]["type"] == "wait.event" else "next", walk.wake_at)

    def _receive(self, event: Event) -> None:
        """History and facts, then goals and exit rules, then waits, then entries."""
        self.past.append(event)
        self._set(event.properties if event.identify else {})
        for walk in self._active():
            for reason in ("goal", "exit_when"):
                if walk.status == "active" and self._hits(walk.journey.settings.get(reason), walk, event):
                    walk.end("exited", reason)
        for walk in self._active():
            node = walk.journey.nodes[walk.node]
            if node["type"] == "wait.event" and (port := self._case(node["settings"], walk, event)):
                self._go(walk, port, event.at)
        entered = [walk for journey in self.journeys if (walk := self._enter(journey, event))]
        for walk, node in entered:
            self.walks.append(walk)
            self._arrive(walk, node, event.at)

    def _enter(self, journey: Journey, event: Event) -> tuple[Walk, str] | None:
        key, mode = journey.key(event), journey.reentry["mode"]
        before = [walk for walk in self.walks if walk.journey is journey and walk.key == key]
        if key is None or any(walk.status == "active" for walk in before) or (before and mode in ("once", "per_key")):
            return None
        if before and mode == "cooldown" and event.at - before[-1].entry.at < length(journey.reentry["cooldown"]):
            return None
        for name, node in journey.nodes.items():
            own = node["settings"]
            if (
                node["type"] == "entry.event"
                and own["event"] == event.name
                and matches(own.get("where"), event.properties)
            ):
                if self._holds(own.get("when", {"all": []}), event.at, event.properties):
                    return Walk(journey, key, event), name
        return None

    def _hits(self, target: dict[str, Json] | None, walk: Walk, event: Event) -> bool:
        since = walk.entry.timestamp
        if target is None or target["event"] != event.name or event.timestamp < since:
            return False
        late = "within" in target and event.timestamp > since + length(target["within"])
        return not late and walk.journey.key(event) == walk.key and matches(target.get("where"), event.properties)

    def _case(self, own: dict[str, Json], walk: Walk, event: Event) -> str | None:
        """The port by which this event ends the wait: the first case that it fits."""
        too_old = own.get("since") == "entry" and event.timestamp < walk.entry.timestamp
        if too_old or event is walk.entry or walk.journey.key(event) != walk.key:
            return None
        cases = [
            one for one in own["events"] if one["event"] == event.name and matches(one.get("where"), event.properties)
        ]
        return cases[0].get("name", event.name) if cases else None

    def _arrive(self, walk: Walk, node: str, at: datetime) -> None:
        if walk.visits(node) == walk.journey.settings.get("visit_limit", 100):
            return walk.end("exited", "visit_limit")
        walk.path.append((node, at))
        if port := self._step(walk, walk.journey.nodes[node], at):
            self._go(walk, port, at)

    def _go(self, walk: Walk, port: str, at: datetime) -> None:
        step, walk.wake_at = walk.journey.nodes[walk.node], None
        target = step["settings"]["node"] if step["type"] == "goto" else walk.journey.wires.get((walk.node, port))
        if target is None:
            return walk.end("completed", f"{walk.node}.{port}")
        self._arrive(walk, target, at)

    def _step(self, walk: Walk, node: dict[str, Json], at: datetime) -> str | None:
        """The port by which the person goes on at once, or None to rest or to end."""
        own, entry = node["settings"], walk.entry.properties
        match node["type"]:
            case "condition":
                return "yes" if self._holds(own["rule"], at, entry) else "no"
            case "branch":
                return next((one["name"] for one in own["cases"] if self._holds(one["rule"], at, entry)), "other")
            case "split":
                point = self._draw(walk) * sum(arm["weight"] for arm in own["arms"])
                sums = [sum(arm["weight"] for arm in own["arms"][: n + 1]) for n in range(len(own["arms"]))]
                return next(arm["name"] for arm, reached in zip(own["arms"], sums, strict=True) if point < reached)
            case "holdout":
                return "held" if self._draw(walk) * 100 < own["percent"] else "go"
            case "wait.duration":
                walk.wake_at = at + length(own["duration"])
                return None
            case "wait.event":
                for event in sorted(self.past, key=lambda one: one.timestamp) if own.get("since") == "entry" else ():
                    if event.timestamp <= at and (port := self._case(own, walk, event)):
                        return port
                walk.wake_at = at + length(own["timeout"]) if "timeout" in own else None
                return None
            case "wait.until":
                walk.wake_at = datetime.fromisoformat(own["at"]) if "at" in own else self._wall(walk, own, at)
                late = "past" if walk.wake_at < at and own.get("late") == "skip" else "next"
                return late if walk.wake_at <= at else None
            case "send.inapp":
                self.messages.append((walk.journey.seed, walk.key, walk.node, walk.visits(walk.node), at))
            case "action.tag":
                self.tags = (self.tags | set(own.get("add", ()))) - set(own.get("remove", ()))
            case "action.attribute":
                self._set({**own.get("set", {}), **dict.fromkeys(own.get("unset", ()))})
            case "exit":
                return walk.end("completed", own.get("reason") or walk.node)
        return "next"

    def _draw(self, walk: Walk) -> float:
        name = f"{walk.journey.seed}/{walk.node}/{self.contact}" + (f"/{walk.key}" if walk.key else "")
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64

    def _wall(self, walk: Walk, own: dict[str, Json], at: datetime) -> datetime:
        """The next time of day in the person's zone; who comes round again does not get the same instant once more."""
        name = self.attributes.get("timezone")
        zone = ZoneInfo(
            name if name in available_timezones() else walk.journey.settings.get("timezone", walk.journey.timezone)
        )
        wall = datetime.combine(at.astimezone(zone).date(), time.fromisoformat(own["time"]), zone)
        again, days = walk.visits(walk.node) > 1, own.get("weekdays", WEEKDAYS)
        while wall < at or (again and wall == at) or WEEKDAYS[wall.weekday()] not in days:
            wall += timedelta(days=1)
        return wall

    def _set(self, values: dict[str, Json]) -> None:
        self.attributes = {name: value for name, value in {**self.attributes, **values}.items() if value is not None}

    def _holds(self, rule: dict[str, Json], at: datetime, entry: dict[str, Json]) -> bool:
        if "all" in rule:
            return all(self._holds(part, at, entry) for part in rule["all"])
        if "any" in rule:
            return any(self._holds(part, at, entry) for part in rule["any"])
        if "not" in rule:
            return not self._holds(rule["not"], at, entry)
        if "tag" in rule:
            return rule["tag"] in self.tags
        if "event" in rule:
            floor = at - length(rule.get("within", "P9999D"))
            past = [one for one in self.past if one.name == rule["event"] and floor < one.timestamp <= at]
            count = sum(1 for one in past if matches(rule.get("where"), one.properties))
            return compare(count, rule.get("count", {"op": "gte", "value": 1}))
        return compare(
            self.attributes.get(rule["attribute"]) if "attribute" in rule else entry.get(rule["property"]), rule
        )


def length(duration: str) -> timedelta:
    """An ISO 8601 duration of one unit, such as PT10M or P30D."""
    return timedelta(**{UNITS[duration[-1]]: int(duration.strip("PTWDHMS"))})


def matches(where: list[dict[str, Json]] | None, properties: dict[str, Json]) -> bool:
    """Whether the properties are as a `where` wants them."""
    return all(compare(properties.get(leaf["property"]), leaf) for leaf in where or ())


def compare(value: Json, leaf: dict[str, Json]) -> bool:
    """An operator; across types and with a missing value it is false."""
    operation, wanted = leaf["op"], leaf.get("value")
    if operation in ("exists", "missing"):
        return (value is None) == (operation == "missing")
    if operation == "in":
        return any(kind(value) is kind(one) and value == one for one in wanted)
    return kind(value) is kind(wanted) and bool(ORDER[operation](value, wanted))


def kind(value: Json) -> type:
    """Numbers are of one kind, truth values of another."""
    return float if type(value) is int else type(value)
