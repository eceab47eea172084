"""Plans beside what was counted of them: read for pages and API in a fixed number of statements. Counting is `reckoning`."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app import progress
from app.progress import Progress
from app.store import plans, users
from app.store.plans import Plan
from app.store.rows import Connection
from flows.calendar import zone


def progress_of(connection: Connection, workspace_id: int, rows: Sequence[Plan], now: datetime) -> dict[int, Progress]:
    """Where these plans stand, by id: two statements, however many they are."""
    if not rows:
        return {}
    clock = zone(users.timezone(connection, workspace_id)) or ZoneInfo("UTC")
    today = now.astimezone(clock).date()
    found = plans.readings(connection, workspace_id, [row.id for row in rows])
    return {
        row.id: progress.progress(
            row.details, progress.span(row.details, row.created_at, clock), found.get(row.id), today
        )
        for row in rows
    }
