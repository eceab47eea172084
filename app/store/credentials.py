"""Provider credentials as stages and hooks need them: sealed, by name. Never opens them; `vault` does."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.store.rows import Connection, columns


class Credential(NamedTuple):
    """One account as it lies in the table."""

    workspace_id: int
    name: str
    channel: str
    shown: dict[str, Any]
    sealed: str

    @property
    def owner(self) -> str:
        """What its sealed text is bound to."""
        return f"{self.workspace_id}/{self.name}"


def of(connection: Connection, wanted: Iterable[tuple[int, str]]) -> list[Credential]:
    """The accounts of `(workspace, name)` that exist."""
    rows = sorted(set(wanted))
    if not rows:
        return []
    found = connection.execute(
        """
        SELECT a.workspace_id, a.name, a.channel, a.settings, a.sealed
        FROM unnest(%s::int[], %s::text[]) AS one(workspace_id, name)
        JOIN account a ON a.workspace_id = one.workspace_id AND a.name = one.name
        """,
        columns(rows, 2),
    ).fetchall()
    return [Credential._make(row) for row in found]


def named(connection: Connection, name: str) -> list[Credential]:
    """The accounts of this name, in whatever workspace: whose secret fits a signature decides which is meant."""
    found = connection.execute(
        "SELECT workspace_id, name, channel, settings, sealed FROM account WHERE name = %s ORDER BY 1 LIMIT 100",
        (name,),
    ).fetchall()
    return [Credential._make(row) for row in found]
