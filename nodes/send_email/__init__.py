"""Send a mail by SMTP."""

from typing import Annotated

from pydantic import Field, model_validator

from flows.contract import Batch, Channel, Json, NodeType, Outcome
from flows.hints import Ask, shown
from flows.words import _
from nodes.send_email.deliver import Account
from nodes.send_email.deliver import deliver as carry
from nodes.sending import SendSettings, listens, ports, send, summary_of

SAMPLE: dict[str, Json] = {
    "account": "demo-mail",
    "subject": "{{ contact.name | default: 'Hello' }}, your order waits",
    "text": "Order {{ entry.properties.order_id | default: '' }} is not paid yet.",
}
MORE_SAMPLES: tuple[dict[str, Json], ...] = (
    {
        **SAMPLE,
        "html": "<p>…</p>",
        "from_name": "Shop",
        "message_class": "marketing",
    },
    {**SAMPLE, "wait_for": "clicked", "timeout": "P2D"},
)
LINE_AT_MOST, TEXT_AT_MOST = 500, 200_000

Line = Annotated[str, Ask("line")]


class Settings(SendSettings):
    account: Annotated[str, Ask("account")] = Field(
        title=_("Account"), description=_("The mail account that sends it."), min_length=1, max_length=200
    )
    subject: Line = Field(
        title=_("Subject"),
        description=_("Liquid: {{ contact.name }} and the like."),
        min_length=1,
        max_length=LINE_AT_MOST,
    )
    text: Annotated[str, Ask("liquid")] = Field(
        "",
        title=_("Text"),
        description=_("The mail as plain text (Liquid); made from the HTML if empty."),
        max_length=TEXT_AT_MOST,
    )
    html: Annotated[str, Ask("liquid")] = Field(
        "", title=_("HTML"), description=_("The mail as HTML (Liquid)."), max_length=TEXT_AT_MOST
    )
    from_name: Line = Field(
        "",
        title=_("Sender name"),
        description=_("Instead of the account's."),
        max_length=LINE_AT_MOST,
        json_schema_extra=shown(section=_("Sender")),
    )
    reply_to: Line = Field(
        "",
        title=_("Reply to"),
        description=_("Instead of the account's."),
        max_length=LINE_AT_MOST,
        json_schema_extra=shown(section=_("Sender")),
    )

    @model_validator(mode="after")
    def _something_to_say(self) -> "Settings":
        if not self.text and not self.html:
            raise ValueError(_("write the text, the HTML or both"))
        return self


def summary(settings: Settings) -> str:
    return summary_of(settings, settings.subject)


def advance(batch: Batch) -> Outcome:
    return send(batch, "email", batch.settings.account)


node = NodeType(
    "send.email",
    version=1,
    title=_("E-mail"),
    group="send",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    listens=listens,
    channel=Channel(
        "email",
        {"subject": "text", "text": "text", "html": "html", "from_name": "text", "reply_to": "text"},
        carry,
        account=Account,
        address="email",
        repeats="sent again",
    ),
    help=_("Sends a mail to the person's address."),
)
