"""The flows of published versions, for pages that speak of their steps. Only reads."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.store.rows import Connection


class Published(NamedTuple):
    """A version with its flow and the name of its journey."""

    id: int
    journey_id: int
    journey: str
    number: int
    document: dict[str, Any]


def of_versions(connection: Connection, workspace_id: int, ids: Iterable[int]) -> list[Published]:
    """These versions, those of other workspaces left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    rows = connection.execute(
        """
        SELECT v.id, v.journey_id, j.name, v.number, v.document
        FROM version v JOIN journey j ON j.workspace_id = v.workspace_id AND j.id = v.journey_id
        WHERE v.workspace_id = %s AND v.id = ANY(%s)
        """,
        (workspace_id, wanted),
    ).fetchall()
    return [Published._make(row) for row in rows]


def names(connection: Connection, workspace_id: int, at_most: int) -> list[tuple[int, str]]:
    """The journeys that were ever published, by name, for a choice of one."""
    rows = connection.execute(
        """
        SELECT id, name FROM journey
        WHERE workspace_id = %s AND status <> 'draft' AND archived_at IS NULL AND in_scope(scope)
        ORDER BY lower(name), id LIMIT %s
        """,
        (workspace_id, at_most),
    ).fetchall()
    return [(id, name) for id, name in rows]
