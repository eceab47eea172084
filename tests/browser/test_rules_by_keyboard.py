"""The rules for sending without a mouse: a cap is added, said in words, saved, refused where it is wrong, and taken away."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import ready


def test_the_rules_are_changed_by_keyboard_and_the_focus_is_never_lost(visit: Visit) -> None:
    page = ready(visit("/settings/policies", role="admin"))
    page.get_by_role("button", name="Add a cap").focus()
    page.keyboard.press("Enter")
    most = page.get_by_label("At most", exact=True)
    expect(most).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(most).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert").first).to_contain_text("Not saved")
    expect(most).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    expect(page.get_by_text("At most 2 marketing messages")).to_be_visible()
    expect(page.get_by_label("within", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("within", exact=True)).to_be_focused()
    page.get_by_role("button", name="Save the rules").focus()
    with page.expect_response("**/settings/policies"):
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save the rules")).to_be_focused()
    page.get_by_role("button", name="Take away cap 1").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("No caps: as many messages go out")).to_be_visible()
    expect(page.get_by_role("button", name="Add a cap")).to_be_focused()
