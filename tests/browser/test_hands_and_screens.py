"""The editor under fingers, under a wheel, at the edge of its view, and on the smallest and the largest screen."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.bench.canvas.journeys import journey
from tests.browser.conftest import Visit, Visitors
from tests.browser.pages import EditorPage
from tests.browser.site import Site
from tests.web.conftest import Staff

STEPS = 300
PHONE, HUGE = {"width": 390, "height": 844}, {"width": 3840, "height": 2160}
LOOK = "() => { const { x, y, zoom } = document.querySelector('#canvas').canvas.viewport; return [x, y, zoom]; }"
# All that is in view is drawn: by cards, or from afar by the picture, which then covers the whole of the view.
WHOLE = """() => {
  const root = document.querySelector("#canvas");
  const { view, viewport } = root.canvas;
  const picture = root.querySelector("canvas.overview");
  if (view.isOverview()) {
    const [one, other] = [picture.getBoundingClientRect(), root.getBoundingClientRect()];
    return one.left <= other.left && one.top <= other.top && one.right >= other.right && one.bottom >= other.bottom;
  }
  const seen = [...view.places.meeting(viewport.visible())];
  return !picture.checkVisibility() && seen.length > 0 && seen.every((id) => view.cards.mounted.get(id)?.element.isConnected);
}"""


@pytest.fixture
def drawn(site: Site, staff: Staff) -> int:
    """A journey of many steps."""
    made = site.api(staff).ok("POST", "/journeys", {"name": f"{STEPS} steps", "document": journey(STEPS)})
    return int(made["id"])


def look(page: Page) -> tuple[float, float, float]:
    x, y, zoom = page.evaluate(LOOK)
    return x, y, zoom


def whole(page: Page) -> None:
    """Wait until all that is in view is drawn."""
    page.wait_for_function(WHOLE)


class Fingers:
    """Points on a screen that is touched."""

    def __init__(self, session: CDPSession) -> None:
        self.session = session

    def say(self, kind: str, *points: tuple[float, float]) -> None:
        places: list[dict[str, Any]] = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def slide(self, start: tuple[float, float], end: tuple[float, float], moves: int = 6) -> None:
        """One finger."""
        self.say("touchStart", start)
        for part in range(1, moves + 1):
            self.say(
                "touchMove",
                (start[0] + (end[0] - start[0]) * part / moves, start[1] + (end[1] - start[1]) * part / moves),
            )
        self.say("touchEnd")

    def pinch(self, middle: tuple[float, float], before: float, after: float, moves: int = 8) -> None:
        """Two fingers, from so far apart to so far apart."""
        x, y = middle
        self.say("touchStart", (x - before / 2, y))
        self.say("touchStart", (x - before / 2, y), (x + before / 2, y))
        for part in range(1, moves + 1):
            apart = (before + (after - before) * part / moves) / 2
            self.say("touchMove", (x - apart, y), (x + apart, y))
        self.say("touchEnd")


@pytest.fixture
def touched(visitors: Visitors, staff: Staff, drawn: int) -> tuple[Page, Fingers]:
    """The journey on a telephone."""
    context = visitors.open(width=PHONE["width"], has_touch=True, is_mobile=True)
    visitors.sign_in(context, staff, "operator")
    page = context.new_page()
    EditorPage(page).open(drawn)
    return page, Fingers(context.new_cdp_session(page))


def test_fingers_pan_pinch_out_to_all_of_it_and_in_again(touched: tuple[Page, Fingers]) -> None:
    page, fingers = touched
    whole(page)
    x, y, zoom = look(page)
    fingers.slide((200, 650), (120, 560))
    assert look(page) == (pytest.approx(x - 80), pytest.approx(y - 90), zoom)

    fingers.pinch((195, 500), 300, 90)
    assert look(page)[2] < 0.4
    whole(page)
    fingers.slide((200, 650), (150, 600))
    whole(page)
    for _ in range(2):
        fingers.pinch((195, 500), 90, 300)
    assert look(page)[2] > 0.8
    whole(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"], (
        "the page itself is not zoomed"
    )
    assert page.evaluate("() => visualViewport.scale") == 1


def test_a_tapped_card_is_taken_along_by_a_finger(touched: tuple[Page, Fingers]) -> None:
    page, fingers = touched
    page.evaluate("() => { document.querySelector('#canvas').canvas.viewport.set({ x: 40, y: 160, zoom: 1 }); }")
    whole(page)
    box = page.locator(".card[data-id=n0] .title").bounding_box()
    assert box
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    place = "() => { const { x, y } = document.querySelector('#canvas').canvas.editor.rectOf('n0'); return [x, y]; }"
    fingers.slide(at, (at[0] + 48, at[1] + 48))
    assert page.evaluate(place) == [0, 0], "the first touch of a card pans"
    box = page.locator(".card[data-id=n0] .title").bounding_box()
    assert box
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.evaluate("() => document.querySelector('#canvas').canvas.editor.select(['n0'])")
    fingers.slide(at, (at[0] + 48, at[1] + 48))
    assert page.evaluate(place) != [0, 0]


@pytest.fixture
def huge(visit: Visit, drawn: int) -> EditorPage:
    """The journey on a screen of 3,840 by 2,160."""
    page = visit()
    page.set_viewport_size(HUGE)  # type: ignore[arg-type]  # two numbers
    return EditorPage(page).open(drawn)


def test_a_huge_screen_is_filled_from_afar_and_from_near(huge: EditorPage) -> None:
    page = huge.page
    assert page.evaluate("() => document.documentElement.scrollWidth") <= HUGE["width"]
    box = huge.canvas.bounding_box()
    assert box
    assert box["width"] > 3000
    assert box["height"] > 1900
    for zoom in (0.72, 0.2, 0.5, 1):
        page.evaluate(
            "(zoom) => { const at = document.querySelector('#canvas').canvas.viewport; at.zoomBy(zoom / at.zoom); }",
            zoom,
        )
        whole(page)
    expect(page.locator(".minimap")).to_be_visible()
    card = page.locator(".card:visible").first
    card.click()
    expect(huge.panel).to_be_visible()


def test_a_wheel_goes_through_the_border_of_afar_and_near_with_everything_there_in_the_end(
    visit: Visit, drawn: int
) -> None:
    page = EditorPage(visit()).open(drawn).page
    page.mouse.move(800, 500)
    before = look(page)
    page.mouse.wheel(40, 60)
    page.wait_for_function(f"(before) => ({LOOK})()[1] === before - 60", arg=before[1])
    page.keyboard.down("Control")
    for turn in (6, -6, 6, -12, 12):
        for _ in range(abs(turn)):
            page.mouse.wheel(0, 40 if turn > 0 else -40)
        whole(page)
    page.keyboard.up("Control")
    assert page.evaluate("() => visualViewport.scale") == 1
    assert page.evaluate("() => [scrollX, scrollY]") == [0, 0]


def test_a_card_held_at_the_edge_scrolls_the_view_and_cards_come_along(visit: Visit, drawn: int) -> None:
    page = EditorPage(visit()).open(drawn).page
    whole(page)
    before = look(page)
    box = page.locator(".card[data-id=n1] .title").bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(1000, 500, steps=4)
    page.mouse.move(1434, 500, steps=4)
    page.wait_for_function(f"(before) => ({LOOK})()[0] < before - 700", arg=before[0])
    page.mouse.move(1000, 500, steps=3)
    whole(page)
    assert page.evaluate("() => document.querySelector('#canvas').canvas.editor.rectOf('n1').x") > 1000
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.evaluate("() => document.querySelector('#canvas').canvas.editor.rectOf('n1').x") == 0
