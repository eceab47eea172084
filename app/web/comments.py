"""Threads of remarks beside the canvas: read, written, settled. JSON for our own script; the text is never more than text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app import audit
from app.store import comments, keys
from app.store.comments import Comment, Said
from app.store.rows import Connection
from app.web.flowstates import known_journey
from app.web.guard import Asker, Database, Now, can
from app.web.page import page_router
from app.web.problems import missing
from app.web.shapes import INT, JourneyId
from app.web.templating import PAGE_HEADERS

routes = page_router()

CommentId = Annotated[int, Path(ge=1, le=INT)]
Remark = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=4_000, strip_whitespace=True, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
    ),
]


class RemarkIn(BaseModel):
    """A remark on a step (or on the journey), or an answer in a thread."""

    model_config = ConfigDict(extra="forbid")
    text: Remark
    node: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    parent: int | None = Field(None, ge=1, le=INT)


class SettledIn(BaseModel):
    """Whether a thread is done with."""

    model_config = ConfigDict(extra="forbid")
    settled: bool


@routes.get("/journeys/{journey_id}/comments", dependencies=[can("journey.read")])
def list_comments(journey_id: JourneyId, caller: Asker, connection: Database) -> Response:
    """All threads of a journey."""
    known_journey(connection, caller, journey_id)
    return JSONResponse({"items": threads(connection, caller.workspace_id, journey_id)}, headers=PAGE_HEADERS)


@routes.post("/journeys/{journey_id}/comments", dependencies=[can("journey.comment")])
def add_comment(journey_id: JourneyId, remark: RemarkIn, caller: Asker, connection: Database, now: Now) -> Response:
    """Say something."""
    said = Said(remark.node, remark.parent, caller.actor, remark.text)
    made = comments.add(connection, caller.workspace_id, journey_id, said, now)
    if made is None:
        raise missing("thread" if remark.parent else "journey")
    after = {"comment": made.id, "node": made.node, "text": made.text}
    audit.record(
        connection, caller.workspace_id, caller.actor, "journey.comment", f"journey:{journey_id}", None, after, now
    )
    return JSONResponse({"items": threads(connection, caller.workspace_id, journey_id)}, 201, headers=PAGE_HEADERS)


@routes.post("/journeys/{journey_id}/comments/{comment_id}/settle", dependencies=[can("journey.comment")])
def settle_comment(
    journey_id: JourneyId, comment_id: CommentId, wish: SettledIn, caller: Asker, connection: Database, now: Now
) -> Response:
    """Close a thread, or open it again."""
    by = (caller.actor, now) if wish.settled else None
    if not comments.settle(connection, caller.workspace_id, journey_id, comment_id, by):
        raise missing("thread")
    after = {"comment": comment_id, "settled": wish.settled}
    audit.record(
        connection, caller.workspace_id, caller.actor, "journey.settle", f"journey:{journey_id}", None, after, now
    )
    return JSONResponse({"items": threads(connection, caller.workspace_id, journey_id)}, headers=PAGE_HEADERS)


def threads(connection: Connection, workspace_id: int, journey_id: int) -> list[dict[str, Any]]:
    """Everything said, thread by thread, with people's names."""
    found = comments.of_journey(connection, workspace_id, journey_id)
    actors = {one.author for one in found} | {one.resolved_by for one in found if one.resolved_by}
    names = keys.names(connection, workspace_id, sorted(actors))
    answers: dict[int, list[Comment]] = {}
    for one in found:
        if one.parent is not None:
            answers.setdefault(one.parent, []).append(one)
    return [
        {**_told(one, names), "node": one.node, "answers": [_told(answer, names) for answer in answers.get(one.id, ())]}
        for one in found
        if one.parent is None
    ]


def _told(one: Comment, names: Mapping[str, str]) -> dict[str, Any]:
    settled: datetime | None = one.resolved_at
    return {
        "id": one.id,
        "author": names.get(one.author, one.author),
        "text": one.text,
        "at": one.created_at.isoformat(),
        "settled_at": settled.isoformat() if settled else None,
        "settled_by": names.get(one.resolved_by, one.resolved_by) if one.resolved_by else None,
    }
