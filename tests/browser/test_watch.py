"""The watch itself: what must never happen in a page is noticed when it happens, and what may happen is let pass."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit, Visitors

LEAVES = "() => { location.href = 'http://elsewhere.example/pixel'; }"
CALLS = "() => fetch('http://elsewhere.example/pixel').catch(() => 0)"
SCRIPT = (
    "() => document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))"
)
STYLE = "() => document.body.setAttribute('style', 'color: red')"
BREAKS = "() => new Promise((done) => { setTimeout(() => { setTimeout(done, 20); throw new Error('broken'); }, 0); })"


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("/")


@pytest.mark.parametrize(
    ("deed", "word"),
    [
        (LEAVES, "left the origin: GET http://elsewhere.example/pixel"),
        (CALLS, "Content Security Policy"),
        (SCRIPT, "Content Security Policy"),
        (STYLE, "Content Security Policy"),
        (BREAKS, "broken"),
        ("() => console.error('oh no')", "oh no"),
        ("() => fetch('/static/nothing.js').then(() => 0)", "404 GET /static/nothing.js"),
    ],
    ids=[
        "a way to elsewhere",
        "a call to elsewhere",
        "a script in the page",
        "a style in the page",
        "an error",
        "a complaint",
        "a missing file",
    ],
)
def test_what_must_never_happen_is_noticed(deed: str, word: str, page: Page, visitors: Visitors) -> None:
    page.evaluate(deed)
    watch = visitors.watch(page)
    page.wait_for_timeout(50)
    assert any(word in problem for problem in watch.problems), watch.problems
    watch.problems.clear()


def test_a_request_that_is_refused_is_no_mistake_of_the_page(page: Page, visitors: Visitors) -> None:
    assert page.evaluate("() => fetch('/api/v1/keys').then((answer) => answer.status)") == 403
    assert visitors.watch(page).problems == []


def test_what_a_test_expects_is_let_pass(page: Page, visitors: Visitors) -> None:
    visitors.watch(page).allow("oh no")
    page.evaluate("() => console.error('oh no')")
    page.wait_for_timeout(50)
    assert visitors.watch(page).problems == []
