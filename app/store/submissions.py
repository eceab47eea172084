"""Drafts handed in for review, and what reviewers said. Never decides who may."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from app.store.rows import Connection

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Submission(NamedTuple):
    """A draft as it was handed in. status: open, approved, rejected, void, published."""

    id: int
    content_hash: str
    editors: list[str]
    status: str
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


class Opinion(NamedTuple):
    """What a reviewer said; `conditions` are those of an approval."""

    reviewer: str
    decision: str
    comment: str
    conditions: Mapping[str, Any] = NOTHING


def add_review(connection: Connection, workspace_id: int, submission_id: int, said: Opinion, now: datetime) -> None:
    """Keep what a reviewer said."""
    connection.execute(
        """
        INSERT INTO review (workspace_id, submission_id, reviewer, decision, comment, conditions, decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (workspace_id, submission_id, *said[:3], Jsonb(dict(said.conditions)), now),
    )


def approvals(connection: Connection, workspace_id: int, submission_id: int) -> dict[str, dict[str, Any]]:
    """Who approved it, and under which conditions they did so last."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (reviewer) reviewer, conditions FROM review
        WHERE workspace_id = %s AND submission_id = %s AND decision = 'approve' ORDER BY reviewer, id DESC
        """,
        (workspace_id, submission_id),
    ).fetchall()
    return dict(rows)


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


def waiting(connection: Connection, workspace_id: int, limit: int) -> list[tuple[int, str, str, datetime]]:
    """What waits for a reviewer, the longest first: (journey, name, by whom, since when)."""
    return connection.execute(
        """
        SELECT j.id, j.name, s.submitted_by, s.submitted_at
        FROM submission s JOIN journey j ON j.workspace_id = s.workspace_id AND j.id = s.journey_id
        WHERE s.workspace_id = %s AND s.status = 'open' AND in_scope(j.scope) ORDER BY s.id LIMIT %s
        """,
        (workspace_id, limit),
    ).fetchall()
