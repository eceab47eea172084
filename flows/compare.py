"""What changed from one document to another, in words a reviewer reads; layout never counts. Decides nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from flows.contract import Json
from flows.document import Document, Node, dump
from flows.durations import Language

Kind = Literal[
    "node_added",
    "node_removed",
    "node_replaced",
    "node_renamed",
    "setting_added",
    "setting_removed",
    "setting_changed",
    "edge_added",
    "edge_removed",
    "edge_moved",
]
VALUE_SHOWN = 60
JOURNEY = ""

_WORDS: dict[Kind, tuple[str, str]] = {
    "node_added": ("{node} was added ({after})", "新增节点{node}（{after}）"),
    "node_removed": ("{node} was removed ({before})", "删除节点{node}（{before}）"),
    "node_replaced": ("{node} became another type: {before} → {after}", "节点{node}的类型由 {before} 改为 {after}"),
    "node_renamed": ("{node} is now called {after}, before {before}", "节点{node}改名：{before} → {after}"),
    "setting_added": ("{node}: {field} is now {after}", "{node}：{field} 设为 {after}"),
    "setting_removed": ("{node}: {field} was removed, before {before}", "{node}：删除了 {field}（原为 {before}）"),
    "setting_changed": ("{node}: {field} changed from {before} to {after}", "{node}：{field} 由 {before} 改为 {after}"),
    "edge_added": ("{node}: {field} now leads to {after}", "{node}：{field} 现在连到 {after}"),
    "edge_removed": ("{node}: {field} no longer leads to {before}", "{node}：{field} 不再连到 {before}"),
    "edge_moved": (
        "{node}: {field} leads to {after}, before to {before}",
        "{node}：{field} 由连到 {before} 改为连到 {after}",
    ),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `node` empty: the journey's own settings; `field` is the path of a setting, or a port."""

    kind: Kind
    node: str
    field: str = ""
    before: Json = None
    after: Json = None

    def render(self, language: Language = "en") -> str:
        """The change in a sentence."""
        words = _WORDS[self.kind][language == "zh"]
        journey = "旅程" if language == "zh" else "The journey"
        bare = self.kind.startswith(("edge_", "node_added", "node_removed", "node_replaced"))
        return words.format(
            node=f"“{self.node}”" if self.node else journey,
            field=f"“{self.field}”" if self.kind.startswith("edge_") else self.field,
            before=self.before if bare else _shown(self.before),
            after=self.after if bare else _shown(self.after),
        )


def compare(before: Document, after: Document) -> list[Change]:
    """Every change of meaning: the journey's settings, then node by node, then the edges."""
    found = list(differences(dump(before)["settings"], dump(after)["settings"], JOURNEY))
    old, new = before.index(), after.index()
    found += [Change("node_removed", name, before=node.type) for name, node in old.items() if name not in new]
    for name, node in new.items():
        if name not in old:
            found.append(Change("node_added", name, after=node.type))
        else:
            found.extend(_node(old[name], node))
    found.extend(_edges(before, after, set(old) & set(new)))
    return found


def _node(before: Node, after: Node) -> Iterator[Change]:
    if before.type != after.type:
        yield Change("node_replaced", after.id, before=before.type, after=after.type)
    if before.name != after.name:
        yield Change("node_renamed", after.id, before=before.name or before.id, after=after.name or after.id)
    yield from differences(before.settings, after.settings, after.id)


def _edges(before: Document, after: Document, staying: set[str]) -> Iterator[Change]:
    old = {(edge.source, edge.port): edge.to for edge in before.edges}
    new = {(edge.source, edge.port): edge.to for edge in after.edges}
    for (source, port), target in old.items():
        # The edges of a removed node go with it: no news of their own.
        if (source, port) not in new and source in staying:
            yield Change("edge_removed", source, port, before=target)
    for (source, port), target in new.items():
        was = old.get((source, port))
        if was is None:
            yield Change("edge_added", source, port, after=target)
        elif was != target:
            yield Change("edge_moved", source, port, before=was, after=target)


def differences(before: Json, after: Json, node: str, path: str = "") -> Iterator[Change]:
    """The differences of two JSON values, field by field; a list is compared place by place."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _item(before, after, key, node=node, path=f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(enumerate(before)), dict(enumerate(after))
        for number in range(max(len(old), len(new))):
            yield from _item(old, new, number, node=node, path=f"{path}[{number}]")
    elif not _same(before, after):
        yield Change("setting_changed", node, path, before, after)


def _item(
    before: Mapping[Json, Json], after: Mapping[Json, Json], key: str | int, *, node: str, path: str
) -> Iterator[Change]:
    if key not in before:
        yield Change("setting_added", node, path, after=after[key])
    elif key not in after:
        yield Change("setting_removed", node, path, before=before[key])
    else:
        yield from differences(before[key], after[key], node, path)


def _same(before: Json, after: Json) -> bool:
    # To Python 1 and true are equal; to an operator they are not.
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 1]}…"
