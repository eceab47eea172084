"""gate: messages that were put off ask again when their time has come, in their contacts' lanes. Never sends, never renders."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.database import transaction
from app.failpoints import failpoint
from app.plans import Plans
from app.policing import Ask, ask
from app.store import inbox, sendings, tallies
from app.store.inbox import Letter
from app.store.messages import MessageStatus
from app.store.rows import Connection
from app.store.sendings import Answer, Deferred
from app.store.tallies import withheld
from flows.interpret import HOLD
from flows.policies import Verdict


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Ask for up to `limit` messages; returns how many asked."""
    with transaction(connection):
        rows = sendings.deferred(connection, lanes, now, limit)
        if not rows:
            return 0
        plans.refresh(connection)
        plans.include(connection, {row.version_id for row in rows})
        known = [row for row in rows if row.version_id in plans.by_version]
        asks = [_ask(row, plans) for row in known]
        verdicts = ask(connection, asks, plans.policies, now)
        failpoint("GATE")
        held = [Answer(row, MessageStatus.DEFERRED, now + HOLD, None) for row in rows if row.version_id in plans.broken]
        answered = list(zip(known, verdicts, strict=True))
        sendings.answer(connection, [*held, *(_answer(row, verdict, now) for row, verdict in answered)])
        lost = Counter(_port(row, one) for row, one in answered if one.due is None)
        tallies.append(connection, plans.by_version, lost, now)
        inbox.put(connection, [_letter(row, one, now) for row, one in answered if _tells(row, one, plans)])
    return len(rows)


def _ask(row: Deferred, plans: Plans) -> Ask:
    plan = plans.by_version[row.version_id]
    key = row.workspace_id, row.lane, row.contact_id
    return Ask(key, row.id, row.channel, row.journey_id, plan.priority, plan.timezone, row.created_at)


def _answer(row: Deferred, verdict: Verdict, now: datetime) -> Answer:
    if verdict.due is None:
        return Answer(row, MessageStatus.SUPPRESSED, now, verdict.reason)
    status = MessageStatus.PENDING if verdict.due <= now else MessageStatus.DEFERRED
    return Answer(row, status, verdict.due, verdict.reason)


def _port(row: Deferred, verdict: Verdict) -> tuple[int, str, str]:
    return row.version_id, row.node, withheld(verdict.reason)


def _tells(row: Deferred, verdict: Verdict, plans: Plans) -> bool:
    step = plans.by_version[row.version_id].steps.get(row.node)
    return verdict.due is None and step is not None and "message.suppressed" in step.listens


def _letter(row: Deferred, verdict: Verdict, now: datetime) -> Letter:
    told = {"enrollment": row.enrollment_id, "node": row.node, "visit": row.visit, "reason": verdict.reason}
    text = msgspec.json.encode(told).decode()
    return Letter(row.lane, 0, row.workspace_id, row.contact_id, "track", "message.suppressed", now, now, text, None)
