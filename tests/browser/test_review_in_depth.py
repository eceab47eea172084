"""What stands between an operator and a send: a nudge, messages made for real people, a cap, the publish dialog."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import ready
from tests.browser.site import Site
from tests.web.conftest import Staff, flow


@pytest.mark.usefixtures("at_work")
def test_a_manager_looks_at_what_people_get_caps_it_and_nobody_beyond_the_cap_enters(
    visit: Visit, site: Site, staff: Staff, shot: Callable[..., object]
) -> None:
    operator = site.api(staff)
    calls = [{"userId": f"u{n}", "event": "order_submitted", "properties": {"product": "kettle"}} for n in range(3)]
    document = deepcopy(flow())
    document["nodes"][2]["settings"]["title"] = "Your {{ event.product }} waits"
    journey = operator.ok("POST", "/journeys", {"name": "Order not paid", "document": document})["id"]
    site.track(staff, *calls)
    operator.ok("POST", f"/journeys/{journey}/submit")

    mine = ready(visit(f"/journeys/{journey}/review", role="operator"))
    mine.get_by_role("button", name="Remind reviewers").click()
    expect(mine.get_by_text("Reviewers are reminded.")).to_be_visible()

    home = ready(visit("/", role="reviewer"))
    expect(home.get_by_text("waits for you to review it")).to_be_visible()
    home.get_by_role("link", name="Order not paid").first.click()
    review = ready(home)
    expect(review.get_by_text("Your kettle waits").first).to_be_visible()
    expect(review.get_by_text("people would enter within 30 days")).to_be_visible()
    shot(review, "depth-review", whole=False)
    review.get_by_role("button", name="Approve").first.click()
    dialog = review.get_by_role("dialog", name="Approve")
    dialog.get_by_text("Under conditions").click()
    dialog.get_by_label("At most so many people enter").fill("2")
    dialog.get_by_role("button", name="Approve").click()
    expect(review.get_by_text("If it is published: at most 2 people enter")).to_be_visible()
    handed = operator.ok("GET", f"/journeys/{journey}/submission")["content_hash"]
    operator.ok("POST", f"/journeys/{journey}/publish", {"content_hash": handed})

    site.track(staff, *({**call, "userId": f"late{n}"} for n, call in enumerate([*calls, *calls])))
    live = ready(visit(f"/journeys/{journey}/live", role="reviewer"))
    expect(live.locator("#canvas").get_by_role("button", name="2 people are here now")).to_be_visible()
    live.reload()
    ready(live)
    expect(live.get_by_text("2 of 2 have entered. 4 people were turned away")).to_be_visible()
    shot(live, "depth-live", whole=False)

    changed = deepcopy(document)
    changed["nodes"][1]["settings"]["duration"] = "P5D"
    revision = operator.ok("GET", f"/journeys/{journey}")["revision"]
    tag = {"If-Match": f'"{revision}"'}
    operator.ok("PUT", f"/journeys/{journey}/draft", {"document": changed}, headers=tag)
    handed = operator.ok("POST", f"/journeys/{journey}/submit")["content_hash"]
    site.api(staff, "reviewer").ok(
        "POST", f"/journeys/{journey}/reviews", {"decision": "approve", "content_hash": handed}
    )
    last = ready(visit(f"/journeys/{journey}/review#publish", role="operator"))
    choice = last.get_by_label("What becomes of them: Wait")
    expect(choice).to_be_visible()
    choice.select_option("exit")
    expect(last.get_by_text("2 leave")).to_be_visible()
    shot(last, "depth-publish", whole=False)
    last.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(last.get_by_role("heading", name="People in flight")).to_be_visible()
    expect(last.get_by_text("done", exact=True)).to_be_visible()
