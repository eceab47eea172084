"""Nothing an operator did is lost: reloads at any moment, a line that is cut, two people in one draft (Q20)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitors
from tests.browser.pages import EditorPage
from tests.browser.site import Site
from tests.browser.walk import routes
from tests.web.conftest import Staff, flow

pytestmark = pytest.mark.skipif("/journeys/{}/edit" not in routes(), reason="the editor is being built")
LINE_IS_CUT = r"net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|ERR_NETWORK_CHANGED"


@pytest.fixture
def journey(site: Site, staff: Staff) -> int:
    made = site.api(staff).ok("POST", "/journeys", {"name": "Order not paid", "document": flow()})
    return int(made["id"])


@pytest.fixture
def kinds(site: Site, staff: Staff, journey: int) -> Callable[[], list[str]]:
    """The types of steps in the draft as the server has it."""

    def ask() -> list[str]:
        found: dict[str, Any] = site.api(staff).ok("GET", f"/journeys/{journey}/draft")
        return sorted(node["type"] for node in found["document"]["nodes"])

    return ask


def test_reloading_at_any_moment_loses_nothing(visit: Visit, journey: int, kinds: Callable[[], list[str]]) -> None:
    editor = EditorPage(visit()).open(journey)
    for number, kind in enumerate(("exit", "action.tag", "wait.duration", "condition"), 1):
        editor.item(kind).click()
        expect(editor.card(kind).first).to_be_visible()
        # Sooner and later after the edit: before it is kept here, before it is sent, while it is sent, after it is.
        editor.page.wait_for_timeout((0, 200, 620, 900)[number - 1])
        editor.page.reload()
        editor.ready()
        assert len(editor.document()["nodes"]) == 4 + number
    editor.expect_saved()
    assert len(kinds()) == 8


def test_edits_made_without_a_line_are_kept_and_sent_later(
    visit: Visit, visitors: Visitors, journey: int, kinds: Callable[[], list[str]]
) -> None:
    editor = EditorPage(visit()).open(journey)
    visitors.watch(editor.page).allow(LINE_IS_CUT)
    editor.page.context.set_offline(True)
    editor.item("action.tag").click()
    expect(editor.page.get_by_text("Offline · kept here")).to_be_visible()
    assert "action.tag" not in kinds()
    editor.page.context.set_offline(False)
    editor.expect_saved()
    assert "action.tag" in kinds()
    editor.card("wait.duration").click()
    expect(editor.panel.get_by_role("button", name="Apply")).to_be_visible()


def test_two_people_draw_in_one_draft_and_neither_overwrites_the_other(
    visit: Visit, journey: int, kinds: Callable[[], list[str]]
) -> None:
    one, other = EditorPage(visit(role="operator")).open(journey), EditorPage(visit(role="admin")).open(journey)
    one.item("action.tag").click()
    other.item("condition").click()
    for editor in (one, other):
        expect(editor.card("condition")).to_be_visible()
        expect(editor.card("action.tag")).to_be_visible()
        editor.expect_saved()
    assert {"condition", "action.tag"} <= set(kinds())
    assert len(kinds()) == 6
