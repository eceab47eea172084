"""The pages as people speak of them: places by role and label, in the reader's language. Never an address of a style.

What a step and its fields are called is read from the step's own type, so that the same story is told in every language.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from app.language import words
from nodes import catalog

TYPES = catalog(plugins=False)
TABS_AT_MOST = 120
SOON_SECONDS = 5.0
READY = "() => document.body?.dataset.ready === 'true'"


MISTAKES = """
(count) => document.querySelector("#canvas").editor.problems.filter((one) => one.severity === "error").length === count
"""
# A canvas is there when its scripts say so; everything else when it is loaded.
DRAWN = "() => { const canvas = document.querySelector('#canvas'); return !canvas || canvas.dataset.ready === 'true'; }"


def ready(page: Page) -> Page:
    """The page with its fonts and its canvas, and with nothing moving any more."""
    page.wait_for_function(DRAWN)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0))).then(() => 0)")
    return page


class Speaking:
    """A page in one language."""

    def __init__(self, page: Page, language: str = "en") -> None:
        self.page = page
        self.say: Callable[[str], str] = words(language).gettext

    def button(self, name: str) -> Locator:
        """A button by its English name."""
        return self.page.get_by_role("button", name=self.say(name), exact=True)

    def tab_to(self, target: Locator) -> None:
        """Press Tab until it has the focus, as somebody without a mouse does."""
        for _ in range(TABS_AT_MOST):
            self.page.keyboard.press("Tab")
            if target.evaluate_all("(found) => found.some((one) => one === document.activeElement)"):
                return
        raise AssertionError(f"the Tab key does not come to {target}")


class EditorPage(Speaking):
    """The canvas while one draws."""

    def __init__(self, page: Page, language: str = "en") -> None:
        super().__init__(page, language)
        self.canvas = page.locator("#canvas")
        self.palette = page.get_by_role("complementary", name=self.say("Steps"))
        self.panel = page.get_by_role("complementary", name=self.say("Settings"))

    def open(self, journey: int) -> "EditorPage":
        """Come to the editor of a journey and wait until it can be used."""
        self.page.goto(f"/journeys/{journey}/edit")
        return self.ready()

    def ready(self) -> "EditorPage":
        self.page.wait_for_function(READY)
        return self

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def title(self, kind: str) -> str:
        """What a type of step is called."""
        return self.say(str(TYPES[kind].title))

    def card(self, kind: str, number: int = 0) -> Locator:
        """The card of a step of this type; of several the one that came first."""
        name = re.compile(rf"^{re.escape(self.title(kind))}([.:]|$)")
        return self.canvas.get_by_role("group", name=name).nth(number)

    def item(self, kind: str) -> Locator:
        """A type of step in the palette."""
        return self.palette.get_by_role("button", name=self.offer(kind))

    def start_with(self, kind: str) -> None:
        """The first step of an empty journey."""
        self.page.get_by_role("button", name=self.offer(kind)).last.click()

    def offer(self, kind: str) -> re.Pattern[str]:
        """What a type is offered as: several share a title, no two their help as well."""
        return re.compile(rf"^{re.escape(self.title(kind))}\s*{re.escape(self.say(str(TYPES[kind].help)))}$")

    def port(self, kind: str, label: str, number: int = 0) -> Locator:
        """A way out of a step."""
        return self.card(kind, number).get_by_title(label, exact=True)

    def drag(self, source: Locator, target: Locator) -> None:
        """From the middle of one thing to the middle of another, as a hand does it."""
        self._carry(_middle(source), _middle(target))

    def connect(self, kind: str, label: str, target: Locator) -> None:
        """Draw a line from a way out to a step."""
        self._carry(_ring(self.port(kind, label)), _middle(target))

    def drop_on(self, kind: str, label: str, item: Locator) -> None:
        """Drop something from the palette onto a way out."""
        self._carry(_middle(item), _ring(self.port(kind, label)))

    def _carry(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=6)
        mouse.move(*end, steps=6)
        mouse.up()

    # ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def field(self, label: str) -> Locator:
        """A field of the panel by its English title."""
        return self.panel.get_by_label(re.compile(rf"^{re.escape(self.say(label))}( \*|$|\s)")).first

    def fill(self, label: str, value: str) -> None:
        """Type into a field and hand the settings in."""
        field = self.field(label)
        field.fill(value)
        field.press("Enter")

    # ── by keys ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add_by_keys(self, kind: str) -> None:
        """With a step under the focus: A, its name, Enter."""
        self.page.keyboard.press("a")
        picker = self.page.get_by_role("combobox", name=self.say("Add a step"))
        expect(picker).to_be_focused()
        self.page.keyboard.type(self.title(kind))
        expect(self.page.get_by_role("option").first).to_contain_text(self.title(kind))
        self.page.keyboard.press("Enter")
        expect(self.panel.get_by_role("textbox").first).to_be_visible()

    def type_into(self, label: str, value: str) -> None:
        """Go to a field by Tab, type, hand in, and go back to the step by Escape."""
        self.reach(self.field(label))
        self.page.keyboard.type(value)
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Escape")

    def reach(self, target: Locator) -> None:
        """By Tab, unless one is there already."""
        expect(target).to_be_visible()
        if not target.evaluate("(one) => one === document.activeElement"):
            self.tab_to(target)

    # ── the journey ──────────────────────────────────────────────────────────────────────────────────────────────

    def expect_saved(self) -> None:
        """Everything has reached the server."""
        expect(self.page.get_by_text(self.say("Saved"), exact=True)).to_be_visible()

    def expect_problems(self, count: int) -> None:
        """So many mistakes, as the page knows them from the server."""
        self.page.wait_for_function(MISTAKES, arg=count)

    def go_on(self, name: str) -> Locator:
        """What comes next for this journey: hand in, review, publish."""
        return self.page.get_by_role("toolbar", name=self.say("Journey")).get_by_text(self.say(name), exact=True)

    def document(self) -> dict[str, Any]:
        """What is on the canvas now, saved or not."""
        found: dict[str, Any] = self.page.evaluate("() => document.querySelector('#canvas').editor.flow.toDocument()")
        return found

    def expect_ways(self, ways: set[tuple[str, str, str]]) -> None:
        """Steps lead to one another like this, now or soon: keys that came before their script are pressed when it is there."""
        found: set[tuple[str, str, str]] | None = None
        until = time.monotonic() + SOON_SECONDS
        while found != ways and time.monotonic() < until:
            found = shape(self.document())
        assert found == ways


def shape(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """How steps lead to one another: the type, the way out, the type."""
    kinds = {node["id"]: node["type"] for node in document["nodes"]}
    return {(kinds[edge["from"]], edge["port"], kinds[edge["to"]]) for edge in document["edges"]}


def _ring(row: Locator) -> tuple[float, float]:
    """The ring at the end of the row of a way out, where lines begin."""
    box = row.bounding_box()
    assert box is not None, f"{row} cannot be seen"
    return box["x"] + box["width"], box["y"] + box["height"] / 2


def _middle(one: Locator) -> tuple[float, float]:
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    assert box is not None, f"{one} cannot be seen"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
