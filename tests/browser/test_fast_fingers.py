"""Whoever types faster than scripts come: no key is taken for another deed, whatever has been asked for is done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.pages import EditorPage
from tests.browser.site import Site
from tests.web.conftest import Staff

LOOSE: dict[str, Any] = {
    "schema": 1,
    "settings": {"reentry": {"mode": "after_exit"}},
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "order_submitted"}, "x": 0, "y": 0},
        {"id": "rest", "type": "wait.duration", "settings": {"duration": "PT1H"}, "x": 320, "y": 0},
        {"id": "end", "type": "exit", "x": 640, "y": 0},
    ],
    "edges": [{"from": "start", "port": "next", "to": "rest"}],
}


@contextmanager
def held_back(page: Page, what: str) -> Iterator[None]:
    """Answers to these addresses do not come before the block ends."""
    waiting: list[Route] = []
    page.route(what, lambda route: waiting.append(route))  # Playwright marks what it is given
    yield
    for route in waiting:
        route.continue_()
    page.unroute(what)


@pytest.fixture
def loose(site: Site, staff: Staff) -> int:
    """Three steps, one of which nothing leads to."""
    return int(site.api(staff).ok("POST", "/journeys", {"name": "Loose", "document": LOOSE})["id"])


def opened(visit: Visit, journey: int, slow: str) -> tuple[EditorPage, Any]:
    page = visit()
    holding = held_back(page, slow)
    holding.__enter__()
    return EditorPage(page).open(journey), holding


def test_what_is_typed_right_after_c_is_looked_for_among_the_steps(visit: Visit, loose: int) -> None:
    editor, holding = opened(visit, loose, "**/canvas/linking.js")
    editor.card("wait.duration").focus()
    expect(editor.card("wait.duration")).to_be_focused()
    # "n" would make a note, "Delete" take the step away.
    editor.page.keyboard.type("cEnn")
    editor.page.keyboard.press("Backspace")
    editor.page.keyboard.press("d")
    editor.page.keyboard.press("Enter")
    assert len(editor.document()["edges"]) == 1
    holding.__exit__(None, None, None)
    editor.page.wait_for_function("() => document.querySelector('#canvas').editor.flow.wires.size === 2")
    editor.expect_ways({("entry.event", "next", "wait.duration"), ("wait.duration", "next", "exit")})
    assert not editor.document().get("notes")


def test_what_is_typed_right_after_enter_goes_into_the_settings(visit: Visit, loose: int) -> None:
    editor, holding = opened(visit, loose, "**/panel")
    editor.card("entry.event").focus()
    expect(editor.card("entry.event")).to_be_focused()
    editor.page.keyboard.press("Enter")
    editor.page.keyboard.type("nag")
    holding.__exit__(None, None, None)
    field = editor.field("Event")
    expect(field).to_be_focused()
    assert "nag" in field.input_value()
    assert not editor.document().get("notes")
    assert not editor.document().get("groups")


def test_escape_takes_back_what_has_not_come_yet(visit: Visit, loose: int) -> None:
    editor, holding = opened(visit, loose, "**/canvas/linking.js")
    editor.card("wait.duration").focus()
    editor.page.keyboard.type("cEnd")
    editor.page.keyboard.press("Escape")
    holding.__exit__(None, None, None)
    expect(editor.page.get_by_placeholder("Which step shall follow?")).to_be_focused()
    assert len(editor.document()["edges"]) == 1


def test_a_step_is_led_to_from_elsewhere_by_keys_alone(visit: Visit, loose: int) -> None:
    editor = EditorPage(visit()).open(loose)
    editor.card("exit").focus()
    editor.page.keyboard.press("Shift+C")
    expect(editor.page.get_by_placeholder("From which step?")).to_be_focused()
    editor.page.keyboard.type("Event")
    editor.page.keyboard.press("Enter")
    editor.expect_ways({("entry.event", "next", "exit")})
    # The wire that came is taken to another way out: one step of undo gives it back.
    expect(editor.card("exit")).to_be_focused()
    editor.page.keyboard.press("Shift+C")
    editor.page.keyboard.press("Enter")
    editor.page.keyboard.press("Enter")
    editor.expect_ways({("wait.duration", "next", "exit")})
    editor.page.keyboard.press("Control+z")
    editor.expect_ways({("entry.event", "next", "exit")})


def test_a_tidy_up_goes_round_what_was_placed_by_hand_when_asked_to(visit: Visit, loose: int) -> None:
    editor = EditorPage(visit()).open(loose)
    places = (
        "() => [...document.querySelector('#canvas').editor.flow.steps.values()].map((one) => [one.id, one.x, one.y])"
    )
    editor.card("exit").click()
    for _ in range(12):
        editor.page.keyboard.press("Alt+ArrowDown")
    by_hand = editor.page.evaluate(places)
    assert by_hand[2] != ["end", 640, 0]
    editor.expect_saved()
    editor.page.reload()
    editor.ready()
    editor.card("wait.duration").focus()
    editor.page.keyboard.press("Shift+T")
    editor.page.wait_for_timeout(700)
    assert editor.page.evaluate(places)[2] == by_hand[2]
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("t")
    editor.page.wait_for_function(
        f"(before) => JSON.stringify(({places})()[2]) !== before", arg=json.dumps(by_hand[2], separators=(",", ":"))
    )
