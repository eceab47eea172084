"""Hands mails to one SMTP account over one connection, kept as long as the egress client lasts, and reports on each.

Never opens a socket itself (the egress client does, rule T03), never lets one bad recipient stop the batch (H03), and
never calls a mail sent or failed when nobody knows: once its text is on the way, silence is `unknown` (rule D7).
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import aiosmtplib
from pydantic import ValidationError

from flows.contract import Outgoing, Report
from nodes.send_email.mail import Account, Mail, Unsendable, compose

__all__ = ["Account", "deliver"]

TOTAL_SECONDS = 10.0  # for one mail, or for opening the connection
BATCH_SECONDS = 60.0  # well below the age at which a claim counts as stale
LONGEST_REASON = 200
CLOSING = 421  # the server ends the connection: not the recipient's fault


async def deliver(messages: Sequence[Outgoing], egress: Any) -> list[Report]:
    """One report per message, in order; messages of one batch share their account."""
    if not messages:
        return []
    try:
        account = Account.model_validate(dict(messages[0].account))
    except ValidationError as error:
        fields = ", ".join(sorted({str(part) for problem in error.errors() for part in problem["loc"]})) or "password"
        return [Report("failed", f"the mail account is not complete: {fields}")] * len(messages)
    line: _Line = egress.kept(account, lambda: _Line(account, egress))
    ends = asyncio.get_running_loop().time() + BATCH_SECONDS
    reports = []
    for message in messages:
        late = asyncio.get_running_loop().time() > ends
        reports.append(Report("retry", "the batch took too long") if late else await _one(message, line))
    return reports


async def _one(message: Outgoing, line: "_Line") -> Report:
    try:
        mail = compose(message, line.account, line.egress.now())
    except Unsendable as error:
        return Report("failed", _reason(error))
    reused = line.client is not None
    report, closed = await _try(mail, line)
    if closed and reused:  # servers end a connection after so many mails; this one was never offered
        report, _ = await _try(mail, line)
    return report._replace(provider_id=message.idempotency_key) if report.status == "sent" else report


async def _try(mail: Mail, line: "_Line") -> tuple[Report, bool]:
    """The report, and whether the server hung up before it saw the mail."""
    if trouble := await line.open():
        return trouble, False
    client = line.client
    assert client is not None
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            await _envelope(client, mail)
    except aiosmtplib.SMTPResponseException as error:
        await line.reset()
        return _refused(error), error.code == CLOSING
    except aiosmtplib.SMTPServerDisconnected as error:
        await line.drop()
        return Report("retry", _reason(error)), True
    except (OSError, aiosmtplib.SMTPException) as error:
        await line.drop()
        return Report("retry", _reason(error) or "the mail server did not answer"), False
    except ValueError as error:
        await line.drop()
        return Report("failed", _reason(error)), False
    return await _data(client, mail, line), False


async def _envelope(client: aiosmtplib.SMTP, mail: Mail) -> None:
    if mail.utf8 and not client.supports_extension("smtputf8"):
        raise ValueError("the mail server takes no addresses with letters beyond ASCII")
    if mail.utf8:
        await client.mail(mail.sender, options=["SMTPUTF8"], encoding="utf-8")
        await client.rcpt(mail.recipient, encoding="utf-8")
    else:
        await client.mail(mail.sender)
        await client.rcpt(mail.recipient)


async def _data(client: aiosmtplib.SMTP, mail: Mail, line: "_Line") -> Report:
    """From here on the server may have the mail: only its answer says so, silence is `unknown`."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            await client.data(mail.content)
    except aiosmtplib.SMTPResponseException as error:
        await line.reset()
        return _refused(error)
    except (OSError, aiosmtplib.SMTPException) as error:
        await line.drop()
        return Report("unknown", _reason(error) or "no answer after the mail was handed over")
    return Report("sent")


def _refused(error: aiosmtplib.SMTPResponseException) -> Report:
    """4xx means later, 5xx means never, for this recipient; anything else is not SMTP, so later."""
    return Report("failed" if 500 <= error.code < 600 else "retry", _reason(f"{error.code} {error.message}"))


def _reason(error: object) -> str:
    text = "".join(character if character.isprintable() else " " for character in str(error))
    return text[:LONGEST_REASON]


class _Line:
    """The one connection of a batch. A server that cannot be reached is asked once, not once for every mail."""

    def __init__(self, account: Account, egress: Any) -> None:
        self.account = account
        self.egress = egress
        self.client: aiosmtplib.SMTP | None = None
        self.trouble: Report | None = None

    async def open(self) -> Report | None:
        """None once connected and logged in, otherwise what to say of every mail that is left."""
        if self.client is not None and self.client.is_connected:
            return None
        if self.trouble is None:
            await self.drop()
            self.trouble = await self._open()
        return self.trouble

    async def _open(self) -> Report | None:
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                socket = await self.egress.smtp(self.account.host, self.account.port)
                self.client = self._client(socket)
                await self.client.connect()
        except PermissionError as error:  # the egress client will never go there
            return Report("failed", _reason(error))
        except (OSError, aiosmtplib.SMTPException, ValueError) as error:
            await self.drop()
            # A wrong password or a closed server is the account's trouble; its people wait until somebody mends it.
            return Report("retry", _reason(error) or "the mail server did not answer")
        return None

    def _client(self, socket: Any) -> aiosmtplib.SMTP:
        account = self.account
        return aiosmtplib.SMTP(
            hostname=account.host,
            sock=socket,
            local_hostname=account.from_address.rpartition("@")[2].encode("idna").decode("ascii"),
            use_tls=account.tls == "tls",
            start_tls=account.tls == "starttls",
            username=account.username or None,
            password=account.password.get_secret_value() if account.username else None,
            timeout=TOTAL_SECONDS,
        )

    async def reset(self) -> None:
        """Forget the envelope of a refused mail, so that the next one starts clean."""
        if self.client is None or not self.client.is_connected:
            return
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                await self.client.rset()
        except (OSError, aiosmtplib.SMTPException):
            await self.drop()

    async def drop(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    async def close(self) -> None:
        if self.client is not None and self.client.is_connected:
            with contextlib.suppress(OSError, aiosmtplib.SMTPException):
                async with asyncio.timeout(TOTAL_SECONDS):
                    await self.client.quit()
        await self.drop()
