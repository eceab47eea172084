"""Journeys: drafts with their revision, states, versions. The workspace stands in every statement. Never decides."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg.types.json import Jsonb

from app.store import scopes
from app.store.pauses import LEAVE
from app.store.rows import Connection

STATES = ("draft", "live", "paused", "stopped")
BATCH_AT_MOST = timedelta(minutes=3)


class Journey(NamedTuple):
    """A journey without its draft."""

    id: int
    name: str
    status: str
    revision: int
    editors: list[str]
    live_version_id: int | None
    live_number: int | None
    paused_at: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    scope: str
    pause_mode: str = "freeze"
    pause_reason: str | None = None


class Version(NamedTuple):
    """A published version without its document."""

    id: int
    number: int
    content_hash: str
    published_at: datetime
    published_by: str
    conditions: dict[str, Any]


JOURNEY: LiteralString = """
    SELECT j.id, j.name, j.status, j.revision, j.editors, j.live_version_id, v.number, j.paused_at, j.created_at,
           j.created_by, j.updated_at, j.updated_by, j.scope, j.pause_mode, j.pause_reason
    FROM journey j LEFT JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
    WHERE j.workspace_id = %(workspace_id)s AND in_scope(j.scope)
"""


class Saving(NamedTuple):
    """A document about to be kept: by whom and when."""

    document: Mapping[str, Any]
    actor: str
    now: datetime


class Approved(NamedTuple):
    """What reviewers said yes to: this content, under these conditions."""

    content_hash: str
    conditions: Mapping[str, Any]


def add(connection: Connection, workspace_id: int, name: str, saving: Saving) -> Journey:
    """A new journey with its first draft."""
    document, actor, now = saving
    row = connection.execute(
        f"""
        INSERT INTO journey (workspace_id, name, draft, editors, created_at, created_by, updated_at, updated_by, scope)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {scopes.OWN})
        RETURNING id, name, status, revision, editors, live_version_id, NULL, paused_at, created_at, created_by,
                  updated_at, updated_by, scope, pause_mode, pause_reason
        """,
        (workspace_id, name, Jsonb(document), [actor], now, actor, now, actor),
    ).fetchone()
    assert row is not None
    return Journey._make(row)


def names(connection: Connection, workspace_id: int, ids: Sequence[int]) -> dict[int, str]:
    """What journeys are called; those outside the reader's scope are not in it."""
    rows = connection.execute(
        "SELECT id, name FROM journey WHERE workspace_id = %s AND id = ANY(%s) AND in_scope(scope)",
        (workspace_id, list(ids)),
    ).fetchall()
    return dict(rows)


class Ranked(NamedTuple):
    """A live journey with the priority its live version has."""

    id: int
    name: str
    priority: int
    marketing: bool


def ranked(connection: Connection, workspace_id: int, limit: int) -> list[Ranked]:
    """Live journeys, the strongest first: the order in which messages of one moment take the places under a cap."""
    rows = connection.execute(
        """
        SELECT j.id, j.name, coalesce((v.document #>> '{settings,priority}')::int, 50) AS priority,
               coalesce(v.document #>> '{settings,message_class}', 'marketing') = 'marketing' AS marketing
        FROM journey j JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        WHERE j.workspace_id = %s AND j.status = 'live' AND in_scope(j.scope)
        ORDER BY marketing DESC, priority DESC, lower(j.name), j.id LIMIT %s
        """,
        (workspace_id, limit),
    ).fetchall()
    return [Ranked._make(row) for row in rows]


def find(connection: Connection, workspace_id: int, journey_id: int, *, lock: bool = False) -> Journey | None:
    """One journey; `lock` holds it until the transaction ends, so that two decisions on it come one after the other."""
    tail: LiteralString = " AND j.id = %(id)s FOR UPDATE OF j" if lock else " AND j.id = %(id)s"
    row = connection.execute(JOURNEY + tail, {"workspace_id": workspace_id, "id": journey_id}).fetchone()
    return Journey._make(row) if row else None


