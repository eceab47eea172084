"""Text that people read: the marker by which gettext finds it, the language it is said in, a line cut to fit.

Holds no catalogue: whoever answers a person brings one (`speaking`). Without it everything is English.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

SUMMARY_AT_MOST = 60
Language = Literal["en", "zh"]


class Speech(NamedTuple):
    """A language, and what turns an English text into it."""

    language: Language
    translate: Callable[[str], str]


_ENGLISH = Speech("en", str)
_speech: ContextVar[Speech] = ContextVar("speech", default=_ENGLISH)


def _(text: str) -> str:
    """Mark a title, a help text or a sentence for extraction; the text itself is the key."""
    return text


@contextmanager
def speaking(language: Language, translate: Callable[[str], str]) -> Iterator[None]:
    """What is said inside is said in this language; a text that the catalogue lacks (a plugin's) stays as it is."""
    token = _speech.set(Speech(language, translate))
    try:
        yield
    finally:
        _speech.reset(token)


def spoken() -> Language:
    """The language that is spoken at this moment."""
    return _speech.get().language


def say(template: str, /, **values: Any) -> str:
    """A marked text in the language spoken, its `{places}` filled in: `say(_("Wait {time}"), time="1 day")`.

    What is filled in is never read as a template itself.
    """
    said = _speech.get().translate(template) if template else ""
    return said.format_map(values) if values else said


class Told(str):
    """A sentence in English that can be said again in another language: its marked text, and what fills that in."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]


def told(template: str, /, **values: Any) -> Told:
    """A marked text as an error carries it: English for programs and logs, `again` for whoever reads the page.

    What is filled in may be told itself: `told(_("It is {state}."), state=told("live"))`.
    """
    sentence = Told(template.format_map(values) if values else template)
    sentence.template, sentence.values = template, values
    return sentence


def again(sentence: str) -> str:
    """A sentence in the language spoken; one that is no marked text stays as it is."""
    if not isinstance(sentence, Told):
        return _speech.get().translate(sentence) if sentence else ""
    filled = {name: again(one) if isinstance(one, Told) else one for name, one in sentence.values.items()}
    return say(sentence.template, **filled)


def clip(text: str, length: int = SUMMARY_AT_MOST) -> str:
    """The text on one line, at most so long; what is cut off shows as an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
