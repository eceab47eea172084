"""In the editor of a journey that people walk, cards that are drawn otherwise than what they walk wear a dot."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage
from tests.browser.site import Site
from tests.web.conftest import Staff, flow, go_live


def test_a_card_that_was_changed_since_it_was_published_says_so(visit: Visit, site: Site, staff: Staff) -> None:
    operator = site.api(staff)
    journey = operator.ok("POST", "/journeys", {"name": "Order not paid", "document": flow()})["id"]
    go_live(operator, site.api(staff, "reviewer"), journey)
    editor = EditorPage(visit()).open(journey)
    dotted = editor.canvas.locator(".card.unpublished")
    expect(dotted).to_have_count(0)
    editor.card("send.inapp").focus()
    editor.page.keyboard.press("F2")
    editor.page.keyboard.type("Gentle reminder")
    editor.page.keyboard.press("Enter")
    expect(dotted).to_have_count(1)
    expect(editor.canvas.get_by_role("group", name="changed since it was published")).to_have_count(1)
    editor.page.keyboard.press("Control+z")
    expect(dotted).to_have_count(0)
    editor.item("exit").click()  # a step that nobody walks yet
    expect(dotted).to_have_count(1)
