"""Which node types there are: ours by folder, strangers' by entry point. Never what a node does: that is its folder's.

Importing this package imports no node; `catalog()` does.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType

from flows.contract import CONTRACT, Json, NodeType
from flows.errors import NodeError

GROUP = "journey.nodes"


class Catalog(Mapping[str, NodeType]):
    """The node types by name, fixed once made. `broken` names the strangers left out, each with the reason."""

    __slots__ = ("_types", "broken")

    def __init__(self, types: Mapping[str, NodeType], broken: Mapping[str, str]) -> None:
        self._types = MappingProxyType(dict(sorted(types.items())))
        self.broken: Mapping[str, str] = MappingProxyType(dict(sorted(broken.items())))

    def __getitem__(self, type_name: str) -> NodeType:
        return self._types[type_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


def catalog(extra: Iterable[NodeType] = (), plugins: bool = True) -> Catalog:
    """All node types: the built-in ones, those given as `extra` (tests, scripts), and what is installed as a plugin."""
    types = dict(_built_in())
    for node in extra:
        if node.type in types:
            raise NodeError(f"node type {node.type} is given twice")
        types[node.type] = node
    broken: dict[str, str] = {}
    if plugins:
        found, broken = _strangers(types)
        types.update(found)
    return Catalog(types, broken)


def icon(node: NodeType) -> str:
    """The drawing of a node type, as SVG text, from the folder that defines its settings."""
    module = sys.modules[node.settings.__module__]
    return (Path(module.__file__ or "").parent / node.icon).read_text(encoding="utf-8")


def samples(node: NodeType) -> list[Mapping[str, Json]]:
    """Valid settings stored beside the node type (`SAMPLE`, `MORE_SAMPLES`); the first is its example in the API."""
    module = sys.modules[node.settings.__module__]
    first = getattr(module, "SAMPLE", None)
    return ([] if first is None else [first]) + list(getattr(module, "MORE_SAMPLES", ()))


@cache
def _built_in() -> Mapping[str, NodeType]:
    """Ours. A broken one stops the start: whoever ships it must notice before anybody else does."""
    types: dict[str, NodeType] = {}
    for folder in iter_modules(__path__):
        if not folder.ispkg:
            continue
        node = getattr(import_module(f"{__name__}.{folder.name}"), "node", None)
        if not isinstance(node, NodeType) or node.type.replace(".", "_") != folder.name:
            raise NodeError(f"nodes/{folder.name} must end with `node = NodeType(…)` of the same name")
        types[node.type] = node
    return types


def _strangers(taken: Mapping[str, NodeType]) -> tuple[dict[str, NodeType], dict[str, str]]:
    """Plugins that load, and why the others do not. Two of one name are both left out: nobody knows which is meant."""
    types: dict[str, NodeType] = {}
    broken: dict[str, str] = {}
    offers: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        offers.setdefault(entry.name, []).append(entry)
    for name, entries in offers.items():
        if name in taken:
            broken[name] = "there is a node type of this name already"
        elif len(entries) > 1:
            broken[name] = "offered by several packages: " + ", ".join(sorted({_package(entry) for entry in entries}))
        else:
            node = _load(entries[0])
            if isinstance(node, NodeType):
                types[name] = node
            else:
                broken[name] = node
    return types, broken


def _load(entry: EntryPoint) -> NodeType | str:
    """The node type an entry point leads to, or why there is none."""
    try:
        node = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger raises, the others must start
        return f"{_package(entry)} cannot be imported: {type(error).__name__}: {error}"
    if not isinstance(node, NodeType):
        return f"{_package(entry)}: {entry.value} is not a NodeType"
    if node.type != entry.name:
        return f"{_package(entry)}: the entry point is named {entry.name}, the node type {node.type}"
    written_for = getattr(sys.modules[entry.module], "CONTRACT", CONTRACT)
    if written_for != CONTRACT:
        return f"{_package(entry)} is written for contract {written_for}; this is contract {CONTRACT}"
    return node


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module
