"""settle: what was said about messages becomes their outcome, and comes back in by the front door as events.

One transaction. Outcomes only climb (sent < delivered < opened < clicked); a bounce or complaint is final and
suppresses the address, and a complaint takes the marketing consent back. Never touches the network.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.database import transaction
from app.failpoints import failpoint
from app.plans import Plans
from app.store import inbox, receipts, suppressions, tallies
from app.store.inbox import Letter
from app.store.receipts import Receipt
from app.store.rows import Connection

CLIMB = {"sent": 1, "delivered": 2, "opened": 3, "clicked": 4}
LEFT = ("unsubscribed", "complained")
FINAL = {"bounced": "hard_bounce", "complained": "complaint"}
EVENTS = {
    "delivered": "message.delivered",
    "opened": "message.opened",
    "clicked": "message.clicked",
    "bounced": "message.failed",
    "complained": "message.complained",
    "failed": "message.failed",
    "unsubscribed": "message.unsubscribed",
    "closed": "message.closed",
}


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Settle up to `limit` receipts; returns how many. Any worker may: what follows goes to the lanes by letter."""
    del plans, lanes
    with transaction(connection):
        taken = receipts.take(connection, limit, now)
        if not taken:
            return 0
        heard = [one for one in taken if not _by_machine(one)]
        receipts.climb(connection, _reached(heard), _failed(heard), now)
        gone = Counter((one.version_id, one.node, "!unsubscribed") for one in heard if one.kind in LEFT)
        tallies.append(connection, {one.version_id: one for one in heard}, gone, now)
        suppressions.add(connection, _suppressed(heard), now)
        suppressions.opt_out(
            connection,
            [(one.workspace_id, one.contact_id, one.channel) for one in heard if one.kind == "complained"],
            now,
            source="complaint",
        )
        inbox.put(connection, [_letter(one, now) for one in heard if one.kind in EVENTS])
        failpoint("CP26")
    return len(taken)


def _by_machine(one: Receipt) -> bool:
    """Scanners and prefetching programs open and click as well; they are kept, and decide nothing (H63)."""
    return bool(one.detail.get("machine"))


def _reached(heard: Sequence[Receipt]) -> list[tuple[int, int, int]]:
    best: dict[tuple[int, int], int] = {}
    for one in heard:
        if (step := CLIMB.get(one.kind)) is not None:
            key = (one.workspace_id, one.message_id)
            best[key] = max(step, best.get(key, 0))
    return [(workspace, message, step) for (workspace, message), step in best.items()]


def _failed(heard: Sequence[Receipt]) -> list[tuple[int, int, str]]:
    ended: dict[tuple[int, int], str] = {}
    for one in heard:
        if one.kind in FINAL or one.kind == "failed":
            said = str(one.detail.get("reason") or "")[:200]
            ended.setdefault(
                (one.workspace_id, one.message_id), f"{FINAL.get(one.kind, 'failed')}{f': {said}' if said else ''}"
            )
    return [(workspace, message, reason) for (workspace, message), reason in ended.items()]


def _suppressed(heard: Sequence[Receipt]) -> list[suppressions.Entry]:
    return [
        (one.workspace_id, one.channel, one.recipient, FINAL[one.kind])
        for one in heard
        if one.kind in FINAL and one.recipient and not one.detail.get("soft")
    ]


def _letter(one: Receipt, now: datetime) -> Letter:
    properties: dict[str, object] = {
        "message": one.message_id,
        "enrollment": one.enrollment_id,
        "node": one.node,
        "visit": one.visit,
        "journey": one.journey_id,
        "channel": one.channel,
        **{name: one.detail[name] for name in ("url", "reason") if name in one.detail},
    }
    text = msgspec.json.encode(properties).decode()
    at = min(one.at, now)
    return Letter(one.lane, 0, one.workspace_id, one.contact_id, "track", EVENTS[one.kind], at, now, text, None)
