"""Messages over HTTP: what was or was not sent to whom, and why. Never what stood in them beyond the title."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request
from pydantic import ConfigDict

from app.auth import Caller
from app.keys import idempotency_key
from app.privacy import Glasses
from app.store import walks
from app.store.outbox import NEVER
from app.store.rows import Connection
from app.store.walks import Asked, Sent
from app.web import told
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, can, router
from app.web.problems import missing
from app.web.shapes import BIGINT, INT, PAGE, Limit, Next, Out, Page, paged, place_of
from app.web.walks import NodeName
from app.web.whys import Case, Whys
from flows.contract import OUTCOMES

routes = router("messages")

SendingWord = Literal["pending", "sending", "sent", "failed", "suppressed", "expired", "unknown", "deferred"]


class MessageOut(Out):
    """A message. `reason` says why it was not sent, or not yet, `reason_text` the same in a sentence.

    `outcome` is the furthest it is known to have come; a deferred message asks again at `due_at`.

    `idempotency_key` is what the provider was told; null until the recipient is known.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 9001,
                    "journey_id": 7,
                    "enrollment_id": 5001,
                    "node": "remind",
                    "visit": 1,
                    "contact_id": 31007,
                    "channel": "email",
                    "account": "shop-mail",
                    "status": "suppressed",
                    "outcome": None,
                    "reason": "lost to journey 12: 3 per P7D",
                    "reason_text": "lost to journey “Welcome” (12): 3 of 3 marketing messages in 7 days",
                    "attempts": 0,
                    "title": None,
                    "idempotency_key": "5d41402abc4b2a76b9719d911017c592",
                    "created_at": "2026-11-21T10:10:00Z",
                    "due_at": "2026-11-21T10:10:00Z",
                    "sent_at": None,
                }
            ]
        }
    )
    id: int
    journey_id: int
    enrollment_id: int
    node: str
    visit: int
    contact_id: int
    channel: str
    account: str | None
    status: SendingWord
    outcome: str | None
    reason: str | None
    reason_text: str | None
    attempts: int
    title: str | None
    idempotency_key: str | None
    created_at: datetime
    due_at: datetime | None
    sent_at: datetime | None


@routes.get("/messages", dependencies=[can("message.read")])
def list_messages(
    request: Request,
    connection: Database,
    asker: Asker,
    journey: Annotated[int | None, Query(ge=1, le=INT, description="Only of this journey.")] = None,
    contact: Annotated[int | None, Query(ge=1, le=BIGINT, description="Only to this contact.")] = None,
    node: NodeName = None,
    status: Annotated[SendingWord | None, Query(description="Only in this status.")] = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[MessageOut]:
    """List messages, the newest first; one that was not sent stands here too, with the reason."""
    place = place_of(next, int)
    asked = Asked(journey, node, status, place[0] if place else None, limit + 1)
    found = walks.messages(connection, asker.workspace_id, asked, contact)
    rows, after = paged(found, limit, lambda row: [row.id])
    glasses = glasses_of(connection, asker)
    whys = _whys(request, connection, asker, rows)
    return Page(items=[message_out(row, asker.workspace_id, glasses, whys) for row in rows], next=after)


@routes.get("/messages/{message_id}", dependencies=[can("message.read")])
def read_message(
    message_id: Annotated[int, Path(ge=1, le=BIGINT, description="Number of the message.", examples=[9001])],
    request: Request,
    connection: Database,
    asker: Asker,
) -> MessageOut:
    """Show a message."""
    found = walks.message(connection, asker.workspace_id, message_id)
    if found is None:
        raise missing("message")
    whys = _whys(request, connection, asker, [found])
    return message_out(found, asker.workspace_id, glasses_of(connection, asker), whys)


def _whys(request: Request, connection: Connection, asker: Caller, rows: Sequence[Sent]) -> Whys:
    known = told.faces(request, connection, asker.workspace_id, {row.version_id for row in rows if row.reason})
    cases = [
        Case(row.id, row.contact_id, row.channel, row.node, row.created_at, row.reason, row.version_id) for row in rows
    ]
    return Whys(request, connection, asker.workspace_id, cases, known)


def message_out(row: Sent, workspace_id: int, glasses: Glasses, whys: Whys) -> MessageOut:
    """A message as the API shows it to this caller."""
    shown = {name: value for name, value in row._asdict().items() if name in MessageOut.model_fields}
    shown["due_at"] = row.due_at if row.due_at < NEVER else None
    word = walks.SENDING_WORDS[row.status]
    return MessageOut(
        **{
            **shown,
            "status": word,
            "outcome": OUTCOMES[row.outcome - 1] if row.outcome else None,
            "title": glasses.words(row.title),
        },
        reason_text=whys.text(row.id),
        attempts=row.attempt,
        idempotency_key=_key(row, workspace_id) if row.recipient is not None or word != "pending" else None,
    )


def _key(row: Sent, workspace_id: int) -> str:
    contact = row.origin or row.contact_id
    return idempotency_key(
        workspace_id, row.journey_id, contact, row.enrollment_id, row.node, row.visit, row.channel, row.recipient
    )
