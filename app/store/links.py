"""Addresses behind tracked links, each kept once per workspace. Never a redirect without a row here."""

from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID

from app.store.rows import Connection, columns


def digest_of(url: str) -> UUID:
    """What two equal addresses share."""
    return UUID(bytes=blake2b(url.encode(), digest_size=16).digest())


def keep(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The id of every `(workspace, url)`, made where it is new; one statement."""
    rows = sorted({(workspace, digest_of(url), url) for workspace, url in wanted})  # one order, or two workers deadlock
    if not rows:
        return {}
    found = connection.execute(
        """
        WITH wanted AS (SELECT * FROM unnest(%s::int[], %s::uuid[], %s::text[]) AS one(workspace_id, digest, url)),
        fresh AS (
            INSERT INTO link (workspace_id, digest, url)
            SELECT w.workspace_id, w.digest, w.url FROM wanted w
            WHERE NOT EXISTS (SELECT FROM link l WHERE l.workspace_id = w.workspace_id AND l.digest = w.digest)
            ON CONFLICT (workspace_id, digest) DO UPDATE SET url = excluded.url  -- returns a rival's row too
            RETURNING workspace_id, url, id
        )
        SELECT workspace_id, url, id FROM fresh
        UNION SELECT l.workspace_id, l.url, l.id
        FROM wanted w JOIN link l ON l.workspace_id = w.workspace_id AND l.digest = w.digest
        """,
        columns(rows, 3),
    ).fetchall()
    return {(workspace, url): id for workspace, url, id in found}


def find(connection: Connection, workspace_id: int, id: int) -> str | None:
    """Where a link leads."""
    row = connection.execute("SELECT url FROM link WHERE workspace_id = %s AND id = %s", (workspace_id, id)).fetchone()
    return str(row[0]) if row else None
