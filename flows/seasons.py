"""Seasons: when a journey is in season, which others it overrides meanwhile, and why somebody may not come in. Pure.

A season is a run of whole days on the workspace's clocks: from the first instant of its first day until the first instant
after its last, also where the clocks change at midnight (rule D16). Never pauses anybody: the app does that.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flows.calendar import at_wall

MIDNIGHT = time(0, 0)
OUT_OF_SEASON = "out of season"
OVERRIDDEN = "overridden by journey"
KEEP_OUT, PAUSE = "keep_out", "pause"


class Season(NamedTuple):
    """A season as instants: it is on from `opens` until just before `closes`. What it overrides, and how."""

    opens: datetime
    closes: datetime
    journeys: frozenset[int] = frozenset()
    plans: frozenset[int] = frozenset()
    how: str = KEEP_OUT

    def on(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.opens <= at < self.closes

    def overrides(self, journey: int, plan: int | None, *, own: int) -> bool:
        """Whether it is meant for this journey; never for its `own`."""
        return journey != own and (journey in self.journeys or (plan is not None and plan in self.plans))


class Override(NamedTuple):
    """What stands over a journey: whose season, and what it does to it."""

    by: int
    season: Season

    @property
    def reason(self) -> str:
        """Why somebody did not come in; short and fixed, for it stands in rows."""
        return f"{OVERRIDDEN} {self.by}"


def bounds(starts_on: date, ends_on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of the first day, and the first one after the last."""
    return at_wall(zone, starts_on, MIDNIGHT), at_wall(zone, ends_on + timedelta(days=1), MIDNIGHT)


def refusal(own: Season | None, overrides: Sequence[Override], at: datetime) -> str | None:
    """Why nobody may come in at this moment, or None: out of the journey's own season, or inside of another's."""
    if own is not None and not own.on(at):
        return OUT_OF_SEASON
    return next((one.reason for one in overrides if one.season.on(at)), None)


def next_edge(seasons: Iterable[Season], after: datetime) -> datetime | None:
    """When the next season begins or ends."""
    edges = (edge for one in seasons for edge in (one.opens, one.closes) if edge > after)
    return min(edges, default=None)


def circle(own: int, aims: Mapping[int, frozenset[int]]) -> list[int]:
    """The shortest way by which a journey overrides itself through others, itself first; empty where there is none."""
    paths = [[own]]
    seen: set[int] = set()
    while paths:
        path = paths.pop(0)
        for other in sorted(aims.get(path[-1], frozenset())):
            if other == own:
                return path
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return []
