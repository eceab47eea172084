"""What a hand does to a canvas, and what frames it got for it: pan, zoom, drag, by real mouse events. Never judges."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Page

MOVES = 48
EVERY_SECONDS = 0.010
CENTER = (720, 480)


class Frames(NamedTuple):
    """How a gesture looked: milliseconds between frames, and tasks that held the page up."""

    p50: float
    p95: float
    longest_task: float
    long_tasks: float  # their sum


def frames(told: dict[str, Any]) -> Frames:
    """Out of what the recorder noted."""
    seen = sorted(told["frames"]) or [0.0]
    long = told["long"] or [0.0]
    return Frames(
        round(median(seen), 1), round(seen[min(len(seen) - 1, int(len(seen) * 0.95))], 1), round(max(long)), round(sum(long))
    )  # fmt: skip


@contextmanager
def recorded(page: Page, found: list[Frames]) -> Iterator[None]:
    """Note the frames of what is done inside."""
    page.evaluate("() => __recorder.start()")
    yield
    found.append(frames(page.evaluate("() => __recorder.stop()")))


def pan(page: Page) -> Frames:
    """Drag the ground with the middle button, there and back."""
    found: list[Frames] = []
    page.mouse.move(*CENTER)
    page.mouse.down(button="middle")
    with recorded(page, found):
        _circle(page, 160)
    page.mouse.up(button="middle")
    return found[0]


def zoom(page: Page) -> Frames:
    """Turn the wheel with Ctrl held, in and out again."""
    found: list[Frames] = []
    page.mouse.move(*CENTER)
    page.keyboard.down("Control")
    with recorded(page, found):
        for number in _paced():
            page.mouse.wheel(0, -40 if number < MOVES // 2 else 40)
    page.keyboard.up("Control")
    return found[0]


def drag(page: Page, at: tuple[float, float]) -> Frames:
    """Take hold of a card and move it about; it ends where it was."""
    found: list[Frames] = []
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + 6, at[1] + 6, steps=3)  # past the distance below which it would be a click
    with recorded(page, found):
        _circle(page, 90, at)
    page.mouse.move(*at)
    page.mouse.up()
    return found[0]


def _circle(page: Page, reach: float, middle: tuple[float, float] = CENTER) -> None:
    for number in _paced():
        # A triangle wave: even speed, and back where it began.
        part = (number % (MOVES // 2)) / (MOVES // 2)
        way = 2 * part if part < 0.5 else 2 - 2 * part
        page.mouse.move(middle[0] + reach * way, middle[1] + reach * way * (0.6 if number < MOVES // 2 else -0.6))


def _paced() -> Iterator[int]:
    due = time.perf_counter()
    for number in range(MOVES):
        due += EVERY_SECONDS
        time.sleep(max(0.0, due - time.perf_counter()))
        yield number


def timed(page: Page, deed: str, argument: Any = None) -> float:
    """Milliseconds from a deed of the page's `__bench` until its outcome is painted."""
    script = f"(given) => __recorder.timed(() => __bench.{deed}(given))"
    return float(page.evaluate(script, argument))


def best_of(count: int, measure: Callable[[], float]) -> float:
    """The median of some turns."""
    return median(measure() for _ in range(count))
