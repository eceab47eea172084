"""The naive reference: what must become of one person, one event at a time, written from the specification (DESIGN §4-6).

It shares no code with the engine: no cohorts, no rounds, no plans, its own reading of rules. Slow and obvious on purpose.
"""

import operator
from bisect import bisect
from collections import Counter
from datetime import datetime, time, timedelta
from hashlib import blake2b
from itertools import accumulate
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

Json = Any
ORDER = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "ne": operator.ne}
EVER = "P9999D"
UNITS = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Event(NamedTuple):
    """Something a person did: `at` is when it arrived, `timestamp` when it happened; `identify` brings attributes.

    `into` names the journey (by its seed) that somebody else put the person into; `version` what it is from now on.
    """

    at: datetime
    name: str
    timestamp: datetime
    properties: dict[str, Json]
    identify: bool = False
    into: str = ""
    version: "Journey | None" = None


class Journey:
    """A flow document; `seed` is `workspace/journey`, `timezone` the workspace's, for flows that name none."""

    def __init__(self, seed: str, document: dict[str, Json], timezone: str = "UTC") -> None:
        self.seed, self.settings = seed, {"timezone": timezone, "visit_limit": 100, **document["settings"]}
        self.nodes = {node["id"]: node for node in document["nodes"]}
        self.wires = {(edge["from"], edge["port"]): edge["to"] for edge in document["edges"]}
        self.reentry = self.settings.get("reentry", {"mode": "once"})

    def key(self, event: Event) -> str | None:
        value = event.properties.get(self.reentry.get("key", "").removeprefix("properties."))
        return "" if self.reentry["mode"] != "per_key" else None if value in (None, "") else str(value)


class Walk:
    """One enrollment: the path with the moment of each arrival, and what became of it."""

    def __init__(self, journey: Journey, key: str, entry: Event) -> None:
        self.journey, self.key, self.entry = journey, key, entry
        self.path, self.visits, self.node = [], Counter(), ""
        self.status, self.reason, self.wake_at = "active", None, None

    def end(self, status: str, reason: str) -> None:
        self.status, self.reason, self.wake_at = status, reason, None


