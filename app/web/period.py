"""Over which time numbers are asked: all of it, the last hour, day, week, month, or from then to then. Reads and says it.

A period is rounded to what tallies can tell (five minutes of late, else an hour); pages show the moment it really begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from app import counts
from app.counts import Count, Numbers
from app.store import periods, tallies
from app.store.rows import Connection
from app.web.problems import invalid
from flows.words import _

Name = Literal["all", "1h", "24h", "7d", "30d", "custom"]
LENGTHS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
YOUNGEST = datetime(2200, 1, 1, tzinfo=UTC)

Moment = Annotated[str | None, Query(max_length=40, description="A moment, ISO 8601; without a zone, the workspace's.")]


@dataclass(frozen=True, slots=True)
class Period:
    """As it was asked for; `since` and `until` of a custom one may lack their zone."""

    name: Name = "all"
    since: datetime | None = None
    until: datetime | None = None

    def bounds(self, now: datetime, zone: str) -> tuple[datetime | None, datetime | None]:
        """From when to when, on moments that tallies know; None: from the beginning, until now."""
        if self.name in LENGTHS:
            return _down(now - LENGTHS[self.name], now), None
        if self.name != "custom":
            return None, None
        since, until = (_placed(one, zone) for one in (self.since, self.until))
        if until is not None and until >= now:
            until = None
        return (_down(since, now) if since else None), (_down(until, now) if until else None)

    @property
    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        asked = {
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {"period": self.name} | {name: text for name, text in asked.items() if text}

    def local(self, zone: str) -> tuple[str, str]:
        """The ends of a custom period as the fields of a form show them."""
        ends = (_placed(one, zone) for one in (self.since, self.until))
        since, until = (one.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if one else "" for one in ends)
        return since, until


def asked_period(
    period: Annotated[Name | None, Query(description="The last hour, day, week, month, or all time.")] = None,
    since: Moment = None,
    until: Moment = None,
) -> Period:
    """The period of a request; since and until alone make a custom one."""
    first, last = _read("since", since), _read("until", until)
    if period is None:
        period = "custom" if first or last else "all"
    return Period(period, first, last) if period == "custom" else Period(period)


AskedPeriod = Annotated[Period, Depends(asked_period)]
Bounds = tuple[datetime | None, datetime | None]


def read(
    connection: Connection, place: tuple[int, int], version_id: int | None, bounds: Bounds
) -> tuple[Numbers, dict[tuple[int, str], int]]:
    """The numbers of a journey (`place`: workspace and journey), and who waits now by version and node."""

    def of_version(found: list[Count]) -> list[Count]:
        return [one for one in found if version_id is None or one[0] == version_id]

    since, until = bounds
    ever = of_version(tallies.of_journey(connection, *place))
    waiting = _waiting(ever)
    if since is None and until is None:
        return counts.gather(ever), waiting
    within = of_version(periods.counts(connection, *place, since or OLDEST, until))
    later = of_version(periods.counts(connection, *place, until, None)) if until is not None else []
    return counts.gather(within, later=later, ever=ever), waiting


def _waiting(ever: list[Count]) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for version, node, port, count in ever:
        if node and (not port.startswith("!") or port == "!end"):
            found[version, node] = found.get((version, node), 0) + (-count if port else count)
    return found


def _down(at: datetime, now: datetime) -> datetime:
    return periods.floor(at, periods.grain(at, now))


def _placed(at: datetime | None, zone: str) -> datetime | None:
    if at is None:
        return None
    return min(max((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC), OLDEST), YOUNGEST)


def _read(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid([(name, _("is not a moment such as 2026-11-21T09:30"))]) from None
    if not OLDEST.year <= at.year < YOUNGEST.year:
        raise invalid([(name, _("is out of reach"))])
    return at
