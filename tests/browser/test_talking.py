"""Two people talk about one draft: what one says stands on the other's page at once, and nobody loses what they write."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import ready
from tests.browser.site import Site
from tests.web.conftest import Staff, flow


def test_what_somebody_says_appears_while_another_writes(visit: Visit, site: Site, staff: Staff) -> None:
    journey = site.api(staff).ok("POST", "/journeys", {"name": "Order not paid", "document": flow()})["id"]
    site.api(staff).ok("POST", f"/journeys/{journey}/submit")
    here = ready(visit(f"/journeys/{journey}/review", role="reviewer"))
    there = ready(visit(f"/journeys/{journey}/review", role="operator"))
    here.get_by_role("button", name="Comment on the journey").click()
    field = here.get_by_role("textbox", name="Say what you think of it")
    field.press_sequentially("Half a sen")

    there.get_by_role("button", name="Comment on the journey").click()
    there.get_by_role("textbox", name="Say what you think of it").fill("Is ten minutes enough?")
    there.keyboard.press("Control+Enter")

    expect(here.get_by_text("Is ten minutes enough?")).to_be_visible()
    expect(field).to_have_value("Half a sen")
    expect(field).to_be_focused()
    here.keyboard.type("tence")
    here.keyboard.press("Control+Enter")
    expect(there.get_by_text("Half a sentence")).to_be_visible()
    there.get_by_role("button", name="Settle").first.click()
    expect(here.get_by_text("Settled: 1")).to_be_visible()
