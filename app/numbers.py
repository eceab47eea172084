"""Counters of one process, and the way they reach `/metrics` of the web process: a hash in Valkey that ends by itself.

A hint like all else there: without Valkey the web process knows the workers by their rows, but not what they counted.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from app.hints import Hints

KEY = "journey:metrics:"
KEPT_SECONDS = 30
WORKERS_AT_MOST = 1_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HELP = {
    "journey_batches_total": "Batches that took something.",
    "journey_taken_total": "Rows taken by batches.",
    "journey_batch_seconds_total": "Time spent in batches.",
    "journey_failures_total": "Batches that failed.",
    "journey_clashes_total": "Batches repeated because another transaction was in the way.",
    "journey_aside_total": "Rows put aside because they broke every batch.",
    "journey_lanes": "Lanes owned.",
    "journey_resident_bytes": "Memory in use.",
    "journey_beat_age_seconds": "Time since the loop came round.",
}
Sample = tuple[str, str]  # name, stage ("" for none)


class Numbers:
    """Counts by name and stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: defaultdict[Sample, float] = defaultdict(float)
        self._levels: dict[Sample, float] = {}
        self._lock = threading.Lock()

    def add(self, name: str, stage: str = "", count: float = 1) -> None:
        """Count something up; `name` without `journey_` and `_total`."""
        with self._lock:
            self._counts[f"journey_{name}_total", stage] += count

    def batch(self, stage: str, taken: int, seconds: float) -> None:
        """A batch that took something."""
        self.add("batches", stage)
        self.add("taken", stage, taken)
        self.add("batch_seconds", stage, seconds)

    def level(self, name: str, value: float) -> None:
        """Say how much of something there is now."""
        with self._lock:
            self._levels[f"journey_{name}", ""] = value

    def samples(self) -> dict[Sample, float]:
        """All numbers as they are."""
        with self._lock:
            return {**self._counts, **self._levels}

    def publish(self, hints: Hints, worker: str) -> None:
        """Leave the numbers where `/metrics` finds them, for half a minute."""
        fields: dict[Any, Any] = {f"{name}|{stage}": f"{value:.10g}" for (name, stage), value in self.samples().items()}

        def leave(valkey: redis.Redis) -> None:
            valkey.hset(f"{KEY}{worker}", mapping=fields)
            valkey.expire(f"{KEY}{worker}", KEPT_SECONDS)

        if fields:
            hints.call(leave, None)


def of_workers(hints: Hints) -> dict[str, dict[Sample, float]]:
    """The numbers of every worker that published lately, by worker."""

    def read(valkey: redis.Redis) -> dict[str, dict[str, str]]:
        keys = sorted(islice(valkey.scan_iter(f"{KEY}*", count=WORKERS_AT_MOST), WORKERS_AT_MOST))
        return {str(key).removeprefix(KEY): _texts(valkey.hgetall(key)) for key in keys}

    nothing: dict[str, dict[str, str]] = {}
    found = hints.call(read, nothing)
    return {worker: dict(filter(None, map(_sample, fields.items()))) for worker, fields in found.items()}


def _texts(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in fields.items()}


def _sample(field: tuple[str, str]) -> tuple[Sample, float] | None:
    """One field read back; None if it is not one of ours, because anybody may have written there."""
    name, _, stage = field[0].partition("|")
    try:
        return ((name, stage), float(field[1])) if name in HELP and (stage.isidentifier() or not stage) else None
    except ValueError:
        return None


def exposition(workers: Mapping[str, Mapping[Sample, float]]) -> str:
    """The numbers as Prometheus reads them, each with its worker's name."""
    lines = []
    for name, text in HELP.items():
        rows = [
            (worker, stage, value)
            for worker, samples in sorted(workers.items())
            for (found, stage), value in sorted(samples.items())
            if found == name
        ]
        if rows:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}"]
        for worker, stage, value in rows:
            labels = f'worker="{_label(worker)}"' + (f',stage="{stage}"' if stage else "")
            lines.append(f"{name}{{{labels}}} {value:.10g}")
    return "".join(f"{line}\n" for line in lines)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
