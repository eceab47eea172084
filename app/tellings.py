"""What became of messages, as letters to those who look out for it: by the front door, like everything else that happens."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from app.plans import Plans
from app.store.inbox import Letter
from app.store.messages import MessageStatus
from app.store.outbox import Settled

TOLD = {
    MessageStatus.SENT: "message.sent",
    MessageStatus.FAILED: "message.failed",
    MessageStatus.SUPPRESSED: "message.suppressed",
}


def asked(plans: Plans, workspace_id: int) -> set[str]:
    """The events that some step, goal or entry of this workspace looks out for."""
    mine = [plan for plan in plans.by_version.values() if plan.workspace_id == workspace_id]
    entries = {step.start.event for plan in mine for step in plan.entries if step.start}
    return entries.union(*(plan.listens for plan in mine))


def letters(outcomes: Iterable[Settled], wanted: Mapping[int, set[str]], now: datetime) -> list[Letter]:
    """A letter for each thing that a message reached and somebody of its workspace asks about."""
    found = []
    for one in outcomes:
        name = TOLD.get(MessageStatus(one.status))
        names = [name] if name else []
        if one.outcome == 2:
            names.append("message.delivered")
        found += [_letter(one, told, now) for told in names if told in wanted[one.message.workspace_id]]
    return found


def _letter(one: Settled, name: str, now: datetime) -> Letter:
    message = one.message
    properties = {
        "message": message.id,
        "enrollment": message.enrollment_id,
        "node": message.node,
        "visit": message.visit,
        "journey": message.journey_id,
        "channel": message.channel,
        **({"reason": one.reason} if one.reason else {}),
    }
    text = msgspec.json.encode(properties).decode()
    return Letter(message.lane, 0, message.workspace_id, message.contact_id, "track", name, now, now, text, None)
