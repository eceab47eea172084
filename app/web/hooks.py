"""Call-backs of providers: signed, fresh, once; each becomes a receipt that `settle` takes up.

Nothing is believed that is not signed with the account's own hook secret; an account without one refuses everything.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.hearing import obey
from app.privacy import keyword
from app.store import credentials, receipts
from app.store.receipts import Said
from app.vault import VaultError, unseal
from app.web.guard import TheHouse
from app.web.house import House
from app.web.problems import ProblemError, invalid

FRESH_SECONDS = 300
LARGEST_BODY = 1_000_000
MOST_RECEIPTS = 1_000
REFERENCE = re.compile(r"<?(?:[0-9a-f]{64}\.)?([0-9]{1,19})(?:@[^\s<>@]{1,253})?>?")
EXAMPLE: dict[str, Any] = {
    "receipts": [
        {"message": "1042", "event": "delivered", "id": "evt-1", "at": "2026-03-01T12:00:00Z"},
        {"message": "1043", "event": "bounced", "id": "evt-2", "reason": "550 no such user"},
    ]
}

routes = APIRouter(tags=["hooks"])


class Word(BaseModel):
    """What became of one message."""

    model_config = ConfigDict(extra="forbid")

    message: str | int = Field(
        "",
        description="The id from `X-Journey-Message`, or the whole Message-ID of the mail; a reply may do without.",
        examples=["1042"],
    )
    event: Literal["delivered", "opened", "clicked", "bounced", "complained", "failed", "unsubscribed", "reply"]
    id: str = Field(
        "", max_length=200, description="The provider's own id of this event: a repeat of it changes nothing."
    )
    at: datetime | None = Field(None, description="When it happened; now, if left out.")
    reason: str = Field("", max_length=500)
    soft: bool = Field(False, description="A bounce that may pass (mailbox full): recorded, nothing is suppressed.")
    url: str = Field("", max_length=2048, description="The address that was clicked.")
    text: str = Field(
        "",
        max_length=2000,
        description="What was replied: STOP, TD, T, 退订 … opt out of the channel, START opts in again.",
    )
    sender: str = Field(
        "", max_length=320, description="Who replied, where the provider does not say to which message."
    )


class Words(BaseModel):
    """A call-back's body."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    receipts: list[Word] = Field(max_length=MOST_RECEIPTS)


class Heard(BaseModel):
    """How many receipts were new; the rest were repeats, or spoke of messages that this account never sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 2, "ignored": 1}]})
    accepted: int
    ignored: int


async def _raw(request: Request) -> bytes:
    return await request.body()


@routes.post(
    "/hooks/{account}",
    summary="Receipts from a provider",
    max_body_size=LARGEST_BODY,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Words.model_json_schema(), "example": EXAMPLE}},
        }
    },
)
def hear(
    account: str,
    house: TheHouse,
    raw: Annotated[bytes, Depends(_raw)],
    delivery: Annotated[str, Header(alias="X-Journey-Id", max_length=200)] = "",
    timestamp: Annotated[str, Header(alias="X-Journey-Timestamp", max_length=20)] = "",
    signature: Annotated[str, Header(alias="X-Journey-Signature", max_length=500)] = "",
) -> Heard:
    """Signed as our own webhooks are: `v1=` hex HMAC-SHA256, under the account's hook secret, of `id.timestamp.body`.

    The three parts of the signature travel as `X-Journey-Id` (unique for each call), `X-Journey-Timestamp` (seconds, at
    most 300 off) and the raw body. A call that was heard before is answered like the first and changes nothing.
    """
    if not delivery or not _fresh(timestamp, house.now()):
        raise _refused()
    content = f"{delivery}.{timestamp}.".encode() + raw
    with house.transaction() as connection:
        held = next(
            (one for one in credentials.named(connection, account) if _signed(_secret(house, one), content, signature)),
            None,
        )
        if held is None:
            raise _refused()
        words = _words(raw)
        digest = UUID(bytes=blake2b(f"hook/{account}/{delivery}".encode(), digest_size=16).digest())
        if not receipts.first_time(connection, held.workspace_id, digest, house.now()):
            return Heard(accepted=0, ignored=len(words.receipts))
        said = [_said(held.workspace_id, word, house.now()) for word in words.receipts]
        accepted = receipts.add(connection, said, account=held.name)
        accepted += obey(
            connection, held, _addresses(house, held.channel), list(zip(words.receipts, said, strict=True))
        )
    return Heard(accepted=accepted, ignored=len(words.receipts) - accepted)


def _addresses(house: House, channel: str) -> str | None:
    """What kind of name the channel's addresses are."""
    nodes = house.catalog.values()
    return next((one.channel.address for one in nodes if one.channel and one.channel.name == channel), None)


def _refused() -> ProblemError:
    """One answer for every unsigned, stale or unknown call: it tells nobody which accounts exist."""
    return ProblemError(401, "The signature is missing, too old, or not this account's.")


def _fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= FRESH_SECONDS


def _secret(house: House, held: credentials.Credential) -> str:
    try:
        opened = unseal(held.shown, held.sealed, owner=held.owner, secret=house.settings.secret_bytes)
    except VaultError:
        return ""
    return str(opened.get("hook_secret") or "")


def _signed(secret: str, content: bytes, signature: str) -> bool:
    """Whether any of the signatures (two, while a secret is being replaced) is ours."""
    if not secret:
        return False
    mine = "v1=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    given = [part.strip().encode() for part in signature.split(",")[:4]]
    return any(hmac.compare_digest(mine.encode(), one) for one in given)


def _words(raw: bytes) -> Words:
    try:
        return Words.model_validate_json(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise invalid([(".".join(map(str, one["loc"])), one["msg"]) for one in problems[:20]]) from None


def _said(workspace_id: int, word: Word, now: datetime) -> Said:
    reference = REFERENCE.fullmatch(str(word.message).strip())
    message = min(int(reference[1]), 2**63 - 1) if reference else 0  # 0 names no message, so it is ignored
    at = now if word.at is None else min(word.at if word.at.tzinfo else word.at.replace(tzinfo=UTC), now)
    kind = "soft_bounced" if word.event == "bounced" and word.soft else word.event
    if word.event == "reply" and keyword(word.text) is False:
        kind = "unsubscribed"  # counted where the message came from, like every other way out
    detail = {name: value for name in ("reason", "url", "text") if (value := getattr(word, name).replace("\x00", ""))}
    return Said(workspace_id, message, kind, word.id.replace("\x00", ""), at, detail)
