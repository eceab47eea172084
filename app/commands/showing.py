"""Progress on the terminal: what, how far, how fast, how long still. On standard error, so that output can be piped."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SAY_EVERY_SECONDS = 5.0


class Showing:
    """Called as `progress(what, done, total)`; draws a bar on a terminal, says a line now and then elsewhere."""

    def __init__(self, bar: "Progress | None") -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._said_at: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """How far it has come."""
        if self._bar is None:
            self._say(what, done, total)
            return
        if what not in self._tasks:
            for known in self._tasks.values():
                self._bar.stop_task(known)
            self._tasks[what] = self._bar.add_task(what, total=max(total, 1))
        self._bar.update(self._tasks[what], completed=done, total=max(total, 1))

    def _say(self, what: str, done: int, total: int) -> None:
        at = time.monotonic()
        begun, before = self._begun.setdefault(what, (at, done))
        if total > 1 and at - self._said_at.setdefault(what, at) > SAY_EVERY_SECONDS:
            self._said_at[what] = at
            speed = (done - before) / (at - begun)
            pace = f", {speed:,.1f}/s, {timedelta(seconds=round((total - done) / speed))} left" if speed > 0 else ""
            sys.stderr.write(f"{what}: {done:,} of {total:,}{pace}\n")


@contextmanager
def showing(*, quiet: bool = False) -> Iterator[Showing]:
    """Progress for as long as the block lasts; the bar goes when it ends."""
    if quiet or not sys.stderr.isatty():
        yield Showing(None)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed and (task.total or 0) > 1 else "")

    columns = (
        TextColumn("{task.description}"), BarColumn(28), TextColumn("{task.percentage:>3.0f} %"), Speed(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Showing(bar)
