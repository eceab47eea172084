"""Leave a message for a person to find in your app or site."""

from typing import Annotated

from pydantic import Field

from flows.contract import Batch, Channel, Json, NodeType, Outcome
from flows.durations import Duration
from flows.hints import Ask, shown
from flows.words import _
from nodes.send_inapp.deliver import deliver as carry
from nodes.sending import SendSettings, listens, ports, send, summary_of

SAMPLE: dict[str, Json] = {
    "title": "Order {{ entry.properties.order_id }} waits",
    "body": "Pay within the hour and it leaves today.",
    "url": "https://shop.example.com/orders",
}
MORE_SAMPLES: tuple[dict[str, Json], ...] = ({**SAMPLE, "expires": "P1D", "wait_for": "opened", "timeout": "P1D"},)
TITLE_AT_MOST, BODY_AT_MOST, URL_AT_MOST = 500, 20_000, 2048


class Settings(SendSettings):
    account: Annotated[str, Ask("account")] | None = Field(
        None,
        title=_("Account"),
        description=_("None is needed: the message stays here until it is pulled."),
        max_length=200,
        json_schema_extra=shown(none=_("None"), section=_("Delivery")),
    )
    title: Annotated[str, Ask("line")] = Field(
        title=_("Title"),
        description=_("Liquid: {{ contact.name }} and the like."),
        min_length=1,
        max_length=TITLE_AT_MOST,
    )
    body: Annotated[str, Ask("liquid")] = Field(
        "", title=_("Text"), description=_("The message itself (Liquid)."), max_length=BODY_AT_MOST
    )
    url: Annotated[str, Ask("address")] = Field(
        "", title=_("Link"), description=_("Where a click leads (Liquid)."), max_length=URL_AT_MOST
    )
    expires: Duration = Field(
        "P7D",
        title=_("Expires"),
        description=_("How long it can be found."),
        json_schema_extra=shown(section=_("Delivery")),
    )


def summary(settings: Settings) -> str:
    return summary_of(settings, settings.title)


def advance(batch: Batch) -> Outcome:
    return send(batch, "inapp", batch.settings.account)


node = NodeType(
    "send.inapp",
    version=1,
    title=_("In-app message"),
    group="send",
    settings=Settings,
    ports=ports,
    summary=summary,
    advance=advance,
    listens=listens,
    channel=Channel(
        "inapp",
        {"title": "text", "body": "text", "url": "url"},
        carry,
        repeats="absorbed",
        local=True,
    ),
    help=_("Leaves a message that your app or site shows the person."),
)
