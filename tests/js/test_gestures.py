"""The canvas alone in a real browser: every gesture of pointer and finger, and what it changes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.js.hands import READY, Canvas, Point


@pytest.fixture(scope="module")  # one for all, so that scripts are loaded but once
def window(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def canvas(window: BrowserContext, address: str) -> Iterator[Canvas]:
    (canvas := Canvas(window.new_page(), address)).open()
    yield canvas
    canvas.ask("localStorage.clear()")
    canvas.page.close()
    assert canvas.said == []


def test_a_click_selects_and_shift_adds(canvas: Canvas) -> None:
    canvas.page.mouse.click(*canvas.title("s8"))
    assert canvas.selected() == ["s8"]
    canvas.page.keyboard.down("Shift")
    canvas.page.mouse.click(*canvas.title("s9"))
    canvas.page.keyboard.up("Shift")
    assert canvas.selected() == ["s8", "s9"]
    canvas.page.mouse.click(900, 20)
    assert canvas.selected() == []


def test_steps_dragged_together_are_one_step_of_undo(canvas: Canvas) -> None:
    before = canvas.place("s8"), canvas.place("s9")
    canvas.ask("canvas.editor.select(['s8', 's9'])")
    x, y = canvas.title("s8")
    canvas.drag((x, y), (x + 64, y + 40))
    assert (canvas.place("s8"), canvas.place("s9")) != before
    moved = [
        [now - then for now, then in zip(canvas.place(step), was, strict=True)]
        for step, was in zip(("s8", "s9"), before, strict=True)
    ]
    assert moved[0] == moved[1]
    assert canvas.done() == "Move 2 steps"
    canvas.ask("canvas.editor.undo()")
    assert (canvas.place("s8"), canvas.place("s9")) == before


def test_escape_drops_what_is_being_dragged(canvas: Canvas) -> None:
    before = canvas.place("s8")
    x, y = canvas.title("s8")
    canvas.drag((x, y), (x + 90, y + 90), drop=False)
    assert canvas.place("s8") != before
    canvas.page.keyboard.press("Escape")
    canvas.page.mouse.up()
    assert canvas.place("s8") == before
    assert canvas.done() is None


def test_with_alt_a_card_goes_just_where_it_is_put(canvas: Canvas) -> None:
    before = canvas.place("s8")
    x, y = canvas.title("s8")
    canvas.page.keyboard.down("Alt")
    canvas.drag((x, y), (x + 3 * 0.8, y + 7 * 0.8))
    canvas.page.keyboard.up("Alt")
    assert canvas.place("s8") == [before[0] + 3, before[1] + 7]


def test_a_box_on_open_ground_selects_what_it_meets(canvas: Canvas) -> None:
    canvas.drag((20, 20), (560, 420))
    assert {"s0", "s1", "s2", "note:n1"} <= set(canvas.selected())


def test_middle_button_space_and_wheel_pan_and_ctrl_wheel_zooms_at_the_pointer(canvas: Canvas) -> None:
    look = "[canvas.viewport.x, canvas.viewport.y]"
    canvas.drag((900, 30), (960, 70), button="middle")
    assert canvas.ask(look) == [120, 200]
    canvas.ask("canvas.view.root.focus()")
    canvas.page.keyboard.down("Space")
    canvas.drag((900, 70), (840, 30))
    canvas.page.keyboard.up("Space")
    assert canvas.ask(look) == [60, 160]
    canvas.page.mouse.wheel(30, 50)
    canvas.page.wait_for_timeout(60)
    assert canvas.ask(look) == [30, 110]
    before = canvas.ask("canvas.viewport.toWorld(400, 300)")
    canvas.page.mouse.move(400, 300)
    canvas.page.keyboard.down("Control")
    for _ in range(3):
        canvas.page.mouse.wheel(0, -20)
    canvas.page.keyboard.up("Control")
    canvas.page.wait_for_timeout(60)
    after = canvas.ask("canvas.viewport.toWorld(400, 300)")
    assert canvas.ask("canvas.viewport.zoom") > 0.9
    assert after["x"] == pytest.approx(before["x"], abs=0.5)
    assert after["y"] == pytest.approx(before["y"], abs=0.5)


def test_a_wire_is_drawn_from_a_port_and_let_go_near_a_card(canvas: Canvas) -> None:
    step, port = canvas.open_port()
    canvas.drag(canvas.ring(step, port), canvas.title("s11"))
    assert canvas.ask(to := "([id, port]) => canvas.editor.flow.wireAt(id, port)?.to", [step, port]) == "s11"
    canvas.ask("canvas.editor.undo()")
    x, y = canvas.client("canvas.editor.inletOf('s11')")
    canvas.drag(canvas.ring(step, port), (x - 15, y + 6))
    assert canvas.ask(to, [step, port]) == "s11"


def test_a_wire_into_an_entry_is_refused_with_the_reason(canvas: Canvas) -> None:
    step, port = canvas.open_port()
    canvas.listen("toast")
    canvas.drag(canvas.ring(step, port), canvas.title("s0"))
    assert canvas.heard() == [["toast", "Nothing leads into an entry: journeys begin there."]]
    assert canvas.ask("canvas.editor.flow.wiresTo('s0').length") == 0
    assert "Nothing leads into an entry" in canvas.page.locator(".spoken").inner_text()


def test_a_wire_let_go_on_open_ground_asks_what_comes_next(canvas: Canvas) -> None:
    step, port = canvas.open_port()
    canvas.listen("quickadd")
    canvas.drag(canvas.ring(step, port), (720, 40))
    assert canvas.heard() == [["quickadd", step]]


def test_a_wire_is_felt_beside_its_line_but_not_through_a_card(canvas: Canvas) -> None:
    wire = "const [wire] = canvas.editor.flow.wiresFrom('s0'); const key = `${wire.from} ${wire.port}`;"
    key = canvas.ask(f"(() => {{ {wire} return key; }})()")
    x, y = canvas.client(f"(() => {{ {wire} return canvas.view.wires.wayOf(key)[0]; }})()")
    canvas.page.mouse.move(x + 15, y + 5)
    lit = canvas.page.locator(".wire.lit")
    assert lit.get_attribute("data-key") == key
    assert (
        canvas.ask("([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor", [x + 15, y + 5]) == "pointer"
    )
    canvas.page.mouse.click(x + 15, y + 5)
    assert canvas.selected() == [key]
    canvas.page.mouse.move(x + 15, y + 30)
    assert lit.count() == 0
    canvas.page.mouse.click(x - 40, y + 3)
    assert canvas.selected() == ["s0"]


def test_a_selected_wire_can_be_led_elsewhere_and_cut(canvas: Canvas) -> None:
    key = canvas.ask("canvas.editor.flow.wiresFrom('s0').map((wire) => `${wire.from} ${wire.port}`)[0]")
    canvas.ask("(key) => canvas.editor.select([key])", key)
    canvas.drag(canvas.middle(".wire-end"), canvas.title("s9"))
    assert canvas.ask("(key) => canvas.editor.flow.wires.get(key).to", key) == "s9"
    assert canvas.ask("canvas.editor.history.past.length") == 1
    canvas.page.locator(".wire-cut").click()
    assert not canvas.ask("(key) => canvas.editor.flow.wires.has(key)", key)


def test_a_selected_wire_can_be_made_to_begin_elsewhere(canvas: Canvas) -> None:
    key, to = canvas.ask(
        "(() => { const wire = canvas.editor.flow.wiresFrom('s0')[0]; return [`${wire.from} ${wire.port}`, wire.to]; })()"
    )
    canvas.ask("(key) => canvas.editor.select([key])", key)
    step, port = canvas.ask(
        """(to) => { const { editor, view } = canvas; for (const id of view.cards.mounted.keys())
          for (const port of editor.portsOf(id)) if (id !== to && id !== 's0' && !editor.flow.wireAt(id, port.name)
            && !editor.flow.reaches(to, id)) return [id, port.name]; }""",
        to,
    )
    canvas.page.wait_for_selector(".wire-start:not([hidden])")
    canvas.drag(canvas.middle(".wire-start"), canvas.ring(step, port))
    assert not canvas.ask("(key) => canvas.editor.flow.wires.has(key)", key)
    assert canvas.ask("([step, port]) => canvas.editor.flow.wireAt(step, port).to", [step, port]) == to
    assert canvas.done() == "Move connection"
    canvas.page.keyboard.press("Control+z")
    canvas.ask("canvas.editor.undo()")
    assert canvas.ask("(key) => canvas.editor.flow.wires.get(key).to", key) == to


def test_a_wire_cannot_be_made_to_begin_where_nothing_may(canvas: Canvas) -> None:
    wire = canvas.ask("canvas.editor.flow.wiresFrom('s0')[0]")
    canvas.ask("(wire) => canvas.editor.select([`${wire.from} ${wire.port}`])", wire)
    canvas.listen("toast")
    canvas.page.wait_for_selector(".wire-start:not([hidden])")
    canvas.drag(canvas.middle(".wire-start"), canvas.title(wire["to"]))
    assert canvas.heard() == [["toast", "A step cannot lead to itself."]]
    assert canvas.ask("canvas.editor.history.past.length") == 0


def test_a_note_is_written_in_place_and_its_text_stays_text(canvas: Canvas) -> None:
    canvas.page.mouse.dblclick(*canvas.middle(".sticky"))
    canvas.page.keyboard.type("<img src=x onerror=alert(1)>")
    canvas.page.mouse.click(900, 20)
    assert canvas.page.locator(".sticky .text").inner_text() == "<img src=x onerror=alert(1)>"
    assert canvas.page.locator(".sticky img").count() == 0
    assert canvas.done() == "Write note"


def test_a_note_moves_with_its_step_once_it_was_placed(canvas: Canvas) -> None:
    x, y = canvas.middle(".sticky .text")
    canvas.drag((x, y), (x + 40, y - 40))
    before = canvas.ask("canvas.editor.noteRect('n1')")
    x, y = canvas.title("s1")
    canvas.drag((x, y), (x, y + 200))
    assert canvas.ask("canvas.editor.noteRect('n1').y") - before["y"] > 150


def test_a_frame_is_dragged_by_its_title_with_all_its_steps(canvas: Canvas) -> None:
    before = canvas.place("s2"), canvas.place("s3")
    x, y = canvas.middle(".frame-title")
    canvas.drag((x, y), (x - 80, y + 64))
    assert canvas.place("s2")[0] - before[0][0] == canvas.place("s3")[0] - before[1][0] < 0
    assert canvas.done() == "Move 2 steps"
    canvas.page.mouse.dblclick(*canvas.middle(".frame-title"))
    canvas.page.keyboard.type("Second week")
    canvas.page.keyboard.press("Enter")
    assert canvas.ask("canvas.editor.flow.groups.get('g1').title") == "Second week"


def test_a_drag_at_the_edge_of_the_view_scrolls_it(canvas: Canvas) -> None:
    canvas.drag(canvas.title("s8"), (1432, 450), drop=False)
    canvas.page.wait_for_timeout(400)
    assert canvas.ask("canvas.viewport.x") < 0
    canvas.page.keyboard.press("Escape")
    canvas.page.mouse.up()


def test_from_afar_the_picture_can_be_clicked_dragged_and_entered(canvas: Canvas) -> None:
    canvas.open("size=300")
    canvas.ask("canvas.viewport.fit(canvas.editor.bounds(), { glide: false })")
    canvas.page.wait_for_timeout(100)
    assert canvas.page.locator(".card").count() == 0 or canvas.page.locator(".world").is_hidden()
    x, y = canvas.ask(
        "(() => { const { x, y } = canvas.viewport.toScreen(canvas.editor.rectOf('s50')); return [x + 15, y + 10]; })()"
    )
    before = canvas.place("s50")
    canvas.page.mouse.click(x, y)
    assert canvas.selected() == ["s50"]
    canvas.drag((x, y), (x + 30, y + 20))
    assert canvas.place("s50") != before
    canvas.page.mouse.dblclick(x + 30, y + 20)
    canvas.page.wait_for_timeout(200)
    assert canvas.ask("canvas.viewport.zoom") == 1
    assert canvas.page.locator(".card[data-id=s50]").is_visible()


def test_the_journey_opens_readable_on_its_entry_and_where_it_was_left(canvas: Canvas) -> None:
    canvas.page.goto(f"{canvas.address}/?size=300&journey=j1")
    canvas.page.wait_for_function(READY)
    assert canvas.ask("canvas.viewport.zoom") >= 0.72
    assert canvas.page.locator(".card[data-id=s0]").is_visible()
    canvas.look(-333, -222, 0.9)
    canvas.page.wait_for_timeout(400)
    canvas.page.reload()
    canvas.page.wait_for_function(READY)
    assert canvas.ask("[canvas.viewport.x, canvas.viewport.y, canvas.viewport.zoom]") == [-333, -222, 0.9]


def test_tidying_up_is_one_step_and_no_card_lies_upon_another(canvas: Canvas) -> None:
    canvas.ask("tidy({ ids: [...canvas.editor.flow.steps.keys()] })")
    assert canvas.done() == "Tidy up"
    overlaps = canvas.ask("figures.overlaps()")
    assert overlaps == 0
    canvas.ask("canvas.editor.undo()")
    assert canvas.done() is None


def test_a_journey_without_places_is_laid_out_and_that_is_no_change(canvas: Canvas) -> None:
    canvas.open("size=30&placed=no")
    assert len({tuple(canvas.place(f"s{number}")) for number in range(30)}) == 30
    assert canvas.done() is None


def test_a_page_that_only_reads_has_nothing_to_change_it_with(canvas: Canvas) -> None:
    canvas.open("size=50&mode=review")
    before = canvas.place("s8")
    canvas.drag(canvas.title("s8"), canvas.title("s12"))
    step, port = canvas.open_port()
    canvas.drag(canvas.ring(step, port), canvas.title("s11"))
    assert canvas.place("s8") == before
    assert canvas.ask("([id, port]) => canvas.editor.flow.wireAt(id, port) ?? null", [step, port]) is None
    assert canvas.page.locator(".grip, .wire-end, .wire-cut, .tools").count() == 0


def test_numbers_are_written_into_cards_and_a_click_on_one_asks_who_they_are(canvas: Canvas) -> None:
    canvas.open("size=50&mode=live")
    canvas.listen("count")
    canvas.ask(
        "canvas.view.setCounters({ nodes: { s1: { waiting: 12 } }, ports: { 's1 next': 1, 's2 delivered': 15300 } })"
    )
    row = canvas.page.locator(".card[data-id=s2] .port").first
    if row.get_attribute("data-port") == "delivered":
        assert row.locator(".count").inner_text() == "15.3K"
    canvas.page.locator(".card[data-id=s1] .here").click()
    assert canvas.heard() == [["count", "s1"]]


def test_a_finger_pans_two_pinch_and_a_tapped_card_can_be_dragged(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    canvas = Canvas(context.new_page(), address)
    canvas.open()
    session = context.new_cdp_session(canvas.page)

    def touch(kind: str, *points: Point) -> None:
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def slide(start: Point, by: Point) -> None:
        touch("touchStart", start)
        for part in range(1, 6):
            touch("touchMove", (start[0] + by[0] * part / 5, start[1] + by[1] * part / 5))
            canvas.page.wait_for_timeout(12)
        touch("touchEnd")

    slide((60, 700), (-20, -50))
    assert canvas.ask("[canvas.viewport.x, canvas.viewport.y]") == [40, 110]
    touch("touchStart", (150, 600))
    touch("touchStart", (150, 600), (250, 600))
    for part in range(1, 6):
        touch("touchMove", (150 - 8 * part, 600), (250 + 8 * part, 600))
    touch("touchEnd")
    assert canvas.ask("canvas.viewport.zoom") > 1.2
    canvas.look(60, 160, 0.8)
    slide(canvas.title("s0"), (30, 30))
    assert canvas.place("s0") == [0, 0]
    canvas.look(60, 160, 0.8)
    canvas.page.touchscreen.tap(*canvas.title("s0"))
    assert canvas.selected() == ["s0"]
    slide(canvas.title("s0"), (30, 30))
    assert canvas.done() == "Move step"
    context.close()
