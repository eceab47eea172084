"""The numbers of whole journeys as lists show them: totals, a line of days, shares of who is through. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.store import lists
from app.store.rows import Connection

DAYS = 14


@dataclass(slots=True)
class Figures:
    """What is known of one journey. `goal` is a part of `exited`."""

    entered: int = 0
    completed: int = 0
    exited: int = 0
    failed: int = 0
    goal: int = 0
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
        """Of those who are through, how many of a hundred reached the goal; None where nobody is through."""
        return round(100 * self.goal / self.through) if self.through else None

    @property
    def done_share(self) -> int | None:
        """Of those who are through, how many of a hundred came to the end."""
        return round(100 * self.completed / self.through) if self.through else None


PORTS = {"entered": "entered", "completed": "completed", "exited": "exited", "failed": "failed", "!goal": "goal"}


def of_journeys(connection: Connection, workspace_id: int, ids: Sequence[int], now: datetime) -> dict[int, Figures]:
    """The numbers of these journeys in one question; a journey nobody entered has zeros."""
    found = {id: Figures() for id in ids}
    if not ids:
        return found
    first = now.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    for one in lists.numbers(connection, workspace_id, ids, first):
        figures = found[one.journey_id]
        if one.day is None:
            if one.port in PORTS:
                setattr(figures, PORTS[one.port], one.counted)
        elif 0 <= (place := (one.day - first).days) < DAYS:
            figures.days[place] += one.counted
    return found
