"""The catalogue of steps: every installed type with what it does, its ways out, its settings. Read from the types themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fastapi import Request, Response

from app import facets
from app.canvasdata import GROUPS, OTHER_GROUP
from app.documents import write_step
from app.forms import Shape, shape_of
from app.valuewords import shown
from app.web.guard import TheHouse, can
from app.web.page import page_router, render
from app.web.templating import icons, reading
from flows.contract import NodeType
from flows.words import _, say
from nodes import samples

routes = page_router()

DEEP = 3
KIND_WORDS = {
    "text": _("text"), "number": _("number"), "flag": _("yes or no"), "choice": _("one of several"),
    "choices": _("some of several"), "duration": _("length of time"), "period": _("calendar time"),
    "time": _("time of day"), "date": _("date"), "instant": _("date and time"), "value": _("any value"),
    "model": _("group of fields"), "variant": _("one of several groups"), "list": _("list"),
    "map": _("names and values"), "rule": _("rule"), "where": _("rule on the event"), "json": _("any value"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of settings."""

    title: str
    name: str
    kind: str
    help: str
    needed: bool
    default: str
    depth: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One type as the page shows it."""

    type: str
    version: int
    title: str
    help: str
    hue: str
    ports: list[str] = field(default_factory=list)
    by_settings: bool = False
    marks: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    example: str = ""


@routes.get("/nodes", dependencies=[can("node_type.read")])
def show_catalogue(request: Request, house: TheHouse) -> Response:
    """All of them on one page, by group."""
    with reading(request):
        groups: dict[str, list[Entry]] = {say(title): [] for title in (*GROUPS.values(), OTHER_GROUP)}
        for node in house.catalog.values():
            groups[say(GROUPS.get(node.group, OTHER_GROUP))].append(_entry(node))
    values = {"groups": {title: found for title, found in groups.items() if found}}
    return render(request, "nodes.html", {**values, "type_icons": icons(request, house.catalog)})


def _entry(node: NodeType) -> Entry:
    example = next(iter(samples(node)), {})
    fixed = () if callable(node.ports) else node.ports
    return Entry(
        type=node.type,
        version=node.version,
        title=say(node.title),
        help=say(node.help),
        hue=node.group if node.group in GROUPS else "flow",
        ports=[facets.port_word(port) for port in fixed],
        by_settings=callable(node.ports),
        marks=list(_marks(node)),
        rows=list(_rows(shape_of(node.settings))),
        example=write_step(example, node.type) if example else "",
    )


def _marks(node: NodeType) -> Iterator[str]:
    if node.start is not None:
        yield say(_("People enter here"))
    if node.waits:
        yield say(_("People wait here"))
    if node.channel is not None:
        yield say(_("Sends a message"))


def _rows(shape: Shape, depth: int = 0, path: str = "") -> Iterator[Row]:
    for name, part in shape.fields.items():
        needed = not part.optional and part.kind not in ("model", "flag", "where", "list")
        default = shown(part, part.default) if part.optional and part.default not in (None, "", [], {}) else ""
        place = f"{path}.{name}" if path else name
        title, kind = say(part.title) if part.title else name, say(KIND_WORDS[part.kind])
        yield Row(title, place, kind, say(part.help) if part.help else "", needed, default, depth)
        inner = part.item if part.kind == "list" and part.item else part
        if depth < DEEP:
            yield from _rows(inner, depth + 1, f"{place}[]" if inner is not part else place)
