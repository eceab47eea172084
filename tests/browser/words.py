"""What is left in English on a Chinese page: texts and labels with Latin words that are neither data nor names.

A heuristic: it reads what a reader can see or a screen reader says, and takes away everything that stands in the tables.
"""

import re
from collections.abc import Iterable

from playwright.sync_api import Page

LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{2,}")
CUT = "…"
# Names, units and formats that are the same in every language.
NAMES = re.compile(
    r"Journey Canvas|English|\bAPI\b|\bJSON\b|\bYAML\b|\bCSV\b|\bHTTPS?\b|\bSMS\b|\bURL\b|\bPNG\b|\bSVG\b|\bUTC\b|\bCRM\b"
    r"|\bCtrl\b|\bShift\b|\bAlt\b|\bEsc\b|\bEnter\b|\bTab\b|\bDelete\b|\bCmd\b|Webhook|Liquid|Asia/\w+|Europe/\w+|America/\w+"
    r"|\bISO 8601\b|\w+@[\w.]+|https?://\S*|\bcron\b|\bGET\b|\bPOST\b"
    r"|Segment|\bSDK\b|\bcurl\b|PostgreSQL|Valkey|Redis|`[^`]*`|journey user \w+|\bDemo\b"
    r"|\bChrome\b|\bLinux\b|“country”"
)


def left_in_english(page: Page, said: Iterable[str]) -> list[str]:
    """The texts of a page that nobody translated; `said` are the texts that are data, longest first."""
    said = tuple(said)
    lines = {line.strip() for text in page.evaluate("() => __probes.texts()") for line in text.splitlines()}
    suspects = sorted(text for text in lines if LATIN.search(NAMES.sub(" ", text)))
    return [text for text in suspects if LATIN.search(NAMES.sub(" ", _without_data(text, said)))]


def _without_data(text: str, said: tuple[str, ...]) -> str:
    # A text that was cut short is data if what is left of it begins one.
    if text.endswith(CUT) and any(text[:-1].rstrip() in known for known in said):
        return ""
    for known in said:
        if known in text:
            text = text.replace(known, " ")
            if not LATIN.search(text):
                break
    return text
