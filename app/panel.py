"""What the settings panel knows of one step: the form's model, the words it offers, what is wrong with what was typed.

Pure but for its arguments; what is drawn is the templates' business, what is asked of the database the route's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from app.facets import face
from app.previews import copy_problems
from app.vocabulary import Known, StepName, Words
from flows import upgrade
from flows.contract import Json, NodeType
from flows.document import FlowSettings, Node
from flows.errors import DocumentError
from flows.problems import place, refused
from flows.problems import say as sentence
from flows.raw import parse_text, refuse_unsafe
from flows.step_checks import check, read
from flows.words import clip, spoken

Catalog = Mapping[str, NodeType]
JOURNEY = "~"  # stands for the journey itself where a step's id would stand; no step can be called so
STEPS_AT_MOST = 2_000
NAME_AT_MOST = 200
TITLE_AT_MOST = 40


@dataclass(frozen=True, slots=True)
class About:
    """What the panel must know of the journey around a step; it travels with the form, so that no document need be kept."""

    steps: tuple[StepName, ...] = ()
    entry_events: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    timezone: str = ""
    wired: tuple[str, ...] = ()

    def dump(self) -> str:
        """As the text of a hidden field."""
        return json.dumps([list(map(list, self.steps)), self.entry_events, self.events, self.timezone, self.wired])

    @classmethod
    def load(cls, text: str) -> "About":
        """Read back; nothing of it decides more than what this one form offers."""
        try:
            steps, entries, events, timezone, wired = json.loads(text)
            named = tuple(StepName(str(a), str(b), str(c), bool(d), bool(e)) for a, b, c, d, e in steps[:STEPS_AT_MOST])
            return cls(named, _texts(entries), _texts(events), str(timezone), _texts(wired))
        except (ValueError, TypeError, RecursionError):
            return cls()


def _texts(values: Json) -> tuple[str, ...]:
    return tuple(str(value) for value in values[:STEPS_AT_MOST])


def about(raw: Json, node_id: str, catalog: Catalog) -> About:
    """What there is to know of a document, however unfinished it is."""
    document = raw if isinstance(raw, dict) else {}
    nodes = [node for node in _listed(document, "nodes") if isinstance(node.get("id"), str)]
    steps, entries, events = [], [], set()
    for node in nodes[:STEPS_AT_MOST]:
        kind = catalog.get(str(node.get("type")))
        shown = face(node, catalog)
        title = str(shown["title"]) if node.get("name") or kind is None else f"{shown['title']} · {shown['summary']}"
        is_entry = kind is not None and kind.start is not None
        sends = kind is not None and kind.channel is not None
        steps.append(StepName(node["id"], title[:NAME_AT_MOST], str(node.get("type")), sends, is_entry))
        spoken_of = set(_events(node.get("settings")))
        events |= spoken_of
        if is_entry:
            entries += sorted(spoken_of)
    wired = tuple(dict.fromkeys(str(e.get("port")) for e in _listed(document, "edges") if e.get("from") == node_id))
    settings = document.get("settings")
    zone = settings.get("timezone") if isinstance(settings, dict) else None
    return About(tuple(steps), tuple(entries), tuple(sorted(events)), str(zone or ""), wired)


def _listed(document: dict[str, Json], name: str) -> list[dict[str, Json]]:
    values = document.get(name)
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _events(value: Json, depth: int = 0) -> list[str]:
    """The names of events in settings, wherever a field is called so."""
    if depth > 6:
        return []
    if isinstance(value, dict):
        own = [value["event"]] if isinstance(value.get("event"), str) and value["event"] else []
        return own + [name for inner in value.values() for name in _events(inner, depth + 1)]
    return [name for inner in value for name in _events(inner, depth + 1)] if isinstance(value, list) else []


@dataclass(slots=True)
class Sheet:
    """One step on its way through the panel."""

    node: dict[str, Json]
    kind: NodeType | None
    model: type[BaseModel] | None
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Json]:
        given = self.node.get("settings")
        return given if isinstance(given, dict) else {}

    @property
    def is_journey(self) -> bool:
        return self.node.get("id") == JOURNEY


def sheet(node: Json, catalog: Catalog) -> Sheet:
    """A step as the panel takes it: its settings brought up to date if they are old."""
    given: dict[str, Json] = dict(node) if isinstance(node, dict) else {}
    if given.get("id") == JOURNEY:
        return Sheet(given, None, FlowSettings)
    kind = catalog.get(str(given.get("type")))
    made = Sheet(given, kind, kind.settings if kind else None)
    version = given.get("version", 1)
    if kind is not None and isinstance(version, int) and 0 < version < kind.version:
        try:
            given["settings"] = upgrade.settings(kind, made.settings, version)
            given["version"] = kind.version
        except upgrade.UNEXPECTED:
            made.model = None
    elif kind is not None and isinstance(version, int) and version > kind.version:
        made.model = None
    return made


def examine(made: Sheet, around: About, accounts: Mapping[str, str]) -> list[dict[str, Json]]:
    """Find what is wrong with the settings: `problems` for the form; returned as the canvas shows them."""
    assert made.model is not None
    made.problems = wrong(made.model, made.settings)
    found = [_told(made.node, path, text) for path, text in made.problems]
    if made.is_journey or made.kind is None:
        return found
    try:
        node = Node.model_validate({"id": "step", **{key: made.node[key] for key in NODE if key in made.node}})
        refuse_unsafe(made.settings)
    except ValidationError as error:
        made.problems += [(place(detail["loc"]), sentence(detail, spoken())) for detail in error.errors()]
        return [_told(made.node, path, text) for path, text in made.problems]
    except DocumentError as error:
        made.problems += error.errors
        return [_told(made.node, path, text) for path, text in made.problems]
    if made.problems:
        return found
    step, _none = read(node, {str(made.node["type"]): made.kind})
    sends = {one.id: one.sends for one in around.steps}
    for problem in check(step, sends, accounts or None):
        text = problem.render(spoken())
        found.append(_told(made.node, problem.field or "", text, problem.severity))
    return found + [_told(made.node, name, text) for name, text in copy_problems(made.kind, made.settings)]


NODE = ("id", "type", "version", "settings", "name")


def wrong(model: type[BaseModel], settings: Json) -> list[tuple[str, str]]:
    """What a model refuses, as paths and sentences."""
    try:
        model.model_validate(settings)
    except ValidationError as error:
        return [(place(detail["loc"]), sentence(detail, spoken())) for detail in refused(error)]
    return []


def _told(node: Mapping[str, Json], path: str, text: str, severity: str = "error") -> dict[str, Json]:
    return {"node": node.get("id"), "field": path or None, "code": "settings", "severity": severity, "text": text}


def offered(words: Words, around: About, made: Sheet | None) -> Words:
    """What the workspace has, and what this journey speaks of besides."""
    known = {one.name for one in words.events}
    more = tuple(Known(name) for name in around.events if name not in known)
    channel = made.kind.channel.name if made and made.kind and made.kind.channel else ""
    step = str(made.node.get("id")) if made else ""
    return replace(
        words,
        events=words.events + more,
        steps=around.steps,
        step=step,
        channel=channel,
        timezone=around.timezone or "UTC",
        entry_events=around.entry_events,
    )


def applied(made: Sheet, around: About, catalog: Catalog, problems: list[dict[str, Json]]) -> dict[str, Json]:
    """What the canvas is told when settings were taken: it makes one change of it, which can be undone."""
    node = made.node
    return {
        "id": node.get("id"),
        "version": made.kind.version if made.kind else node.get("version", 1),
        "settings": made.settings,
        "name": node.get("name"),
        "facet": None if made.is_journey else face(node, catalog, around.wired),
        "problems": problems,
        "valid": not made.problems,
    }


def with_titles(source: Json, steps: tuple[StepName, ...]) -> Json:
    """A rule that speaks of messages by their titles, for its sentence only."""
    titles = {step.id: step.title for step in steps}

    def inside(value: Json) -> Json:
        if isinstance(value, list):
            return [inside(one) for one in value]
        if not isinstance(value, dict):
            return value
        name = value.get("message")
        named = {"message": clip(titles[name], TITLE_AT_MOST)} if isinstance(name, str) and name in titles else {}
        return {key: inside(one) for key, one in value.items()} | named

    return inside(source)


def read_json(text: str | None) -> dict[str, Json]:
    """A JSON object out of a hidden field; empty where it is none."""
    try:
        value: Any = parse_text(text or "{}")
        refuse_unsafe(value)
    except DocumentError:
        return {}
    return value if isinstance(value, dict) else {}
