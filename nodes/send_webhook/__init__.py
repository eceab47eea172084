"""Post JSON about a person to another system."""

from typing import Annotated

from pydantic import Field, model_validator

from flows.contract import Batch, Channel, Json, NodeType, Outcome
from flows.hints import Ask, shown
from flows.words import _
from nodes.send_webhook.deliver import Account
from nodes.send_webhook.deliver import deliver as carry
from nodes.sending import SendSettings, listens, ports, send, summary_of

SAMPLE: dict[str, Json] = {
    "account": "demo-crm",
    "url": "https://crm.example.com/hooks/orders",
    "body": '{"order": "{{ entry.properties.order_id }}", "name": "{{ contact.name }}"}',
}
MORE_SAMPLES: tuple[dict[str, Json], ...] = ({"account": "demo-crm", "wait_for": "delivered", "timeout": "PT1H"},)
URL_AT_MOST, BODY_AT_MOST = 2048, 100_000


class Settings(SendSettings):
    account: Annotated[str, Ask("account")] | None = Field(
        None,
        title=_("Account"),
        description=_("The receiver, with its signing secret; without one nothing is signed."),
        min_length=1,
        max_length=200,
        json_schema_extra=shown(none=_("None: not signed")),
    )
    url: Annotated[str, Ask("address")] = Field(
        "",
        title=_("Address"),
        description=_("Where to post (Liquid); the account's address if empty."),
        max_length=URL_AT_MOST,
    )
    body: Annotated[str, Ask("liquid")] = Field(
        "", title=_("Body"), description=_("JSON text (Liquid); who the person is, if empty."), max_length=BODY_AT_MOST
    )

    @model_validator(mode="after")
    def _somewhere_to_go(self) -> "Settings":
        if not self.url and not self.account:
            raise ValueError(_("name an address, or an account that has one"))
        return self


def summary(settings: Settings) -> str:
    return summary_of(settings, f"POST {settings.url or settings.account}")


def advance(batch: Batch) -> Outcome:
    return send(batch, "webhook", batch.settings.account)


node = NodeType(
    "send.webhook",
    version=1,
    title=_("Webhook"),
    group="send",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    listens=listens,
    channel=Channel(
        "webhook",
        {"url": "url", "body": "json"},
        carry,
        account=Account,
        batch=100,
        repeats="absorbed",  # a repeat carries the same Idempotency-Key, which receivers are told to honour
    ),
    help=_("Tells another system about the person, signed."),
)
