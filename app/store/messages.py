"""Messages: written by the walk, pending or suppressed. What becomes of them afterwards is in `outbox`. Never renders."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

import msgspec

from app.store.rows import NULL, Connection, columns, copy_lines, escape, instant, optional
from flows.compile import Step
from flows.contract import OUTCOMES
from flows.interpret import Traveller

TITLE_LENGTH = 200


class MessageStatus(IntEnum):
    """Where a message stands (rule D7). PENDING and SENDING are on their way, UNKNOWN waits for a receipt; the rest absorb."""

    PENDING = 0
    SENDING = 1
    SENT = 2
    FAILED = 3
    SUPPRESSED = 4
    EXPIRED = 5
    UNKNOWN = 6
    DEFERRED = 7  # the gate will be asked again at `due_at`


class Draft(NamedTuple):
    """A message about to be written: for whom, from which node and visit, and what the gate said."""

    traveller: Traveller
    step: Step
    visit: int
    at: datetime
    channel: str
    account: str | None
    refusal: str | None
    content: object
    due: datetime | None = None  # with a refusal: when the gate is to be asked again


def add(connection: Connection, drafts: Sequence[Draft], ids: Iterable[int]) -> None:
    """Write messages; a refused one is written too, with its reason, because every non-send has a row that says why."""
    copy_lines(
        connection,
        "message (workspace_id, lane, enrollment_id, node, visit, id, contact_id, created_at, due_at, journey_id, version_id,"
        " status, marketing, channel, account, reason, title, content)",
        _lines(drafts, ids),
    )


def _lines(drafts: Sequence[Draft], ids: Iterable[int]) -> Iterator[str]:
    """COPY lines; what a cohort shares of them is written once. A content is told by which object it is."""
    known: dict[tuple[Step, int, datetime, str | None, datetime | None, int], tuple[str, str]] = {}
    for draft, number in zip(drafts, ids, strict=False):
        one = draft.traveller
        shared = draft.step, draft.visit, draft.at, draft.refusal, draft.due, id(draft.content)
        around = known.get(shared)
        if around is None:
            around = known[shared] = _around(draft)
        yield f"{one.plan.workspace_id}\t{one.lane}\t{one.id}{around[0]}{number}\t{one.contact}{around[1]}"


def _around(draft: Draft) -> tuple[str, str]:
    """What stands before the message's id and behind the contact's."""
    plan, at = draft.traveller.plan, instant(draft.at)
    status, due = 0, at
    if draft.refusal is not None:
        status, due = (4, at) if draft.due is None else (7, instant(draft.due))
    content = NULL if draft.content is None else escape(msgspec.json.encode(draft.content).decode())
    return (
        f"\t{draft.step.id}\t{draft.visit}\t",
        f"\t{at}\t{due}\t{plan.journey_id}\t{plan.version_id}\t{status}\t{'t' if draft.step.marketing else 'f'}"
        f"\t{draft.channel}\t{optional(draft.account)}\t{optional(draft.refusal)}\t{optional(_unsaid(draft))}\t{content}",
    )


def _unsaid(draft: Draft) -> str | None:
    """What a refused message would have been about: its title as written, since nobody renders what is not sent."""
    channel = draft.step.node.channel if draft.step.node else None
    if draft.refusal is None or draft.due is not None or channel is None:
        return None
    value = getattr(draft.step.settings, next(iter(channel.fields)), None)
    return str(value)[:TITLE_LENGTH] if value else None


def outcomes(
    connection: Connection, enrollments: Sequence[tuple[int, int, int]]
) -> dict[int, dict[str, frozenset[str]]]:
    """For `(workspace, lane, enrollment)`: by enrollment and node, which outcomes its messages have reached."""
    if not enrollments:
        return {}
    rows = connection.execute(
        """
        SELECT m.enrollment_id, m.node, max(m.outcome), bool_or(m.status = 3), bool_or(m.status = 4)
        FROM unnest(%s::int[], %s::smallint[], %s::bigint[]) AS one(workspace_id, lane, id)
        JOIN message m ON m.workspace_id = one.workspace_id AND m.lane = one.lane AND m.enrollment_id = one.id
        GROUP BY 1, 2
        """,
        columns(enrollments, 3),
    ).fetchall()
    found: dict[int, dict[str, frozenset[str]]] = {}
    for enrollment, node, reached, failed, suppressed in rows:
        names = {*OUTCOMES[:reached], *(["failed"] if failed else []), *(["suppressed"] if suppressed else [])}
        found.setdefault(enrollment, {})[node] = frozenset(names)
    return found
