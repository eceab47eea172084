"""An operator draws the abandoned-order journey on an empty canvas: by mouse, by keyboard alone, in English and in Chinese."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage, shape
from tests.browser.site import Site
from tests.browser.walk import routes
from tests.web.conftest import Staff

pytestmark = pytest.mark.skipif("/journeys/{}/edit" not in routes(), reason="the editor is being built")
EMPTY: dict[str, Any] = {"schema": 1, "settings": {"reentry": {"mode": "after_exit"}}, "nodes": [], "edges": []}
ABANDONED = {
    ("entry.event", "next", "wait.event"),
    ("wait.event", "order_paid", "exit"),
    ("wait.event", "timeout", "send.inapp"),
    ("send.inapp", "next", "exit"),
}


@pytest.fixture
def empty(site: Site, staff: Staff) -> int:
    """A journey nobody has drawn anything in."""
    made = site.api(staff).ok("POST", "/journeys", {"name": "Order not paid", "document": EMPTY})
    return int(made["id"])


def saved(site: Site, staff: Staff, journey: int) -> dict[str, Any]:
    """The draft as the server has it."""
    found: dict[str, Any] = site.api(staff).ok("GET", f"/journeys/{journey}/draft")
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_operator_draws_the_abandoned_order_journey_by_mouse(
    language: str, visit: Visit, site: Site, staff: Staff, empty: int, shot: Callable[..., object]
) -> None:
    editor = EditorPage(visit(language=language), language).open(empty)

    editor.start_with("entry.event")
    editor.fill("Event", "order_submitted")
    expect(editor.card("entry.event")).to_contain_text("order_submitted")

    editor.item("wait.event").click()
    editor.panel.get_by_role("button", name=editor.say("Add"), exact=True).click()
    editor.fill("Event", "order_paid")
    expect(editor.card("wait.event")).to_contain_text("order_paid")

    # The message for those who did not pay is dropped onto the way out it belongs to.
    editor.drop_on("wait.event", editor.say("time ran out"), editor.item("send.inapp"))
    editor.fill("Title", "Your order waits")
    expect(editor.card("send.inapp")).to_contain_text("Your order waits")
    editor.item("exit").click()
    editor.connect("wait.event", "order_paid", editor.card("exit"))

    editor.expect_problems(0)
    editor.expect_saved()
    assert shape(saved(site, staff, empty)["document"]) == ABANDONED
    shot(editor.page, f"story-drawn-{language}", whole=False)
