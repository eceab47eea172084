"""What changed between two flows, as a reviewer reads it: step by step, in the language spoken, by titles and not by ids.

`flows.compare` says what differs; this says it, and lays it over the canvas. Layout never counts. Changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app import facets
from app.forms import Shape, shape_of
from app.valuewords import shown
from flows.compare import Change, compare
from flows.contract import Json, NodeType
from flows.document import Document, Node, dump
from flows.step_checks import read
from flows.words import _, say

Catalog = Mapping[str, NodeType]
State = Literal["added", "changed", "removed"]
Faces = Mapping[str, Mapping[str, Json]]

STATE_WORDS = {"added": _("Added"), "changed": _("Changed"), "removed": _("Removed")}
JOURNEY_TITLE = _("The journey")
ADDED = _("“{title}” was added: {summary}")
ADDED_BARE = _("“{title}” was added")
REMOVED = _("“{title}” was removed")
REPLACED = _("Is now “{after}”, before “{before}”")
RENAMED = _("Is now called “{after}”, before “{before}”")
SET = _("{field}: {after}")
UNSET = _("{field}: nothing any more, before {before}")
TURNED = _("{field}: {before} → {after}")
LEADS = _("“{port}” now leads to “{after}”")
LED = _("“{port}” no longer leads to “{before}”")
LEADS_ELSEWHERE = _("“{port}” leads to “{after}”, before to “{before}”")
ON, ON_NO_MORE = _("Now leads to “{after}”"), _("Leads nowhere any more, before to “{before}”")
ON_ELSEWHERE = _("Leads to “{after}”, before to “{before}”")
# The one way out of a step needs no name.
PLAIN = {"edge_added": ON, "edge_removed": ON_NO_MORE, "edge_moved": ON_ELSEWHERE}
NAMED = {"edge_added": LEADS, "edge_removed": LED, "edge_moved": LEADS_ELSEWHERE}
NAME, TYPE, WAYS = _("Name"), _("Kind of step"), _("Where it leads")
# What the journey's own settings are called; `FlowSettings` is read by programs and has no titles.
SETTING_WORDS = {
    "timezone": _("Time zone"), "reentry": _("Entering again"), "mode": _("Mode"), "cooldown": _("Pause before entering again"),
    "key": _("Once for each"), "goal": _("Goal"), "exit_when": _("Leaves when"), "event": _("Event"), "where": _("Only where"),
    "within": _("Within"), "holdout_percent": _("Held back, in percent"), "message_class": _("Kind of messages"),
    "priority": _("Priority"), "visit_limit": _("Visits of a step at most"),
    "season": _("Season"), "starts_on": _("First day"), "ends_on": _("Last day"), "journeys": _("Overrides these journeys"),
    "plans": _("Overrides all journeys of these plans"), "how": _("What the overridden ones do"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """All that changed at one step (`node` empty: at the journey itself), in sentences; `fields` says it in few words."""

    node: str
    state: State
    title: str
    type: str
    lines: tuple[str, ...]
    fields: tuple[str, ...] = ()


def items(before: Document, after: Document, catalog: Catalog) -> list[Item]:
    """The changes by step, in the order in which people meet them; the journey's own settings first."""
    changes = compare(before, after)
    told = _Teller(before, after, catalog)
    touched = {change.node for change in changes}
    found = [told.journey()] if "" in touched else []
    found += [told.step(node.id, changes) for node in after.nodes if node.id in touched]
    found += [told.gone(node) for node in before.nodes if node.id in touched and node.id not in told.new]
    return found


def overlay(before: Document, after: Document, found: Sequence[Item], faces: Faces) -> dict[str, Any]:
    """The same for the canvas (`view.setOverlay("diff", …)`): marks on steps and wires, and the ghosts of what is gone.

    `faces` are those of the steps before.
    """
    old = {(edge.source, edge.port): edge.to for edge in before.edges}
    new = {(edge.source, edge.port): edge.to for edge in after.edges}
    known = before.index()
    wires = {
        f"{source} {port}": "changed" if (source, port) in old else "added"
        for (source, port), to in new.items()
        if old.get((source, port)) != to
    }
    ghosts = [
        {
            "id": item.node,
            "type": known[item.node].type,
            "title": item.title,
            "summary": str(faces.get(item.node, {}).get("summary", "")),
            "x": known[item.node].x or 0,
            "y": known[item.node].y or 0,
        }
        for item in found
        if item.state == "removed"
    ]
    lost = [
        {"from": source, "port": port, "to": to} for (source, port), to in old.items() if new.get((source, port)) != to
    ]
    nodes = {item.node: _mark(item) for item in found if item.node and item.state != "removed"}
    return {"nodes": nodes, "wires": wires, "ghosts": ghosts, "ghostWires": lost}


def faces_of(document: Document, catalog: Catalog) -> dict[str, dict[str, Json]]:
    """The faces of all steps: titles, summaries, ports with labels."""
    ways: dict[str, list[str]] = {}
    for edge in document.edges:
        ways.setdefault(edge.source, []).append(edge.port)
    return {node.id: facets.facet(read(node, catalog)[0], tuple(ways.get(node.id, ()))) for node in document.nodes}


def _mark(item: Item) -> dict[str, str]:
    said = say(STATE_WORDS[item.state])
    return {"state": item.state, "label": f"{said}: {', '.join(item.fields)}" if item.fields else said}


