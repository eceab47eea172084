"""Every template opens, is sound once its blanks are filled, and somebody walks through it in the simulator."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage, ready
from tests.browser.walk import routes
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif("/templates/{}" not in routes(), reason="the gallery is being built")
TEMPLATES = sorted(path.stem for path in (ROOT / "app" / "gallery").glob("*.yaml"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_becomes_a_journey_without_mistakes_in_which_somebody_walks(name: str, visit: Visit) -> None:
    page = ready(visit(f"/templates/{name}"))
    page.get_by_role("button", name="Use this template").click()
    page.wait_for_url("**/edit*")
    editor = EditorPage(page).ready()
    editor.expect_problems(0)
    expect(editor.go_on("Submit for review")).to_be_visible()

    page.get_by_role("link", name="Try it").click()
    page.get_by_role("checkbox", name="Let them in whatever the entry asks").check()
    page.get_by_role("button", name="Let them walk").click()
    told = page.get_by_role("group", name="What happened")
    expect(told.get_by_role("listitem").first).to_be_visible()
    onward = page.get_by_role("button", name="Next moment")
    for _ in range(3):
        if onward.count() and onward.is_enabled():
            before = told.get_by_role("listitem").count()
            onward.click()
            expect(told.get_by_role("listitem").nth(before)).to_be_visible()
