"""Consents, changed at once and in place: an opt-out does not wait for the inbox (promise P10). Never asks who may do it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from app.lanes import lane_of
from app.store.rows import Connection, columns

MERGES_FOLLOWED = 16


class Consent(NamedTuple):
    """What a contact said about one purpose (marketing, transactional) of one channel."""

    workspace_id: int
    contact_id: int
    channel: str
    purpose: str
    allowed: bool
    at: datetime


Said = dict[tuple[int, int], dict[str, dict[str, bool]]]  # (workspace, contact) → channel → purpose → allowed


def opt_out(
    connection: Connection, workspace_id: int, user_id: str, *, channel: str, purpose: str, now: datetime
) -> bool:
    """Write down that a user wants no more of this; False where nobody has that user id."""
    row = connection.execute(
        "SELECT contact_id FROM identity WHERE workspace_id = %s AND kind = 'user_id' AND value = %s",
        (workspace_id, user_id),
    ).fetchone()
    if row is None:
        return False
    return set_consents(connection, [Consent(workspace_id, row[0], channel, purpose, False, now)]) > 0


def set_consents(connection: Connection, rows: Iterable[Consent]) -> int:
    """Write what contacts said; a merged contact's word reaches whom it is now. Returns how many contacts were changed."""
    said: Said = {}
    at = None
    for row in rows:
        said.setdefault((row.workspace_id, row.contact_id), {}).setdefault(row.channel, {})[row.purpose] = row.allowed
        at = max(at or row.at, row.at)
    changed = 0
    for _ in range(MERGES_FOLLOWED):
        if not said:
            break
        merged = _write(connection, said, at)
        changed += len(merged)
        forwarded: Said = {}
        for (workspace, contact), winner in merged.items():
            if winner is not None:
                for channel, purposes in said[workspace, contact].items():
                    forwarded.setdefault((workspace, winner), {}).setdefault(channel, {}).update(purposes)
        said = forwarded
    return changed


def _write(connection: Connection, said: Said, at: datetime | None) -> dict[tuple[int, int], int | None]:
    patches = [
        (workspace, lane_of(workspace, contact), contact, msgspec.json.encode(patch).decode())
        for (workspace, contact), patch in sorted(said.items())
    ]
    rows = connection.execute(
        """
        WITH said AS (
            SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::jsonb[]) AS one(workspace_id, lane, id, patch)
        ), locked AS (
            SELECT c.workspace_id, c.lane, c.id FROM contact c JOIN said USING (workspace_id, lane, id)
            ORDER BY c.workspace_id, c.lane, c.id FOR UPDATE OF c
        )
        UPDATE contact c SET consents = c.consents || (
            SELECT jsonb_object_agg(one.key, coalesce(c.consents -> one.key, '{}') || one.value)
            FROM jsonb_each(said.patch) AS one
        ), updated_at = greatest(c.updated_at, %s)
        FROM locked JOIN said USING (workspace_id, lane, id)
        WHERE c.workspace_id = locked.workspace_id AND c.lane = locked.lane AND c.id = locked.id
        RETURNING c.workspace_id, c.id, c.merged_into
        """,
        (*columns(patches, 4), at),
    ).fetchall()
    return {(workspace, contact): winner for workspace, contact, winner in rows}
