"""Journeys of any size for the canvas's figures: the same for every candidate, and valid, so that nobody draws complaints.

Steps stand on a grid and lead one column on, about 1.45 edges a step. Pure: the same size, the same journey.
"""

from random import Random
from typing import Any

SEED = 20261122
COLUMN, ROW = 304, 184
EDGES_PER_STEP = 1.45
NARROW = ("wait.duration", "send.inapp", "action.tag", "send.inapp")
WIDE = ("condition", "split", "condition")
WIDE_PORTS = 2.1  # a third of the splits has three arms
SETTINGS: dict[str, dict[str, Any]] = {
    "entry.event": {"event": "order_submitted"},
    "condition": {"rule": {"attribute": "city", "op": "eq", "value": "上海"}},
    "wait.duration": {"duration": "PT10M"},
    "send.inapp": {"title": "Your order waits", "body": "Tap to pay"},
    "action.tag": {"add": ["reminded"]},
}
PORTS = {
    "entry.event": ("next",),
    "condition": ("yes", "no"),
    "wait.duration": ("next",),
    "send.inapp": ("next",),
    "action.tag": ("next",),
    "exit": (),
}


def journey(count: int) -> dict[str, Any]:
    """A document with so many steps."""
    chance = Random(SEED)
    rows = max(4, round((count * 0.6) ** 0.5))
    # The first column has one way out each and the last none; the others make up for it.
    middle = (count * EDGES_PER_STEP - rows) / (count - 2 * rows)
    wide = (middle - 1) / (WIDE_PORTS - 1)
    nodes = [_node(number, _kind(number, rows, count, wide, chance), rows, chance) for number in range(count)]
    edges = [edge for number, node in enumerate(nodes) for edge in _edges(number, node, rows, nodes)]
    settings = {"timezone": "Asia/Shanghai", "reentry": {"mode": "once"}}
    return {"schema": 1, "settings": settings, "nodes": nodes, "edges": edges}


def _kind(number: int, rows: int, count: int, wide: float, chance: Random) -> str:
    if number < rows:
        return "entry.event"
    if number + rows >= count:
        return "exit"
    return chance.choice(WIDE if chance.random() < wide else NARROW)


def _node(number: int, kind: str, rows: int, chance: Random) -> dict[str, Any]:
    column, row = divmod(number, rows)
    settings = dict(SETTINGS.get(kind, {}))
    if kind == "split":
        arms = chance.choice((2, 2, 3))
        settings = {"arms": [{"name": f"arm {letter}", "weight": 1} for letter in "ABC"[:arms]]}
    return {
        "id": f"n{number}",
        "type": kind,
        "version": 1,
        "settings": settings,
        "name": f"Step {number}",
        "x": column * COLUMN,
        "y": row * ROW,
    }


def ports(node: dict[str, Any]) -> tuple[str, ...]:
    """The ways out of a step."""
    return PORTS.get(node["type"]) or tuple(arm["name"] for arm in node["settings"].get("arms", ()))


def _edges(number: int, node: dict[str, Any], rows: int, nodes: list[dict[str, Any]]) -> list[dict[str, str]]:
    column, row = divmod(number, rows)
    found = []
    for place, port in enumerate(ports(node)):
        # Straight on first, so that everybody can be reached; the others to the neighbours.
        target = (column + 1) * rows + (row + (0, 1, -1)[place]) % rows
        if target >= len(nodes):
            target = (column + 1) * rows + row
        if target < len(nodes):
            found.append({"from": node["id"], "port": port, "to": f"n{target}"})
    return found


def numbers(document: dict[str, Any], base: int, limit: int = 300) -> dict[str, Any]:
    """Live numbers for the first `limit` steps, as the stream brings them; another `base`, other numbers."""
    shown = document["nodes"][:limit]
    counts = {
        node["id"]: {"entered": base + place, "waiting": base + place % 7, "left": base, "due": None}
        for place, node in enumerate(shown)
    }
    through = {f"{node['id']} {port}": base + place for place, node in enumerate(shown) for port in ports(node)}
    return {"nodes": counts, "ports": through, "totals": {"entered": base, "active": base}}