class Person:
    """One contact: what it is, did, where it walks; `messages` are `(journey seed, key, node, visit, at)`."""

    def __init__(self, contact: int, journeys: list[Journey]) -> None:
        self.contact, self.journeys = contact, {one.seed: one for one in journeys}
        self.attributes, self.tags, self.past, self.walks, self.messages = {}, set(), [], [], []

    def live(self, events: list[Event], until: datetime) -> None:
        """All events in order of arrival, and every wait that ends before them or until then; an event beats a time-out."""
        for event in events:
            self._tick(event.at, including=False)
            self._receive(event)
        self._tick(until, including=True)

    def _active(self) -> list[Walk]:
        order = list(self.journeys)
        return sorted((w for w in self.walks if w.status == "active"), key=lambda w: order.index(w.journey.seed))

    def _tick(self, moment: datetime, *, including: bool) -> None:
        while waits := [w for w in self._active() if w.wake_at]:
            walk = min(waits, key=lambda one: one.wake_at)
            if walk.wake_at > moment or (walk.wake_at == moment and not including):
                return
            self._go(walk, "timeout" if walk.journey.nodes[walk.node]["type"] == "wait.event" else "next", walk.wake_at)

    def _receive(self, event: Event) -> None:
        """History and facts, then goals and exit rules, then waits, then entries."""
        if event.version:
            self.journeys[event.version.seed] = event.version
            return
        self.past.append(event)
        self._set(event.properties if event.identify else {})
        for walk in self._active():
            for reason in ("exit_when", "goal"):  # the goal has the last word
                if self._hits(walk.journey.settings.get(reason), walk, event):
                    walk.end("exited", reason)
        for walk in self._active():
            node = walk.journey.nodes[walk.node]
            if node["type"] == "wait.event" and (port := self._case(node["settings"], walk, event)):
                self._go(walk, port, event.at)
        for walk, node in [one for journey in self.journeys.values() if (one := self._enter(journey, event))]:
            self.walks.append(walk)
            self._arrive(walk, node, event.at)

    def _enter(self, journey: Journey, event: Event) -> tuple[Walk, str] | None:
        key, mode = journey.key(event), journey.reentry["mode"]
        before = [walk for walk in self.walks if walk.journey.seed == journey.seed and walk.key == key]
        soon = mode == "cooldown" and before and event.at - before[-1].entry.at < length(journey.reentry["cooldown"])
        again = mode in ("after_exit", "cooldown") and not soon and all(one.status != "active" for one in before)
        if key is None or (before and not again) or event.into not in ("", journey.seed):
            return None
        doors = [name for name, node in journey.nodes.items() if self._opens(node, event)]
        doors.sort(key=lambda name: bool(event.into) and journey.nodes[name]["type"] != "entry.api")
        return (Walk(journey, key, event), doors[0]) if doors else None

    def _opens(self, node: dict[str, Json], event: Event) -> bool:
        own = node["settings"]
        if event.into:  # whoever is put in is asked nothing
            return node["type"].startswith("entry.")
        fits = node["type"] == "entry.event" and own["event"] == event.name and matches(own, event)
        return fits and self._holds(own.get("when", {"all": []}), event.at, event.properties)

    def _hits(self, target: dict[str, Json] | None, walk: Walk, event: Event) -> bool:
        if target is None or target["event"] != event.name or walk.journey.key(event) != walk.key:
            return False
        passed = event.timestamp - walk.entry.timestamp
        return timedelta() <= passed <= length(target.get("within", EVER)) and matches(target, event)

    def _case(self, own: dict[str, Json], walk: Walk, event: Event) -> str | None:
        too_old = own.get("since") == "entry" and event.timestamp < walk.entry.timestamp
        if too_old or event is walk.entry or walk.journey.key(event) != walk.key:
            return None
        cases = [one for one in own["events"] if one["event"] == event.name and matches(one, event)]
        return cases[0].get("name", event.name) if cases else None

    def _arrive(self, walk: Walk, node: str, at: datetime) -> None:
        if walk.visits[node] == walk.journey.settings["visit_limit"]:
            return walk.end("exited", "visit_limit")
        walk.node, walk.visits[node] = node, walk.visits[node] + 1
        walk.path.append((node, at))
        port = self._step(walk, walk.journey.nodes[node], at)
        return self._go(walk, port, at) if port else None

    def _go(self, walk: Walk, port: str, at: datetime) -> None:
        step, walk.wake_at = walk.journey.nodes[walk.node], None
        target = step["settings"]["node"] if step["type"] == "goto" else walk.journey.wires.get((walk.node, port))
        return self._arrive(walk, target, at) if target else walk.end("completed", f"{walk.node}.{port}")

    def _step(self, walk: Walk, node: dict[str, Json], at: datetime) -> str | None:  # noqa: C901 a case for each type
        own, entry = node["settings"], walk.entry.properties
        match node["type"]:
            case "condition":
                return "yes" if self._holds(own["rule"], at, entry) else "no"
            case "branch":
                return next((one["name"] for one in own["cases"] if self._holds(one["rule"], at, entry)), "other")
            case "split":
                sums = list(accumulate(arm["weight"] for arm in own["arms"]))
                return own["arms"][bisect(sums, self._draw(walk) * sums[-1])]["name"]
            case "holdout":
                return "held" if self._draw(walk) * 100 < own["percent"] else "go"
            case "wait.event":
                for event in sorted(self.past, key=lambda one: one.timestamp) if own.get("since") == "entry" else ():
                    if event.timestamp <= at and (port := self._case(own, walk, event)):
                        return port
                walk.wake_at = at + length(own["timeout"]) if "timeout" in own else None
            case "wait.duration":
                walk.wake_at = at + length(own["duration"])
            case "wait.until":
                walk.wake_at = datetime.fromisoformat(own["at"]) if "at" in own else self._wall(walk, own, at)
                late = "past" if walk.wake_at < at and own.get("late") == "skip" else "next"
                return late if walk.wake_at <= at else None
            case "exit":
                walk.end("completed", own.get("reason") or walk.node)
            case kind:
                self._act(walk, kind, own, at)
                return "next"
        return None

    def _act(self, walk: Walk, kind: str, own: dict[str, Json], at: datetime) -> None:
        if kind == "send.inapp":
            self.messages.append((walk.journey.seed, walk.key, walk.node, walk.visits[walk.node], at))
        elif kind == "action.tag":
            self.tags = (self.tags | set(own.get("add", ()))) - set(own.get("remove", ()))
        elif kind == "action.attribute":
            self._set({**own.get("set", {}), **dict.fromkeys(own.get("unset", ()))})

    def _draw(self, walk: Walk) -> float:
        name = f"{walk.journey.seed}/{walk.node}/{self.contact}" + (f"/{walk.key}" if walk.key else "")
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64

    def _wall(self, walk: Walk, own: dict[str, Json], at: datetime) -> datetime:
        own_zone = self.attributes.get("timezone")
        zone = ZoneInfo(own_zone if own_zone in available_timezones() else walk.journey.settings["timezone"])
        wall = datetime.combine(at.astimezone(zone).date(), time.fromisoformat(own["time"]), zone)
        again, days = (
            walk.visits[walk.node] > 1,
            own.get("weekdays", WEEKDAYS),
        )  # who comes round again gets the next one
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
            floor = at - length(rule.get("within", EVER))
            past = [one for one in self.past if one.name == rule["event"] and floor < one.timestamp <= at]
            return compare(
                len([one for one in past if matches(rule, one)]), rule.get("count", {"op": "gte", "value": 1})
            )
        return compare(
            self.attributes.get(rule["attribute"]) if "attribute" in rule else entry.get(rule["property"]), rule
        )


def length(duration: str) -> timedelta:
    return timedelta(**{UNITS[duration[-1]]: int(duration.strip("PTWDHMS"))})


def matches(asked: dict[str, Json], event: Event) -> bool:
    return all(compare(event.properties.get(leaf["property"]), leaf) for leaf in asked.get("where", ()))


def compare(value: Json, leaf: dict[str, Json]) -> bool:
    """An operator; across types and with a missing value it is false. Numbers are of one type, truth values of another."""
    operation, wanted = leaf["op"], leaf.get("value")
    if operation in ("exists", "missing"):
        return (value is None) == (operation == "missing")
    test, kind = ORDER.get(operation, operator.eq), lambda one: float if type(one) is int else type(one)
    return any(kind(value) is kind(one) and test(value, one) for one in (wanted if operation == "in" else [wanted]))
