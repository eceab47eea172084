"""What must never happen in any page, noted while a test looks at something else: errors, foreign requests, 5xx, violations.

Attached to every context of every browser test; the test fails at its end if anything was noted. Never lets a 5xx pass.
"""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Chromium reports every answer of 4xx as an error of the console; a form that is refused is none.
REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of 4\d\d")
OWN_SCHEMES = ("data", "blob", "about", "chrome-error")
MARK = "window.__hacked"


class Watch:
    """Notes what went wrong in the pages of one context."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.problems: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Expect something that is otherwise an error, such as a server that is away; from now on, in this context."""
        self._allowed.append(re.compile(pattern))

    def attach(self, context: BrowserContext) -> None:
        """Begin to look."""
        context.on("console", self._said)
        context.on("weberror", self._broke)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def refuse(self) -> None:
        """Fail if anything was noted."""
        found, self.problems = self.problems, []
        assert not found, "\n" + "\n".join(dict.fromkeys(found))

    def _note(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._allowed):
            self.problems.append(text)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSED.match(message.text):
            self._note(f"console of {_path(message.page.url if message.page else '')}: {message.text}")

    def _broke(self, error: WebError) -> None:
        page = _path(error.page.url) if error.page else "?"
        self._note(f"error in {page}: {error.error}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in OWN_SCHEMES and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self._note(f"left the origin: {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        path = _path(response.url)
        if response.status >= 500 or (response.status == 404 and path.startswith("/static/")):
            self._note(f"{response.status} {response.request.method} {path}")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
