"""What all sends share: the message goes out once, then people go on, or wait for what becomes of it.

Never what a message says, nor how it is delivered: that is each channel's own folder.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from flows.calendar import Duration, elapsed, words
from flows.contract import Batch, Event, Json, Member, MemberId, Message, NodeSettings, Outcome, Wait
from flows.hints import shown
from flows.words import _, clip, say

FAILED, TIMEOUT = "failed", "timeout"
CLIMB = ("delivered", "opened", "clicked")  # each says all that stand before it as well
OUTCOME_WORDS = {"delivered": _("delivered"), "opened": _("opened"), "clicked": _("clicked")}
CLASS_WORDS = {"marketing": _("Marketing"), "transactional": _("Transactional")}
FAILURES = ("message.failed", "message.suppressed", "message.expired")


class SendSettings(NodeSettings):
    """Base of the settings of every send; the channel adds its account and its words."""

    wait_for: Literal["delivered", "opened", "clicked"] | None = Field(
        None,
        title=_("Wait for"),
        description=_("Hold people until this is known of their message; without it they go on at once."),
        json_schema_extra=shown(labels=OUTCOME_WORDS, none=_("Nothing"), section=_("After sending")),
    )
    timeout: Duration | None = Field(
        None,
        title=_("Time-out"),
        description=_("How long to wait for the outcome at most."),
        json_schema_extra=shown(needs={"wait_for": ()}, section=_("After sending")),
    )
    message_class: Literal["marketing", "transactional"] | None = Field(
        None,
        title=_("Kind of message"),
        description=_("Instead of the journey's own: consent and caps depend on it."),
        json_schema_extra=shown(labels=CLASS_WORDS, none=_("As the journey"), section=_("Delivery")),
    )

    @model_validator(mode="before")
    @classmethod
    def _no_templates_yet(cls, given: Json) -> Json:
        if isinstance(given, dict) and "template" in given:
            raise ValueError(_("templates are not available yet: write the words here"))
        return given

    @model_validator(mode="after")
    def _both_or_none(self) -> "SendSettings":
        if (self.wait_for is None) != (self.timeout is None):
            raise ValueError(_("wait_for and timeout belong together"))
        return self


def ports(settings: SendSettings) -> tuple[str, ...]:
    return (settings.wait_for, FAILED, TIMEOUT) if settings.wait_for else ("next",)


def listens(settings: SendSettings) -> tuple[str, ...]:
    """The receipts that say the awaited outcome, or that it will never come."""
    if settings.wait_for is None:
        return ()
    return tuple(f"message.{outcome}" for outcome in CLIMB[CLIMB.index(settings.wait_for) :]) + FAILURES


OTHERWISE = re.compile(r"\{%-?\s*(?:else|elsif|when)\b.*?(?=\{%-?\s*end)", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
PLACE = re.compile(r"\{\{-?\s*([\w.]+).*?\}\}", re.DOTALL)


def plain(text: str) -> str:
    """A template as a card shows it: the first of its alternatives, places by their name. “{% if a %}Hi{% endif %}” is “Hi”."""
    return PLACE.sub(lambda place: f"‹{place[1].rpartition('.')[2]}›", TAG.sub("", OTHERWISE.sub("", text)))


def summary_of(settings: SendSettings, text: str) -> str:
    """The words of the message and the wait, on one line."""
    text = plain(text) or text
    if settings.wait_for is None or settings.timeout is None:
        return clip(text)
    outcome = say(OUTCOME_WORDS[settings.wait_for])
    wait = say(_(" · {outcome} in {time}"), outcome=outcome, time=words(settings.timeout))
    return clip(f"{clip(text, max(15, 60 - len(wait)))}{wait}")


def send(batch: Batch, channel: str, account: str | None) -> Outcome:
    """Everybody who comes gets the message; whoever was waiting already has it."""
    fresh = [member.id for member in batch.members if not member.waiting]
    messages = (Message(fresh, channel, account),) if fresh else ()
    if batch.settings.wait_for is None:
        return Outcome(go={"next": [member.id for member in batch.members]}, send=messages)
    go, stay = _outcomes(batch)
    return Outcome(go=go, stay=stay, send=messages)


def _outcomes(batch: Batch) -> tuple[Mapping[str, Sequence[MemberId]], Mapping[Wait, Sequence[MemberId]]]:
    settings: SendSettings = batch.settings
    awaited, limit = listens(settings), elapsed(settings.timeout or "")
    go: dict[str, list[MemberId]] = {}
    rest: dict[datetime, list[MemberId]] = {}
    for member in batch.members:
        begun = (member.rested_at or member.arrived_at) if member.waiting else member.arrived_at
        deadline = begun + limit
        port = _port(batch, member, deadline)
        if port is None:
            rest.setdefault(deadline, []).append(member.id)
        else:
            go.setdefault(port, []).append(member.id)
    return go, {Wait(deadline, awaited): ids for deadline, ids in rest.items()}


def _port(batch: Batch, member: Member, deadline: datetime) -> str | None:
    """The way out, or None to rest (on)."""
    if not member.waiting:
        return None
    event = member.woken_by
    if event is None or member.arrived_at > deadline:
        return TIMEOUT
    if event.name not in listens(batch.settings) or not _speaks_of(event, member, batch.node):
        return None
    return FAILED if event.name in FAILURES else str(batch.settings.wait_for)


def _speaks_of(event: Event, member: Member, node: str) -> bool:
    """Whether the receipt is about the message that this visit sent: not another node's, nor an earlier round's."""
    given = event.properties
    return (given.get("enrollment"), given.get("node"), given.get("visit")) == (member.id, node, member.visit)
