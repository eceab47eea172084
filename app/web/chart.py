"""The course of a journey as a drawing: two lines over time, axes with round numbers, a place for each stretch. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.store.periods import COURSE_AT_MOST, DAY, HOUR, SHORT, Bar, floor

WIDTH, HEIGHT = 336, 132
LEFT, BOTTOM, TOP = 34, 20, 8
LENGTHS = {"short": SHORT, "hour": HOUR, "day": DAY}
LABELS_AT_MOST = 4
ENTERED, THROUGH = ("entered",), ("completed", "exited", "failed")


@dataclass(slots=True)
class Point:
    """One stretch: where it stands, and what happened in it."""

    at: datetime
    x: float
    width: float
    entered: int
    through: int


@dataclass(slots=True)
class Chart:
    """The drawing."""

    points: list[Point] = field(default_factory=list)
    entered: str = ""
    through: str = ""
    levels: list[tuple[float, int]] = field(default_factory=list)
    labels: list[tuple[float, datetime]] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def empty(self) -> bool:
        """Whether nothing happened."""
        return not any(one.entered or one.through for one in self.points)


def frame(
    bounds: tuple[datetime | None, datetime | None], began: datetime, now: datetime
) -> tuple[datetime, datetime, str]:
    """From when to when, in which stretches: about as many as can be told apart."""
    since, until = bounds[0] or began, bounds[1] or now + timedelta(minutes=1)
    since = max(since, until - COURSE_AT_MOST)
    length = until - since
    stretch = (
        "short"
        if length <= timedelta(hours=3) and since > now - timedelta(hours=46)
        else "hour"
        if length <= timedelta(days=4)
        else "day"
    )
    return floor(since, LENGTHS[stretch]), until, stretch


def draw(bars: Sequence[Bar], since: datetime, until: datetime, stretch: str) -> Chart:
    """Both lines, on one scale."""
    step = LENGTHS[stretch]
    count = max(1, -(-(until - since) // step))
    entered, through = [0] * count, [0] * count
    for bar in bars:
        place = (bar.at.astimezone(UTC) - since) // step
        if 0 <= place < count:
            entered[place] += bar.people if bar.port in ENTERED else 0
            through[place] += bar.people if bar.port in THROUGH else 0
    top = _round_up(max(1, *entered, *through))
    room, tall = WIDTH - LEFT - 6, HEIGHT - BOTTOM - TOP
    each = room / count
    chart = Chart()
    for place in range(count):
        x = LEFT + each * place
        chart.points.append(Point(since + step * place, round(x, 2), round(each, 2), entered[place], through[place]))

    def line(values: Sequence[int]) -> str:
        return " ".join(
            f"{round(LEFT + each * (place + 0.5), 2)},{round(TOP + tall * (1 - value / top), 2)}"
            for place, value in enumerate(values)
        )

    chart.entered, chart.through = line(entered), line(through)
    chart.levels = [
        (round(TOP + tall * (1 - part), 2), round(top * part)) for part in (0, 0.5, 1) if part != 0.5 or top % 2 == 0
    ]
    every = max(1, -(-count // LABELS_AT_MOST))
    chart.labels = [(round(LEFT + each * (place + 0.5), 2), since + step * place) for place in range(0, count, every)]
    return chart


def _round_up(value: int) -> int:
    """The next number that reads well on an axis."""
    size = 1
    while True:
        for first in (1, 2, 4, 6, 8):
            if first * size >= value:
                return first * size
        size *= 10
