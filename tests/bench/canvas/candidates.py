"""Who is measured: our editor as the server gives it out, and React Flow in a page of its own with the same cards.

Both pages offer the same deeds as `__bench`; the gestures are real mouse events for both. Never part of the product.
"""

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import BrowserContext, Page

from tests.bench.canvas.journeys import journey, ports
from tests.bench.canvas.targets import OURS, PEER
from tests.conftest import ROOT

HERE = Path(__file__).parent
RECORDER = (HERE / "recorder.js").read_text(encoding="utf-8")
ADAPTER = (HERE / "ours.js").read_text(encoding="utf-8")
SETTLED_MS = 400
REMEMBERED_MS = 600  # the look is kept when it has rested
AS_OPENED, FITTED, ALL_MOUNTED = "as opened", "fitted", "all mounted"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>React Flow</title>
<link rel="stylesheet" href="bundle.css"><link rel="stylesheet" href="reactflow.css"></head>
<body><div id="root"></div><script type="application/json" id="journey">{data}</script>
<script type="module" src="bundle.js"></script></body></html>"""


class Candidate(Protocol):
    """Somebody to be measured."""

    name: str
    views: tuple[str, ...]

    def open(self, context: BrowserContext, nodes: int, view: str) -> Page:
        """The journey of this size, mounted, in this view; the page bears the marks."""


def marks(page: Page) -> dict[str, float]:
    """When the page began to build the canvas, had it there, and could be used, since the navigation."""
    found: dict[str, float] = page.evaluate(
        "() => Object.fromEntries(performance.getEntriesByType('mark').filter((one) => one.name.startsWith('canvas:'))"
        ".map((one) => [one.name.slice(7), one.startTime]))"
    )
    return found


class Ours:
    """The real page of the real server, signed in."""

    name = OURS
    views = (AS_OPENED, FITTED, ALL_MOUNTED)

    def __init__(self, base: str, journeys: dict[int, int], session: dict[str, Any]) -> None:
        self.base, self.journeys, self.session = base, journeys, session

    def open(self, context: BrowserContext, nodes: int, view: str) -> Page:
        """As an operator opens it; fitted: as they left it that way and come back."""
        context.add_cookies([self.session])  # type: ignore[list-item]
        page = context.new_page()
        page.add_init_script(RECORDER)
        answer = page.goto(f"{self.base}/journeys/{self.journeys[nodes]}/edit")
        if answer is None or not answer.ok:
            raise RuntimeError(f"the editor answers {answer and answer.status}")
        self._prepare(page)
        if view == FITTED:
            page.evaluate("() => __bench.fit()")
            page.wait_for_timeout(REMEMBERED_MS)
            page.reload()
            self._prepare(page)
        return page

    def _prepare(self, page: Page) -> None:
        page.wait_for_function("() => performance.getEntriesByName('canvas:ready').length > 0")
        page.evaluate(f"async () => {{ {ADAPTER} }}")
        page.wait_for_timeout(SETTLED_MS)


class ReactFlow:
    """The peer, bundled for production into a folder that goes away afterwards."""

    name = PEER
    views = (AS_OPENED, FITTED)  # all of its cards are mounted in both

    def __init__(self, base: str) -> None:
        self.base = base

    def open(self, context: BrowserContext, nodes: int, view: str) -> Page:
        """As the library opens it."""
        page = context.new_page()
        page.add_init_script(RECORDER)
        page.goto(f"{self.base}/{nodes}-{'fitted' if view == FITTED else 'open'}.html")
        page.wait_for_function("() => performance.getEntriesByName('canvas:mounted').length > 0", timeout=120_000)
        page.wait_for_timeout(SETTLED_MS)
        return page


def bundle(folder: Path, sizes: list[int]) -> int:
    """Write the peer's pages; returns the size of its script, gzipped, in bytes."""
    environment = {**os.environ, "NODE_PATH": str(ROOT / "node_modules")}
    options = ["--bundle", "--minify", "--format=esm", "--jsx=automatic", "--target=es2022", "--log-level=error"]
    subprocess.run(
        [ROOT / "node_modules" / ".bin" / "esbuild", str(HERE / "reactflow.jsx"), *options,
         '--define:process.env.NODE_ENV="production"', f"--outfile={folder / 'bundle.js'}"],
        check=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    styles = ROOT / "node_modules" / "@xyflow" / "react" / "dist" / "style.css"
    (folder / "bundle.css").write_bytes(styles.read_bytes())
    (folder / "reactflow.css").write_bytes((HERE / "reactflow.css").read_bytes())
    for nodes in sizes:
        document = journey(nodes)
        known = {node["id"]: ports(node) for node in document["nodes"]}
        for name, fitted in (("fitted", True), ("open", False)):
            data = json.dumps({"document": document, "ports": known, "fitted": fitted}).replace("<", "\\u003c")
            (folder / f"{nodes}-{name}.html").write_text(PAGE.format(data=data), encoding="utf-8")
    return len(gzip.compress((folder / "bundle.js").read_bytes(), 9))


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@contextmanager
def folder_served(folder: Path) -> Iterator[str]:
    """A folder under an address of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="peer", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
