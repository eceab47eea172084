"""Addresses that must not be written to again, and consents taken back; holds for every claim after the commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.store import consents
from app.store.consents import Consent
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


def opt_out(connection: Connection, people: Iterable[tuple[int, int, str]], at: datetime, **how: Any) -> int:
    """Take back the marketing consent of `(workspace, contact, channel)`, of whoever the contact has become.

    `how`: source, actor, text_version, proof, as the ledger keeps them.
    """
    return consents.set_consents(
        connection,
        [
            Consent(workspace, contact, channel, "marketing", False, at, **how)
            for workspace, contact, channel in sorted(set(people))
        ],
    )


def erased(connection: Connection, digests: Iterable[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Which of these `(workspace, hash of an address)` belonged to somebody who was erased, and why they get nothing."""
    rows = sorted(set(digests))
    if not rows:
        return {}
    found = connection.execute(
        """
        SELECT e.workspace_id, e.digest, e.reason FROM unnest(%s::int[], %s::text[]) AS one(workspace_id, digest)
        JOIN erased e ON e.workspace_id = one.workspace_id AND e.digest = one.digest
        """,
        columns(rows, 2),
    ).fetchall()
    return {(workspace, digest): reason for workspace, digest, reason in found}


def any_erased(connection: Connection) -> bool:
    """Whether anybody was ever erased: until then nobody has to look."""
    return connection.execute("SELECT FROM erased LIMIT 1").fetchone() is not None