class _Teller:
    """Puts the changes of one step into words."""

    def __init__(self, before: Document, after: Document, catalog: Catalog) -> None:
        self._catalog = catalog
        self._settings = (dump(before)["settings"], dump(after)["settings"])
        self.old, self.new = before.index(), after.index()
        self._old_faces, self._new_faces = faces_of(before, catalog), faces_of(after, catalog)

    def journey(self) -> Item:
        """The journey's own settings."""
        told = list(_pairs(*self._settings, SETTING_WORDS))
        names = tuple(dict.fromkeys(field for field, _line in told))
        return Item("", "changed", say(JOURNEY_TITLE), "", tuple(line for _field, line in told), names)

    def gone(self, node: Node) -> Item:
        """A step that is no more."""
        title = self._title(node.id)
        return Item(node.id, "removed", title, node.type, (say(REMOVED, title=title),))

    def step(self, id: str, changes: Sequence[Change]) -> Item:
        """A step that is new, or is not what it was."""
        node, was, own = self.new[id], self.old.get(id), [change for change in changes if change.node == id]
        title = self._title(id)
        leads = [(say(WAYS), self._edge(change)) for change in own if change.kind.startswith("edge_")]
        if was is None:
            summary = str(self._new_faces[id]["summary"])
            said = say(ADDED, title=title, summary=summary) if summary else say(ADDED_BARE, title=title)
            return Item(id, "added", title, node.type, (said, *(line for _field, line in leads)))
        told = [*self._self(was, node), *leads]
        names = tuple(dict.fromkeys(field for field, _line in told))
        return Item(id, "changed", title, node.type, tuple(line for _field, line in told), names)

    def _self(self, was: Node, node: Node) -> Iterator[tuple[str, str]]:
        before, after = str(self._old_faces[was.id]["title"]), str(self._new_faces[node.id]["title"])
        if was.type != node.type:
            yield say(TYPE), say(REPLACED, before=self._kind(was.type), after=self._kind(node.type))
        if was.name != node.name:
            yield say(NAME), say(RENAMED, before=before, after=after)
        kind = self._catalog.get(node.type)
        shape = shape_of(kind.settings) if kind and was.type == node.type else Shape("json")
        yield from _settings(shape, was.settings, node.settings)

    def _edge(self, change: Change) -> str:
        faces = self._new_faces if change.kind != "edge_removed" else self._old_faces
        ports: Any = faces.get(change.node, {}).get("ports", ())
        port = next((one["label"] for one in ports if one["name"] == change.field), facets.port_word(change.field))
        before, after = self._title(str(change.before)), self._title(str(change.after))
        sentences = PLAIN if change.field == "next" else NAMED
        return say(sentences[change.kind], port=port, before=before, after=after)

    def _title(self, id: str) -> str:
        face = self._new_faces.get(id) or self._old_faces.get(id) or {"title": id}
        return str(face["title"])

    def _kind(self, type: str) -> str:
        kind = self._catalog.get(type)
        return say(kind.title) if kind else type


def _settings(shape: Shape, before: Json, after: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The settings that differ, by their titles; as deep as the form of the step has fields."""
    if isinstance(before, Mapping) and isinstance(after, Mapping) and shape.kind in ("model", "map", "json"):
        for key in dict.fromkeys((*before, *after)):
            part = shape.fields.get(key) or shape.item or Shape("json")
            title = say(part.title) if part.title else str(key)
            if shape.kind == "map":
                title = str(key)
            yield from _settings(part, before.get(key, _NOTHING), after.get(key, _NOTHING), (*path, title))
    elif isinstance(before, list) and isinstance(after, list) and shape.kind == "list" and _named(before, after):
        item, old, new = shape.item or Shape("json"), _by_name(before), _by_name(after)
        for name in dict.fromkeys((*old, *new)):
            yield from _settings(item, old.get(name, _NOTHING), new.get(name, _NOTHING), (*path, name))
        if not _moved(old, new):
            return
        yield path[0], say(TURNED, field=" · ".join(path), before=", ".join(old), after=", ".join(new))
    elif before is _NOTHING or after is _NOTHING or _unlike(before, after):
        yield from _line(shape, before, after, path)


_NOTHING: Any = object()


def _line(shape: Shape, before: Json, after: Json, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    field = " · ".join(path)
    old = None if before is _NOTHING else shown(shape, before)
    new = None if after is _NOTHING else shown(shape, after)
    if old is None and new is not None:
        yield path[0], say(SET, field=field, after=new)
    elif new is None:
        yield path[0], say(UNSET, field=field, before=old)
    else:
        yield path[0], say(TURNED, field=field, before=old, after=new)


def _pairs(
    before: Json, after: Json, names: Mapping[str, str], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """The journey's settings that differ."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
        title = say(names[key]) if key in names else str(key)
        was, will = ({} if one is _NOTHING else one for one in (old, new))
        if isinstance(was, Mapping) and isinstance(will, Mapping):  # one that came or went is told part by part as well
            yield from _pairs(was, will, names, (*path, title))
        elif old is _NOTHING or new is _NOTHING or _unlike(old, new):
            kind: Any = "duration" if key in ("cooldown", "within") else "where" if key == "where" else "json"
            yield from _line(Shape(kind), old, new, (*path, title))


def _unlike(before: Json, after: Json) -> bool:
    # To Python 1 and true are equal; to an operator they are not.
    return bool(before != after) or isinstance(before, bool) != isinstance(after, bool)


def _named(*lists: list[Json]) -> bool:
    """Whether the items are told apart by names, so that one put between others is one change and not many."""
    return all(isinstance(item, Mapping) and isinstance(_name(item), str) for one in lists for item in one) and all(
        len({_name(item) for item in one}) == len(one) for one in lists
    )


def _name(item: Mapping[str, Json]) -> Json:
    return item.get("name") or item.get("event")


def _by_name(items: list[Json]) -> dict[str, Json]:
    return {str(_name(item)): item for item in items}


def _moved(old: Mapping[str, Json], new: Mapping[str, Json]) -> bool:
    stayed = set(old) & set(new)
    return [name for name in old if name in stayed] != [name for name in new if name in stayed]
