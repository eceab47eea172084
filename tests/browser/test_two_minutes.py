"""A newcomer publishes a journey from a template and sees somebody walk it: by clicks alone, counted, in under two minutes."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from app.database import transaction
from app.store import demo, users
from tests.browser.conftest import Visit
from tests.browser.pages import READY, ready
from tests.browser.site import Site
from tests.web.conftest import Staff

CLICKS_AT_MOST = 10
SECONDS = 120


class Newcomer:
    """Somebody who reads what stands there and clicks it; every click counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, place: Locator) -> None:
        place.first.click()
        self.clicks += 1


@pytest.fixture
def alone(site: Site, staff: Staff) -> Staff:
    """An admin with nobody but the demo's colleague, as `journey run` makes it."""
    with site.connection() as connection, transaction(connection):
        now = datetime.now(UTC)
        users.add(connection, staff.workspace_id, email=demo.COLLEAGUE, name="Rui Chen", role="reviewer", now=now)
        demo.mark(connection, staff.workspace_id, demo.MOVING, now)
    return staff


@pytest.mark.usefixtures("at_work")
def test_a_template_becomes_a_living_journey_in_ten_clicks(
    visit: Visit, site: Site, alone: Staff, shot: Callable[..., object]
) -> None:
    began = time.monotonic()
    page = ready(visit("/", role="admin", of=alone))
    newcomer = Newcomer(page)
    newcomer.click(page.get_by_role("link", name="Templates", exact=True))
    newcomer.click(page.get_by_role("link", name=re.compile("Order not paid")))
    newcomer.click(page.get_by_role("button", name="Use this template"))
    page.wait_for_function(READY)
    newcomer.click(page.get_by_role("button", name="Submit for review"))
    newcomer.click(page.get_by_role("button", name="See the review"))
    newcomer.click(page.get_by_role("button", name="Review it as Rui Chen"))
    newcomer.click(page.get_by_role("button", name="Approve"))
    newcomer.click(page.get_by_role("dialog").get_by_role("button", name="Approve"))
    newcomer.click(page.get_by_role("button", name="Publish"))
    newcomer.click(page.get_by_role("dialog").get_by_role("button", name="Publish"))
    expect(page.get_by_text("Live v1")).to_be_visible()
    expect(page.get_by_text("Nobody has entered yet")).to_be_visible()

    site.track(alone, {"userId": "u1", "event": "order_submitted", "properties": {"order_id": "A-1"}})
    expect(page.locator("#canvas").get_by_role("button", name="1 person is here now")).to_be_visible()
    expect(page.get_by_text("Nobody has entered yet")).to_have_count(0)
    assert newcomer.clicks <= CLICKS_AT_MOST
    assert time.monotonic() - began < SECONDS
    shot(page, "story-two-minutes", whole=False)
