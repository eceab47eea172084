"""What a browser sent: names and texts, the button that was pressed, and what in it cannot be read. Knows no shapes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

FIELDS_AT_MOST = 20_000
VERBS = frozenset({"add", "group", "remove", "up", "down", "equal"})

Inputs = dict[str, str]


class Deed(NamedTuple):
    """A button of the form that changes it: what to do, to which field."""

    verb: str = ""
    name: str = ""


class Posted:
    """The fields of a form as texts. Of a name that came twice (a box and the hidden field before it) the last counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._texts: dict[str, str] = {name: text.replace("\r\n", "\n") for name, text in pairs}
        verb, _, name = self._texts.get("do", "").partition(" ")
        self.deed = Deed(verb, name) if verb in VERBS else Deed()
        self.complaints: dict[str, str] = {}
        self.typed: dict[str, Inputs] = {}

    @classmethod
    def parse(cls, body: bytes) -> "Posted":
        """Read a form as browsers send it; ValueError where it has too many fields."""
        text = body.decode("utf-8", "replace")
        return cls(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_AT_MOST))

    def text(self, name: str) -> str | None:
        """What was typed into a field; None where the form did not have it."""
        return self._texts.get(name)

    def inputs(self, name: str, suffixes: Iterable[str]) -> Inputs | None:
        """What was typed into the inputs of one field; None where the form had none of them."""
        found = {suffix: self._texts[name + suffix] for suffix in suffixes if name + suffix in self._texts}
        return found or None

    def below(self, start: str) -> dict[str, str]:
        """All that was typed into fields whose names start like this."""
        return {name: text for name, text in self._texts.items() if name.startswith(start)}

    def count(self, name: str) -> int:
        """How many rows or parts the form had below a name."""
        text = self._texts.get(f"{name}#", "")
        return min(int(text), FIELDS_AT_MOST) if text.isascii() and text.isdigit() and len(text) < 6 else 0

    def complain(self, name: str, inputs: Mapping[str, str], text: str) -> None:
        """Say what cannot be read in a field, and keep what was typed for showing it again."""
        self.complaints[name] = text
        self.typed[name] = dict(inputs)
