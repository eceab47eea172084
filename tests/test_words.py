"""Every word of the interface is there in every language, and nothing is translated that nobody says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.language import DOMAIN, LANGUAGES, LOCALE, LOCALES, choose, words
from nodes import catalog
from tests.conftest import ROOT

# What only programs' authors read stays English.
SPOKEN = ("app/web/pages.py",)


def said() -> Iterator[str]:
    """Every text that a page shows, as it stands in the code."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from _marked("jinja2.ext:babel_extract", path)
    for name in SPOKEN:
        yield from _marked("python", ROOT / name)
    yield from (node.title for node in catalog(plugins=False).values())


def _marked(method: str, path: Path) -> Iterator[str]:
    options = {"trim_blocks": "true", "silent": "false"} if path.suffix == ".html" else {}
    for _, text, _, _ in extract_from_file(method, path, options=options):
        yield text if isinstance(text, str) else text[0]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    with (LOCALE / LOCALES[language] / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        known = {
            message.id if isinstance(message.id, str) else message.id[0]: message.string
            for message in read_po(file, locale=LOCALES[language])
            if message.id
        }
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
