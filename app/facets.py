"""What a card of the canvas says: title, one line, ports with labels, problems; of a document nobody has saved yet.

In the language that is spoken (`flows.words.speaking`); a plugin without translations stays English. Changes nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app import fixes
from flows import document as documents
from flows.contract import Json, NodeType, names
from flows.document import Document, Node
from flows.errors import DocumentError
from flows.problems import Problem
from flows.step_checks import Accounts, Step, read
from flows.validate import examine
from flows.words import _, clip, say, spoken

Catalog = Mapping[str, NodeType]

PORT_WORDS = {
    "next": _("next"), "yes": _("yes"), "no": _("no"), "other": _("everybody else"), "timeout": _("time ran out"),
    "failed": _("failed"), "past": _("was over already"), "go": _("go on"), "held": _("held back"),
    "opened": _("opened"), "clicked": _("clicked"), "delivered": _("delivered"),
}  # fmt: skip
UNFINISHED = _("Not finished yet")
UNKNOWN = _("Unknown step type")
PROBLEMS_AT_MOST = 500
NAMED = ("port", "event")  # marks of names that operators choose: a port of such a name is not translated


def describe(raw: Json, catalog: Catalog, accounts: Accounts | None) -> dict[str, Any]:
    """Facets and problems of a whole document, however unfinished it is."""
    try:
        document = documents.load(raw)
    except DocumentError as error:
        return {"nodes": dict(_rough(raw, catalog)), "problems": [_refused(raw, *one) for one in error.errors]}
    steps, problems = examine(document, catalog, accounts=accounts)
    ways = _ways(document)
    nodes = {name: facet(step, ways.get(name, ())) for name, step in steps.items()}
    titles = {name: str(shown["title"]) for name, shown in nodes.items()}
    mender = fixes.Mender(document, catalog, accounts)
    shown = []
    for problem in problems[:PROBLEMS_AT_MOST]:
        fix = mender.fix(problem)
        shown.append(told(problem, titles, nodes) | ({"fix": fix} if fix else {}))
    return {"nodes": nodes, "problems": shown}


def facet(step: Step, wired: tuple[str, ...] = ()) -> dict[str, Json]:
    """The face of one step. Where its settings cannot be read, the ports are those that its type or its edges name."""
    kind, node = step.kind, step.node
    if kind is None:
        return {"title": node.name or node.type, "summary": say(UNKNOWN), "ports": labelled(wired)}
    title = node.name or say(kind.title)
    if step.settings is None:
        fixed = kind.ports if isinstance(kind.ports, tuple) else ()
        ports = () if kind.jumps else fixed or wired or likely_ports(kind, node.settings)
        return {"title": title, "summary": say(UNFINISHED), "ports": labelled(ports)}
    own = frozenset(operator_names(kind, step.settings)) if callable(kind.ports) else frozenset()
    ports = tuple(port for port in names(kind.ports, step.settings) if port not in step.jumps)
    face: dict[str, Json] = {"title": title, "summary": summary(kind, step.settings), "ports": labelled(ports, own)}
    return face | ({"jumps": dict(step.jumps)} if step.jumps else {})


def likely_ports(kind: NodeType, settings: Mapping[str, Json]) -> tuple[str, ...]:
    """The ports that settings will give which are not whole yet, where that can be told."""
    empty = {name: () for name, field in kind.settings.model_fields.items() if field.is_required()}
    try:
        return names(kind.ports, kind.settings.model_construct(**(empty | dict(settings))))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ("next",)


def face(node: Json, catalog: Catalog, wired: tuple[str, ...] = ()) -> dict[str, Json]:
    """The face of a step given as JSON; one that is no step at all has a face too."""
    try:
        made = Node.model_validate(
            {key: node[key] for key in ("id", "type", "version", "settings", "name") if key in node}
        )
    except (ValueError, TypeError):
        return {"title": say(UNKNOWN), "summary": say(UNFINISHED), "ports": labelled(wired)}
    return facet(read(made, catalog)[0], wired)


def summary(kind: NodeType, settings: Any) -> str:
    """The one line of the card; a stranger's function that fails says nothing."""
    try:
        return clip(kind.summary(settings))
    except Exception:  # noqa: BLE001 - whatever a plugin raises, the canvas must be shown
        return ""


def labelled(ports: tuple[str, ...], own: frozenset[str] = frozenset()) -> list[dict[str, str]]:
    """Ports with what they are called; names that operators chose stay as they are."""
    return [{"name": port, "label": port if port in own else port_word(port)} for port in ports]


def port_word(port: str) -> str:
    """What a port of a type's own is called."""
    return say(PORT_WORDS[port]) if port in PORT_WORDS else say(port)


def operator_names(kind: NodeType, settings: Any) -> Iterator[str]:
    """The names in settings that operators chose for ports: those of fields marked as ports or events."""
    from app.forms import shape_of  # here: the forms are read once for each type, cards are not forms

    def inside(shape: Any, value: Any) -> Iterator[str]:
        if shape.ask in NAMED and isinstance(value, str):
            yield value
        elif shape.kind == "list" and isinstance(value, list):
            for item in value:
                yield from inside(shape.item, item)
        elif shape.kind == "model" and isinstance(value, dict):
            for name, part in shape.fields.items():
                yield from inside(part, value.get(name))

    yield from inside(shape_of(kind.settings), settings.model_dump(mode="json"))


def told(problem: Problem, titles: Mapping[str, str], nodes: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """A problem as the canvas shows it: steps and ports by their names, not by their ids."""
    params = dict(problem.params)
    for key in ("node", "other"):
        if key in params:
            params[key] = titles.get(params[key], params[key])
    if "nodes" in params:
        params["nodes"] = ", ".join(titles.get(one, one) for one in params["nodes"].split(", "))
    if "port" in params and problem.node is not None and problem.node in nodes:
        ports: Any = nodes[problem.node]["ports"]
        params["port"] = next((port["label"] for port in ports if port["name"] == params["port"]), params["port"])
    said = Problem(problem.node, problem.field, problem.code, params, problem.severity)
    return {
        "node": problem.node,
        "field": problem.field,
        "code": problem.code,
        "severity": problem.severity,
        "text": said.render(spoken()),
    }


def _ways(document: Document) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for edge in document.edges:
        found.setdefault(edge.source, []).append(edge.port)
    return {name: tuple(dict.fromkeys(ports)) for name, ports in found.items()}


def _rough(raw: Json, catalog: Catalog) -> Iterator[tuple[str, dict[str, Json]]]:
    """Faces of a document that cannot be read as a whole."""
    nodes = raw.get("nodes") if isinstance(raw, Mapping) else None
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and isinstance(node.get("id"), str):
            yield node["id"], face(node, catalog)


def _refused(raw: Json, place: str, text: str) -> dict[str, Json]:
    """A sentence about the form of a document, at the node it speaks of."""
    start, _bracket, rest = place.partition("]")
    node = None
    if start.startswith("nodes[") and start[6:].isdigit():
        nodes = raw.get("nodes", [])
        node = nodes[int(start[6:])].get("id") if isinstance(nodes[int(start[6:])], dict) else None
    field = rest.lstrip(".").removeprefix("settings.") if node else place
    return {"node": node, "field": field or None, "code": "document", "severity": "error", "text": f"{text}"}
