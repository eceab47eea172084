"""One candidate, one journey, one view: every figure of it. Never judges, never compares."""

import gzip
import os
from collections.abc import Generator, Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, Response

from tests.bench.canvas import gestures
from tests.bench.canvas.candidates import ALL_MOUNTED, AS_OPENED, FITTED, Candidate, marks
from tests.bench.canvas.gestures import Frames
from tests.bench.canvas.journeys import journey, numbers
from tests.bench.canvas.targets import OURS, Figure

ARGUMENTS = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
WINDOW = {"width": 1440, "height": 900}
PATIENCE_MS = 120_000
TURNS = 3
TIDIED_NODES = 300
MOVED_NODES = 1000  # beyond it only opening is measured: nothing else has a target there, and the peer needs minutes
WORKERS = ("layout.worker", "dagre")  # the layout worker and what it imports


def measure(browser: Browser, one: Candidate, nodes: int, view: str) -> Generator[Figure, None, None]:
    """Open it and do everything to it."""
    with browser.new_context(viewport=WINDOW) as context:  # type: ignore[arg-type]  # two numbers
        yield from _figures(context, one, nodes, view)


def _figures(context: BrowserContext, one: Candidate, nodes: int, view: str) -> Iterator[Figure]:
    context.set_default_timeout(PATIENCE_MS)
    scripts: list[Response] = []
    context.on("response", lambda answer: scripts.append(answer) if _is_script(answer) else None)
    page = one.open(context, nodes, view)

    def figure(name: str, value: float) -> Figure:
        return Figure(name, value, nodes, view, one.name)

    at = marks(page)
    if view == ALL_MOUNTED:
        page.evaluate("() => __bench.fit()")
        yield figure("mount", gestures.timed(page, "mountAll"))
    else:
        yield figure("mount", at["mounted"] - at["start"])
    yield figure("elements", page.evaluate("() => document.querySelectorAll('*').length"))
    if one.name == OURS and view == AS_OPENED:
        yield figure("open", at["ready"])
        yield Figure("script gzipped kB", shipped(scripts) / 1000)
    if nodes > MOVED_NODES:
        return
    for name, seen in _gestures(page, nodes):
        yield figure(f"{name} p50", seen.p50)
        yield figure(f"{name} p95", seen.p95)
        yield figure(f"{name} longest task", seen.longest_task)
        yield figure(f"{name} long tasks", seen.long_tasks)
    document = journey(nodes)
    turns = iter(range(1, 1 + TURNS))
    counted = gestures.best_of(TURNS, lambda: gestures.timed(page, "counters", numbers(document, 1000 * next(turns))))
    yield figure("counters", counted)
    if one.name == OURS and view == FITTED:
        yield from (figure(name, value) for name, value in _own(page, nodes))


def _gestures(page: Page, nodes: int) -> Iterator[tuple[str, Frames]]:
    yield "pan", gestures.pan(page)
    yield "zoom", gestures.zoom(page)
    box = _card_in_view(page, nodes)
    yield "drag", gestures.drag(page, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))


def _card_in_view(page: Page, nodes: int) -> dict[str, float]:
    """A card that the pointer can take hold of."""
    for number in range(nodes):
        box: dict[str, float] = page.evaluate("(id) => __bench.card(id)", f"n{number}")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if 420 < x < 1000 and 200 < y < 700:
            return box
    raise Error("no card is in view")


def _own(page: Page, nodes: int) -> Iterator[tuple[str, float]]:
    """What only our canvas does."""
    if nodes == TIDIED_NODES:
        page.evaluate("() => __recorder.start()")
        yield "tidy-up", gestures.timed(page, "tidy")
        yield "tidy-up longest task", gestures.frames(page.evaluate("() => __recorder.stop()")).longest_task
    if nodes <= TIDIED_NODES:
        yield "setting to badge", gestures.best_of(TURNS, lambda: gestures.timed(page, "spoil", "n5"))


def _is_script(answer: Response) -> bool:
    kind = answer.headers.get("content-type", "")
    return (
        answer.request.resource_type in ("script", "other")
        and "javascript" in kind
        and not any(name in answer.url for name in WORKERS)
    )


def shipped(scripts: list[Response]) -> int:
    """Bytes of the scripts as they travel, each packed by itself as the server packs it."""
    bodies: dict[str, Any] = {answer.url: answer.body() for answer in scripts if answer.status == 200}
    return sum(len(gzip.compress(body, 9)) for body in bodies.values())
