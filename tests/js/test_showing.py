"""What stands in the page while the view moves: nothing is torn by the change from afar to near, and nothing stays for good."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser

from tests.js.hands import Canvas

# Cards that meet the view, and those of them that stand in the page and can be seen.
IN_VIEW = """() => {
  const { editor, view } = canvas;
  const seen = [...view.places.meeting(view.viewport.visible())];
  const drawn = seen.filter((id) => view.cards.mounted.get(id)?.element.checkVisibility({ contentVisibilityAuto: true }));
  return [seen.length, drawn.length];
}"""
PICTURE = "document.querySelector('canvas.overview').checkVisibility()"
WIRES = "getComputedStyle(document.querySelector('.wires')).opacity"
FRAMES = """async ([x, y, zoom]) => {
  const told = [];
  canvas.viewport.set({ x, y, zoom });
  for (let frame = 0; frame < 40; frame += 1) {
    await new Promise(requestAnimationFrame);
    const { view } = canvas;
    const seen = [...view.places.meeting(view.viewport.visible())];
    const missing = seen.filter((id) => !view.cards.mounted.has(id)).length;
    told.push([view.cards.mounted.size, missing, document.querySelector("canvas.overview").checkVisibility()]);
  }
  return told;
}"""


@pytest.fixture
def canvas(browser: Browser, address: str) -> Iterator[Canvas]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    made = Canvas(page, address)
    made.open("size=300")
    yield made
    assert made.said == []
    page.close()


def test_coming_near_cards_are_made_a_few_a_frame_and_the_picture_stays_until_all_are_there(canvas: Canvas) -> None:
    canvas.look(0, 0, 0.2)
    canvas.page.wait_for_function("() => canvas.view.cards.mounted.size === 0")
    told = canvas.ask(FRAMES, [-300, -300, 0.5])
    grown = [after[0] - before[0] for before, after in pairwise(told)]
    assert 0 < max(grown) <= 24, "at once would be one long frame"
    assert all(picture for _, missing, picture in told if missing), "never bare ground where a card is missing"
    assert told[-1][1:] == [0, False]
    seen, drawn = canvas.ask(IN_VIEW)
    assert seen == drawn > 60
    assert canvas.ask(WIRES) == "1"


def test_opening_and_a_jump_show_everything_at_once(canvas: Canvas) -> None:
    assert canvas.ask(PICTURE) is False
    canvas.ask("canvas.viewport.set({ x: -2000, y: -600, zoom: 0.6 }); canvas.view.flush()")
    seen, drawn = canvas.ask(IN_VIEW)
    assert seen == drawn > 20


def test_nothing_is_taken_away_while_the_view_moves_and_all_of_it_when_it_rests(canvas: Canvas) -> None:
    canvas.look(-300, -300, 0.5)
    before = canvas.ask("canvas.view.cards.mounted.size")
    canvas.ask("canvas.viewport.zoomBy(4); canvas.view.flush()")
    assert canvas.ask("canvas.view.cards.mounted.size") >= before
    canvas.page.wait_for_function("(most) => canvas.view.cards.mounted.size < most", arg=before / 2)


def test_a_card_with_the_focus_stays_in_the_page_however_far_the_view_goes(canvas: Canvas) -> None:
    canvas.ask("canvas.editor.reveal('s8')")
    canvas.ask("canvas.viewport.panBy(-40000, 0)")  # where nothing else is, however far the view had come by then
    canvas.page.wait_for_function("() => canvas.view.cards.mounted.size === 1")
    canvas.page.wait_for_timeout(400)
    assert canvas.ask("document.activeElement.dataset.id") == "s8"


def test_at_the_border_of_afar_and_near_the_view_does_not_flicker(canvas: Canvas) -> None:
    def afar(zoom: float) -> bool:
        canvas.look(0, 0, zoom)
        return bool(canvas.ask("canvas.view.isOverview()"))

    assert [afar(zoom) for zoom in (0.46, 0.44, 0.46, 0.47, 0.49, 0.46)] == [False, True, True, True, False, False]


def test_a_pan_writes_nothing_but_places(canvas: Canvas) -> None:
    canvas.look(-300, -300, 0.3)
    canvas.ask(
        "() => { window.told = []; new MutationObserver((list) => told.push(...list.map((one) =>"
        " `${one.type} ${one.target.className} ${one.attributeName}`))).observe(document.body,"
        " { subtree: true, childList: true, attributes: true, characterData: true }); }"
    )
    for _ in range(5):
        canvas.ask("() => { canvas.viewport.panBy(7.3, 3.1); canvas.view.flush(); }")
    assert set(canvas.ask("told")) == {"attributes overview style", "attributes seen style"}
    moved = canvas.ask("document.querySelector('canvas.overview').style.transform")
    assert "." not in moved, f"between two pixels it would be drawn many times slower: {moved}"


def test_the_small_map_shows_where_the_view_is(canvas: Canvas) -> None:
    def box() -> tuple[float, float, float]:
        found = canvas.page.locator(".minimap .seen").bounding_box()
        assert found
        return found["x"], found["y"], found["width"]

    canvas.look(0, 0, 1)
    x, y, width = box()
    canvas.look(-1500, -800, 1)
    right, down, same = box()
    assert right > x
    assert down > y
    assert same == width
    canvas.look(-1500, -800, 0.5)
    assert box()[2] == pytest.approx(2 * width, abs=2)
    canvas.page.locator(".minimap").click(position={"x": 20, "y": 60})
    canvas.page.wait_for_timeout(60)
    assert box()[0] < x + 40


def test_a_wire_is_felt_beside_its_line_but_not_through_a_card(canvas: Canvas) -> None:
    canvas.look(60, 160, 0.8)
    step, port = (
        canvas.ask("""(() => { const { view, viewport } = canvas; return [...view.wires.layer.mounted.keys()].find((key) => {
      const { x, y } = viewport.toScreen(view.wires.wayOf(key)[0]);
      return x > 300 && x < 900 && y > 200 && y < 600; }); })()""").split(" ")
    )
    x, y = canvas.ring(step, port)
    beside = [x + 15, y + 5]
    canvas.page.mouse.move(*beside)
    lit = canvas.page.locator(".wire.lit")
    assert lit.get_attribute("data-key") == f"{step} {port}"
    assert canvas.ask("([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor", beside) == "pointer"
    canvas.page.mouse.click(*beside)
    assert canvas.selected() == [f"{step} {port}"]
    canvas.page.mouse.move(x + 15, y + 30)
    assert lit.count() == 0
    canvas.page.mouse.click(x - 40, y + 3)
    assert canvas.selected() == [step]