class Asked(NamedTuple):
    """Which journeys a list wants."""

    status: str | None
    name: str | None
    before: int | None
    limit: int


def page(connection: Connection, workspace_id: int, asked: Asked) -> list[Journey]:
    """Journeys, the newest first."""
    rows = connection.execute(
        JOURNEY
        + """
        AND (%(status)s::text IS NULL OR j.status = %(status)s)
        AND (%(name)s::text IS NULL OR strpos(lower(j.name), lower(%(name)s)) > 0)
        AND (%(before)s::bigint IS NULL OR j.id < %(before)s)
        ORDER BY j.id DESC LIMIT %(limit)s
        """,
        {"workspace_id": workspace_id, **asked._asdict()},
    ).fetchall()
    return [Journey._make(row) for row in rows]


def draft(connection: Connection, workspace_id: int, journey_id: int) -> dict[str, Any] | None:
    """The draft as it was saved."""
    row = connection.execute(
        "SELECT draft FROM journey WHERE workspace_id = %s AND id = %s AND in_scope(scope)", (workspace_id, journey_id)
    ).fetchone()
    return row[0] if row else None


def save_draft(connection: Connection, workspace_id: int, journey_id: int, revision: int, saving: Saving) -> int | None:
    """The new revision; None where somebody else saved since `revision`. The actor joins those who may not approve it."""
    document, actor, now = saving
    row = connection.execute(
        """
        UPDATE journey SET draft = %s, revision = revision + 1, updated_at = %s, updated_by = %s,
            editors = array_append(array_remove(editors, %s), %s)
        WHERE workspace_id = %s AND id = %s AND revision = %s RETURNING revision
        """,
        (Jsonb(document), now, actor, actor, actor, workspace_id, journey_id, revision),
    ).fetchone()
    return int(row[0]) if row else None


def rename(connection: Connection, workspace_id: int, journey_id: int, name: str) -> bool:
    """Give it another name; that is no change of the flow."""
    row = connection.execute(
        "UPDATE journey SET name = %s WHERE workspace_id = %s AND id = %s RETURNING id",
        (name, workspace_id, journey_id),
    ).fetchone()
    return row is not None


def set_scopes(connection: Connection, workspace_id: int, ids: Sequence[int], scope: str) -> list[int]:
    """Give journeys another label, or none; only those that the transaction sees. Those that have it now."""
    rows = connection.execute(
        "UPDATE journey SET scope = %s WHERE workspace_id = %s AND id = ANY(%s) AND in_scope(scope) RETURNING id",
        (scope, workspace_id, list(ids)),
    ).fetchall()
    return sorted(id for (id,) in rows)


def add_version(
    connection: Connection, workspace_id: int, journey_id: int, approved: Approved, saving: Saving
) -> Version:
    """The next version, frozen from now on."""
    values = {"w": workspace_id, "j": journey_id, "hash": approved.content_hash, **saving._asdict()}
    season = (saving.document.get("settings") or {}).get("season")
    values |= {"document": Jsonb(saving.document), "season": Jsonb(season) if season else None}
    values["conditions"] = Jsonb(dict(approved.conditions))
    row = connection.execute(
        """
        INSERT INTO version (workspace_id, journey_id, number, document, season, content_hash, conditions, published_at,
                             published_by)
        SELECT %(w)s, %(j)s, COALESCE(max(number), 0) + 1, %(document)s, %(season)s, %(hash)s, %(conditions)s, %(now)s,
               %(actor)s
        FROM version WHERE workspace_id = %(w)s AND journey_id = %(j)s
        RETURNING id, number, content_hash, published_at, published_by, conditions
        """,
        values,
    ).fetchone()
    assert row is not None
    return Version._make(row)


