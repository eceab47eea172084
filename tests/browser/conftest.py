"""A real browser before the real program: one of each per process, a workspace and a browser context per test.

`visit` opens pages as somebody; whatever goes wrong in them fails the test (`watch.py`). Never a sleep: look for what comes.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from psycopg import sql

from app import database
from tests.browser import axe as accessibility
from tests.browser.site import Site, serving
from tests.browser.town import Town, build
from tests.browser.watch import Watch
from tests.conftest import REDIS_DATABASES, ROOT, _template, with_database
from tests.web.conftest import Staff

PROBES = Path(__file__).with_name("probes.js")
SCREENSHOTS = ROOT / "screenshots"
PATIENCE_MS = 10_000
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
HEIGHTS = {1440: 900, 390: 844}
# Whatever a page asks for, nothing can leave this machine; the watch then says what was asked for.
ARGUMENTS = ("--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--font-render-hinting=none")
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def site(
    server_url: str, _servers: tuple[str, str], worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The program on a database of its own, which is never emptied: every test has its workspace."""
    name = f"journey_browser_{os.getpid()}_{worker_name}"
    identifier = sql.Identifier(name)
    # The upper half of the logical databases; the lower half belongs to tests that empty theirs.
    number = int(worker_name.removeprefix("gw")) + REDIS_DATABASES // 2
    redis_url = f"{_servers[1]}{'&' if '?' in _servers[1] else '?'}db={number}"
    with database.connect(server_url, autocommit=True, statement_seconds=60) as admin:
        template = sql.Identifier(_template(admin, server_url))
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, template))
        with serving(with_database(server_url, name), redis_url, tmp_path_factory.mktemp("site")) as running:
            yield running
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))


@pytest.fixture(scope="session")
def town(site: Site) -> Town:
    """A workspace in which everything is there already; tests only look at it."""
    return build(site)


@pytest.fixture
def staff(site: Site) -> Staff:
    """A workspace of the test's own, still empty."""
    return site.staff()


@pytest.fixture
def at_work(site: Site) -> Iterator[None]:
    """A worker, while the test lasts."""
    with site.at_work():
        yield


@pytest.fixture(scope="session")
def _playwright() -> Iterator[tuple[Playwright, asyncio.AbstractEventLoop]]:
    playwright = sync_playwright().start()
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    yield playwright, loop
    asyncio._set_running_loop(loop)
    playwright.stop()
    asyncio._set_running_loop(None)


@pytest.fixture
def _stage(_playwright: tuple[Playwright, asyncio.AbstractEventLoop]) -> Iterator[None]:
    # Between its calls Playwright leaves its loop marked as running in this thread, and tests after this one that run
    # a loop of their own would be refused.
    asyncio._set_running_loop(_playwright[1])
    yield
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def _browsers() -> list[Browser]:
    return []


@pytest.fixture
def browser(
    _stage: None,
    _playwright: tuple[Playwright, asyncio.AbstractEventLoop],
    _browsers: list[Browser],
    browser_path: str,
) -> Browser:
    """The one browser of this process."""
    if not _browsers or not _browsers[0].is_connected():
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = _playwright[0].chromium.launch(executable_path=browser_path, args=[*ARGUMENTS, *root])
        _browsers[:] = [launched]
    return _browsers[0]


class Visit(Protocol):
    """Somebody opens a browser: signed in by a real link, with their language, colours and window."""

    def __call__(
        self,
        path: str = "",
        *,
        role: str | None = "operator",
        of: Staff | None = None,
        language: str = "en",
        theme: str = "light",
        width: int = 1440,
    ) -> Page: ...


