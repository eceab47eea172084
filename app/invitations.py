"""Invitations by mail: the link that an admin is shown goes to the invited as well, where an e-mail account is set up.

Sent after the answer is out, outside of any transaction; what becomes of it is logged, never the link itself.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple

import structlog

from app import vault
from app.courier import post
from app.settings import Settings
from app.sink import diversion
from app.store import accounts
from app.store.accounts import Account
from app.store.rows import Connection
from flows.contract import Channel, Outgoing

EMAIL = "email"
log = structlog.get_logger()


class Letter(NamedTuple):
    """What is written to whom."""

    to: str
    subject: str
    text: str


def account_of(connection: Connection, workspace_id: int) -> Account | None:
    """The account that the house's own mails go by: the first for e-mail, by name."""
    channels = accounts.channels(connection, workspace_id)
    names = sorted(name for name, channel in channels.items() if channel == EMAIL)
    return accounts.find(connection, workspace_id, names[0]) if names else None


def send(
    settings: Settings, channel: Channel, account: Account, workspace_id: int, letter: Letter, now: datetime
) -> str:
    """Send the letter; what became of it. In `journey run` it lands in the sink like every other."""
    owner, secret = f"{workspace_id}/{account.name}", settings.secret_bytes
    opened = vault.unseal(account.settings, account.sealed, owner=owner, secret=secret)
    fields = {"subject": letter.subject, "text": letter.text}
    if settings.sink:
        fields, opened = diversion(settings.sink_smtp_port, settings.sink_http_port)(EMAIL, fields, opened)
    key = hashlib.sha256(f"{letter.to} {now.isoformat()}".encode()).hexdigest()  # says nothing of the link
    message = Outgoing(0, letter.to, fields, opened, key, marketing=False)
    report = post(channel, message, settings.egress_allow, now)
    log.info("invitation.mailed", workspace=workspace_id, status=report.status, reason=report.reason)
    return report.status
