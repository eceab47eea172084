"""How long a text message is for a phone network: GSM-7 or UCS-2, and how many parts it is sent in. Pure."""

from typing import Literal, NamedTuple

# GSM 03.38, the basic alphabet; what stands in EXTENDED takes two places.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
GSM_ALONE, GSM_PART = 160, 153
UCS_ALONE, UCS_PART = 70, 67


class Length(NamedTuple):
    """`units` are septets or 16-bit units; `left` of them are free in the last part."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int
    left: int


def measure(text: str) -> Length:
    """The length of a text message. A character that takes two places is never torn over two parts."""
    if all(letter in BASIC or letter in EXTENDED for letter in text):
        return _measured("GSM-7", [2 if letter in EXTENDED else 1 for letter in text], GSM_ALONE, GSM_PART)
    return _measured("UCS-2", [2 if ord(letter) > 0xFFFF else 1 for letter in text], UCS_ALONE, UCS_PART)


def _measured(encoding: Literal["GSM-7", "UCS-2"], widths: list[int], alone: int, part: int) -> Length:
    units = sum(widths)
    if units <= alone:
        return Length(encoding, units, 1 if units else 0, alone - units)
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return Length(encoding, units, parts, part - used)
