"""Two flows that came from one put together step by step, as the editor's own merge does (static/js/canvas/merge.js). Pure.

A step is merged in pieces: what it is, where it stands, each wire that leaves it. A piece both changed differently is a
conflict, and so is a step one took away and the other worked on; what only a person can decide is named. Nothing is lost unsaid.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from flows.contract import Json

Side = Literal["mine", "theirs"]
Item = dict[str, Json]
PLACES = ("x", "y")


class Conflict(NamedTuple):
    """What only a person can decide. `what`: the pieces in question; a side of None took it away."""

    kind: Literal["step", "note", "group", "journey"]
    id: str
    key: str
    mine: Json
    theirs: Json
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """Both together; `mine` and `theirs` are the steps each side changed."""

    document: Item
    conflicts: list[Conflict]
    mine: list[str]
    theirs: list[str]


@dataclass(frozen=True, slots=True)
class _Parts:
    nodes: dict[str, Item]
    wires: dict[str, Item]
    notes: dict[str, Item]
    groups: dict[str, Item]


@dataclass(slots=True)
class _Work:
    """The three states and what has been decided and found so far."""

    old: _Parts
    own: _Parts
    other: _Parts
    choices: Mapping[str, Side]
    conflicts: list[Conflict] = field(default_factory=list)

    def chosen(self, key: str) -> Side:
        """Mine where nothing was chosen yet."""
        return self.choices.get(key, "mine")


def merge(base: Item, mine: Item, theirs: Item, choices: Mapping[str, Side] | None = None) -> Merged:
    """`mine` put onto `theirs`, both of which began as `base`; `choices` by the key of a conflict."""
    work = _Work(_read(base), _read(mine), _read(theirs), choices or {})
    nodes = _steps(work)
    document: Item = {**theirs}
    edges = _wires(work, nodes)
    if "settings" in mine or "settings" in theirs:
        document["settings"] = _fields(
            work, base.get("settings") or {}, mine.get("settings") or {}, theirs.get("settings") or {}
        )
    document |= {"nodes": list(nodes.values()), "edges": list(edges.values())}
    for name, kind in (("notes", "note"), ("groups", "group")):
        merged = _items(work, name, kind)
        document.pop(name, None)
        if merged:
            document[name] = merged
    return Merged(document, work.conflicts, _changed(work.old, work.own), _changed(work.old, work.other))


def same(one: Json, other: Json) -> bool:
    """Whether two values mean the same; what is null is as if it were not there."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Json) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _read(document: Item) -> _Parts:
    def by_id(name: str) -> dict[str, Item]:
        return {one["id"]: one for one in document.get(name) or []}

    wires = {f"{one['from']} {one['port']}": one for one in document.get("edges") or []}
    return _Parts(by_id("nodes"), wires, by_id("notes"), by_id("groups"))


def _content(node: Item | None) -> Item | None:
    """What a step is, without its place."""
    return None if node is None else {key: value for key, value in node.items() if key not in PLACES}


def _place(node: Item | None) -> Item | None:
    return None if node is None else {axis: node.get(axis) for axis in PLACES}


def _pick(was: Json, mine: Json, theirs: Json) -> tuple[Json, bool]:
    """What both mean, and whether they clash."""
    if same(mine, theirs) or same(was, theirs):
        return mine, False
    return (theirs, False) if same(was, mine) else (mine, True)


def _steps(work: _Work) -> dict[str, Item]:
    kept: dict[str, Item] = {}
    for id in dict.fromkeys([*work.other.nodes, *work.own.nodes]):
        was, mine, theirs = work.old.nodes.get(id), work.own.nodes.get(id), work.other.nodes.get(id)
        if mine is not None and theirs is not None:
            kept[id] = _both(work, id, was, mine, theirs)
            continue
        node = mine if mine is not None else theirs
        assert node is not None
        if was is None:
            kept[id] = node
        elif _worked(id, work.old, work.own if mine is not None else work.other):
            key = f"step {id}"
            work.conflicts.append(Conflict("step", id, key, mine, theirs, ("removed",)))
            if work.chosen(key) == ("mine" if mine is not None else "theirs"):
                kept[id] = node
    return kept


