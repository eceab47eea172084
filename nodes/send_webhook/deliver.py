"""Posts JSON to somebody's address, signed, and reports what became of it.

Never opens a connection itself (the egress client does, rule T03), never follows a redirect, and sends a repeat under
the same key, so that a receiver that honours `Idempotency-Key` sees one message.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError

from flows.contract import NodeSettings, Outgoing, Report

CONCURRENCY = 8
LONGEST_RETRY_AFTER = 3600.0
LATER = (408, 425, 429)  # the receiver asks for patience, not for a better request


class Account(NodeSettings):
    """A receiver of webhooks. With an address here, nodes may only send to that host: the secret stays with it."""

    url: str = Field("", title="Address", max_length=2048)
    secret: SecretStr = Field(SecretStr(""), title="Signing secret")
    previous_secret: SecretStr = Field(SecretStr(""), title="Previous signing secret (while it is being replaced)")
    hook_secret: SecretStr = Field(SecretStr(""), title="Secret that signs receipts coming in")


async def deliver(messages: Sequence[Outgoing], egress: Any) -> list[Report]:
    """One report per message, in order; messages of one batch share their account."""
    if not messages:
        return []
    try:
        account = Account.model_validate(dict(messages[0].account))
    except ValidationError:
        return [Report("failed", "the webhook account is not complete")] * len(messages)
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(message: Outgoing) -> Report:
        async with gate:
            return await _one(message, account, egress)

    return list(await asyncio.gather(*(one(message) for message in messages)))


async def _one(message: Outgoing, account: Account, egress: Any) -> Report:
    url = message.fields.get("url") or account.url
    body = message.fields.get("body") or json.dumps({"recipient": message.recipient}, ensure_ascii=False)
    if problem := _problem(url, body, account):
        return Report("failed", problem)
    headers = signed_headers(message.idempotency_key, body.encode(), account, egress.now())
    headers["X-Journey-Message"] = str(message.id)  # how receipts name it
    try:
        answer = await egress.post(url, body.encode(), headers)
    except PermissionError as error:
        return Report("failed", str(error))
    except TimeoutError as error:  # the request was out: the receiver may have acted on it
        return Report("unknown", str(error) or "no answer after the request was sent")
    except OSError as error:
        return Report("retry", str(error) or "the receiver cannot be reached")
    return _report(answer.status, answer.headers, egress.now())


def _problem(url: str, body: str, account: Account) -> str:
    if not url:
        return "no address to send to"
    if account.url and _origin(url) != _origin(account.url):
        return "the address is not on the account's host"
    try:
        json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "the body is not JSON"
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "", "", None


def signed_headers(key: str, body: bytes, account: Account, now: datetime) -> dict[str, str]:
    """The key, and while secrets are replaced one signature by each: receivers accept any that fits."""
    stamp = str(int(now.timestamp()))
    content = f"{key}.{stamp}.".encode() + body
    secrets = [held.get_secret_value() for held in (account.secret, account.previous_secret)]
    marks = [hmac.new(secret.encode(), content, hashlib.sha256).hexdigest() for secret in secrets if secret]
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "X-Journey-Timestamp": stamp}
    if marks:
        headers["X-Journey-Signature"] = ",".join(f"v1={mark}" for mark in marks)
    return headers


def _report(status: int, headers: Mapping[str, str], now: datetime) -> Report:
    if 200 <= status < 300:
        return Report("sent")
    if status >= 500 or status in LATER:
        return Report("retry", f"HTTP {status}", retry_after=_retry_after(headers.get("retry-after", ""), now))
    return Report("failed", f"HTTP {status}" + (" (redirects are not followed)" if 300 <= status < 400 else ""))


def _retry_after(value: str, now: datetime) -> float | None:
    """Seconds or a date, at most an hour, never in the past; None where the receiver said nothing sensible."""
    if value.strip().isdecimal():
        seconds = float(value.strip()[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
