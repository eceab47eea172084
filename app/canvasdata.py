"""What the palette of the canvas offers: the installed node types, in the reader's language, with what a new step starts as.

Pure: the catalog and the accounts come in, JSON goes out. Never SQL, never HTML; the faces of steps are `facets`'.
"""

from collections.abc import Mapping

from app import facets
from flows.contract import Json, NodeType, names
from flows.words import _, say

# In this order they stand in the palette.
GROUPS: Mapping[str, str] = {
    "entry": _("Start"),
    "send": _("Messages"),
    "flow": _("Timing and flow"),
    "decide": _("Decisions"),
    "action": _("Data"),
}
OTHER_GROUP = _("More")
OWN_HUES = {"send.inapp": "inapp", "send.webhook": "webhook"}
# What is needed most stands first in its group, what is needed least last.
FIRST = ("entry.event", "entry.segment", "send.email", "wait.duration", "wait.event", "condition")
LAST = frozenset(("entry.api", "send.webhook", "goto", "holdout"))
# Waiting for ever is never what somebody means who has not said how long.
STARTERS: Mapping[str, Mapping[str, Json]] = {"wait.event": {"timeout": "P1D"}}


# What is needed less stands last in its group.
LATER = frozenset(("entry.api", "entry.schedule", "send.webhook", "goto", "holdout", "exit"))


def types(catalog: Mapping[str, NodeType], accounts: Mapping[str, str]) -> dict[str, Json]:
    """What the palette offers, in its order; `accounts` (name → channel) fill in what there is only one way to choose."""
    order = {group: place for place, group in enumerate(GROUPS)}

    def place(node: NodeType) -> tuple[int, int, str]:
        inside = FIRST.index(node.type) if node.type in FIRST else len(FIRST) + (node.type in LAST)
        return order.get(node.group, len(order)), inside, node.type

    return {node.type: _type(node, accounts) for node in sorted(catalog.values(), key=place)}


def _type(node: NodeType, accounts: Mapping[str, str]) -> dict[str, Json]:
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
        "is_exit": node.ports == (),
        "waits": node.waits,
        "jumps": node.jumps is not None,
        "ports": [] if node.jumps else facets.labelled(ports),
        "settings": settings,
        "searchable": " ".join(words).lower(),
    }


def _defaults(node: NodeType, accounts: Mapping[str, str]) -> dict[str, Json]:
    """What a new step starts with: nothing, but the account where the channel has one that stands to reason."""
    if node.type in STARTERS:
        return dict(STARTERS[node.type])
    channel = node.channel
    if channel is None or channel.account is None or "account" not in node.settings.model_fields:
        return {}
    fitting = sorted(name for name, kind in accounts.items() if kind == channel.name)
    return {"account": fitting[0]} if fitting else {}


def _ports(node: NodeType, settings: Mapping[str, Json]) -> tuple[str, ...]:
    """The ports of a new step, as far as its type tells."""
    try:
        return names(node.ports, node.settings.model_validate(settings))
    except ValueError:
        return facets.likely_ports(node, settings)
