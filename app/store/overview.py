"""What the first page shows: journeys with their counted transitions, the latest messages. Pages read tallies, never people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.store import scopes
from app.store.rows import Connection

COUNTED_AT_MOST = 10_000


class House(NamedTuple):
    """The workspace at a glance; `contacts` are `about` so many where there are too many to count for a page."""

    name: str
    timezone: str
    demo: str | None
    contacts: int
    about: bool


class Place(NamedTuple):
    """The workspace's name and zone: what every list needs."""

    name: str
    timezone: str


class Shown(NamedTuple):
    """A journey with the document people see: the live one, else the draft."""

    id: int
    name: str
    status: str
    number: int | None
    document: dict[str, Any]


class Latest(NamedTuple):
    """A message with what a line about it needs."""

    id: int
    journey_id: int
    journey: str
    node: str
    channel: str
    status: int
    outcome: int
    reason: str | None
    title: str | None
    name: str | None
    language: str | None
    at: datetime


def house(connection: Connection, workspace_id: int) -> House:
    """The workspace itself."""
    row = connection.execute(
        """
        SELECT name, timezone, settings ->> 'demo',
               (SELECT count(*) FROM (SELECT FROM contact WHERE workspace_id = %(w)s LIMIT %(limit)s) AS counted)
        FROM workspace WHERE id = %(w)s
        """,
        {"w": workspace_id, "limit": COUNTED_AT_MOST + 1},
    ).fetchone()
    assert row is not None
    if row[3] <= COUNTED_AT_MOST:
        return House(row[0], row[1], row[2], row[3], about=False)
    # Not their plan but what it expects: the database keeps count by itself, well enough for a headline.
    plan = connection.execute(
        "EXPLAIN (FORMAT JSON) SELECT FROM contact WHERE workspace_id = %s", (workspace_id,)
    ).fetchone()
    expected = int(plan[0][0]["Plan"]["Plan Rows"]) if plan is not None else 0
    return House(row[0], row[1], row[2], _roughly(max(expected, COUNTED_AT_MOST)), about=True)


def _roughly(number: int) -> int:
    """Its first two digits."""
    scale = int(10 ** max(0, len(str(number)) - 2))
    return number - number % scale


def place(connection: Connection, workspace_id: int) -> Place:
    """Where times are told from."""
    row = connection.execute("SELECT name, timezone FROM workspace WHERE id = %s", (workspace_id,)).fetchone()
    assert row is not None
    return Place._make(row)


def journeys(connection: Connection, workspace_id: int, limit: int) -> list[Shown]:
    """Live ones first, then those changed last."""
    rows = connection.execute(
        """
        WITH first AS MATERIALIZED (
            SELECT place, id FROM (VALUES (1, 'live'), (2, 'paused'), (3, 'draft'), (4, 'stopped')) AS kind (place, status),
            LATERAL (
                SELECT id FROM journey WHERE workspace_id = %(w)s AND status = kind.status AND archived_at IS NULL
                AND in_scope(scope) ORDER BY id LIMIT %(limit)s
            ) AS few ORDER BY place, id LIMIT %(limit)s
        )
        SELECT j.id, j.name, j.status, v.number, coalesce(v.document, j.draft)
        FROM first JOIN journey j ON j.workspace_id = %(w)s AND j.id = first.id
        LEFT JOIN version v ON v.workspace_id = j.workspace_id AND v.id = j.live_version_id
        ORDER BY first.place, j.id
        """,
        {"w": workspace_id, "limit": limit},
    ).fetchall()
    return [Shown._make(row) for row in rows]


def counts(connection: Connection, workspace_id: int, ids: Sequence[int]) -> list[tuple[int, str, str, int]]:
    """Everything that was counted in these journeys, all versions together: (journey, node, port, count)."""
    return connection.execute(
        """
        SELECT journey_id, node, port, sum(count)::bigint FROM (
            SELECT journey_id, node, port, count FROM tally WHERE workspace_id = %(w)s AND journey_id = ANY(%(ids)s)
            UNION ALL
            SELECT journey_id, node, port, count FROM tally_span
            WHERE workspace_id = %(w)s AND minutes = 0 AND journey_id = ANY(%(ids)s)
        ) AS counted GROUP BY 1, 2, 3
        """,
        {"w": workspace_id, "ids": list(ids)},
    ).fetchall()


def totals(connection: Connection, workspace_id: int) -> dict[str, int]:
    """The numbers of all journeys together, archived ones too: entered, completed, exited, failed."""
    rows = connection.execute(
        f"""
        SELECT port, sum(count)::bigint FROM (
            SELECT port, count FROM tally t WHERE workspace_id = %(w)s AND node = '' {scopes.TALLY}
            UNION ALL
            SELECT port, count FROM tally_span t WHERE workspace_id = %(w)s AND minutes = 0 AND node = '' {scopes.TALLY}
        ) AS counted GROUP BY 1
        """,
        {"w": workspace_id},
    ).fetchall()
    return dict(rows)


class Begun(NamedTuple):
    """How far a new workspace has come."""

    contacts: bool
    accounts: bool
    journeys: bool
    published: bool


def begun(connection: Connection, workspace_id: int) -> Begun:
    """What is there already, for the list of first things to do."""
    row = connection.execute(
        """
        SELECT EXISTS (SELECT FROM contact WHERE workspace_id = %(w)s),
               EXISTS (SELECT FROM account WHERE workspace_id = %(w)s),
               EXISTS (SELECT FROM journey WHERE workspace_id = %(w)s),
               EXISTS (SELECT FROM version WHERE workspace_id = %(w)s)
        """,
        {"w": workspace_id},
    ).fetchone()
    assert row is not None
    return Begun._make(row)


def messages(connection: Connection, workspace_id: int, limit: int) -> list[Latest]:
    """The latest messages, the newest first."""
    rows = connection.execute(
        f"""
        SELECT m.id, m.journey_id, j.name, m.node, m.channel, m.status, m.outcome, m.reason, m.title,
               c.attributes ->> 'name', c.attributes ->> 'language', coalesce(m.sent_at, m.created_at)
        FROM (SELECT * FROM message m WHERE workspace_id = %(w)s {scopes.MESSAGE} ORDER BY id DESC LIMIT %(limit)s) AS m
        JOIN journey j ON j.workspace_id = m.workspace_id AND j.id = m.journey_id
        LEFT JOIN contact c ON c.workspace_id = m.workspace_id AND c.lane = m.lane AND c.id = m.contact_id
        ORDER BY m.id DESC
        """,
        {"w": workspace_id, "limit": limit},
    ).fetchall()
    return [Latest._make(row) for row in rows]
