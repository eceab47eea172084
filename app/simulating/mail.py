"""A message of the simulator: gate and words are the real ones, and there it ends. Never hands anything to a channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.copywriting import CopyError
from app.gate import Case, verdicts
from app.links import Tokens
from app.rendering import Site, words
from app.simulating.story import Person
from app.store.messages import Draft
from app.store.outbox import Claimed
from flows.compile import Plan
from flows.contract import OUTCOMES, Facts, Json
from flows.interpret import Traveller

# Links in a preview lead nowhere: the name is one that can never exist.
SITE = Site("https://preview.invalid", Tokens(b"nothing is sent, so nothing has to be signed"))


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it, what is shown of it, and which receipts say so."""

    status: Literal["sent", "failed", "suppressed"]
    reason: str = ""
    reached: int = 0
    told: tuple[str, ...] = ()
    shown: dict[str, Any] = field(default_factory=dict)


def render(draft: Draft, plan: Plan, person: Person, facts: Facts, now: datetime) -> Made:
    """The message as this contact would see it; refused or failed with the reason."""
    channel = draft.step.node.channel if draft.step.node else None
    one = _claimed(draft, person, facts, channel.address if channel else None)
    refused = draft.refusal or verdicts([Case(one.channel, one.marketing, one.consents, one.recipient or "")])[0]
    shown: dict[str, Any] = {"channel": one.channel, "account": one.account, "recipient": one.recipient}
    reason, status = refused or "", "suppressed" if refused else "sent"
    try:
        made = words(one, plan, draft.traveller.entry, SITE, now)
        shown |= {"fields": made.fields, "title": made.title}
    except CopyError as error:
        reason, status = refused or str(error), "suppressed" if refused else "failed"
    shown |= {"status": status, "reason": reason}
    if status == "suppressed":
        # Where the walk itself refused it, the walk has told those who wait.
        return Made("suppressed", reason, 0, () if draft.refusal else ("message.suppressed",), shown)
    if status == "failed":
        return Made("failed", reason, 0, ("message.failed",), shown)
    whole = channel is not None and not channel.local and channel.address is None
    told = ("message.sent", "message.delivered") if whole else ("message.sent",)
    return Made("sent", "", 2 if whole else 1, told, shown)


def receipt(one: Traveller, node: str, visit: int, reason: str = "") -> dict[str, Json]:
    """What a receipt says: which message it is about."""
    said = {"enrollment": one.id, "node": node, "visit": visit, "journey": one.plan.journey_id}
    return {**said, "reason": reason} if reason else said


def outcomes(reached: int, *, failed: bool, suppressed: bool) -> frozenset[str]:
    """What is known of a message, as rules ask for it: each outcome says all before it as well."""
    ended = [name for name, so in (("failed", failed), ("suppressed", suppressed)) if so]
    return frozenset({*OUTCOMES[:reached], *ended})


def _claimed(draft: Draft, person: Person, facts: Facts, kind: str | None) -> Claimed:
    traveller = draft.traveller
    address: Any = person.user_id or str(person.contact)
    if kind is not None:
        address = facts.attributes.get(kind) or person.identities.get(kind)
    content: Any = draft.content
    return Claimed(
        workspace_id=traveller.plan.workspace_id,
        lane=traveller.lane,
        enrollment_id=traveller.id,
        node=draft.step.id,
        visit=draft.visit,
        id=0,
        contact_id=traveller.contact,
        origin=None,
        journey_id=traveller.plan.journey_id,
        version_id=traveller.plan.version_id,
        channel=draft.channel,
        account=draft.account,
        marketing=draft.step.marketing,
        attempt=1,
        was=0,
        created_at=draft.at,
        reason=None,
        content=dict(content) if isinstance(content, Mapping) else None,
        recipient=str(address) if address else None,
        attributes=facts.attributes,
        consents={channel: dict(wishes) for channel, wishes in facts.consents.items()},
        user_id=person.user_id or None,
        suppressed=None,
        since=traveller.since,
        entry_event=traveller.entry_event,
    )
