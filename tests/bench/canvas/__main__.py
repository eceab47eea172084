"""`make bench-canvas`: the figures of issue 3 in a real browser, React Flow beside ours. Prints a table, keeps JSON if asked.

Runs are interleaved, so that a busy minute of the machine hits everybody; medians are told. Nothing is committed, nothing kept.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.bench.canvas import candidates, lists, measuring, place, targets
from tests.bench.canvas.targets import Figure
from tests.conftest import ROOT

SIZES = (50, 300, 1000, 3000)
RUNS = 2


def main() -> int:
    """Measure, tell, and say by the exit code whether a target was missed."""
    asked = arguments()
    with ExitStack() as stack:
        figures = list(lists.measure(stack, asked.journeys, asked.contacts)) if asked.lists else []
        if not asked.lists or asked.all:
            figures += canvas(stack, asked.nodes, asked.runs, asked.only)
    told = targets.medians(figures)
    sys.stdout.write(targets.table(told) + "\n")
    for one in targets.missed(told):
        sys.stdout.write(f"missed: {one.name} {one.nodes or ''} {one.view}: {one.value} > {one.target}\n")
    if asked.json:
        Path(asked.json).write_text(json.dumps(targets.plain(told), indent=1) + "\n", encoding="utf-8")
    return 1 if targets.missed(told) and asked.strict else 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-canvas CANVAS_ARGS=…", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(SIZES), help="sizes of the journeys")
    parser.add_argument(
        "--runs",
        type=int,
        default=RUNS,
        help=f"turns; medians are told. {RUNS} by default: a turn takes two minutes on two quiet cores, twice that on busy ones",
    )
    parser.add_argument("--only", choices=("ours", "peer"), help="leave the other one out")
    parser.add_argument("--lists", action="store_true", help="instead: server time of list pages with very many rows")
    parser.add_argument("--all", action="store_true", help="with --lists: the canvas too")
    parser.add_argument("--journeys", type=int, default=10_000, help="with --lists: so many journeys")
    parser.add_argument("--contacts", type=int, default=1_000_000, help="with --lists: so many contacts")
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    return parser.parse_args()


def canvas(stack: ExitStack, sizes: list[int], runs: int, only: str | None) -> list[Figure]:
    """All figures of the editor page."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-canvas-")))
    measured: list[candidates.Candidate] = []
    figures: list[Figure] = []
    if only != "peer":
        measured.append(stack.enter_context(place.served(sizes)))
    if only != "ours":
        size = candidates.bundle(folder, sizes)
        figures.append(Figure("script gzipped kB", size / 1000, candidate=targets.PEER))
        measured.append(candidates.ReactFlow(stack.enter_context(candidates.folder_served(folder))))
    found = subprocess.run([ROOT / ".ci" / "browser"], capture_output=True, text=True, check=True).stdout.strip()
    playwright = stack.enter_context(sync_playwright())
    for turn in range(runs):
        for nodes in sizes:
            for one in measured if turn % 2 == 0 else reversed(measured):
                sys.stderr.write(f"turn {turn + 1} of {runs}: {one.name}, {nodes} steps\n")
                figures += fresh(playwright, found, one, nodes)
    return figures


def fresh(playwright: object, path: str, one: candidates.Candidate, nodes: int) -> Iterator[Figure]:
    """All figures of one candidate at one size, each view in a browser that knows nothing."""
    for view in one.views:
        browser = playwright.chromium.launch(executable_path=path, args=measuring.ARGUMENTS)  # type: ignore[attr-defined]
        try:
            yield from measuring.measure(browser, one, nodes, view)
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(main())
