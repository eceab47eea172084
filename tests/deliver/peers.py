"""Providers with a personality for tests: a real SMTP server that refuses, dies or dawdles as told."""

import asyncio
import contextlib
import email
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.egress import Egress
from flows.contract import Outgoing, Report
from nodes.send_email.deliver import deliver

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Personality:
    """Keeps what it accepted. `refuse` maps recipients to the answer to RCPT, `data` to the answer to DATA."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.senders: list[str] = []
        self.sessions: set[int] = set()
        self.refuse: dict[str, str] = {}
        self.data: dict[str, str] = {}
        self.hang_up: set[str] = set()
        self.slow: set[str] = set()
        self.never = asyncio.Event()
        self.most_per_session = 10_000

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, options
        self.sessions.add(id(session))
        if answer := self.refuse.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        address = envelope.rcpt_tos[0]
        if address in self.hang_up:
            server.transport.abort()
            return "250 never heard"
        if address in self.slow:
            await self.never.wait()  # until the other side gives up, however long that takes here
        if answer := self.data.get(address):
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((address, email.message_from_bytes(content, policy=email.policy.default)))
        self.senders.append(envelope.mail_from or "")
        session.taken = getattr(session, "taken", 0) + 1
        if session.taken >= self.most_per_session:
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return "250 taken"


class _OnAnyPort(Controller):
    """aiosmtpd greets itself once at the start; it must know which port it was given."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def smtp_server(personality: Personality) -> Iterator[int]:
    controller = _OnAnyPort(personality, hostname="127.0.0.1", port=0, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)


def outgoing(number: int, recipient: str, **given: Any) -> Outgoing:
    """A marketing mail in two forms, unless told otherwise."""
    plain: dict[str, Any] = {
        "id": number,
        "recipient": recipient,
        "fields": {"subject": "你好 Hello", "text": "Dear you", "html": "<p>Dear <b>you</b></p>"},
        "account": {},
        "idempotency_key": f"{number:064x}",
        "links": {"unsubscribe": "https://go.example.com/u/abc"},
    }
    return Outgoing(**{**plain, **given})


def mail_account(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "tls": "none", "from_address": "shop@example.com", **more}


def send_mail(messages: list[Outgoing], port: int, **more: Any) -> list[Report]:
    """What the stage does: one batch, one egress client, one event loop."""
    account = mail_account(port, **more)

    async def main() -> list[Report]:
        async with Egress({f"127.0.0.1:{port}"}, now=lambda: NOW) as egress:
            mine = [
                Outgoing(m.id, m.recipient, m.fields, account, m.idempotency_key, m.links, m.marketing)
                for m in messages
            ]
            return await deliver(mine, egress)

    return asyncio.run(main())
