"""An operator draws the abandoned-order journey on an empty canvas: by mouse, by keyboard alone, in English and in Chinese."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage, shape
from tests.browser.site import Site
from tests.web.conftest import Staff, flow

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


def test_an_operator_draws_it_by_keyboard_alone(
    visit: Visit, site: Site, staff: Staff, empty: int, shot: Callable[..., object]
) -> None:
    editor = EditorPage(visit()).open(empty)
    keys = editor.page.keyboard

    editor.tab_to(editor.page.get_by_role("button", name=editor.offer("entry.event")).last)
    keys.press("Enter")
    editor.type_into("Event", "order_submitted")
    expect(editor.card("entry.event")).to_be_focused()

    editor.add_by_keys("wait.event")
    editor.reach(editor.panel.get_by_role("button", name="Add", exact=True))
    keys.press("Enter")
    editor.type_into("Event", "order_paid")
    expect(editor.card("wait.event")).to_contain_text("order_paid")
    expect(editor.card("wait.event")).to_be_focused()

    editor.add_by_keys("exit")  # takes the first way out that is open
    keys.press("Escape")
    keys.press("ArrowLeft")
    expect(editor.card("wait.event")).to_be_focused()
    editor.add_by_keys("send.inapp")
    editor.type_into("Title", "Your order waits")
    expect(editor.card("send.inapp")).to_contain_text("Your order waits")
    keys.press("c")
    expect(editor.page.get_by_placeholder("Which step shall follow?")).to_be_focused()
    keys.type("End")
    keys.press("Enter")

    editor.expect_problems(0)
    editor.expect_saved()
    found = shape(saved(site, staff, empty)["document"])
    # Which way out comes first is the type's own business; both have to lead somewhere.
    assert {(kind, to) for kind, _, to in found} == {(kind, to) for kind, _, to in ABANDONED}
    assert {port for kind, port, _ in found if kind == "wait.event"} == {"order_paid", "timeout"}
    shot(editor.page, "story-drawn-by-keys", whole=False)


def test_what_was_typed_is_not_lost_when_one_goes_elsewhere_at_once(
    visit: Visit, site: Site, staff: Staff, empty: int
) -> None:
    editor = EditorPage(visit()).open(empty)
    editor.start_with("entry.event")
    editor.field("Event").fill("order_submitted")
    editor.item("exit").click()
    expect(editor.card("entry.event")).to_contain_text("order_submitted")
    editor.expect_saved()
    (entry,) = [one for one in saved(site, staff, empty)["document"]["nodes"] if one["type"] == "entry.event"]
    assert entry["settings"] == {"event": "order_submitted"}


def test_a_piece_is_kept_and_put_into_another_journey(visit: Visit, site: Site, staff: Staff, empty: int) -> None:
    drawn = int(site.api(staff).ok("POST", "/journeys", {"name": "Drawn", "document": flow()})["id"])
    editor = EditorPage(visit()).open(drawn)
    page = editor.page
    editor.card("wait.duration").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Keep as a piece").click()
    page.keyboard.type("A <b>welcome</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("“A <b>welcome</b>” is kept")

    editor.open(empty)
    page.locator("#canvas").click(button="right", position={"x": 60, "y": 120})
    page.get_by_role("menuitem", name="Put a kept piece here").click()
    page.get_by_role("option", name="A <b>welcome</b>").click()
    assert shape(editor.document()) == shape(flow())
    page.keyboard.press("Control+z")
    assert editor.document()["nodes"] == []


def test_the_list_view_does_what_the_canvas_does_and_can_be_read_out(
    visit: Visit, site: Site, staff: Staff, axe: Callable[..., None]
) -> None:
    drawn = int(site.api(staff).ok("POST", "/journeys", {"name": "Listed", "document": flow()})["id"])
    editor = EditorPage(visit()).open(drawn)
    page, before = editor.page, shape(editor.document())
    editor.button("List view").click()
    rows = page.locator("#outline [data-at^='step ']")
    expect(rows).to_have_count(len(editor.document()["nodes"]))
    axe(page)

    # By keys alone, as somebody who hears the page does it: the canvas itself is out of reach meanwhile.
    page.get_by_role("button", name="More for Wait").press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    expect(rows).to_have_count(len(flow()["nodes"]) - 1)
    assert "wait.duration" not in {kind for way in shape(editor.document()) for kind in (way[0], way[2])}
    page.keyboard.press("Control+z")
    editor.expect_ways(before)
    page.get_by_role("button", name="Add a step", exact=True).press("Enter")
    page.keyboard.type("End")
    page.keyboard.press("Enter")
    expect(page.locator("#outline")).to_contain_text("Not reached from an entry")
