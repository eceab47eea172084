"""Operators' and contacts' words stay words (T05): thirty hostile texts, kept everywhere and typed everywhere, run no script."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Dialog, Error, Page

from tests.browser.conftest import Tour
from tests.browser.hostile import MARK, NAMES, STRINGS
from tests.browser.pages import ready
from tests.browser.site import Site
from tests.browser.town import Town
from tests.browser.walk import STOPS, Stop
from tests.web.conftest import flow

SETTLE_MS = 60
LOADED = "() => document.readyState === 'complete' && [...document.images].every((one) => one.complete)"
FORMS_AT_MOST = 20
PAGES_AT_MOST = 3


@pytest.fixture
def unharmed(tour: Tour) -> Iterator[Callable[[Page], Page]]:
    """Watches a page for dialogs and for the mark; before the readers leave it."""
    del tour
    opened: list[Page] = []

    def watched(page: Page) -> Page:
        page.on("dialog", _refuse)
        opened.append(page)
        return page

    yield watched
    for page in opened:
        page.remove_listener("dialog", _refuse)
        assert not page.evaluate(f"() => window.{MARK}"), f"a script ran in {page.url}"


def _refuse(dialog: Dialog) -> None:
    # The question before leaving is ours; everything else was opened by a text.
    kind, said = dialog.type, dialog.message
    dialog.dismiss()
    assert kind == "beforeunload", f"a text opened a dialog: {said}"


def poisoned() -> dict[str, Any]:
    """A flow in which every text is hostile."""
    raw = flow()
    raw["nodes"][1]["name"] = NAMES[0]
    for number, text in enumerate(STRINGS):
        raw["nodes"].append(
            {
                "id": f"n{number}",
                "type": "send.inapp",
                "version": 1,
                "name": NAMES[number],
                "settings": {"title": text, "body": text, "url": text},
                "x": 240 * (number % 6),
                "y": 200 + 120 * (number // 6),
            }
        )
    raw["notes"] = [
        {"id": f"note{number}", "text": text, "x": 240 * (number % 6), "y": 900 + 120 * (number // 6)}
        for number, text in enumerate(STRINGS)
    ]
    return raw


@pytest.fixture(scope="session")
def poisoned_town(site: Site, town: Town) -> Town:
    """A workspace whose every text is hostile; its pages are reached like those of the town."""
    staff = site.staff(NAMES[3])
    api = site.api(staff)
    journeys = {"draft": api.ok("POST", "/journeys", {"name": NAMES[0], "document": poisoned()})["id"]}
    for text in NAMES:
        journeys["live"] = journeys["review"] = api.ok("POST", "/journeys", {"name": text, "document": flow()})["id"]
    traits = {f"t{number}": text for number, text in enumerate(STRINGS)}
    people = [
        {
            "type": "identify",
            "userId": f"u{number}{text}",
            "traits": {**traits, "name": text, "email": text, "city": text},
        }
        for number, text in enumerate(STRINGS)
    ]
    acts = [
        {"type": "track", "userId": f"u{number}{text}", "event": text, "properties": {text: text}}
        for number, text in enumerate(STRINGS)
    ]
    answer = site.client.post("/v1/batch", json={"batch": people + acts}, auth=(staff.keys["ingest"], ""))
    assert answer.status_code == 200, answer.text
    with site.connection() as connection:
        row = connection.execute(
            "SELECT min(id) FROM contact WHERE workspace_id = %s", (staff.workspace_id,)
        ).fetchone()
    assert row is not None
    return Town(
        site, staff, {**dict.fromkeys(town.journeys, journeys["live"]), **journeys}, row[0], town.plan, town.catch
    )


inside = [stop for stop in STOPS if stop.role is not None]


@pytest.mark.parametrize("stop", inside, ids=[stop.name for stop in inside])
def test_texts_that_are_kept_and_typed_run_no_script_on_any_page_nor_in_any_field(
    stop: Stop, tour: Tour, poisoned_town: Town, unharmed: Callable[[Page], Page]
) -> None:
    page = unharmed(tour("/healthz", role=stop.role, of=poisoned_town.staff))
    path = stop.path(poisoned_town)
    number, forms = 0, come_to(page, path)
    settled(page)  # what is kept has had its chance before anything is typed
    while number < len(forms):
        for half in (NAMES[:15], NAMES[15:]):
            if number < len(forms):
                type_into(page, forms[number], " ".join(half))
                settled(page)
                forms = come_to(page, path)
        number += 1
        assert number < FORMS_AT_MOST, f"more than {FORMS_AT_MOST} forms in {path}"


def settled(page: Page) -> None:
    """What a text would start has had its chance, also on the page that it may have led to."""
    for _ in range(PAGES_AT_MOST):
        page.wait_for_timeout(SETTLE_MS)
        with suppress(Error):  # it has just left for another page, and that one counts
            page.wait_for_function(LOADED)
            page.wait_for_timeout(SETTLE_MS)
            assert not page.evaluate(f"() => window.{MARK}"), f"a script ran in {page.url}"
            return
    raise AssertionError(f"{page.url} does not come to rest")


def come_to(page: Page, path: str) -> list[list[int]]:
    """The page, and its text fields by form."""
    page.goto(path)
    found: list[list[int]] = ready(page).evaluate("() => __probes.fields()")
    return found


def type_into(page: Page, places: list[int], text: str) -> None:
    """The text into each field of a form that is there still, and Enter in the last."""
    for place in places:
        field = page.evaluate_handle(f"() => __probes.field({place})").as_element()
        if field is not None and field.is_visible():
            field.fill(text, timeout=1_000)
    page.keyboard.press("Enter")
