"""Coming in and going out, as people do it: a link that works once, the page one wanted, the language one speaks."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.web.conftest import Staff


def test_somebody_comes_in_by_their_link_once_and_goes_out_again(visit: Visit, site: Site, staff: Staff) -> None:
    link = site.link(staff, "operator")
    page = visit(link, role=None)
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page).to_have_url(f"{site.base}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

    page.get_by_role("button", name="Sign out").first.click()
    expect(page).to_have_url(f"{site.base}/login")
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("works once")


def test_who_was_sent_to_the_door_comes_back_to_where_they_wanted_to_be(visit: Visit, site: Site, staff: Staff) -> None:
    page = visit("/sink?channel=email", role=None)
    if "/login" not in page.url:
        return  # a browser on the machine of `journey run` may look into the sink without a session
    page.goto(f"{page.url}&token={site.link(staff, 'operator').partition('token=')[2]}")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.base}/sink?channel=email")


def test_a_reader_changes_the_language_and_it_stays(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("link", name="中文").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")
