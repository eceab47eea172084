"""A trial of an account: one message of the house's own by the very way that journeys' messages take, and what came of it.

Never looks into a journey or at a contact; waits for somebody else's server, so never inside of a transaction.
"""

import hashlib
import json
import re
import time
from dataclasses import dataclass
from datetime import datetime

from app import vault
from app.courier import post
from app.settings import Settings
from app.sink import diversion
from app.store.accounts import Account
from flows.contract import Channel, Outgoing
from flows.words import _, say

SUBJECT = _("A test from Journey Canvas")
TEXT = _("This is a test of the account “{name}”. Nothing is to be done.")
# What a reason says of where the trouble is: the first that fits.
HINTS = (
    (r"\b53[045]\b|authenti|password|username", _("The server refused the user name or the password.")),
    (r"certificate|ssl|tls|wrong version", _("No secure connection came about: encryption or certificate does not fit.")),
    (r"http 40[13]\b", _("The receiver refused the request: its own permissions, or the signing secret, do not fit.")),
    (r"http 40[45]\b|http 410", _("There is nothing at this address that takes messages.")),
    (r"http 3\d\d", _("The receiver leads elsewhere; give the address it leads to.")),
    (r"http 5\d\d|http 429", _("The receiver answers, but is in trouble of its own; try again later.")),
    (
        r"public|allowed|port",
        _("This program does not go there: the address is not public, or the port unusual (JOURNEY_EGRESS_ALLOW)."),
    ),
    (r"name|resolve|known|address", _("There is no such server: check how its name is written.")),
    (r"refused|reach|answer|timed? ?out|unreachable|connect", _("The server does not answer: check its name and port.")),
    (r"^4\d\d ", _("The server asks to try again later.")),
    (r"^5\d\d ", _("The server answers, but refuses this mail: check the sender address and the recipient.")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `reason` is the other side's own words."""

    sent: bool
    doubtful: bool
    reason: str
    seconds: float

    @property
    def hint(self) -> str:
        """Where the trouble is, in the language spoken; empty where nobody can say."""
        low = self.reason.lower()
        return next((say(text) for pattern, text in HINTS if re.search(pattern, low)), "")


def send(settings: Settings, channel: Channel, account: Account, workspace_id: int, to: str, now: datetime) -> Outcome:
    """Send one test message to somebody who asked for it; `to` is not looked at where the channel has no addresses."""
    owner, secret = f"{workspace_id}/{account.name}", settings.secret_bytes
    opened = vault.unseal(account.settings, account.sealed, owner=owner, secret=secret)
    text = say(TEXT, name=account.name)
    fields = {"subject": say(SUBJECT), "title": say(SUBJECT), "text": text, "body": _json(account.name)}
    if settings.sink:
        fields, opened = diversion(settings.sink_smtp_port, settings.sink_http_port)(channel.name, fields, opened)
    key = hashlib.sha256(f"trial {workspace_id} {account.name} {now.isoformat()}".encode()).hexdigest()
    began = time.monotonic()
    report = post(channel, Outgoing(0, to, fields, opened, key, marketing=False), settings.egress_allow, now)
    doubtful = report.status == "unknown"
    return Outcome(report.status == "sent", doubtful, report.reason, time.monotonic() - began)


def _json(name: str) -> str:
    return json.dumps({"type": "test", "account": name}, ensure_ascii=False)
