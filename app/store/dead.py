"""What could not be handled: kept whole with the reason, to be looked at and played again. Never drops anything."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.store.inbox import Letter
from app.store.rows import Connection, columns


def keep(connection: Connection, letters: Sequence[tuple[Letter, str]], now: datetime) -> None:
    """Put letters aside with the reason each could not be handled."""
    if not letters:
        return
    rows = [
        (one.workspace_id, one.kind, msgspec.json.encode(one._asdict()).decode(), reason[:500], now)
        for one, reason in letters
    ]
    connection.execute(
        """
        INSERT INTO dead (workspace_id, kind, payload, reason, created_at)
        SELECT * FROM unnest(%s::int[], %s::text[], %s::jsonb[], %s::text[], %s::timestamptz[])
        """,
        columns(rows, 5),
    )
