"""The numbers of whole journeys as lists show them: totals, a line of days, shares of who is through. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.store import lists
from app.store.rows import Connection

DAYS = 14


@dataclass(slots=True)
class Figures:
    """What is known of one journey, or of several together."""

    entered: int = 0
    completed: int = 0
    exited: int = 0
    failed: int = 0
    days: list[int] = field(default_factory=lambda: [0] * DAYS)

    @property
    def active(self) -> int:
        """Who is on the way."""
        return max(0, self.entered - self.completed - self.exited - self.failed)

    @property
    def through(self) -> int:
        """Who is through, one way or another."""
        return self.completed + self.exited + self.failed

    @property
    def goal_share(self) -> int | None:
        """Of those who are through, how many of a hundred left by goal or rule; None where nobody is through."""
        return round(100 * self.exited / self.through) if self.through else None

    @property
    def done_share(self) -> int | None:
        """Of those who are through, how many of a hundred came to the end."""
        return round(100 * self.completed / self.through) if self.through else None


def of_journeys(
    connection: Connection, workspace_id: int, ids: Sequence[int], now: datetime, zone: str
) -> dict[int, Figures]:
    """The numbers of these journeys in one question; a journey nobody entered has zeros."""
    found = {id: Figures() for id in ids}
    if not ids:
        return found
    first = first_day(now, zone)
    since = datetime.combine(first, datetime.min.time(), ZoneInfo(zone))
    for one in lists.numbers(connection, workspace_id, ids, since=since, zone=zone):
        figures = found[one.journey_id]
        if one.port in ("entered", "completed", "exited", "failed"):
            setattr(figures, one.port, getattr(figures, one.port) + one.counted)
        if one.day is not None and 0 <= (place := (one.day.date() - first).days) < DAYS:
            figures.days[place] += one.counted
    return found


def first_day(now: datetime, zone: str) -> date:
    """The first day of the line."""
    return now.astimezone(ZoneInfo(zone)).date() - timedelta(days=DAYS - 1)
