"""Every word of the interface is there in every language, and nothing is translated that nobody says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.language import LANGUAGES, LOCALE, catalogues, choose, words
from tests.conftest import ROOT

# Words that come from data: roles, scenes and the like stand in tables that are marked where they are written.
MARKER = re.compile(r"^from flows\.words import .*\b_\b", re.MULTILINE)


def said() -> Iterator[str]:
    """Every text that a page shows, as it stands in the code."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from _marked("jinja2.ext:babel_extract", path)
    for room in ("app", "flows", "nodes"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if MARKER.search(path.read_text(encoding="utf-8")):
                yield from _marked("python", path)
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        yield from _marked("javascript", path)


def _marked(method: str, path: Path) -> Iterator[str]:
    options = {"trim_blocks": "true", "silent": "false"} if path.suffix == ".html" else {}
    for _, text, _, _ in extract_from_file(method, path, options=options):
        yield text if isinstance(text, str) else text[0]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    known: dict[str, str | tuple[str, ...]] = {}
    for path in catalogues(language):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    key = message.id if isinstance(message.id, str) else message.id[0]
                    assert known.setdefault(key, message.string) == message.string, f"{key}: two translations"
    spoken = set(said())
    assert sorted(spoken - known.keys()) == []
    assert sorted(known.keys() - spoken) == []
    assert [text for text, translated in known.items() if not translated] == []


def test_a_catalogue_is_used_without_being_compiled_to_disk() -> None:
    assert words("zh").gettext("Journeys") == "旅程"
    assert words("en").gettext("Journeys") == "Journeys"
    assert not list(LOCALE.rglob("*.mo"))


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "language"),
    [
        (None, None, "", "en"),
        (None, None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "de-DE,de;q=0.9,en;q=0.4,zh;q=0.5", "zh"),
        (None, None, "fr", "en"),
        (None, None, "zh;q=0", "en"),
        (None, None, ";;,,zh;q=nonsense," * 1000, "en"),
        ("en", "zh", "zh", "en"),
        ("klingon", "zh", "en", "zh"),
        ("klingon", "elvish", "en", "en"),
    ],
)
def test_the_language_is_what_was_asked_for_else_what_the_browser_likes_best(
    asked: str | None, kept: str | None, accepted: str, language: str
) -> None:
    assert choose(asked, kept, accepted) == language