@dataclass
class Visitors:
    """The contexts of one test, each with its watch."""

    browser: Browser
    site: Site
    contexts: dict[BrowserContext, Watch] = field(default_factory=dict)

    def open(self, *, language: str = "en", theme: str = "light", width: int = 1440, **more: Any) -> BrowserContext:
        """A browser that nobody has used before."""
        context = self.browser.new_context(
            base_url=self.site.base,
            locale=LOCALES[language],
            timezone_id="Asia/Shanghai",
            color_scheme=theme,  # type: ignore[arg-type]  # light or dark
            reduced_motion="reduce",
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            **more,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(path=PROBES)
        watch = self.contexts[context] = Watch(self.site.base)
        watch.attach(context)
        return context

    def sign_in(self, context: BrowserContext, staff: Staff, role: str) -> None:
        """Use up a login link, without drawing its page."""
        token = self.site.link(staff, role).partition("token=")[2]
        answer = context.request.post("/login", form={"token": token}, headers={"Origin": self.site.base})
        assert answer.ok, f"{answer.status} {answer.text()[:200]}"

    def watch(self, page: Page) -> Watch:
        """What is noted of a page's context."""
        return self.contexts[page.context]

    def close(self) -> None:
        """Close all, then say what was noted."""
        for context in self.contexts:
            context.close()
        for watch in self.contexts.values():
            watch.refuse()


@pytest.fixture
def visitors(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    opened = Visitors(browser, site)
    yield opened
    if getattr(request.node, "failed", False):
        _picture_of_failure(opened, request.node.name)
    opened.close()


@pytest.fixture
def visit(visitors: Visitors, staff: Staff) -> Visit:
    """Open a page as somebody; in the test's own workspace unless another is named."""

    def go(
        path: str = "",
        *,
        role: str | None = "operator",
        of: Staff | None = None,
        language: str = "en",
        theme: str = "light",
        width: int = 1440,
    ) -> Page:
        context = visitors.open(language=language, theme=theme, width=width)
        if role is not None:
            visitors.sign_in(context, of or staff, role)
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    return go


class Tour(Visitors):
    """Readers who stay from test to test, with what their browsers have loaded: for tests that look at what others made."""

    def __init__(self, browser: Browser, site: Site) -> None:
        super().__init__(browser, site)
        self.pages: dict[tuple[int, str | None, str], Page] = {}

    def __call__(self, path: str, *, role: str | None, of: Staff, language: str = "en") -> Page:
        """A page opened by a reader of this role and language, by day, at a desk; it remembers nothing of the last."""
        reader = (of.workspace_id, role, language)
        if reader not in self.pages:
            context = self.open(language=language)
            if role is not None:
                self.sign_in(context, of, role)
            self.pages[reader] = context.new_page()
        page = self.pages[reader]
        page.set_viewport_size({"width": 1440, "height": HEIGHTS[1440]})
        page.emulate_media(color_scheme="light")
        page.goto(path)
        return page

    def rest(self) -> None:
        """Leave all pages and forget what they have kept, then say what was noted."""
        for page in self.pages.values():
            if page.url.startswith(self.site.base):
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
                page.goto("about:blank")
        for watch in self.contexts.values():
            watch.refuse()

    def end(self) -> None:
        """Send all home; others will come."""
        contexts, self.contexts, self.pages = list(self.contexts), {}, {}
        for context in contexts:
            context.close()


@pytest.fixture(scope="session")
def _tours() -> list[Tour]:
    return []


@pytest.fixture
def tour(_tours: list[Tour], browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Tour]:
    """Opens pages much faster than `visit`, for tests that change nothing but what they see."""
    if not _tours or _tours[0].browser is not browser:
        _tours[:] = [Tour(browser, site)]
    yield _tours[0]
    if getattr(request.node, "failed", False):
        _picture_of_failure(_tours[0], request.node.name)
        _tours[0].end()
    else:
        try:
            _tours[0].rest()
        except BaseException:
            _tours[0].end()
            raise


@pytest.fixture(scope="session")
def shot() -> Callable[..., Path]:
    """Write a picture of a page into `screenshots/`, which Git ignores."""

    def take(page: Page, name: str, *, whole: bool = True) -> Path:
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=path, full_page=whole, animations="disabled", caret="initial")
        return path

    return take


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """Fail on serious and critical findings of axe."""

    def check(page: Page, rules: Sequence[str] = ()) -> None:
        found = accessibility.findings(page, rules)
        assert not found, f"\n{page.url}\n" + "\n".join(found)

    return check


@contextmanager
def _quietly() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a picture of a failure must not hide the failure
        print(f"no picture: {error}")  # noqa: T201


def _picture_of_failure(visitors: Visitors, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    safe = "".join(letter if letter.isalnum() else "-" for letter in name)[:100]
    for number, page in enumerate(page for context in visitors.contexts for page in context.pages):
        with _quietly():
            page.screenshot(path=SCREENSHOTS / f"failed-{safe}-{number}.png", timeout=3_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":  # type: ignore[attr-defined]
        item.failed = report.failed  # type: ignore[attr-defined]
    return report
