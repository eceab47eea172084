"""Composes one mail: headers nobody can break out of, a text and an HTML part, a way out (RFC 8058).

Never sends, never looks at a clock: the same message composed twice is the same bytes, so a repeat is recognisable.
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

from pydantic import Field, SecretStr, model_validator

from flows.contract import NodeSettings, Outgoing

POLICY = SMTP.clone(cte_type="7bit")  # not every relay takes 8-bit lines
LONGEST_ADDRESS = 254
LONGEST_HEADER = 998


class Unsendable(ValueError):
    """This mail must not go out; the text says why in the operator's words."""


class Account(NodeSettings):
    """A mail provider or relay, spoken to by SMTP."""

    host: str = Field(title="Server", min_length=1, max_length=253)
    port: int = Field(587, title="Port", ge=1, le=65535)
    tls: str = Field("starttls", title="Encryption", pattern="^(starttls|tls|none)$")
    username: str = Field("", title="User name")
    password: SecretStr = Field(SecretStr(""), title="Password")
    from_address: str = Field(title="Sender address", min_length=3, max_length=LONGEST_ADDRESS)
    from_name: str = Field("", title="Sender name", max_length=200)
    reply_to: str = Field("", title="Reply to", max_length=LONGEST_ADDRESS)
    bounce_address: str = Field("", title="Bounces go to (a tag is added per message)", max_length=LONGEST_ADDRESS)
    hook_secret: SecretStr = Field(SecretStr(""), title="Secret that signs receipts coming in")
    unsubscribe_mailto: str = Field("", title="Unsubscribe by mail to", max_length=LONGEST_ADDRESS)

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> "Account":
        if self.username and self.tls == "none":
            raise ValueError("a user name and password are only sent over an encrypted connection")
        return self


class Mail(NamedTuple):
    """What SMTP needs to know of one mail."""

    sender: str
    recipient: str
    content: bytes
    utf8: bool  # the recipient's mailbox name needs SMTPUTF8


def compose(message: Outgoing, account: Account, now: datetime) -> Mail:
    """The mail as bytes with its envelope, or `Unsendable`."""
    fields = message.fields
    sender = _address(account.from_address, "sender address")
    recipient = _address(message.recipient, "recipient")
    mail = EmailMessage(policy=POLICY)
    try:
        mail["From"] = Address(_line(fields.get("from_name") or account.from_name, "sender name"), addr_spec=sender)
        mail["To"] = Address(addr_spec=recipient)
        if reply_to := fields.get("reply_to") or account.reply_to:
            mail["Reply-To"] = Address(addr_spec=_address(reply_to, "reply-to"))
        mail["Subject"] = _line(fields.get("subject", ""), "subject")
        mail["Date"] = now
        mail["Message-ID"] = f"<{message.idempotency_key}.{message.id}@{sender.rpartition('@')[2]}>"
        _way_out(mail, message, account)
        _parts(mail, fields.get("text", ""), fields.get("html", ""), message.idempotency_key)
        bounces = _return_path(account, sender, message.id)
        content = mail.as_bytes()
        _count_headers(content, len(mail))
        return Mail(bounces, recipient, content, utf8=not recipient.isascii())
    except Unsendable:
        raise
    except (ValueError, IndexError, UnicodeError) as error:  # what the mail library says of names it cannot write
        raise Unsendable(f"the mail cannot be written: {error}") from error


def _way_out(mail: EmailMessage, message: Outgoing, account: Account) -> None:
    """List-Unsubscribe on marketing mail, with the one-click header where there is an address to click."""
    if not message.marketing:
        return
    ways = []
    if link := message.links.get("unsubscribe"):
        ways.append(f"<{_line(link, 'unsubscribe link')}>")
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if account.unsubscribe_mailto:
        mailbox = _address(account.unsubscribe_mailto, "unsubscribe address")
        ways.append(f"<mailto:{mailbox}?subject=unsubscribe-{message.idempotency_key[:32]}>")
    if not ways:
        raise Unsendable("a marketing mail needs a way to unsubscribe")
    mail["List-Unsubscribe"] = ", ".join(ways)


def _parts(mail: EmailMessage, text: str, html: str, key: str) -> None:
    if not text and not html:
        raise Unsendable("the mail is empty")
    mail.set_content((text or plain(html)).replace("\r\n", "\n"))
    if html:
        mail.add_alternative(html.replace("\r\n", "\n"), subtype="html")
        mail.set_boundary(f"=_{key[:40]}")  # ours, so that a repeat is the same bytes


def _return_path(account: Account, sender: str, number: int) -> str:
    """Bounces come back tagged with the message (VERP) where the account names a mailbox for them."""
    if not account.bounce_address:
        return sender
    local, _, domain = _address(account.bounce_address, "bounce address").rpartition("@")
    return f"{local}+{number}@{domain}"


def _count_headers(content: bytes, meant: int) -> None:
    """The last line against injection: the header block has as many headers as we wrote, however they were folded."""
    head = content.partition(b"\r\n\r\n")[0]
    if sum(not line.startswith((b" ", b"\t")) for line in head.split(b"\r\n")) != meant:
        raise Unsendable("the mail would carry headers nobody wrote")


def _line(value: str, what: str) -> str:
    """One line of text for a header; anything that could start a second line is refused, not repaired."""
    if any(not character.isprintable() for character in value):
        raise Unsendable(f"the {what} holds a line break or control character")
    if "=?" in value:  # the mail library would decode it first, line breaks included, and then write what it found
        raise Unsendable(f"the {what} holds an encoded word")
    if len(value) > LONGEST_HEADER:
        raise Unsendable(f"the {what} is longer than {LONGEST_HEADER} characters")
    return value


def _address(value: str, what: str) -> str:
    """Exactly one mailbox, its domain in ASCII."""
    local, _, domain = _line(value, what).rpartition("@")
    forbidden = set(' <>()[]",;:\\')
    if not local or not domain or len(value) > LONGEST_ADDRESS or forbidden & set(value) or "@" in local:
        raise Unsendable(f"the {what} is not a mail address")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise Unsendable(f"the {what} has an impossible domain") from error


def plain(html: str) -> str:
    """The words of an HTML mail for readers that show no HTML; links keep their addresses."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).splitlines())
    return unescape("\n".join(line for line in lines if line)) or " "


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "head", "title"):
            self._unseen += 1
        elif tag == "a":
            self._link = dict(attrs).get("href") or ""
        elif tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "table"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "head", "title"):
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._link.startswith(("http://", "https://")):
            self.words.append(f" ({self._link})")
            self._link = ""
        elif tag in ("p", "div", "tr", "li", "h1", "h2", "h3"):
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)
