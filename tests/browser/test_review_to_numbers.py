"""From hand to hand: an operator hands a journey in, a manager comments and approves it, it goes live, people walk it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage, ready
from tests.browser.site import Site
from tests.browser.walk import routes
from tests.web.conftest import Staff, flow

pytestmark = pytest.mark.skipif(
    not {"/journeys/{}/edit", "/journeys/{}/review", "/journeys/{}/live"} <= routes(), reason="being built"
)
PEOPLE = 7


@pytest.mark.usefixtures("at_work")
def test_a_manager_approves_it_and_numbers_move_on_the_canvas(
    visit: Visit, site: Site, staff: Staff, shot: Callable[..., object]
) -> None:
    journey = site.api(staff).ok("POST", "/journeys", {"name": "Order not paid", "document": flow()})["id"]
    editor = EditorPage(visit(role="operator")).open(journey)
    editor.go_on("Submit for review").click()
    expect(editor.go_on("In review")).to_be_visible()

    review = ready(visit(f"/journeys/{journey}/review", role="reviewer"))
    review.get_by_role("button", name="Comment on the journey").click()
    review.get_by_role("textbox", name="Say what you think of it").fill("Ten minutes is short; fine for a start.")
    review.keyboard.press("Control+Enter")
    expect(review.get_by_text("Ten minutes is short")).to_be_visible()
    shot(review, "story-review", whole=False)
    review.get_by_role("button", name="Approve").first.click()
    review.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(review.get_by_text("approved", exact=True).first).to_be_visible()

    editor.page.reload()
    editor.ready()
    editor.go_on("Publish").click()
    dialog = editor.page.get_by_role("dialog")
    if dialog.count():
        dialog.get_by_role("button", name="Publish").click()
    expect(editor.page.get_by_text("Live v1")).to_be_visible()

    live = ready(visit(f"/journeys/{journey}/live", role="reviewer"))
    site.track(staff, *({"userId": f"u{n}", "event": "order_submitted"} for n in range(PEOPLE)))
    waiting = live.locator("#canvas").get_by_role("button", name=f"{PEOPLE} people are here now")
    expect(waiting).to_be_visible()
    shot(live, "story-live", whole=False)
    site.clock.advance(minutes=11)
    site.track(staff, {"userId": "u0", "event": "wakes_the_worker"})
    expect(waiting).not_to_be_visible()
