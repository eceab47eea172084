"""What the canvas page knows when it opens: the node types of the palette, the faces of the steps, what is wrong.

Pure: a document, the catalog and the accounts come in, JSON goes out, in the reader's language. Never SQL, never HTML.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flows import step_checks
from flows.contract import Json, NodeType, names
from flows.document import Document
from flows.problems import Problem
from flows.validate import validate
from flows.words import Language, _, clip, speaking

Say = Callable[[str], str]

# In this order they stand in the palette.
GROUPS: Mapping[str, str] = {
    "entry": _("Start"),
    "send": _("Messages"),
    "flow": _("Time and way"),
    "decide": _("Decisions"),
    "action": _("Data"),
}
OTHER_GROUP = _("More")
OWN_HUES = {"send.inapp": "inapp", "send.webhook": "webhook"}
PORT_WORDS: Mapping[str, str] = {
    "next": _("Next"),
    "yes": _("Yes"),
    "no": _("No"),
    "other": _("Everybody else"),
    "timeout": _("Time ran out"),
    "failed": _("Failed"),
    "past": _("Was over already"),
    "go": _("Goes on"),
    "held": _("Held back"),
    "sent": _("Sent"),
    "delivered": _("Delivered"),
    "opened": _("Opened"),
    "clicked": _("Clicked"),
}


class Reader(NamedTuple):
    """In which language things are said."""

    language: Language
    say: Say


def types(catalog: Mapping[str, NodeType], accounts: Mapping[str, str], reader: Reader) -> dict[str, Json]:
    """What the palette offers, in its order; `accounts` (name → channel) fill in what there is only one way to choose."""
    order = {group: place for place, group in enumerate(GROUPS)}
    known = sorted(
        catalog.values(), key=lambda node: (order.get(node.group, len(order)), node.type in _LATER, node.type)
    )
    with speaking(reader.language, reader.say):
        return {node.type: _type(node, accounts, reader.say) for node in known}


# What is needed less stands last in its group.
_LATER = frozenset(("entry.api", "entry.schedule", "send.webhook", "goto", "holdout", "exit"))


def _type(node: NodeType, accounts: Mapping[str, str], say: Say) -> dict[str, Json]:
    settings = _defaults(node, accounts)
    ports = _ports(node, settings)
    words = (node.title, say(node.title), node.type, node.help, say(node.help))
    return {
        "title": say(node.title),
        "help": say(node.help),
        "version": node.version,
        "group": node.group,
        "group_title": say(GROUPS.get(node.group, OTHER_GROUP)),
        "hue": OWN_HUES.get(node.type, node.group if node.group in GROUPS else "flow"),
        "is_entry": node.start is not None,
        "is_exit": ports == () and not callable(node.ports),
        "waits": node.waits,
        "jumps": node.jumps is not None,
        "ports": None if ports is None else [_port(port, say) for port in ports],
        "settings": settings,
        "searchable": " ".join(words).lower(),
    }


def _defaults(node: NodeType, accounts: Mapping[str, str]) -> dict[str, Json]:
    """What a new step starts with: nothing, but the account where the channel has one that stands to reason."""
    channel = node.channel
    if channel is None or channel.account is None or "account" not in node.settings.model_fields:
        return {}
    fitting = sorted(name for name, kind in accounts.items() if kind == channel.name)
    return {"account": fitting[0]} if fitting else {}


def _ports(node: NodeType, settings: Mapping[str, Json]) -> tuple[str, ...] | None:
    """The ports of a new step; None where they follow from settings that nobody has filled in yet."""
    if not callable(node.ports):
        return node.ports
    try:
        return names(node.ports, node.settings.model_validate(settings))
    except ValueError:
        return None


def _port(name: str, say: Say) -> dict[str, Json]:
    return {"name": name, "label": say(PORT_WORDS[name]) if name in PORT_WORDS else name}


def facets(document: Document, catalog: Mapping[str, NodeType], reader: Reader) -> dict[str, Json]:
    """The face of each step: its title, a line about it, its ports, and where it jumps to."""
    with speaking(reader.language, reader.say):
        return {node.id: _facet(*step_checks.read(node, catalog), reader.say) for node in document.nodes}


def _facet(step: step_checks.Step, wrong: list[Problem], say: Say) -> dict[str, Json]:
    kind = step.kind
    title = step.node.name or (say(kind.title) if kind else step.node.type)
    if kind is None or step.settings is None:
        unsaid = say(_("Needs settings")) if kind else say(_("This step type is not installed"))
        face: dict[str, Json] = {"title": title, "summary": unsaid if wrong else ""}
        if kind is not None and not callable(kind.ports):
            face["ports"] = [_port(port, say) for port in kind.ports]
        return face
    ports = [_port(port, say) for port in step.ports or ()]
    return {
        "title": title,
        "summary": clip(kind.summary(step.settings)),
        "ports": [port for port in ports if port["name"] not in step.jumps],
        **({"jumps": dict(step.jumps)} if step.jumps else {}),
    }


def problems(
    document: Document, catalog: Mapping[str, NodeType], accounts: Mapping[str, str], reader: Reader
) -> list[dict[str, Json]]:
    """What is wrong with the document, in the reader's words."""
    with speaking(reader.language, reader.say):
        return [_problem(one, reader.language) for one in validate(document, catalog, accounts=accounts)]


def _problem(problem: Problem, language: Language) -> dict[str, Any]:
    return {
        "node": problem.node,
        "field": problem.field,
        "code": problem.code,
        "severity": problem.severity,
        "text": problem.render(language),
        "advice": problem.render_fix(language),
    }
