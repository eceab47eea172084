"""Links in messages: what is clicked, opened or unsubscribed comes back to us under a token that only we can make.

A token names ids and a purpose and carries a signature, never an address: where a click leads is looked up, so a forged
or changed token leads nowhere (T04, T22). Never writes; the `link` table is in `store/links`.
"""

import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from html import escape, unescape
from typing import Literal, NamedTuple

from app.keys import derived

Purpose = Literal["click", "open", "unsubscribe", "inapp", "resubscribe"]
SIGNATURE_BYTES = 16
SHAPE = struct.Struct(">IQQ")
LONGEST_TOKEN = 64
LONGEST_LINK = 2048

HREF = re.compile(r"""(\bhref\s*=\s*)(["'])(https?://[^"'<>\s]{1,4000})\2""", re.IGNORECASE)
PLAIN = re.compile(r"https?://[^\s<>\"'，。；！？）】》]{1,2000}", re.IGNORECASE)
TAIL = ".,;:!?)]}"


class Token(NamedTuple):
    """What a token says: whose message, and which of its links (for `unsubscribe`: which contact)."""

    workspace_id: int
    message_id: int
    target: int


class Tokens:
    """Makes and reads tokens under the program's secret."""

    def __init__(self, secret: bytes) -> None:
        purposes: tuple[Purpose, ...] = ("click", "open", "unsubscribe", "inapp", "resubscribe")
        self._keys = {purpose: derived(secret, f"token/{purpose}") for purpose in purposes}

    def make(self, purpose: Purpose, workspace_id: int, message_id: int, target: int = 0) -> str:
        """48 characters that fit into an address."""
        body = SHAPE.pack(workspace_id, message_id, target)
        return urlsafe_b64encode(body + self._sign(purpose, body)).decode().rstrip("=")

    def read(self, purpose: Purpose, text: str) -> Token | None:
        """What the token says, or None where it is not ours, not whole, or was made for something else."""
        if not text.isascii() or len(text) > LONGEST_TOKEN:
            return None
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        body, signature = raw[: SHAPE.size], raw[SHAPE.size :]
        if len(body) != SHAPE.size or not hmac.compare_digest(signature, self._sign(purpose, body)):
            return None
        # Only the one spelling we made: base64 readers overlook stray characters and spare bits.
        if urlsafe_b64encode(raw).decode().rstrip("=") != text:
            return None
        return Token._make(SHAPE.unpack(body))

    def _sign(self, purpose: Purpose, body: bytes) -> bytes:
        return hmac.new(self._keys[purpose], body, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def in_html(html: str) -> list[str]:
    """The addresses that a click in this mail may lead to, as they would be opened."""
    return [address for match in HREF.finditer(html) if can_lead(address := unescape(match[3]))]


def in_text(text: str) -> list[str]:
    """The addresses standing in plain text, without the punctuation that closes a sentence."""
    return [address for match in PLAIN.finditer(text) if can_lead(address := match[0].rstrip(TAIL))]


def rewrite_html(html: str, through: Callable[[str], str | None]) -> str:
    """The mail with each address replaced by what `through` says; None leaves it."""

    def replaced(match: re.Match[str]) -> str:
        tracked = through(unescape(match[3]))
        return match[0] if tracked is None else f"{match[1]}{match[2]}{escape(tracked)}{match[2]}"

    return HREF.sub(replaced, html)


def rewrite_text(text: str, through: Callable[[str], str | None]) -> str:
    """The same for plain text."""

    def replaced(match: re.Match[str]) -> str:
        address = match[0].rstrip(TAIL)
        tracked = through(address)
        return match[0] if tracked is None else tracked + match[0][len(address) :]

    return PLAIN.sub(replaced, text)


def with_pixel(html: str, address: str) -> str:
    """The mail with the open pixel as its last element."""
    pixel = f'<img src="{escape(address)}" width="1" height="1" alt="" style="display:block;border:0">'
    end = html.lower().rfind("</body>")
    return f"{html}{pixel}" if end < 0 else f"{html[:end]}{pixel}{html[end:]}"


def can_lead(address: str) -> bool:
    """Whether a redirect may ever go there: http or https, and nothing that could end a header."""
    return (
        address.lower().startswith(("https://", "http://")) and address.isprintable() and len(address) <= LONGEST_LINK
    )
