"""A journey as a picture: cards in columns from left to right, lines from port to card, counts on both. Pure.

Never the editor: that is the canvas. A card's size follows from its ports alone, so the server can draw it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows import document as documents
from flows.compile import Label, Step, compile_plan
from flows.contract import NodeType
from flows.errors import FlowError
from flows.graph import Wire, build, rank

WIDTH, HEAD, ROW, FOOT = 184, 66, 24, 7
GAP_ACROSS, GAP_DOWN, MARGIN = 36, 22, 20
PORT_Y = HEAD + ROW // 2 + 3
SHOWN_AT_MOST = 60
HUES = frozenset(("entry", "decide", "flow", "send", "action"))
Counts = Mapping[tuple[str, str], int]  # (node, port) → how often


@dataclass(slots=True)
class Way:
    """A port with how many went that way, and where it leads."""

    name: str
    count: int
    target: str | None


@dataclass(slots=True)
class Card:
    """One node as it is drawn."""

    id: str
    title: str
    summary: str
    hue: str
    icon: str
    waiting: int
    ways: list[Way]
    ended: int
    column: int = 0
    x: int = 0
    y: int = 0

    @property
    def height(self) -> int:
        """By its rows: one for each way, and one for those who ended here."""
        return HEAD + ROW * self.rows + FOOT

    @property
    def rows(self) -> int:
        """How many lines stand under its head."""
        return max(1, len(self.ways) + (self.ended > 0 or not self.ways))


@dataclass(slots=True)
class Picture:
    """Cards by column, and the lines between them as SVG paths."""

    cards: list[Card] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    width: int = 0
    height: int = 0
    left_out: int = 0


def draw(raw: Mapping[str, Any], catalog: Mapping[str, NodeType], counts: Counts, say: Callable[[str], str]) -> Picture:
    """The picture of a flow; an empty one where the draft is not whole yet. `say` translates the names of node types."""
    try:
        document = documents.load(raw)
        plan = compile_plan(document, catalog, Label(0, 0, 0))
    except (FlowError, ValueError, LookupError):
        return Picture()
    picture = Picture(left_out=max(0, len(document.nodes) - SHOWN_AT_MOST))
    wired = [Wire(step.id, port, to) for step in plan.steps.values() for port, to in step.wires.items() if to]
    ranks = rank(build(plan.steps, wired))
    names = {node.id: node.name for node in document.nodes}
    for step in sorted(plan.steps.values(), key=lambda step: ranks[step.id])[:SHOWN_AT_MOST]:
        picture.cards.append(_card(step, names[step.id] or "", counts, say))
        picture.cards[-1].column = ranks[step.id]
    _place(picture)
    return picture


def _card(step: Step, name: str, counts: Counts, say: Callable[[str], str]) -> Card:
    kind = step.node
    title = say(kind.title) if kind else step.type
    ways = [Way(port, counts.get((step.id, port), 0), target) for port, target in step.wires.items()]
    entered, ended = counts.get((step.id, ""), 0), counts.get((step.id, "!end"), 0)
    return Card(
        id=step.id,
        title=name or title,
        # The words of a message are a template here, nothing to read; what kind of message it is says more.
        summary=title if kind is None or kind.channel else kind.summary(step.settings),
        hue=kind.group if kind and kind.group in HUES else "flow",
        icon=kind.type if kind else "",
        waiting=max(0, entered - ended - sum(way.count for way in ways)),
        ways=ways,
        ended=ended,
    )


def _place(picture: Picture) -> None:
    """Columns by rank; inside a column in order of where their lines come from, the whole column centred."""
    columns: dict[int, list[Card]] = {}
    for card in picture.cards:
        columns.setdefault(card.column, []).append(card)
    tall = max((_height(column) for column in columns.values()), default=0)
    sources: dict[str, list[float]] = {}
    for number, (_, column) in enumerate(sorted(columns.items())):
        column.sort(key=lambda card: sum(sources.get(card.id, [0.0])) / max(1, len(sources.get(card.id, []))))
        y = MARGIN + (tall - _height(column)) // 2
        for card in column:
            card.column, card.x, card.y = number, MARGIN + number * (WIDTH + GAP_ACROSS), y
            y += card.height + GAP_DOWN
            for place, way in enumerate(card.ways):
                if way.target:
                    sources.setdefault(way.target, []).append(float(card.y + place * ROW))
    picture.width = 2 * MARGIN + len(columns) * WIDTH + max(0, len(columns) - 1) * GAP_ACROSS
    picture.height = 2 * MARGIN + tall
    _connect(picture)


def _height(column: list[Card]) -> int:
    return sum(card.height for card in column) + GAP_DOWN * (len(column) - 1)


def _connect(picture: Picture) -> None:
    known = {card.id: card for card in picture.cards}
    for card in picture.cards:
        for place, way in enumerate(card.ways):
            target = known.get(way.target or "")
            if target is not None:
                start = (card.x + WIDTH, card.y + PORT_Y + place * ROW)
                picture.lines.append(_line(start, (target.x, target.y + HEAD // 2)))


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Out to the right, round two corners, in from the left."""
    (x, y), (to_x, to_y) = start, end
    if to_x <= x:  # back to an earlier card: a plain curve says enough
        return f"M{x} {y}C{x + 60} {y} {to_x - 60} {to_y} {to_x} {to_y}"
    bend = to_x - GAP_ACROSS // 2
    if y == to_y:
        return f"M{x} {y}H{to_x}"
    round_ = min(10, abs(to_y - y) // 2)
    sign = 1 if to_y > y else -1
    return (
        f"M{x} {y}H{bend - round_}Q{bend} {y} {bend} {y + sign * round_}"
        f"V{to_y - sign * round_}Q{bend} {to_y} {bend + round_} {to_y}H{to_x}"
    )
