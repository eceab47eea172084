"""A second step as people meet it: set up with a phone, asked for at the door; complaints and anchors as they are shown."""

from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from app import anchors, audit
from app.database import transaction
from app.staff import Hand, set_password
from tests.browser.axe import COLOURS, SIZES
from tests.browser.conftest import HEIGHTS, Visit
from tests.browser.pages import ready
from tests.browser.site import Site
from tests.web.conftest import Staff
from tests.web.signing import PASSWORD

Look = Callable[[Page, str], None]


@pytest.fixture
def look(axe: Callable[..., None], shot: Callable[..., object]) -> Look:
    """Accessible in both themes and on a phone, nothing too wide; a picture of each."""

    def go(page: Page, name: str) -> None:
        axe(ready(page))
        shot(page, f"{name}-light")
        page.emulate_media(color_scheme="dark")
        axe(ready(page), COLOURS)
        shot(page, f"{name}-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": HEIGHTS[390]})
        axe(ready(page), SIZES)
        shot(page, f"{name}-phone")
        assert page.evaluate("() => __probes.tooWide()") == []
        page.set_viewport_size({"width": 1440, "height": HEIGHTS[1440]})

    return go


@pytest.fixture
def reviewer(site: Site, staff: Staff) -> str:
    with site.connection() as connection, transaction(connection):
        hand = Hand(connection, staff.workspace_id, "system", None, site.clock())
        set_password(hand, staff.user_ids["reviewer"], PASSWORD)
        row = connection.execute("SELECT email FROM users WHERE id = %s", (staff.user_ids["reviewer"],)).fetchone()
    assert row is not None
    return str(row[0])


def enter(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_by_keyboard_somebody_sets_it_up_and_is_asked_at_the_door(
    visit: Visit, site: Site, reviewer: str, look: Look
) -> None:
    page = visit("/settings/me", role="reviewer")
    field = page.locator("#second-step").get_by_label("The password you have now")
    field.fill(PASSWORD)
    field.press("Enter")
    expect(page.get_by_alt_text("Picture of the key, to scan")).to_be_visible()
    look(page, "second-step-offer")
    key = page.locator("#second-step .secret code").inner_text().replace(" ", "")
    code = page.get_by_label("Code", exact=True)
    code.fill("000000")
    code.press("Enter")
    expect(page.locator("#second-step").get_by_role("alert")).to_contain_text("is not right")
    code = page.get_by_label("Code", exact=True)
    code.fill(pyotp.TOTP(key).at(site.clock()))
    code.press("Enter")
    expect(page.locator("#second-step .codes li")).to_have_count(10)
    look(page, "second-step-codes")
    spare = page.locator("#second-step .codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").press("Enter")
    expect(page.locator("#second-step")).to_contain_text("10 recovery codes are left")
    page.get_by_text("New recovery codes, or turn it off").press("Enter")
    look(page, "second-step-on")

    page = visit("/login?next=/plans", role=None)
    enter(page, reviewer)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    look(page, "login-code")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_label("Code", exact=True).fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    page.get_by_label("Code", exact=True).fill(spare)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.base}/plans")


def test_a_workspace_that_asks_for_it_leads_there_first(visit: Visit, site: Site, reviewer: str, look: Look) -> None:
    del reviewer
    page = visit("/settings/people", role="admin")
    look(page, "staff-rule")
    page.get_by_role("button", name="Require it").click()
    expect(page).to_have_url(f"{site.base}/settings/me")
    expect(page.get_by_text("Set up a second step first.")).to_be_visible()
    look(page, "second-step-required")
    page = visit("/journeys", role="reviewer", language="zh")
    expect(page).to_have_url(f"{site.base}/settings/me")
    expect(page.get_by_text("请先设置两步验证。")).to_be_visible()
    page = visit("/journeys", role="operator")
    expect(page).to_have_url(f"{site.base}/journeys")


def test_complaints_and_anchors_are_read_by_everybody(visit: Visit, site: Site, staff: Staff, look: Look) -> None:
    with site.connection() as connection, transaction(connection):
        for channel, delivered, complained in (("email", 41_000, 12), ("sms", 2_000, 3), ("push", 1_000, 4)):
            connection.execute(
                "INSERT INTO reputation (workspace_id, channel, journey_id, marketing, at, delivered, complained)"
                " VALUES (%s, %s, 1, true, %s, %s, %s)",
                (staff.workspace_id, channel, site.clock(), delivered, complained),
            )
        audit.record(
            connection, staff.workspace_id, "system", "plan.change", "plan:1", None, {"name": "P"}, site.clock()
        )
    with site.connection() as connection, transaction(connection):
        anchors.daily(connection, site.settings.data, site.clock())
    page = visit("/health", role="operator")
    expect(page.get_by_role("heading", name="Complaints")).to_be_visible()
    look(page, "complaints")
    page = visit("/settings/audit", role="admin")
    expect(page.get_by_text("Anchored outside the database every day")).to_be_visible()
    look(page, "anchored")
    page = visit("/health", role="operator", language="zh")
    expect(page.get_by_role("heading", name="投诉")).to_be_visible()
