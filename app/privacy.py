"""What a workspace asks its contacts about, and which of their attributes are personal. Pure; never a contact's own word."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MARKETING = "marketing"
MASK = "•••"
KEPT_LETTERS = 1
SHORT = 3  # letters of which the first would give too much away


class Purpose(NamedTuple):
    """Something people may want or not, such as a newsletter; `title` is what they read."""

    name: str
    title: str


class Privacy(NamedTuple):
    """A workspace's choice. `text` stands on the preference page; `text_version` is what the workspace calls it."""

    purposes: tuple[Purpose, ...] = ()
    personal: frozenset[str] = frozenset()
    text: str = ""
    text_version: str = ""


def load(raw: Mapping[str, Any]) -> Privacy:
    """The choice as it was saved."""
    purposes = tuple(Purpose(one["name"], one["title"]) for one in raw.get("purposes", ()))
    return Privacy(purposes, frozenset(raw.get("personal", ())), raw.get("text", ""), raw.get("text_version", ""))


def shown_version(*shown: str) -> str:
    """The name of a text as it was shown: the same words, the same name."""
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:12]


def masked(value: object) -> str:
    """A value nobody can read, and people can still tell from an empty one."""
    text = str(value)
    if "@" in text:
        name, _, host = text.partition("@")
        return f"{name[:KEPT_LETTERS]}{MASK}@{host[:KEPT_LETTERS]}{MASK}"
    return f"{text[:KEPT_LETTERS]}{MASK}" if len(text) > SHORT else MASK


class Glasses(NamedTuple):
    """Through which somebody looks at people: `hidden` names are masked; admins and operators see all."""

    hidden: frozenset[str] = frozenset()

    def attributes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes, or properties of an event, the hidden ones masked, however deep they lie."""
        if not self.hidden:
            return dict(given)
        return {name: masked(value) if name in self.hidden else self._inside(value) for name, value in given.items()}

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.attributes(value)
        return [self._inside(one) for one in value] if isinstance(value, list) else value

    def identities(self, given: Iterable[Sequence[str]]) -> list[list[str]]:
        """Names, the hidden kinds masked."""
        return [[kind, masked(value) if kind in self.hidden else value] for kind, value in given]

    def name(self, name: str | None) -> str | None:
        """What a contact is called."""
        return masked(name) if name and "name" in self.hidden else name

    def identity(self, identity: Sequence[str] | None) -> Sequence[str] | None:
        """One name with its kind."""
        return self.identities([identity])[0] if identity else identity

    def address(self, address: str | None) -> str | None:
        """Where a message went, whatever kind of address it is."""
        return masked(address) if address and self.hidden else address

    def words(self, text: str | None) -> str | None:
        """Words written for one person: anything of them may stand in it."""
        return MASK if text and self.hidden else text


# What people reply to a text message, in the words of the trade; letters as carriers in China have them (T, TD).
STOP = frozenset(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "td", "t", "n")) | frozenset(
    ("退订", "退訂", "退", "拒收", "取消订阅", "取消訂閱", "停止")
)
START = frozenset(("start", "unstop", "subscribe", "resume", "恢复", "恢復", "订阅", "訂閱", "重新订阅", "重新訂閱"))
FILL = re.compile(r"[\s.,;:!?'\"。，；：！？“”、()（）【】\[\]-]+")


def keyword(text: str) -> bool | None:
    """What a short reply asks for: True to get messages again, False to get none, None for anything else."""
    word = FILL.sub("", text).casefold()
    return False if word in STOP else True if word in START else None
