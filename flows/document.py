"""The flow document, schema 1 (DESIGN §5): what is saved, exchanged and hashed; never whether a journey makes sense.

`load` is the only door: it answers any input, however large, deep or wrong, with a Document or a DocumentError.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints, ValidationError

from flows.contract import Json
from flows.durations import Duration
from flows.errors import DocumentError
from flows.hints import Ask, shown
from flows.problems import place, say
from flows.raw import parse_text, refuse_unsafe
from flows.rules import EVERY_EVENT, Where
from flows.upgrade import SCHEMA, upgrade_document
from flows.words import _, spoken, told

NODES_AT_MOST = 5_000
EDGES_AT_MOST = 25_000
NOTES_AT_MOST = 1_000
GROUPS_AT_MOST = 500
ERRORS_AT_MOST = 100
WHOLE_FLOATS = 2.0**53

REENTRY_WORDS = {
    "once": _("Only once"),
    "after_exit": _("Again, once out"),
    "cooldown": _("Again after a while"),
    "per_key": _("Once for each key"),
}
SEASON_WORDS = {"keep_out": _("Take nobody in"), "pause": _("Pause, and go on afterwards")}
OVERRIDES_AT_MOST = 50
CLASS_WORDS = {"marketing": _("Marketing"), "transactional": _("Transactional")}

# What people are asked for one by one, below marketing as a whole; the workspace says which there are.
Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
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

    mode: Literal["once", "after_exit", "cooldown", "per_key"] = Field(
        "once",
        title=_("How often"),
        description=_("Whether somebody who has been here may come in again."),
        json_schema_extra=shown(labels=REENTRY_WORDS),
    )
    cooldown: Duration | None = Field(
        None,
        title=_("At the earliest after"),
        description=_("Counted from the last entry."),
        json_schema_extra=shown(needs={"mode": ["cooldown"]}),
    )
    key: Name | None = Field(
        None,
        title=_("Key"),
        description=_("A property of the entry event, such as properties.order_id: one walk for each of its values."),
        json_schema_extra=shown(needs={"mode": ["per_key"]}),
    )


class Target(_Part):
    """An event that takes people out: the goal, or the exit rule. `within` counts from the entry."""

    event: Annotated[Name, Ask("event")] = Field(title=_("Event"), description=_("The event that ends the walk."))
    where: Where = Field(EVERY_EVENT, title=_("Where"), description=_("Only if its properties are like this."))
    within: Duration | None = Field(None, title=_("Within"), description=_("Counted from the entry; empty: ever."))


def _written_day(value: Any) -> Any:
    """Only a day as people write it: a number would be read as seconds."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError(_("a day is written as 2026-11-01"))
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(_("there is no such day")) from None


Day = Annotated[date, BeforeValidator(_written_day), Field(ge=date(1970, 1, 2), le=date(2999, 12, 30))]
Number = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)]


class Season(_Part):
    """Whole days of the workspace's clocks in which the journey lets people in, and what it overrides meanwhile."""

    starts_on: Day = Field(title=_("First day"), description=_("From its first minute, on the workspace's clocks."))
    ends_on: Day = Field(title=_("Last day"), description=_("Until its last minute; then everything ends by itself."))
    journeys: Annotated[tuple[Annotated[Number, Ask("journey")], ...], Field(max_length=OVERRIDES_AT_MOST)] = Field(
        (), title=_("Overrides these journeys")
    )
    plans: Annotated[tuple[Annotated[Number, Ask("plan")], ...], Field(max_length=OVERRIDES_AT_MOST)] = Field(
        (), title=_("Overrides all journeys of these plans")
    )
    how: Literal["keep_out", "pause"] = Field(
        "keep_out",
        title=_("What the overridden ones do"),
        description=_("Who is on the way there goes on, or waits until the season is over."),
        json_schema_extra=shown(labels=SEASON_WORDS),
    )


class FlowSettings(_Part):
    """What holds for the journey as a whole."""

    goal: Target | None = Field(
        None, title=_("Goal"), description=_("Who does this has reached the goal and leaves the journey.")
    )
    exit_when: Target | None = Field(
        None, title=_("Exit rule"), description=_("Who does this leaves the journey, wherever they stand.")
    )
    reentry: Reentry = Field(Reentry(), title=_("Coming in again"))
    timezone: Annotated[Name, Ask("timezone")] | None = Field(
        None,
        title=_("Time zone"),
        description=_("For people whose own zone is unknown; the workspace's if empty."),
    )
    holdout_percent: Annotated[float, Strict(), Field(ge=0, le=100)] = Field(
        0,
        title=_("Held back, in percent"),
        description=_("A random share that never comes in, to compare the others with."),
    )
    message_class: Literal["marketing", "transactional"] = Field(
        "marketing",
        title=_("Kind of message"),
        description=_("Transactional messages pass consent for marketing and frequency caps."),
        json_schema_extra=shown(labels=CLASS_WORDS),
    )
    purpose: Purpose = Field(
        "marketing",
        title=_("Purpose"),
        description=_("What people must not have opted out of, besides marketing as a whole: newsletter, offers …"),
        json_schema_extra=shown(needs={"message_class": ["marketing"]}),
    )
    season: Season | None = Field(
        None,
        title=_("Season"),
        description=_("People come in on these days only; other journeys can stand back meanwhile."),
        json_schema_extra=shown(section=_("Season")),
    )
    priority: Annotated[Whole, Field(ge=0, le=100)] = Field(
        50,
        title=_("Priority"),
        description=_("0 to 100: which message is sent where a cap lets only one pass."),
        json_schema_extra=shown(section=_("Limits")),
    )
    visit_limit: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        100,
        title=_("Visits at most"),
        description=_("How often one person may pass the same step; the next time they leave."),
        json_schema_extra=shown(section=_("Limits")),
    )


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
        raise DocumentError([("", _("a flow document is an object with schema, settings, nodes and edges"))])
    for field, limit in _LIMITS.items():
        # Counted first: an answer to a huge document must not cost what reading it would.
        if isinstance(items := value.get(field), list | tuple) and len(items) > limit:
            raise DocumentError(
                [
                    (
                        field,
                        told(
                            _("at most {limit:,}; here are {count:,}. Split the journey"), limit=limit, count=len(items)
                        ),
                    )
                ]
            )
    refuse_unsafe(value)
    try:
        document = Document.model_validate(upgrade_document(value))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[:ERRORS_AT_MOST]
        raise DocumentError([(place(detail["loc"]), say(detail, spoken())) for detail in details]) from None
    _refuse_twins(document)
    return document


def _refuse_twins(document: Document) -> None:
    seen: set[str] = set()
    twins = []
    for position, node in enumerate(document.nodes):
        if node.id in seen:
            twins.append((f"nodes[{position}].id", told(_("“{id}” is the id of an earlier node too"), id=node.id)))
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
