"""Addresses behind tracked links, each kept once per workspace. Never a redirect without a row here."""

from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID

from app.store.rows import Connection, columns


def digest_of(url: str) -> UUID:
    """What two equal addresses share."""
    return UUID(bytes=blake2b(url.encode(), digest_size=16).digest())


def keep(connection: Connection, wanted: Iterable[tuple[int, str, int]]) -> dict[tuple[int, str], int]:
    """The id of every `(workspace, url, contact)`'s URL, made where it is new; one statement.

    A URL that stands in messages of two people belongs to neither; until then it may say something of the one.
    """
    owners: dict[tuple[int, str], int | None] = {}
    for workspace, url, contact in wanted:
        owners[workspace, url] = contact if owners.get((workspace, url), contact) == contact else None
    rows = sorted((workspace, digest_of(url), url, owner) for (workspace, url), owner in owners.items())
    if not rows:  # sorted by digest: in one order, or two workers deadlock
        return {}
    found = connection.execute(
        """
        WITH wanted AS (SELECT * FROM unnest(%s::int[], %s::uuid[], %s::text[], %s::bigint[])
          AS one(workspace_id, digest, url, contact_id)),
        others AS (
            SELECT l.workspace_id, l.id FROM wanted w JOIN link l ON l.workspace_id = w.workspace_id AND l.digest = w.digest
            WHERE l.contact_id IS NOT NULL AND l.contact_id IS DISTINCT FROM w.contact_id
            ORDER BY l.workspace_id, l.id FOR UPDATE OF l
        ), shared AS (
            UPDATE link l SET contact_id = NULL FROM others o WHERE l.workspace_id = o.workspace_id AND l.id = o.id
        ), fresh AS (
            INSERT INTO link (workspace_id, digest, url, contact_id)
            SELECT w.workspace_id, w.digest, w.url, w.contact_id FROM wanted w
            WHERE NOT EXISTS (SELECT FROM link l WHERE l.workspace_id = w.workspace_id AND l.digest = w.digest)
            ON CONFLICT (workspace_id, digest) DO UPDATE SET contact_id = NULL  -- returns a rival's row too
            RETURNING workspace_id, url, id
        )
        SELECT workspace_id, url, id FROM fresh
        UNION SELECT l.workspace_id, l.url, l.id
        FROM wanted w JOIN link l ON l.workspace_id = w.workspace_id AND l.digest = w.digest
        """,
        columns(rows, 4),
    ).fetchall()
    return {(workspace, url): id for workspace, url, id in found}


def find(connection: Connection, workspace_id: int, id: int) -> str | None:
    """Where a link leads."""
    row = connection.execute("SELECT url FROM link WHERE workspace_id = %s AND id = %s", (workspace_id, id)).fetchone()
    return str(row[0]) if row else None
