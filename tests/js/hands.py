"""The canvas alone in a page, with a made-up journey, and the hands to use it. Judged by the tests beside it, never here."""

from typing import Any

from playwright.sync_api import Page

Point = tuple[float, float]
READY = "() => Boolean(globalThis.canvas?.viewport)"  # before, `canvas` is the element of this id


class Canvas:
    """A page with a made-up journey, and the hands to use it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def open(self, query: str = "size=50") -> None:
        self.page.goto(f"{self.address}/?{query}")
        self.page.wait_for_function(READY)
        self.look(60, 160, 0.8)

    def look(self, x: float, y: float, zoom: float) -> None:
        self.page.evaluate(
            "([x, y, zoom]) => { canvas.viewport.set({ x, y, zoom }); canvas.view.flush(); }", [x, y, zoom]
        )
        self.page.wait_for_timeout(120)

    def ask(self, code: str, value: Any = None) -> Any:
        return self.page.evaluate(code, value)

    def middle(self, selector: str) -> Point:
        box = self.page.locator(selector).first.bounding_box()
        assert box, selector
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def client(self, world: str) -> Point:
        """Where a point of the world, said in a line of script, is in the browser's window."""
        x, y = self.ask(
            "(code) => { const at = canvas.viewport.toScreen(eval(code)); "
            "return [at.x + canvas.viewport.left, at.y + canvas.viewport.top]; }", world
        )  # fmt: skip
        return x, y

    def title(self, step: str) -> Point:
        return self.middle(f".card[data-id={step}] .title")

    def drag(self, start: Point, end: Point, button: Any = "left", drop: bool = True) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down(button=button)
        for part in range(1, 9):
            self.page.mouse.move(start[0] + (end[0] - start[0]) * part / 8, start[1] + (end[1] - start[1]) * part / 8)
            self.page.wait_for_timeout(8)
        if drop:
            self.page.mouse.up(button=button)
            self.page.wait_for_timeout(40)

    def place(self, step: str) -> Any:
        return self.ask("(id) => { const { x, y } = canvas.editor.rectOf(id); return [x, y]; }", step)

    def selected(self) -> list[str]:
        return list(self.ask("[...canvas.editor.selection]"))

    def done(self) -> Any:
        return self.ask("canvas.editor.history.undoLabel")

    def open_port(self) -> tuple[str, str]:
        """A port in view that leads nowhere."""
        found = self.ask("""() => { const { editor, view } = canvas; for (const id of view.cards.mounted.keys())
          for (const port of editor.portsOf(id)) if (!editor.flow.wireAt(id, port.name)) return [id, port.name]; }""")
        return found[0], found[1]

    def ring(self, step: str, port: str) -> Point:
        return self.middle(f".card[data-id={step}] [data-port='{port}'] .ring")

    def listen(self, *events: str) -> None:
        self.ask(
            """(names) => { window.heard = []; for (const name of names)
          canvas.editor.on(name, (detail) => heard.push([name, detail.text ?? detail.from ?? detail.id ?? null])); }""",
            list(events),
        )

    def heard(self) -> list[list[str]]:
        return list(self.ask("heard"))
