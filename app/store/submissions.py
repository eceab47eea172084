"""Drafts handed in for review, and what reviewers said. Never decides who may."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from psycopg.types.json import Jsonb

from app.store.rows import Connection

NOTHING: Mapping[str, Any] = MappingProxyType({})


State = Literal["open", "approved", "rejected", "void", "published"]


class Submission(NamedTuple):
    """A draft as it was handed in."""

    id: int
    content_hash: str
    editors: list[str]
    status: State
    submitted_by: str
    submitted_at: datetime
    reach: int | None = None
    nudged_at: datetime | None = None
    nudged_by: str | None = None


class Handed(NamedTuple):
    """What is being handed in."""

    content_hash: str
    document: Mapping[str, Any]
    editors: Sequence[str]
    actor: str


def latest(connection: Connection, workspace_id: int, journey_id: int) -> Submission | None:
    """The submission handed in last."""
    row = connection.execute(
        """
        SELECT id, content_hash, editors, status, submitted_by, submitted_at, reach, nudged_at, nudged_by FROM submission
        WHERE workspace_id = %s AND journey_id = %s ORDER BY id DESC LIMIT 1
        """,
        (workspace_id, journey_id),
    ).fetchone()
    return Submission._make(row) if row else None


def document(connection: Connection, workspace_id: int, submission_id: int) -> dict[str, Any]:
    """The flow that was handed in."""
    row = connection.execute(
        "SELECT document FROM submission WHERE workspace_id = %s AND id = %s", (workspace_id, submission_id)
    ).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def add(connection: Connection, workspace_id: int, journey_id: int, handed: Handed, now: datetime) -> None:
    """Hand in; what was handed in before and is not decided yet is void."""
    void(connection, workspace_id, journey_id)
    connection.execute(
        """
        INSERT INTO submission (workspace_id, journey_id, content_hash, document, editors, status, submitted_by, submitted_at)
        VALUES (%s, %s, %s, %s, %s, 'open', %s, %s)
        """,
        (
            workspace_id,
            journey_id,
            handed.content_hash,
            Jsonb(handed.document),
            list(handed.editors),
            handed.actor,
            now,
        ),
    )


def void(connection: Connection, workspace_id: int, journey_id: int, keep_hash: str = "") -> None:
    """Void what is open or approved, unless it still means the same (`keep_hash`)."""
    connection.execute(
        """
        UPDATE submission SET status = 'void'
        WHERE workspace_id = %s AND journey_id = %s AND status IN ('open', 'approved') AND content_hash <> %s
        """,
        (workspace_id, journey_id, keep_hash),
    )


def decide(connection: Connection, workspace_id: int, submission_id: int, status: str) -> None:
    """Another status; what is void, rejected or published stays so."""
    connection.execute(
        """
        UPDATE submission SET status = %s
        WHERE workspace_id = %s AND id = %s AND status IN ('open', 'approved')
        """,
        (status, workspace_id, submission_id),
    )


def nudge(
    connection: Connection, workspace_id: int, submission_id: int, actor: str, now: datetime, since: datetime
) -> bool:
    """Note that reviewers are reminded of it; False where somebody has done that since then."""
    row = connection.execute(
        """
        UPDATE submission SET nudged_at = %s, nudged_by = %s
        WHERE workspace_id = %s AND id = %s AND status = 'open' AND (nudged_at IS NULL OR nudged_at <= %s) RETURNING id
        """,
        (now, actor, workspace_id, submission_id, since),
    ).fetchone()
    return row is not None


class Opinion(NamedTuple):
    """What a reviewer said; `conditions` are those of an approval, `maker` made the key or link they said it with."""

    reviewer: str
    decision: str
    comment: str
    conditions: Mapping[str, Any] = NOTHING
    maker: str | None = None


def add_review(connection: Connection, workspace_id: int, submission_id: int, said: Opinion, now: datetime) -> None:
    """Keep what a reviewer said."""
    connection.execute(
        """
        INSERT INTO review (workspace_id, submission_id, reviewer, decision, comment, conditions, maker, decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (workspace_id, submission_id, *said[:3], Jsonb(dict(said.conditions)), said.maker, now),
    )


class Approving(NamedTuple):
    """Who approved it, who made the key or link they did it with if not they, and under which conditions."""

    reviewer: str
    maker: str | None
    conditions: dict[str, Any]


def approvals(connection: Connection, workspace_id: int, submission_id: int) -> list[Approving]:
    """The last approval of everybody who approved it."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (reviewer) reviewer, maker, conditions FROM review
        WHERE workspace_id = %s AND submission_id = %s AND decision = 'approve' ORDER BY reviewer, id DESC
        """,
        (workspace_id, submission_id),
    ).fetchall()
    return [Approving._make(row) for row in rows]


class Decided(NamedTuple):
    """What a reviewer said, and when."""

    reviewer: str
    decision: str
    comment: str
    conditions: dict[str, Any]
    decided_at: datetime


def opinions(connection: Connection, workspace_id: int, submission_id: int) -> list[Decided]:
    """Everything that was said on one submission, the latest first."""
    rows = connection.execute(
        """
        SELECT reviewer, decision, comment, conditions, decided_at FROM review
        WHERE workspace_id = %s AND submission_id = %s ORDER BY id DESC LIMIT 50
        """,
        (workspace_id, submission_id),
    ).fetchall()
    return [Decided._make(row) for row in rows]


class Waiting(NamedTuple):
    """A draft that waits for a reviewer. `own`: the one who asks edited or handed it in, or has approved it already."""

    journey_id: int
    name: str
    submitted_by: str
    submitted_at: datetime
    nudged_at: datetime | None
    own: bool


def waiting(connection: Connection, workspace_id: int, actor: str, limit: int) -> list[Waiting]:
    """What waits for a reviewer: what others are reminded of first, then the longest waiting."""
    rows = connection.execute(
        """
        SELECT j.id, j.name, s.submitted_by, s.submitted_at, s.nudged_at,
               %(actor)s = s.submitted_by OR %(actor)s = ANY(s.editors) OR %(actor)s = ANY(j.editors) OR EXISTS (
                   SELECT FROM review r WHERE r.workspace_id = s.workspace_id AND r.submission_id = s.id
                     AND r.reviewer = %(actor)s) AS own
        FROM submission s JOIN journey j ON j.workspace_id = s.workspace_id AND j.id = s.journey_id
        WHERE s.workspace_id = %(w)s AND s.status = 'open' AND in_scope(j.scope)
        ORDER BY own, s.nudged_at DESC NULLS LAST, s.id LIMIT %(limit)s
        """,
        {"w": workspace_id, "actor": actor, "limit": limit},
    ).fetchall()
    return [Waiting._make(row) for row in rows]
