"""What people say by way of a provider, obeyed before the provider has its answer (P10): replies, complaints, opt-outs.

Counting and telling journeys is `settle`'s, later; nothing here decides who may speak.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from app.privacy import MARKETING, keyword
from app.store import consents, receipts, suppressions
from app.store.consents import Consent
from app.store.credentials import Credential
from app.store.receipts import Said, Spoken
from app.store.rows import Connection
from app.tracking import phone_of

SOURCES = {"reply": "keyword", "complained": "complaint", "unsubscribed": "provider"}


class Word(Protocol):
    """As much of a call-back as is needed here."""

    @property
    def event(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def sender(self) -> str: ...


class _Will(NamedTuple):
    """What somebody wants of a channel."""

    contact_id: int
    channel: str
    allowed: bool
    at: datetime
    source: str
    proof: dict[str, Any]


def obey(connection: Connection, held: Credential, kind: str | None, heard: Sequence[tuple[Word, Said]]) -> int:
    """Do what these words ask; `kind` names the channel's addresses. Returns how many replies were heard without a message."""
    asking = [(word, said) for word, said in heard if word.event in SOURCES]
    if not asking:
        return 0
    spoken = receipts.spoken_of(connection, held.workspace_id, [said.message_id for _, said in asking], held.name)
    alone = {_normal(kind, word.sender) for word, said in asking if said.message_id not in spoken and word.sender}
    named = receipts.named_by(connection, held.workspace_id, kind, alone) if kind and alone else {}
    wills = []
    for word, said in asking:
        about = spoken.get(said.message_id)
        contact = about.contact_id if about else named.get(_normal(kind, word.sender))
        allowed = keyword(word.text) if word.event == "reply" else False
        if contact is not None and allowed is not None:
            channel = about.channel if about else held.channel
            wills.append(_Will(contact, channel, allowed, said.at, SOURCES[word.event], _proof(word, said, about)))
    _write(connection, held.workspace_id, wills)
    complained = [spoken[said.message_id] for word, said in asking if _complains(word, said, spoken)]
    suppressions.add(
        connection,
        [(held.workspace_id, one.channel, one.recipient or "", "complaint") for one in complained],
        max(said.at for _, said in asking),
    )
    return sum(1 for word, said in asking if said.message_id not in spoken and _normal(kind, word.sender) in named)


def _write(connection: Connection, workspace_id: int, wills: Sequence[_Will]) -> None:
    """A yes counts only if it came after the last word: a provider may bring an old one again."""
    again = [(one.contact_id, one.channel) for one in wills if one.allowed]
    last = consents.last_words(connection, workspace_id, again) if again else {}
    rows = [
        Consent(workspace_id, one.contact_id, one.channel, MARKETING, one.allowed, one.at, one.source, proof=one.proof)
        for one in wills
        if not one.allowed
        or one.at > last.get((one.contact_id, one.channel), datetime.min.replace(tzinfo=one.at.tzinfo))
    ]
    if rows:
        consents.set_consents(connection, rows)


def _complains(word: Word, said: Said, spoken: dict[int, Spoken]) -> bool:
    return word.event == "complained" and said.message_id in spoken and bool(spoken[said.message_id].recipient)


def _proof(word: Word, said: Said, about: Spoken | None) -> dict[str, Any]:
    proof: dict[str, Any] = {"message": about.message_id} if about else {"sender": word.sender}
    proof |= {"text": word.text[:200]} if word.text else {}
    return proof | ({"receipt": said.event_id} if said.event_id else {})


def _normal(kind: str | None, sender: str) -> str:
    return (phone_of(sender) or sender) if kind == "phone" else sender.strip().lower()
