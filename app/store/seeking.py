"""Contacts looked for by people: the newest first, by the first letters of a name they go by, by a tag. Keyset pages.

Names and identities are found by their indexes; a tag is looked for in so many contacts a page and no more. Never counts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.lanes import ALL_LANES, lane_of
from app.store.rows import Connection, columns

WINDOW = 25_000  # contacts that one page of a search by tag looks through
LAST = "\U0010ffff"
VARIANTS_AT_MOST = 6


class Found(NamedTuple):
    """A contact in a list, with all the names it goes by."""

    lane: int
    id: int
    attributes: dict[str, Any]
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    identities: list[list[str]]
    walks: int


class Slice(NamedTuple):
    """A part of a list, and the place where the next one begins."""

    people: list[Found]
    next: list[Any] | None


def newest(connection: Connection, workspace_id: int, before: int | None, limit: int) -> Slice:
    """All contacts, those that came last first."""
    rows = connection.execute(
        """
        SELECT lane, id FROM unnest(%(lanes)s::smallint[]) AS mine(mine_lane) CROSS JOIN LATERAL (
            SELECT lane, id FROM contact
            WHERE workspace_id = %(w)s AND lane = mine_lane AND id < %(before)s AND merged_into IS NULL
            ORDER BY id DESC LIMIT %(limit)s
        ) AS of_lane ORDER BY id DESC LIMIT %(limit)s
        """,
        {"w": workspace_id, "lanes": list(ALL_LANES), "before": before or 2**63 - 1, "limit": limit + 1},
    ).fetchall()
    found = _shown(connection, workspace_id, rows[:limit])
    return Slice(found, [rows[limit - 1][1]] if len(rows) > limit else None)


def named(connection: Connection, workspace_id: int, text: str, after: Sequence[Any] | None, limit: int) -> Slice:
    """Contacts one of whose identities, or whose name, begins like this: identities first, each contact once."""
    source, *place = after if after is not None else [0]
    found: list[Found] = []
    if source == 0:
        found, end = _by_identity(connection, workspace_id, text, place, limit)
        if end is not None:
            return Slice(found, [0, *end])
        place = []
    if len(found) >= limit:
        return Slice(found, [1])
    more, end = _by_name(connection, workspace_id, text, place, limit - len(found))
    return Slice(found + more, [1, *end] if end is not None else None)


def variants(text: str) -> list[str]:
    """How a name may be written where somebody types it: in small letters, a phone number with its country."""
    typed = text.strip()
    plain = typed.replace(" ", "").replace("-", "")
    written = [typed, typed.lower()]
    if plain.lstrip("+").isdigit() and len(plain) >= 3:
        written += [plain, f"+{plain}", f"+86{plain}"] if not plain.startswith("+") else [plain, plain[1:]]
    return list(dict.fromkeys(written))[:VARIANTS_AT_MOST]


def _by_identity(
    connection: Connection, workspace_id: int, text: str, place: Sequence[Any], limit: int
) -> tuple[list[Found], list[Any] | None]:
    # The kinds are few and found by jumping through the key; then each begins where the text would stand. A contact is
    # shown at the first of its identities that fits.
    rows = connection.execute(
        """
        WITH RECURSIVE kinds(kind) AS (
            (SELECT kind FROM identity WHERE workspace_id = %(w)s ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT i.kind FROM identity i WHERE i.workspace_id = %(w)s AND i.kind > kinds.kind ORDER BY i.kind LIMIT 1)
            FROM kinds WHERE kinds.kind IS NOT NULL
        ), met AS (
            SELECT DISTINCT ON (i.kind, i.value) i.contact_id, i.kind, i.value
            FROM kinds CROSS JOIN unnest(%(texts)s::text[]) AS t(text) CROSS JOIN LATERAL (
                SELECT contact_id, kind, value FROM identity
                WHERE workspace_id = %(w)s AND kind = kinds.kind AND kinds.kind >= %(kind)s AND value < t.text || %(last)s
                  AND value >= CASE kinds.kind WHEN %(kind)s THEN greatest(t.text, %(value)s) ELSE t.text END
                  AND NOT (kinds.kind = %(kind)s AND value = %(value)s) AND starts_with(value, t.text)
                ORDER BY value LIMIT %(limit)s
            ) AS i ORDER BY i.kind, i.value LIMIT %(limit)s
        )
        SELECT m.contact_id, m.kind, m.value, NOT EXISTS (
            SELECT FROM identity i, unnest(%(texts)s::text[]) AS t(text)
            WHERE i.workspace_id = %(w)s AND i.contact_id = m.contact_id AND (i.kind, i.value) < (m.kind, m.value)
              AND starts_with(i.value, t.text))
        FROM met m ORDER BY m.kind, m.value
        """,
        {
            "w": workspace_id,
            "texts": variants(text),
            "last": LAST,
            "kind": place[0] if place else "",
            "value": place[1] if place else "",
            "limit": limit + 1,
        },
    ).fetchall()
    places = [(lane_of(workspace_id, id), id) for id, _, _, first in rows[:limit] if first]
    found = _shown(connection, workspace_id, places)
    return found, list(rows[limit - 1][1:3]) if len(rows) > limit else None


def _by_name(
    connection: Connection, workspace_id: int, text: str, place: Sequence[Any], limit: int
) -> tuple[list[Found], list[Any] | None]:
    typed = text.strip().lower()
    rows = connection.execute(
        """
        SELECT c.lane, c.id, lower(c.attributes ->> 'name') FROM contact c
        WHERE c.workspace_id = %(w)s AND c.attributes ? 'name' AND c.merged_into IS NULL
          AND (lower(c.attributes ->> 'name') COLLATE "C") < %(text)s || %(last)s
          AND ((lower(c.attributes ->> 'name') COLLATE "C"), c.id) > (%(name)s, %(id)s)
          AND NOT EXISTS (
            SELECT FROM identity i, unnest(%(texts)s::text[]) AS t(text)
            WHERE i.workspace_id = %(w)s AND i.contact_id = c.id AND starts_with(i.value, t.text))
        ORDER BY (lower(c.attributes ->> 'name') COLLATE "C"), c.id LIMIT %(limit)s
        """,
        {
            "w": workspace_id,
            "text": typed,
            "texts": variants(text),
            "last": LAST,
            # One lower bound alone: of two the index takes the wrong one.
            "name": place[0] if place else typed,
            "id": place[1] if place else -1,
            "limit": limit + 1,
        },
    ).fetchall()
    found = _shown(connection, workspace_id, [row[:2] for row in rows[:limit]])
    return found, [rows[limit - 1][2], rows[limit - 1][1]] if len(rows) > limit else None


def tagged(connection: Connection, workspace_id: int, tag: str, after: Sequence[Any] | None, limit: int) -> Slice:
    """Contacts with this very tag. A page may end with nobody found and go on all the same."""
    lane, id = after if after is not None else (-1, -1)
    rows = connection.execute(
        """
        WITH looked AS MATERIALIZED (
            SELECT row_number() OVER () AS row, * FROM (
                SELECT lane, id, tags @> ARRAY[%(tag)s] AND merged_into IS NULL AS fits FROM contact
                WHERE workspace_id = %(w)s AND (lane, id) > (%(lane)s::smallint, %(id)s::bigint)
                ORDER BY lane, id LIMIT %(window)s
            ) AS c
        )
        SELECT * FROM (
            (SELECT row, lane, id, true AS fits FROM looked WHERE fits ORDER BY row LIMIT %(limit)s)
            UNION ALL (SELECT row, lane, id, NULL FROM looked ORDER BY row DESC LIMIT 1)
        ) AS both_ ORDER BY fits NULLS LAST, row
        """,
        {"w": workspace_id, "tag": tag, "lane": lane, "id": id, "window": WINDOW, "limit": limit + 1},
    ).fetchall()
    if not rows:
        return Slice([], None)
    *fitting, (count, *end, _) = rows
    found = _shown(connection, workspace_id, [row[1:3] for row in fitting[:limit]])
    if len(fitting) > limit:
        return Slice(found, list(fitting[limit - 1][1:3]))
    return Slice(found, end if count == WINDOW else None)


def _shown(connection: Connection, workspace_id: int, places: Sequence[tuple[int, int]]) -> list[Found]:
    """These contacts, in this order."""
    if not places:
        return []
    rows = connection.execute(
        """
        SELECT c.lane, c.id, c.attributes, c.tags, c.created_at, c.updated_at,
               (SELECT COALESCE(jsonb_agg(jsonb_build_array(i.kind, i.value) ORDER BY i.kind, i.value), '[]')
                FROM identity i WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id),
               (SELECT count(*) FROM enrollment e WHERE e.workspace_id = c.workspace_id AND e.contact_id = c.id
                AND e.slot = 0 AND e.status + 0 IN (0, 4))
        FROM unnest(%s::smallint[], %s::bigint[]) WITH ORDINALITY AS one(lane, id, place)
        JOIN contact c ON c.workspace_id = %s AND c.lane = one.lane AND c.id = one.id AND c.merged_into IS NULL
        ORDER BY one.place
        """,
        (*columns(places, 2), workspace_id),
    ).fetchall()
    return [Found._make(row) for row in rows]
