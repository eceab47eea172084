"""A browser of paper: reads the form a page holds, as a browser would send it. Knows no node and no kind of field."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Sheet(HTMLParser):
    """The successful controls of the page's forms, in order, and the text of each element with a class."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._select: str | None = None
        self._chosen: str | None = None
        self._first: str | None = None
        self._option: tuple[dict[str, str | None], str] | None = None
        self._area: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        name = given.get("name")
        if tag == "input" and name and "disabled" not in given:
            kind = given.get("type", "text")
            if kind not in ("checkbox", "radio", "submit", "button") or (
                kind in ("checkbox", "radio") and "checked" in given
            ):
                self.pairs.append((name, given.get("value") or ("on" if kind == "checkbox" else "")))
        elif tag == "select" and name:
            self._select, self._chosen, self._first = name, None, None
        elif tag == "option" and self._select:
            self._close_option()
            self._option = (given, "")
        elif tag == "textarea" and name:
            self._area = (name, "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._option is not None:
            self._option = (self._option[0], self._option[1] + data)
        if self._area is not None:
            self._area = (self._area[0], self._area[1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "option":
            self._close_option()
        elif tag == "select" and self._select:
            self._close_option()
            value = self._chosen if self._chosen is not None else self._first
            if value is not None:
                self.pairs.append((self._select, value))
            self._select = None
        elif tag == "textarea" and self._area is not None:
            name, text = self._area
            # The first line break after the tag is none, and every other is sent as two characters.
            self.pairs.append((name, text.removeprefix("\n").replace("\n", "\r\n")))
            self._area = None

    def _close_option(self) -> None:
        if self._option is None:
            return
        given, text = self._option
        value = given["value"] if "value" in given else text.strip()
        self._first = (value or "") if self._first is None else self._first
        if "selected" in given:
            self._chosen = value or ""
        self._option = None

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def wrong(self) -> list[str]:
        """The names of the fields that are marked as wrong."""
        return [str(given.get("name")) for _tag, given in self.tags if given.get("aria-invalid") == "true"]


def sheet(html: str) -> Sheet:
    """The page as a browser sees it."""
    made = Sheet()
    made.feed(html)
    made.close()
    return made
