"""The flow document, schema 1 (DESIGN §5): what is saved, exchanged and hashed; never whether a journey makes sense.

`load` is the only door: it answers any input, however large, deep or wrong, with a Document or a DocumentError.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from flows.contract import Json
from flows.durations import Duration
from flows.errors import DocumentError
from flows.problems import place, say
from flows.raw import parse_text, refuse_unsafe
from flows.rules import EVERY_EVENT, Where
from flows.upgrade import SCHEMA, upgrade_document

NODES_AT_MOST = 5_000
EDGES_AT_MOST = 25_000
NOTES_AT_MOST = 1_000
GROUPS_AT_MOST = 500
ERRORS_AT_MOST = 100
WHOLE_FLOATS = 2.0**53

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Whole = Annotated[int, Strict()]
Coordinate = Annotated[float, Strict(), Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
Extent = Annotated[float, Strict(), Field(ge=16, le=1e5, allow_inf_nan=False)]
Hue = Literal["yellow", "green", "blue", "pink", "grey"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Reentry(_Part):
    """Who may come in again; `cooldown` belongs to the mode of that name, `key` to `per_key`."""

    mode: Literal["once", "after_exit", "cooldown", "per_key"] = "once"
    cooldown: Duration | None = None
    key: Name | None = None


class Target(_Part):
    """An event that takes people out: the goal, or the exit rule. `within` counts from the entry."""

    event: Name
    where: Where = EVERY_EVENT
    within: Duration | None = None


class FlowSettings(_Part):
    """What holds for the journey as a whole."""

    timezone: Name | None = None
    reentry: Reentry = Reentry()
    goal: Target | None = None
    exit_when: Target | None = None
    holdout_percent: Annotated[float, Strict(), Field(ge=0, le=100)] = 0
    message_class: Literal["marketing", "transactional"] = "marketing"
    priority: Annotated[Whole, Field(ge=0, le=100)] = 50
    visit_limit: Annotated[Whole, Field(ge=1, le=1000)] = 100


class Node(_Part):
    """A step. `settings` are JSON as its type of that version wrote them; never changed in place."""

    id: Id
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,64}$")]
    version: Annotated[Whole, Field(ge=1, le=10_000)] = 1
    settings: dict[str, Any] = Field(default_factory=dict)
    name: Name | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None


class Edge(_Part):
    """Where a port leads."""

    source: Id = Field(alias="from")
    port: Name
    to: Id


class Note(_Part):
    """A remark on the canvas, free or beside a node; layout, not meaning."""

    text: Annotated[str, StringConstraints(max_length=4000)]
    id: Id | None = None
    node: Id | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    width: Extent | None = None
    height: Extent | None = None
    hue: Hue | None = None


class Group(_Part):
    """A frame with a title around some nodes; layout, not meaning. Ids of nodes that are gone are passed over."""

    id: Id
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    nodes: Annotated[tuple[Id, ...], Field(max_length=NODES_AT_MOST)] = ()
    hue: Hue | None = None


class Document(_Part):
    """The graph of one journey. Ids of nodes are unique; everything else that may be wrong is a Problem."""

    schema_: Literal[1] = Field(1, alias="schema")
    settings: FlowSettings = FlowSettings()
    nodes: Annotated[tuple[Node, ...], Field(max_length=NODES_AT_MOST)] = ()
    edges: Annotated[tuple[Edge, ...], Field(max_length=EDGES_AT_MOST)] = ()
    notes: Annotated[tuple[Note, ...], Field(max_length=NOTES_AT_MOST)] = ()
    groups: Annotated[tuple[Group, ...], Field(max_length=GROUPS_AT_MOST)] = ()

    def index(self) -> dict[str, Node]:
        """The nodes by id."""
        return {node.id: node for node in self.nodes}


_LIMITS = {"nodes": NODES_AT_MOST, "edges": EDGES_AT_MOST, "notes": NOTES_AT_MOST, "groups": GROUPS_AT_MOST}


def load(raw: str | bytes | Mapping[str, Json]) -> Document:
    """The document that JSON text, or JSON already read, means; DocumentError lists each field and what is wrong."""
    value = parse_text(raw) if isinstance(raw, str | bytes) else raw
    if not isinstance(value, Mapping):
        raise DocumentError([("", "a flow document is an object with schema, settings, nodes and edges")])
    for field, limit in _LIMITS.items():
        # Counted first: an answer to a huge document must not cost what reading it would.
        if isinstance(items := value.get(field), list | tuple) and len(items) > limit:
            raise DocumentError([(field, f"at most {limit:,}; here are {len(items):,}. Split the journey")])
    refuse_unsafe(value)
    try:
        document = Document.model_validate(upgrade_document(value))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:ERRORS_AT_MOST]
        raise DocumentError([(place(detail["loc"]), say(detail)) for detail in details]) from None
    _refuse_twins(document)
    return document


def _refuse_twins(document: Document) -> None:
    seen: set[str] = set()
    twins = []
    for position, node in enumerate(document.nodes):
        if node.id in seen:
            twins.append((f"nodes[{position}].id", f"“{node.id}” is the id of an earlier node too"))
        seen.add(node.id)
    if twins:
        raise DocumentError(twins[:ERRORS_AT_MOST])


def dump(document: Document) -> dict[str, Json]:
    """The document as JSON values; settings and layout that are at their defaults are left out."""
    slim: dict[str, Json] = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    nodes = [{"version": 1, "settings": {}} | node for node in slim.get("nodes", ())]
    return slim | {
        "schema": SCHEMA,
        "settings": slim.get("settings", {}),
        "nodes": nodes,
        "edges": slim.get("edges", []),
    }


def content_hash(document: Document, dependencies: Mapping[str, Json] | None = None) -> str:
    """What an approval binds: SHA-256 over the meaning of the flow and of all it depends on; never the layout.

    `dependencies` map the name of each template, segment, account and plugin to its own hash or version.
    """
    flow = dump(document)
    for layout in ("notes", "groups"):
        flow.pop(layout, None)
    for node in flow["nodes"]:
        node.pop("x", None)
        node.pop("y", None)
    flow["nodes"].sort(key=lambda node: node["id"])
    flow["edges"].sort(key=lambda edge: (edge["from"], edge["port"], edge["to"]))
    content = _canonical({"flow": flow, "dependencies": dict(dependencies or {})})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Json) -> Json:
    # A database may give back 1.0 as 1; that is no change.
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < WHOLE_FLOATS else value
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return [_canonical(item) for item in value] if isinstance(value, list) else value
