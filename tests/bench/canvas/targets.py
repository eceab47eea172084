"""What the figures have to reach (issue 3, CANVAS.md §10), and how a figure is told: a row of a table, a line of JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

OURS, PEER = "canvas", "React Flow"
# (figure, nodes) → at most; milliseconds but for the script's kilobytes.
AT_MOST: dict[tuple[str, int], float] = {
    ("open", 50): 600, ("open", 300): 800, ("open", 1000): 1200,
    ("mount", 50): 150, ("mount", 300): 300, ("mount", 1000): 300, ("mount", 3000): 500,
    **{(f"{gesture} p95", 300): 17 for gesture in ("pan", "zoom", "drag")},
    **{(f"{gesture} longest task", 300): 50 for gesture in ("pan", "zoom", "drag")},
    **{(f"{gesture} p95", 1000): 34 for gesture in ("pan", "zoom", "drag")},
    ("counters", 300): 40, ("tidy-up", 300): 400, ("tidy-up longest task", 300): 100, ("setting to badge", 300): 250,
    ("script gzipped kB", 0): 90,
    ("list of journeys", 0): 100, ("list of contacts", 0): 100,
}  # fmt: skip
# A frame is never shorter than the screen's own 16.7 ms; a recorder's clock rounds.
SHARE_OF_PEER = 0.25
SHARE_AT = 1000


@dataclass(frozen=True)
class Figure:
    """One measured number. `view`: as the page opens, the whole journey fitted, or every card mounted."""

    name: str
    value: float
    nodes: int = 0
    view: str = ""
    candidate: str = OURS
    target: float | None = None
    ok: bool | None = None


def medians(figures: Iterable[Figure]) -> list[Figure]:
    """One figure for each thing that was measured several times, beside its target."""
    found: dict[tuple[str, int, str, str], list[float]] = {}
    for one in figures:
        found.setdefault((one.name, one.nodes, one.view, one.candidate), []).append(one.value)
    return judged(
        [Figure(name, round(median(values), 1), nodes, view, who) for (name, nodes, view, who), values in found.items()]
    )


def judged(figures: Sequence[Figure]) -> list[Figure]:
    """With targets where there are any. Every card mounted is told, not judged, but for the share of the peer's time."""
    peers = {(one.name, one.nodes, one.view): one.value for one in figures if one.candidate == PEER}
    return [_judged(one, peers) for one in figures]


def _judged(one: Figure, peers: dict[tuple[str, int, str], float]) -> Figure:
    if one.candidate != OURS:
        return one
    target = AT_MOST.get((one.name, one.nodes)) if one.view != "all mounted" else None
    if one.name == "mount" and one.nodes == SHARE_AT and one.view == "fitted":
        share = peers.get(("mount", one.nodes, "fitted"))
        target = min(target or 1e9, share * SHARE_OF_PEER) if share else target
    if target is None:
        return one
    return Figure(one.name, one.value, one.nodes, one.view, one.candidate, round(target, 1), one.value <= target)


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """Those that are not what they have to be."""
    return [one for one in figures if one.ok is False]


def table(figures: Sequence[Figure]) -> str:
    """For people: a row for each figure, the peer beside it."""
    peers = {(one.name, one.nodes, one.view): one.value for one in figures if one.candidate == PEER}
    rows = [("figure", "nodes", "view", OURS, "target", "", PEER)]
    told = {(one.name, one.nodes, one.view): one for one in figures if one.candidate == OURS}
    for name, nodes, view in sorted({*told, *peers}, key=lambda key: (key[1], key[2], key[0])):
        one, peer = told.get((name, nodes, view)), peers.get((name, nodes, view))
        rows.append((
            name, str(nodes or "–"), view, _number(one.value if one else None), _number(one.target if one else None),
            "" if one is None or one.ok is None else "ok" if one.ok else "missed", _number(peer),
        ))  # fmt: skip
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def plain(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(one) for one in figures]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}".rstrip("0").rstrip(".")
