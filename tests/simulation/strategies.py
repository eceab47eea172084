"""Random journeys and random events, out of small pools so that everything collides: names, keys, durations, instants.

Every flow drawn here is valid (the test asks `flows.validate`): wires lead forward, or back out of a wait.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from flows import document
from flows.validate import errors, validate
from nodes import catalog

CATALOG = catalog()
Json = Any
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
SPREAD = timedelta(minutes=5)  # as much as a timer may be late without counting from now
NAMES = ("a", "b", "c")
DURATIONS = ("PT1M", "PT2M", "PT5M", "PT1H", "P1D")
PORTS = {
    **dict.fromkeys(("entry.event", "entry.api"), ("next",)),
    "condition": ("yes", "no"),
    "holdout": ("go", "held"),
    "wait.duration": ("next",),
} | {
    "wait.until": ("next", "past"),
    **dict.fromkeys(("action.tag", "action.attribute", "send.inapp"), ("next",)),
}

names, durations = st.sampled_from((*NAMES, "a")), st.sampled_from(DURATIONS)
wheres = st.sampled_from(
    (
        *([],) * 5,
        [{"property": "n", "op": "gte", "value": 2}],
        [{"property": "n", "op": "eq", "value": 1}],
        [{"property": "k", "op": "eq", "value": "x"}],
        [{"property": "n", "op": "missing"}],
    )
)
leaves = st.sampled_from(
    (
        {"attribute": "p", "op": "eq", "value": "x"},
        {"attribute": "q", "op": "gt", "value": 1},
        {"attribute": "q", "op": "in", "value": [1, 3]},
        {"attribute": "p", "op": "exists"},
        {"tag": "t1"},
        {"tag": "t2"},
        {"property": "n", "op": "lte", "value": 2},
        {"event": "a", "within": "PT5M"},
        {"event": "b", "count": {"op": "gte", "value": 2}, "within": "PT1H"},
        {"event": "c", "where": [{"property": "n", "op": "eq", "value": 1}], "count": {"op": "lt", "value": 1}},
        {"event": "identify", "within": "PT2M"},
        {"event": "journey.enrolled", "count": {"op": "lte", "value": 1}, "within": "PT5M"},
    )
)
rules = st.one_of(
    leaves,
    leaves,
    st.lists(leaves, min_size=2, max_size=2).map(lambda two: {"all": two}),
    st.lists(leaves, min_size=2, max_size=2).map(lambda two: {"any": [{"not": two[0]}, two[1]]}),
)
keeps = st.booleans()
rarely = st.integers(0, 15).map(lambda n: n == 15)


@st.composite
def _wait_event(draw: st.DrawFn) -> dict[str, Json]:
    events = []
    for _ in range(draw(st.integers(1, 3))):
        one = {"event": draw(names), "where": draw(wheres)}
        if draw(keeps):
            one["name"] = draw(st.sampled_from(("first", "second")))
        events.append(one)
    found: dict[str, Json] = {"events": events, "since": draw(st.sampled_from(("arrival", "entry")))}
    if draw(st.integers(0, 3)):
        found["timeout"] = draw(durations)
    return found


moments = st.integers(-2, 8).map(lambda n: (START + n * 15 * MINUTE).isoformat())
SETTINGS: dict[str, st.SearchStrategy[dict[str, Json]]] = {
    "condition": rules.map(lambda rule: {"rule": rule}),
    "branch": st.lists(rules, min_size=1, max_size=2).map(
        lambda found: {"cases": [{"name": f"case{n}", "rule": rule} for n, rule in enumerate(found)]}
    ),
    "wait.duration": durations.map(lambda length: {"duration": length}),
    "wait.event": _wait_event(),
    "wait.until": st.one_of(
        st.tuples(moments, st.sampled_from(("go", "skip"))).map(lambda two: {"at": two[0], "late": two[1]}),
        st.sampled_from(({"time": "08:05"}, {"time": "16:05", "weekdays": ["mon", "wed"]}, {"time": "09:00"})),
    ),
    "split": st.sampled_from(
        (
            {"arms": [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]},
            {"arms": [{"name": "A", "weight": 1}, {"name": "B", "weight": 0}, {"name": "C", "weight": 2}]},
        )
    ),
    "holdout": st.sampled_from(({"percent": 30}, {"percent": 100}, {"percent": 0})),
    "action.tag": st.sampled_from(({"add": ["t1"]}, {"add": ["t2"], "remove": ["t1"]}, {"remove": ["t1", "t2"]})),
    "action.attribute": st.sampled_from(({"set": {"p": "x"}}, {"set": {"q": 2}, "unset": ["p"]}, {"set": {"q": 1}})),
    "goto": st.just({}),
    "send.inapp": st.just({"title": "hello"}),
    "exit": st.sampled_from(({}, {"reason": "bought"})),
}
# Waits more often than the rest: they are what goes wrong.
kinds = st.sampled_from(
    ("wait.event", "wait.duration", "send.inapp", "wait.event", *SETTINGS, "wait.event", "wait.until", "condition")
)
crossing_kinds = st.sampled_from(
    ("wait.duration", "condition", "action.tag", "wait.duration", "action.attribute", "wait.event", "branch")
)


def ports(kind: str, settings: dict[str, Json]) -> tuple[str, ...]:
    """The ways out of a node."""
    if kind == "branch":
        return (*(case["name"] for case in settings["cases"]), "other")
    if kind == "split":
        return tuple(arm["name"] for arm in settings["arms"])
    if kind == "wait.event":
        given = dict.fromkeys(case.get("name", case["event"]) for case in settings["events"])
        return (*given, "timeout") if "timeout" in settings else tuple(given)
    return PORTS.get(kind, ())


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Json]:
    own: dict[str, Json] = {"event": draw(st.sampled_from(("a", "a", "a", "b"))), "where": draw(wheres)}
    if draw(st.integers(0, 4)) == 4:
        own["when"] = draw(rules)
    return own


targets = st.builds(
    lambda event, where, within: {"event": event, "where": where, **({"within": within} if within else {})},
    st.sampled_from(("b", "c", "c")),
    wheres,
    st.sampled_from((None, "PT2M", "PT1H")),
)
reentries = st.sampled_from(
    (
        {"mode": "after_exit"},
        {"mode": "once"},
        {"mode": "after_exit"},
        {"mode": "cooldown", "cooldown": "PT2M"},
        {"mode": "cooldown", "cooldown": "PT1H"},
        {"mode": "per_key", "key": "properties.k"},
        {"mode": "per_key", "key": "k"},
    )
)


@st.composite
def _settings(draw: st.DrawFn, keyed: bool) -> dict[str, Json]:
    settings: dict[str, Json] = {"reentry": draw(reentries), "visit_limit": draw(st.sampled_from((1, 2, 3, 5)))}
    if not keyed and settings["reentry"]["mode"] == "per_key":
        settings["reentry"] = {"mode": "after_exit"}
    for name in ("goal", "exit_when"):
        if draw(st.integers(0, 2)) == 2:
            settings[name] = draw(targets)
    if draw(keeps):
        settings["timezone"] = "Asia/Shanghai"
    return settings


@st.composite
def flows(draw: st.DrawFn, *, keyed: bool = True, crossing: bool = False) -> dict[str, Json]:
    """A valid flow document. Crossing ones are let in together, wait alike, and change and ask the same facts."""
    nodes = [(f"n{n}", "entry.event", draw(entries())) for n in range(draw(st.sampled_from((1, 1, 1, 2))))]
    if crossing:
        nodes = [("n0", "entry.event", {"event": "a"})]
    if draw(rarely):
        nodes.append((f"n{len(nodes)}", "entry.api", {}))
    first, count = len(nodes), draw(st.sampled_from((4, 3, 5, 2, 1, 6, 7)))
    for number in range(first, first + count):
        kind = draw(crossing_kinds if crossing else kinds)
        own = draw(SETTINGS[kind])
        if crossing and kind == "wait.duration":
            own = {"duration": draw(st.sampled_from(("PT1M", "PT2M")))}
        nodes.append((f"n{number}", kind, own))
    nodes.append((f"n{len(nodes)}", "exit", {}))
    edges = []
    for number, (name, kind, own) in enumerate(nodes[:-1]):
        ahead = range(max(number + 1, first), len(nodes))
        if kind == "goto":
            nodes[number] = (name, kind, {"node": f"n{draw(st.sampled_from(ahead))}"})
        for port in ports(kind, own):
            # A port may be left open; out of a wait the way may lead back, to the entry too.
            places = (
                [*ahead[:2], *ahead[:3], ahead[-1]]
                + ([*range(number + 1)] if kind.startswith("wait.") else [])
                + ([] if kind.startswith("entry.") else [None])
            )
            to = draw(st.sampled_from(places))
            if to is not None:
                edges.append({"from": name, "port": port, "to": f"n{to}"})
    settings = draw(_settings(keyed))
    found = {
        "schema": 1,
        "settings": settings,
        "nodes": [{"id": name, "type": kind, "version": 1, "settings": own} for name, kind, own in nodes],
        "edges": edges,
    }
    if errors(validate(document.load(_reachable(found)), CATALOG)):  # there is no way out of a loop
        found["edges"] = [edge for edge in edges if int(edge["from"][1:]) < int(edge["to"][1:])]
    return _reachable(found)


def _reachable(document: dict[str, Json]) -> dict[str, Json]:
    """Without the nodes that nobody can come to."""
    wires: dict[str, list[str]] = {}
    for edge in document["edges"]:
        wires.setdefault(edge["from"], []).append(edge["to"])
    for node in document["nodes"]:
        if node["type"] == "goto":
            wires[node["id"]] = [node["settings"]["node"]]
    seen = {node["id"] for node in document["nodes"] if node["type"].startswith("entry.")}
    rest = list(seen)
    while rest:
        for to in wires.get(rest.pop(), ()):
            if to not in seen:
                seen.add(to)
                rest.append(to)
    return document | {
        "nodes": [node for node in document["nodes"] if node["id"] in seen],
        "edges": [edge for edge in document["edges"] if edge["from"] in seen],
    }


@dataclass(frozen=True)
class Happening:
    """An event on its way in: whose, when it arrives and happened, its message id (a repeated one is a duplicate).

    `into` says which journey somebody is put into by the API; the properties are the context.
    """

    who: int
    at: datetime
    timestamp: datetime
    name: str
    properties: dict[str, Json]
    message: str
    into: int | None = None

    @property
    def payload(self) -> dict[str, Json]:
        """The call that brings it in."""
        common = {"userId": f"u{self.who}", "timestamp": self.timestamp.isoformat(), "messageId": self.message}
        if self.name == "identify":
            return {"type": "identify", "traits": self.properties, **common}
        return {"type": "track", "event": self.name, "properties": self.properties, **common}


ENROLLED = "journey.enrolled"
PROPERTIES = st.fixed_dictionaries(
    {"k": st.sampled_from(("x", "x", "y", 1, "1", ""))}, optional={"n": st.sampled_from((1, 2, 3, "2"))}
)
TRAITS = st.fixed_dictionaries(
    {},
    optional={
        "p": st.sampled_from(("x", "y", None)),
        "q": st.sampled_from((1, 2, 3, None)),
        "timezone": st.sampled_from(("Asia/Tokyo", "nowhere", None)),
    },
)
# Most events come together: a moment costs the engine the same, however many people it concerns.
gaps = st.sampled_from((0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 5, 0, 3, 0, 60, 0, 0, 10, 0, 65, 0, 0, 1440))
close = st.sampled_from((0, 1, 0, 0, 2, 0, 0.5, 0, 1, 0, 0, 3, 1, 0, 5))
lateness = st.sampled_from((0, 0, 0, 0, 1, 2, 60, 61))


@st.composite
def happenings(draw: st.DrawFn, *, lagging: bool, journeys: int) -> list[list[Happening]]:
    """Batches of events. Lagging: one batch spans some minutes; otherwise it arrives at once. Either brings events from before.

    Dense ones are of few people, at nearly equal moments.
    """
    dense = draw(keeps)
    people = draw(st.sampled_from((2, 1, 3) if dense else (3, 1, 2, 5, 12)))
    at, begun, batches = START, START, [[]]
    for number in range(draw(st.sampled_from((24, 12, 36, 3, 48, 60)))):
        step = draw(close if dense else gaps) * MINUTE
        at += step
        parted = (not lagging or at - begun > SPREAD) if step else not draw(st.integers(0, 3))
        if batches[-1] and parted:
            batches.append([])
            begun = at if step else begun  # the timers of an instant wait for all its batches
        who = draw(st.integers(0, people - 1))
        batches[-1].append(
            draw(_entering(who, at, number, journeys)) if draw(rarely) else draw(_event(who, at, number))
        )
    return batches


@st.composite
def _event(draw: st.DrawFn, who: int, at: datetime, number: int) -> Happening:
    identify = draw(st.integers(0, 5)) == 5
    late = draw(lateness) * MINUTE
    message = f"m{draw(st.integers(0, number))}" if draw(st.integers(0, 9)) == 9 else f"m{number}"
    name, properties = ("identify", draw(TRAITS)) if identify else (draw(names), draw(PROPERTIES))
    return Happening(who, at, at - late, name, properties, message)


@st.composite
def _entering(draw: st.DrawFn, who: int, at: datetime, number: int, journeys: int) -> Happening:
    into = draw(st.integers(0, journeys - 1))
    return Happening(who, at, at, ENROLLED, draw(PROPERTIES), f"e{number}", into)
