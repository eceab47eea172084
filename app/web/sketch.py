"""A flow as a still picture for galleries, the wizard and the simulator: where its document places the steps. Pure.

Never counts, never the editor. Small: a chain of tiles; large: cards with their names and ways out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.web.picture import HUES
from flows import document as documents
from flows.compile import Label, compile_plan
from flows.contract import NodeType
from flows.errors import FlowError
from flows.words import _

MARGIN = 16
WIDTH, HEAD, ROW, FOOT = 224, 56, 26, 6  # the canvas's own cards
TILE = 44
ACROSS, DOWN = 0.2, 0.42  # from cards to tiles
WAYS: Mapping[str, str] = {
    "next": _("then"), "yes": _("yes"), "no": _("no"), "other": _("everybody else"), "timeout": _("time ran out"),
    "failed": _("failed"), "past": _("was over already"), "go": _("go on"), "held": _("held back"), "opened": _("opened"),
    "clicked": _("clicked"), "delivered": _("delivered"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """One step as it is drawn."""

    id: str
    type: str
    hue: str
    name: str
    title: str
    x: float
    y: float
    width: float
    height: float
    ways: tuple[str, ...]


@dataclass(slots=True)
class Sketch:
    """Marks and the lines between them, in a box."""

    marks: list[Mark] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    width: float = 0
    height: float = 0


def way_word(port: str, say: Callable[[str], str]) -> str:
    """What a port is called; ports that people named are called as they named them."""
    return say(WAYS[port]) if port in WAYS else port


def sketch(
    raw: Mapping[str, Any], catalog: Mapping[str, NodeType], say: Callable[[str], str], *, small: bool = False
) -> Sketch:
    """The picture; an empty one where the document is not whole."""
    try:
        document = documents.load(raw)
        plan = compile_plan(document, catalog, Label(0, 0, 0))
    except (FlowError, ValueError, LookupError):
        return Sketch()
    found = Sketch()
    for place, node in enumerate(document.nodes):
        kind = catalog.get(node.type)
        ports = tuple(plan.steps[node.id].wires)
        x, y = (place * 320.0 if node.x is None else node.x), node.y or 0.0
        width, height = (float(WIDTH), float(HEAD + ROW * max(1, len(ports)) + FOOT))
        if small:
            x, y, width, height = x * ACROSS, (y + height / 2) * DOWN - TILE / 2, TILE, TILE
        title = say(kind.title) if kind else node.type
        hue = kind.group if kind and kind.group in HUES else "flow"
        ways = tuple(way_word(port, say) for port in ports)
        found.marks.append(Mark(node.id, node.type, hue, node.name or title, title, x, y, width, height, ways))
    _frame(found)
    at = {mark.id: mark for mark in found.marks}
    for step in plan.steps.values():
        for place, to in enumerate(step.wires.values()):
            if to is not None:
                found.lines.append(_line(at[step.id], at[to], place, small=small))
    return found


def _frame(found: Sketch) -> None:
    """Move everything so that it begins in the corner."""
    if not found.marks:
        return
    left, top = min(mark.x for mark in found.marks) - MARGIN, min(mark.y for mark in found.marks) - MARGIN
    found.marks = [
        Mark(one.id, one.type, one.hue, one.name, one.title, one.x - left, one.y - top, one.width, one.height, one.ways)
        for one in found.marks
    ]
    found.width = max(mark.x + mark.width for mark in found.marks) + MARGIN
    found.height = max(mark.y + mark.height for mark in found.marks) + MARGIN


def _line(source: Mark, target: Mark, place: int, *, small: bool) -> str:
    """From the middle of a way's row to the head of the next card, in one swing."""
    x, to_x = source.x + source.width, target.x
    y = source.y + (source.height / 2 if small else HEAD + ROW * place + ROW / 2)
    to_y = target.y + (target.height / 2 if small else HEAD / 2)
    swing = max((to_x - x) / 2, 12 if small else 40)
    return f"M{x:g} {y:g}C{x + swing:g} {y:g} {to_x - swing:g} {to_y:g} {to_x:g} {to_y:g}"
