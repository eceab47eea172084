"""A page with the canvas alone, for a look and for figures; no database, no account.

python tests/js/harness/serve.py 8765, then http://127.0.0.1:8765/?size=300&mode=edit
"""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Handler(SimpleHTTPRequestHandler):
    """Files of the project; the page itself stands beside this module."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        """The root is the page."""
        bare = path.split("?")[0]
        return super().translate_path("/tests/js/harness/page.html" if bare == "/" else path)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


Handler.extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(ROOT))).serve_forever()
