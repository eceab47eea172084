"""Which language a page speaks, and its words: gettext catalogues, compiled when first needed. Never operators' own text.

English is what the code says; a catalogue is a `.po` file under `app/locale`. Nothing compiled is written to disk.
"""

import re
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
# What a page may be asked for, and what it calls itself.
LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
LOCALES: Mapping[str, str] = {"en": "en", "zh": "zh_Hans_CN"}
TAGS: Mapping[str, str] = {"en": "en", "zh": "zh-Hans"}
COOKIE = "journey_language"
PART = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,30})?\s*(?:;\s*q\s*=\s*([01](?:\.\d{1,3})?))?\s*")
HEADER_AT_MOST = 500


def choose(asked: str | None, kept: str | None, accepted: str) -> str:
    """The language: what the address asks for, else what was asked for before, else what the browser likes best."""
    for wish in (asked, kept):
        if wish is not None and wish in LANGUAGES:
            return wish
    best, weight = "en", 0.0
    for part in accepted[:HEADER_AT_MOST].split(","):
        match = PART.fullmatch(part)
        if match and match[1].lower() in LANGUAGES and float(match[2] or 1) > weight:
            best, weight = match[1].lower(), float(match[2] or 1)
    return best


def catalogues(language: str) -> list[Path]:
    """The files that hold a language's words: one for each room of the house."""
    return sorted((LOCALE / LOCALES[language] / "LC_MESSAGES").glob("*.po"))


@cache
def words(language: str) -> NullTranslations:
    """The words of a language; English needs none."""
    if not (paths := catalogues(language)):
        return NullTranslations()
    # Here, not above: commands that show no page need not wait for it.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    whole = NullTranslations()
    for path in paths:
        compiled = BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=LOCALES[language], domain=path.stem))
        compiled.seek(0)
        read = GNUTranslations(compiled)
        if isinstance(whole, GNUTranslations):
            whole._catalog.update(read._catalog)  # type: ignore[attr-defined]  # gettext offers no way to join two
        else:
            whole = read
    return whole
