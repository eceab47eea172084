"""The heartbeat: ticks on intervals, and nothing else. It wishes for stages; the engine runs them when their turn comes.

APScheduler holds no state of ours: memory store, one instance of each tick, late ticks come late and once. A person's timer
is never here; those are rows.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

BEAT_SECONDS = 1.0


class Heartbeat:
    """Calls each of `ticks` every so many seconds, the first time at once. `beat_at` says when it last came round."""

    def __init__(self, ticks: Mapping[str, tuple[float, Callable[[], Any]]]) -> None:
        self.beat_at = time.monotonic()
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
            daemon=True,
        )
        for name, (seconds, tick) in {"beat": (BEAT_SECONDS, self._beat), **ticks}.items():
            self._scheduler.add_job(
                tick, "interval", seconds=seconds, id=name, next_run_time=datetime.now(UTC), misfire_grace_time=None
            )

    def start(self) -> None:
        """Begin to beat."""
        self.beat_at = time.monotonic()
        self._scheduler.start()

    def stop(self) -> None:
        """No more ticks."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _beat(self) -> None:
        self.beat_at = time.monotonic()
