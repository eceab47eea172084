"""Addresses that must not be written to again, and consents taken back; holds for every claim after the commit."""

from collections.abc import Iterable
from datetime import datetime

from app.lanes import lane_of
from app.store.rows import Connection, columns

Entry = tuple[int, str, str, str]  # workspace, channel, address, reason


def normal(address: str) -> str:
    """How addresses are compared: mailboxes that differ in case only are one."""
    return address.strip().lower()


def add(connection: Connection, entries: Iterable[Entry], at: datetime) -> None:
    """Suppress addresses; the first reason stays."""
    rows = sorted({(workspace, channel, normal(address), reason) for workspace, channel, address, reason in entries})
    if rows:
        connection.execute(
            """
            INSERT INTO suppression (workspace_id, channel, address, reason, created_at)
            SELECT workspace_id, channel, address, reason, %s
            FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS one(workspace_id, channel, address, reason)
            ON CONFLICT DO NOTHING
            """,
            (at, *columns(rows, 4)),
        )


def remove(connection: Connection, workspace_id: int, channel: str, address: str) -> bool:
    """Lift a suppression (an operator's decision); whether there was one."""
    return bool(
        connection.execute(
            "DELETE FROM suppression WHERE workspace_id = %s AND channel = %s AND address = %s",
            (workspace_id, channel, normal(address)),
        ).rowcount
    )


def opt_out(connection: Connection, people: Iterable[tuple[int, int, str]], at: datetime) -> int:
    """Take back the marketing consent of `(workspace, contact, channel)`, of whoever the contact has become.

    Written to the contact at once instead of by its lane: rule P10 wants it to hold for the very next claim.
    """
    rows = sorted(
        {(workspace, lane_of(workspace, contact), contact, channel) for workspace, contact, channel in people}
    )
    if not rows:
        return 0
    return connection.execute(
        """
        WITH RECURSIVE named AS (
            SELECT c.workspace_id, c.lane, c.id, c.merged_into, one.channel, 0 AS steps
            FROM unnest(%s::int[], %s::smallint[], %s::bigint[], %s::text[]) AS one(workspace_id, lane, id, channel)
            JOIN contact c ON c.workspace_id = one.workspace_id AND c.lane = one.lane AND c.id = one.id
            UNION ALL
            SELECT c.workspace_id, c.lane, c.id, c.merged_into, named.channel, named.steps + 1
            FROM named JOIN contact c ON c.workspace_id = named.workspace_id AND c.id = named.merged_into
            WHERE named.merged_into IS NOT NULL AND named.steps < 16
        ), meant AS (
            SELECT workspace_id, lane, id,
                   jsonb_object_agg(channel, jsonb_build_object('marketing', false)) AS refused
            FROM named GROUP BY 1, 2, 3
        )
        UPDATE contact c SET updated_at = %s, consents = c.consents || (
            SELECT jsonb_object_agg(one.key, coalesce(c.consents -> one.key, '{}'::jsonb) || one.value)
            FROM jsonb_each(meant.refused) AS one(key, value)
        )
        FROM meant WHERE c.workspace_id = meant.workspace_id AND c.lane = meant.lane AND c.id = meant.id
        """,
        (*columns(rows, 4), at),
    ).rowcount
