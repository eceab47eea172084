"""Takes the canvas's figures in headless Chromium: mount, frames of pan, zoom and drag, counters, tidy-up.

python tests/js/harness/figures.py [size …]; the page's server runs for as long as this does.
"""

import shutil
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from tests.js.harness.serve import Handler  # noqa: E402


@contextmanager
def page_server() -> Iterator[str]:
    """The address of the stand-alone page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def watched(page: Page, gesture: Callable[[], None]) -> str:
    """Frames while something is done: median, 95th of 100, longest task; and what the main thread itself worked, which
    a busy machine does not change."""
    before = worked(page)
    page.evaluate("figures.watch()")
    gesture()
    page.wait_for_timeout(80)
    median, high, long, count = page.evaluate("figures.stop()")
    own = (worked(page) - before) / max(1, count)
    return f"{median:5.1f} / {high:5.1f}  long {long:4.0f}  main thread {own:4.1f} ms a frame ({count} frames)"


@cache
def clock(page: Page) -> CDPSession:
    """What counts the page's processor time from now on."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


def worked(page: Page) -> float:
    """Processor time of the page's main thread so far, in ms."""
    metrics = {one["name"]: one["value"] for one in clock(page).send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"]) * 1000


def open_page(page: Page, address: str, size: int) -> float:
    """Mounts a journey; answers how long that took."""
    page.goto(f"{address}/?size={size}")
    page.wait_for_selector("#canvas[data-ready]")
    page.wait_for_timeout(250)
    return float(page.evaluate("mounted"))


def measure(page: Page, address: str, size: int) -> None:
    """One line for each figure."""
    mounts = [open_page(page, address, size) for _ in range(3)]
    say(f"{size} steps: mount {statistics.median(mounts):.0f} ms ({', '.join(f'{one:.0f}' for one in mounts)})")
    for look in ("72 %", "fit"):
        if look == "fit":
            page.evaluate("canvas.viewport.fit(canvas.editor.bounds(), { glide: false })")
        say(f"  {look:5} pan   {watched(page, lambda: pan(page))}")
        say(f"  {look:5} zoom  {watched(page, lambda: zoom(page))}")
        page.evaluate("canvas.viewport.open(canvas.editor.bounds(), canvas.editor.rectOf('s0'))")
    say(f"  {'100 %':5} drag  {watched(page, lambda: drag(page))}")
    say(f"  300 counters {statistics.median(page.evaluate('figures.count()') for _ in range(5)):.0f} ms")
    if size <= 1000:
        say(f"  tidy-up {page.evaluate('figures.tidyUp()'):.0f} ms")


def pan(page: Page) -> None:
    """48 moves with the middle button."""
    page.mouse.move(700, 500)
    page.mouse.down(button="middle")
    for step in range(48):
        page.mouse.move(700 - step * 12, 500 - step * 4)
        page.wait_for_timeout(8)
    page.mouse.up(button="middle")


def zoom(page: Page) -> None:
    """48 turns of the wheel, out and in."""
    page.mouse.move(700, 450)
    page.keyboard.down("Control")
    for step in range(48):
        page.mouse.wheel(0, 6 if step < 24 else -6)
        page.wait_for_timeout(8)
    page.keyboard.up("Control")


def drag(page: Page) -> None:
    """One card, 48 moves."""
    page.evaluate("canvas.viewport.centerOn(canvas.editor.rectOf('s5'), { zoom: 1 })")
    page.wait_for_timeout(120)
    box = page.locator(".card[data-id=s5] .title").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    for step in range(48):
        page.mouse.move(box["x"] + 5 + step * 5, box["y"] + 5 + step * 3)
        page.wait_for_timeout(8)
    page.mouse.up()


def say(line: str) -> None:
    """A line of the answer."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Each size in turn."""
    browser_path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with page_server() as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for size in [int(one) for one in sys.argv[1:]] or [50, 300, 1000, 3000]:
            measure(page, address, size)
        browser.close()


if __name__ == "__main__":
    main()
