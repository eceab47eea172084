"""Drafts of a journey kept aside under names of their own. Never the draft that is handed in: `journeys` keeps that."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from app.store.rows import Connection


class SideDraft(NamedTuple):
    """A draft kept aside, without its documents. `base_number`: the version that was live when it began."""

    id: int
    name: str
    owner: str
    editors: list[str]
    base_number: int | None
    created_at: datetime
    updated_at: datetime
    steps: int


class Kept(NamedTuple):
    """What is kept."""

    name: str
    owner: str
    editors: Sequence[str]
    base: Mapping[str, Any]
    base_number: int | None
    document: Mapping[str, Any]


FIELDS = """id, name, owner, editors, base_number, created_at, updated_at,
    CASE jsonb_typeof(document -> 'nodes') WHEN 'array' THEN jsonb_array_length(document -> 'nodes') ELSE 0 END"""


def add(connection: Connection, workspace_id: int, journey_id: int, kept: Kept, now: datetime) -> SideDraft:
    """Keep one more."""
    row = connection.execute(
        f"""
        INSERT INTO side_draft
            (workspace_id, journey_id, name, owner, editors, base, base_number, document, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {FIELDS}
        """,
        (
            workspace_id,
            journey_id,
            kept.name,
            kept.owner,
            list(kept.editors),
            Jsonb(kept.base),
            kept.base_number,
            Jsonb(kept.document),
            now,
            now,
        ),
    ).fetchone()
    assert row is not None
    return SideDraft._make(row)


def of_journey(connection: Connection, workspace_id: int, journey_id: int) -> list[SideDraft]:
    """All of a journey, the latest first."""
    rows = connection.execute(
        f"SELECT {FIELDS} FROM side_draft WHERE workspace_id = %s AND journey_id = %s ORDER BY updated_at DESC, id DESC",
        (workspace_id, journey_id),
    ).fetchall()
    return [SideDraft._make(row) for row in rows]


def find(connection: Connection, workspace_id: int, journey_id: int, id: int) -> SideDraft | None:
    """One of them; whoever changes it holds its journey."""
    row = connection.execute(
        f"SELECT {FIELDS} FROM side_draft WHERE workspace_id = %s AND journey_id = %s AND id = %s",
        (workspace_id, journey_id, id),
    ).fetchone()
    return SideDraft._make(row) if row else None


def documents(
    connection: Connection, workspace_id: int, journey_id: int, id: int
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What it began from, and what it says."""
    row = connection.execute(
        "SELECT base, document FROM side_draft WHERE workspace_id = %s AND journey_id = %s AND id = %s",
        (workspace_id, journey_id, id),
    ).fetchone()
    return (row[0], row[1]) if row else None


def remove(connection: Connection, workspace_id: int, journey_id: int, id: int) -> bool:
    """Forget it."""
    row = connection.execute(
        "DELETE FROM side_draft WHERE workspace_id = %s AND journey_id = %s AND id = %s RETURNING id",
        (workspace_id, journey_id, id),
    ).fetchone()
    return row is not None


def join_editors(connection: Connection, workspace_id: int, journey_id: int, editors: Sequence[str]) -> None:
    """Who drew what becomes the draft may not approve it, whoever made it the draft."""
    connection.execute(
        """
        UPDATE journey SET editors = ARRAY(SELECT DISTINCT one FROM unnest(editors || %s::text[]) AS one)
        WHERE workspace_id = %s AND id = %s
        """,
        (list(editors), workspace_id, journey_id),
    )


def who_drew(connection: Connection, workspace_id: int, journey_id: int, revision: int) -> list[str]:
    """Who saved the draft up to a revision, since the version that was live then."""
    rows = connection.execute(
        """
        SELECT DISTINCT d.saved_by FROM draft_save d
        WHERE d.workspace_id = %(w)s AND d.journey_id = %(j)s AND d.revision <= %(revision)s AND d.saved_at > coalesce((
            SELECT max(v.published_at) FROM version v WHERE v.workspace_id = %(w)s AND v.journey_id = %(j)s
              AND v.published_at < (SELECT saved_at FROM draft_save s WHERE s.workspace_id = %(w)s
                                    AND s.journey_id = %(j)s AND s.revision = %(revision)s)), '-infinity')
        """,
        {"w": workspace_id, "j": journey_id, "revision": revision},
    ).fetchall()
    return [actor for (actor,) in rows]