def _worked(id: str, old: _Parts, side: _Parts) -> bool:
    """Whether a side did anything to a step that the other took away."""
    if not same(_content(old.nodes.get(id)), _content(side.nodes.get(id))):
        return True
    return any(
        id in (wire["from"], wire["to"]) and not same(old.wires.get(key), wire) for key, wire in side.wires.items()
    )


def _both(work: _Work, id: str, was: Item | None, mine: Item, theirs: Item) -> Item:
    meant, clash = _pick(_content(was), _content(mine), _content(theirs))
    if clash:
        key = f"step {id}"
        work.conflicts.append(Conflict("step", id, key, mine, theirs, _clashing(was, mine, theirs)))
        meant = _content(theirs if work.chosen(key) == "theirs" else mine)
    spot, _ = _pick(_place(was), _place(mine), _place(theirs))
    return {**meant, **{axis: value for axis, value in spot.items() if value is not None}}


def _clashing(was: Item | None, mine: Item, theirs: Item) -> tuple[str, ...]:
    """The fields in question."""
    names = [name for name in dict.fromkeys([*mine, *theirs]) if name not in PLACES]
    old = was or {}
    return tuple(
        name
        for name in names
        if not same(mine.get(name), theirs.get(name))
        and (was is None or not same(old.get(name), mine.get(name)) or not same(old.get(name), theirs.get(name)))
    )


def _wires(work: _Work, nodes: Mapping[str, Item]) -> dict[str, Item]:
    back = [one for one in work.conflicts if one.what == ("removed",) and one.id in nodes]
    restored = {one.id: work.own if one.mine is not None else work.other for one in back}
    edges: dict[str, Item] = {}
    for key in dict.fromkeys([*work.other.wires, *work.own.wires]):
        was, mine, theirs = work.old.wires.get(key), work.own.wires.get(key), work.other.wires.get(key)
        wire, clash = _pick(was, mine, theirs)
        source = (mine or theirs or {})["from"]
        ends = [one["to"] for one in (mine, theirs) if one is not None]
        keeper = next((restored[end] for end in [*ends, source] if end in restored), None)
        if keeper is not None:
            wire = keeper.wires.get(key) or wire
        elif clash:
            name = f"wire {key}"
            work.conflicts.append(Conflict("step", source, name, mine, theirs, ("wire",)))
            wire = theirs if work.chosen(name) == "theirs" else mine
        if wire is not None and wire["from"] in nodes and wire["to"] in nodes:
            edges[key] = wire
    return edges


def _items(work: _Work, name: str, kind: str) -> list[Item]:
    """Notes and groups, each as a whole."""
    old, own, other = (getattr(parts, name) for parts in (work.old, work.own, work.other))
    kept = []
    for id in dict.fromkeys([*other, *own]):
        was, mine, theirs = old.get(id), own.get(id), other.get(id)
        value, clash = _pick(was, mine, theirs)
        if clash:
            key = f"{kind} {id}"
            what = ("text",) if mine is not None and theirs is not None else ("removed",)
            work.conflicts.append(Conflict("note" if kind == "note" else "group", id, key, mine, theirs, what))
            value = theirs if work.chosen(key) == "theirs" else mine
        if value is not None:
            kept.append(value)
    return kept


def _fields(work: _Work, was: Item, mine: Item, theirs: Item) -> Item:
    """Settings of the journey, field by field."""
    merged: Item = {}
    for name in dict.fromkeys([*theirs, *mine]):
        value, clash = _pick(was.get(name), mine.get(name), theirs.get(name))
        if clash:
            key = f"journey {name}"
            work.conflicts.append(Conflict("journey", name, key, mine.get(name), theirs.get(name), (name,)))
            value = theirs.get(name) if work.chosen(key) == "theirs" else mine.get(name)
        if value is not None:
            merged[name] = value
    return merged


def _changed(old: _Parts, side: _Parts) -> list[str]:
    found = {id: None for id in [*old.nodes, *side.nodes] if not same(old.nodes.get(id), side.nodes.get(id))}
    for key in dict.fromkeys([*old.wires, *side.wires]):
        before, after = old.wires.get(key), side.wires.get(key)
        if not same(before, after):
            found[(after or before or {})["from"]] = None
    return list(found)