def switch(connection: Connection, workspace_id: int, journey_id: int, version_id: int, now: datetime) -> str:
    """Let people in by this version from now on. A paused journey stays paused. Its edits start anew.

    A journey that was not live lets nobody in by what happened before (`opened_at`).
    """
    row = connection.execute(
        """
        UPDATE journey SET live_version_id = %s, editors = '{}', archived_at = NULL,
            opened_at = CASE WHEN status IN ('live', 'paused') THEN opened_at ELSE %s END,
            status = CASE WHEN status = 'paused' THEN 'paused' ELSE 'live' END
        WHERE workspace_id = %s AND id = %s RETURNING status
        """,
        (version_id, now, workspace_id, journey_id),
    ).fetchone()
    assert row is not None
    return str(row[0])


def versions(
    connection: Connection, workspace_id: int, journey_id: int, before: int | None, limit: int
) -> list[Version]:
    """The versions of a journey, the newest first."""
    rows = connection.execute(
        """
        SELECT id, number, content_hash, published_at, published_by, conditions FROM version
        WHERE workspace_id = %s AND journey_id = %s AND (%s::int IS NULL OR number < %s) ORDER BY number DESC LIMIT %s
        """,
        (workspace_id, journey_id, before, before, limit),
    ).fetchall()
    return [Version._make(row) for row in rows]


def numbers(connection: Connection, workspace_id: int, journey_id: int) -> dict[int, int]:
    """The number of each version of a journey by its id."""
    rows = connection.execute(
        "SELECT id, number FROM version WHERE workspace_id = %s AND journey_id = %s", (workspace_id, journey_id)
    ).fetchall()
    return dict(rows)


def document(connection: Connection, workspace_id: int, journey_id: int, number: int) -> dict[str, Any] | None:
    """The flow of one version."""
    row = connection.execute(
        "SELECT document FROM version WHERE workspace_id = %s AND journey_id = %s AND number = %s",
        (workspace_id, journey_id, number),
    ).fetchone()
    return row[0] if row else None


def conditions(connection: Connection, workspace_id: int, version_id: int) -> dict[str, Any]:
    """What the approval of a version was bound to."""
    row = connection.execute(
        "SELECT conditions FROM version WHERE workspace_id = %s AND id = %s", (workspace_id, version_id)
    ).fetchone()
    return dict(row[0]) if row else {}


def set_status(connection: Connection, workspace_id: int, journey_id: int, status: str, now: datetime) -> None:
    """Another state; `paused_at` keeps when it was last paused, resumed or stopped. What is live is never out of sight."""
    connection.execute(
        """
        UPDATE journey SET status = %(status)s, paused_at = %(now)s,
            archived_at = CASE WHEN %(status)s = 'live' THEN NULL ELSE archived_at END,
            opened_at = CASE WHEN %(status)s = 'live' THEN %(now)s ELSE opened_at END
        WHERE workspace_id = %(w)s AND id = %(id)s
        """,
        {"status": status, "now": now, "w": workspace_id, "id": journey_id},
    )


def catch_up(connection: Connection, now: datetime) -> int:
    """Call in those whom a batch that began before a resume or a stop left held, or parked in a stopped journey.

    A batch under way may write its people after the one UPDATE of resume or stop has passed; no batch takes longer than
    `BATCH_AT_MOST`, so only journeys that changed lately are looked at.
    """
    done = connection.execute(
        """
        UPDATE enrollment e SET status = 0, wake_at = %(now)s,
            reason = CASE WHEN j.status = 'paused' THEN %(leave)s ELSE e.reason END
        FROM journey j JOIN version v ON v.workspace_id = j.workspace_id AND v.journey_id = j.id
        WHERE e.workspace_id = v.workspace_id AND e.version_id = v.id AND (
            (j.status = 'live' AND e.status = 4)
            OR (j.status = 'paused' AND j.pause_mode = 'exit' AND e.reason IS DISTINCT FROM %(leave)s)
            OR (j.status = 'stopped' AND (e.status = 4 OR (e.status = 0 AND COALESCE(e.wake_at > %(now)s, true)))))
          AND e.status IN (0, 4) AND e.slot = 0 AND j.paused_at > %(since)s
        """,
        {"now": now, "since": now - BATCH_AT_MOST, "leave": LEAVE},
    )
    return done.rowcount
