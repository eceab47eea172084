"""Consents, changed at once and in place: an opt-out does not wait for the inbox (promise P10). Never asks who may do it.

What holds now stands on the contact, where the gate reads it; the ledger keeps every word for ever, with where it came from.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from app.lanes import lane_of
from app.store import holding, merges
from app.store.rows import Connection, columns

MERGES_FOLLOWED = 16
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Consent(NamedTuple):
    """What a contact said about one purpose of one channel, and how we know.

    `marketing` speaks for all purposes of the channel but transactional: a no to it is a no to all of them.
    """

    workspace_id: int
    contact_id: int
    channel: str
    purpose: str
    allowed: bool
    at: datetime
    source: str = "api"
    actor: str = ""
    text_version: str = ""
    proof: Mapping[str, Any] = NOTHING


Said = dict[tuple[int, int], list[Consent]]  # (workspace, contact) → what was said, in order


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


def set_consents(connection: Connection, rows: Iterable[Consent], *, patience_ms: int = holding.LONGEST_WAIT_MS) -> int:
    """Write what contacts said; a merged contact's word reaches whom it is now. Returns how many contacts were changed.

    Where somebody opts out, comes back only when nobody is writing to them any more: from the commit on, nothing begins.
    """
    said: Said = {}
    for row in rows:
        said.setdefault((row.workspace_id, row.contact_id), []).append(row)
    refusing: set[int] = set()
    changed = 0
    for _ in range(MERGES_FOLLOWED):
        if not said:
            break
        merged = _write(connection, said)
        changed += len(merged)
        forwarded: Said = {}
        for (workspace, contact), winner in merged.items():
            if any(not one.allowed for one in said[workspace, contact]):
                refusing.add(contact)
            if winner is not None:
                forwarded.setdefault((workspace, winner), []).extend(said[workspace, contact])
        said = forwarded
    holding.wait(connection, refusing, patience_ms)
    return changed


def _write(connection: Connection, said: Said) -> dict[tuple[int, int], int | None]:
    """One step: the contacts as named, and the ledger of those who were not merged. A no that stood already is no news."""
    people = sorted(said)
    patches = [
        (workspace, lane_of(workspace, contact), contact, _text(_patch(said[workspace, contact])), at)
        for workspace, contact in people
        for at in [max(one.at for one in said[workspace, contact])]
    ]
    entries = [
        (
            *(workspace, lane_of(workspace, contact), contact, one.at, one.allowed, one.channel, one.purpose),
            *(one.source, one.actor, one.text_version, _text(one.proof)),
        )
        for workspace, contact in people
        for one in said[workspace, contact]
    ]
    rows = connection.execute(SET, (*columns(patches, 5), *columns(entries, 11))).fetchall()
    return {(workspace, contact): winner for workspace, contact, winner in rows}


SET = """
WITH said AS (
    SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::jsonb[], %s::timestamptz[])
      AS one(workspace_id, lane, id, patch, at)
), locked AS (
    SELECT c.workspace_id, c.lane, c.id, c.consents AS before, c.merged_into
    FROM contact c JOIN said USING (workspace_id, lane, id)
    ORDER BY c.workspace_id, c.lane, c.id FOR UPDATE OF c
), told AS (
    SELECT * FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::timestamptz[], %s::boolean[], %s::text[], %s::text[],
                         %s::text[], %s::text[], %s::text[], %s::jsonb[]) WITH ORDINALITY
      AS one(workspace_id, lane, id, at, allowed, channel, purpose, source, actor, text_version, proof, place)
), kept AS (
    INSERT INTO consent (workspace_id, lane, contact_id, at, allowed, channel, purpose, source, actor, text_version, proof)
    SELECT t.workspace_id, t.lane, t.id, t.at, t.allowed, t.channel, t.purpose, t.source, t.actor, t.text_version, t.proof
    FROM told t JOIN locked USING (workspace_id, lane, id)
    WHERE locked.merged_into IS NULL
      AND (t.allowed OR locked.before #>> ARRAY[t.channel, t.purpose] IS DISTINCT FROM 'false')
    ORDER BY t.place
)
UPDATE contact c SET consents = c.consents || (
    SELECT jsonb_object_agg(one.key, coalesce(c.consents -> one.key, '{}') || one.value)
    FROM jsonb_each(said.patch) AS one
), updated_at = greatest(c.updated_at, said.at)
FROM locked JOIN said USING (workspace_id, lane, id)
WHERE c.workspace_id = locked.workspace_id AND c.lane = locked.lane AND c.id = locked.id
RETURNING c.workspace_id, c.id, c.merged_into
"""


def _patch(said: Sequence[Consent]) -> dict[str, dict[str, bool]]:
    patch: dict[str, dict[str, bool]] = {}
    for one in said:
        patch.setdefault(one.channel, {})[one.purpose] = one.allowed
    return patch


def _text(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(value)).decode()


class Entry(NamedTuple):
    """A line of the ledger."""

    id: int
    contact_id: int
    at: datetime
    allowed: bool
    channel: str
    purpose: str
    source: str
    actor: str
    text_version: str
    proof: dict[str, Any]


def ledger(
    connection: Connection, workspace_id: int, contacts: Sequence[int], before: int | None, limit: int
) -> list[Entry]:
    """What a person said, under all the numbers they ever had, the newest first; `before` pages on."""
    keys = [(lane_of(workspace_id, contact), contact) for contact in contacts]
    rows = connection.execute(
        """
        SELECT l.id, l.contact_id, l.at, l.allowed, l.channel, l.purpose, l.source, l.actor, l.text_version, l.proof
        FROM unnest(%s::smallint[], %s::bigint[]) AS one(lane, id)
        JOIN consent l ON l.workspace_id = %s AND l.lane = one.lane AND l.contact_id = one.id
        WHERE %s::bigint IS NULL OR l.id < %s ORDER BY l.id DESC LIMIT %s
        """,
        (*columns(keys, 2), workspace_id, before, before, limit),
    ).fetchall()
    return [Entry._make(row) for row in rows]


class Refused(NamedTuple):
    """The no of a person that held a message back."""

    purpose: str
    channel: str
    at: datetime
    source: str


def refused(
    connection: Connection, workspace_id: int, asked: Sequence[tuple[int, int, str, str, datetime]]
) -> dict[int, Refused]:
    """For `(message, contact, channel, purpose, written at)`: the no that stood when it was written, else the first after."""
    keys = [(id, lane_of(workspace_id, contact), contact, *rest) for id, contact, *rest in asked]
    rows = connection.execute(
        """
        SELECT one.id, said.purpose, said.channel, said.at, said.source
        FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
          AS one(id, lane, contact_id, channel, purpose, at)
        CROSS JOIN LATERAL (
            SELECT l.purpose, l.channel, l.at, l.source FROM consent l
            WHERE l.workspace_id = %s AND l.lane = one.lane AND l.contact_id = one.contact_id AND l.channel = one.channel
              AND l.purpose IN ('marketing', one.purpose) AND NOT l.allowed
              AND NOT EXISTS (
                SELECT FROM consent y
                WHERE y.workspace_id = l.workspace_id AND y.lane = l.lane AND y.contact_id = l.contact_id
                  AND y.channel = l.channel AND y.purpose = l.purpose AND y.allowed AND y.at > l.at AND y.at <= one.at)
            ORDER BY l.at > one.at, abs(extract(epoch FROM l.at - one.at)) LIMIT 1) AS said
        """,
        (*columns(keys, 6), workspace_id),
    ).fetchall()
    return {id: Refused(*rest) for id, *rest in rows}


def last_words(
    connection: Connection, workspace_id: int, asked: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], datetime]:
    """When `(contact, channel)` was last spoken of."""
    keys = [(lane_of(workspace_id, contact), contact, channel) for contact, channel in sorted(set(asked))]
    rows = connection.execute(
        """
        SELECT l.contact_id, l.channel, max(l.at) FROM unnest(%s::smallint[], %s::bigint[], %s::text[]) AS one(lane, id, channel)
        JOIN consent l ON l.workspace_id = %s AND l.lane = one.lane AND l.contact_id = one.id AND l.channel = one.channel
        GROUP BY 1, 2
        """,
        (*columns(keys, 3), workspace_id),
    ).fetchall()
    return {(contact, channel): at for contact, channel, at in rows}


def state(connection: Connection, workspace_id: int, contact_id: int) -> dict[str, Any] | None:
    """What holds now for a contact, or for whom it has become; None where nobody is there any more."""
    meant = merges.become(connection, workspace_id, contact_id)
    row = connection.execute(
        "SELECT consents FROM contact WHERE workspace_id = %s AND lane = %s AND id = %s",
        (workspace_id, lane_of(workspace_id, meant), meant),
    ).fetchone()
    return dict(row[0]) if row else None
