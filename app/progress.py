"""Where a plan stands: value beside baseline and target, days left, on course or behind, and its line by day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

Standing = Literal["reached", "on_course", "behind", "missed", "not_begun"]
SHARES = ("goal_share", "click_share")
DAY = timedelta(days=1)
ROUGH = 100  # what should have been reached by now is told without decimals from here on
POINTS_AT_MOST = 750  # days of a line; a longer plan shows its last ones


class Point(NamedTuple):
    """Where the number stood at the end of a day."""

    day: date
    value: float


class Channel(NamedTuple):
    """What became of a plan's messages on one channel, and what they cost."""

    channel: str
    sent: int
    delivered: int
    opened: int
    clicked: int
    waiting: int
    cost: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A plan as it was counted last; what is not known is None."""

    as_of: datetime | None = None
    value: float | None = None
    percent: float | None = None
    expected: float | None = None
    days_left: int | None = None
    standing: Standing | None = None
    days: Sequence[Point] = ()
    spent: float = 0.0
    committed: float = 0.0
    channels: Sequence[Channel] = field(default_factory=tuple)

    @property
    def bar(self) -> int:
        """How far the bar goes, of a hundred."""
        return round(min(100.0, max(0.0, self.percent or 0.0)))


class Span(NamedTuple):
    """The days of a target: counted from the first, to be reached by the end of the last."""

    first: date
    last: date


def span(details: Mapping[str, Any], made: datetime, zone: ZoneInfo) -> Span | None:
    """From when to when a plan's target counts: from its first day, else from the day it was made."""
    measure = details.get("measure")
    if not measure:
        return None
    first = details.get("starts_on")
    begun = date.fromisoformat(first) if first else made.astimezone(zone).date()
    return Span(begun, max(begun, date.fromisoformat(measure["deadline"])))


def progress(details: Mapping[str, Any], days: Span | None, reading: Mapping[str, Any] | None, now: date) -> Progress:
    """A plan's reading beside what the plan says; `now` is today on the workspace's clocks."""
    left = (days.last - now).days if days else None
    if reading is None:
        return Progress(days_left=left)
    costs = (details.get("budget") or {}).get("costs") or {}
    channels = [_channel(one, costs) for one in reading.get("channels", ())]
    found = Progress(
        as_of=reading["as_of"],
        days_left=left,
        spent=float(sum((Decimal(str(one.cost)) for one in channels), Decimal(0))),
        committed=float(sum((_cost(one.channel, one.sent + one.waiting, costs) for one in channels), Decimal(0))),
        channels=channels,
    )
    measure = details.get("measure")
    if measure is None or days is None or "days" not in reading:
        return found
    line = _line(measure["metric"], days, reading["days"], min(now, days.last))
    return _judged(found, measure, days, line, now)


def _judged(found: Progress, measure: Mapping[str, Any], days: Span, line: list[Point], now: date) -> Progress:
    value = line[-1].value if line else 0.0
    baseline, target = float(measure["baseline"]), float(measure["value"])
    whole = (days.last - days.first).days + 1
    over = min(whole, max(0, (now - days.first).days + 1))
    expected = baseline + (target - baseline) * over / whole
    share = (value - baseline) / (target - baseline)
    # Counts begin at nothing, so what shall stay low is reached only when its days are over. Today is not over either: who
    # has what was due by last night is on course.
    falling, ended = target < baseline, now > days.last
    standing: Standing
    if now < days.first:
        standing = "not_begun"
    elif share >= 1 and (ended or not falling):
        standing = "reached"
    elif ended:
        standing = "missed"
    else:
        standing = "on_course" if share >= (1 if falling else (over - 1) / whole) else "behind"
    return Progress(
        found.as_of,
        value,
        round(100 * share, 1),
        round(expected, 2 if abs(expected) < ROUGH else 0),
        found.days_left,
        standing,
        line[-POINTS_AT_MOST:],
        found.spent,
        found.committed,
        found.channels,
    )


def _line(metric: str, days: Span, counted: Sequence[Sequence[Any]], until: date) -> list[Point]:
    """The sums by day without gaps; a share is that of everything until then."""
    by_day = {date.fromisoformat(day): (float(part), float(whole)) for day, part, whole in counted}
    first = min([days.first, *by_day])
    part = whole = 0.0
    line = []
    for number in range((until - first).days + 1):
        day = first + number * DAY
        more = by_day.get(day, (0.0, 0.0))
        part, whole = part + more[0], whole + more[1]
        value = part if metric not in SHARES else (100 * part / whole if whole else 0.0)
        line.append(Point(day, round(value, 2)))
    return line


def _channel(raw: Mapping[str, Any], costs: Mapping[str, float]) -> Channel:
    name, sent = str(raw["channel"]), int(raw["sent"])
    delivered, opened, clicked, waiting = (int(raw[one]) for one in ("delivered", "opened", "clicked", "waiting"))
    return Channel(name, sent, delivered, opened, clicked, waiting, float(_cost(name, sent, costs)))


def _cost(channel: str, messages: int, costs: Mapping[str, float]) -> Decimal:
    return Decimal(str(costs.get(channel, 0))) * messages
