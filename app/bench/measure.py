"""What a workload costs: time, CPU of us and of PostgreSQL, WAL bytes and syncs; and the floor: the same rows by bare COPY."""

import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.database import transaction
from app.store.rows import Connection

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
FLOOR_SLICE = 10_000  # rows a transaction, like the stages' own batches


@dataclass
class Cost:
    """What passed between two looks. CPU of PostgreSQL is None where its processes cannot be seen."""

    seconds: float = 0.0
    own_cpu: float = 0.0
    postgres_cpu: float | None = None
    wal_bytes: int = 0
    wal_syncs: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def each(self, count: int) -> dict[str, float | None]:
        """Per contact (or event)."""
        cpu = None if self.postgres_cpu is None else round((self.own_cpu + self.postgres_cpu) * 1000 / count, 5)
        return {
            "cpu_ms": cpu,
            "own_cpu_ms": round(self.own_cpu * 1000 / count, 5),
            "wal_bytes": round(self.wal_bytes / count, 1),
            "wal_syncs": round(self.wal_syncs / count, 6),
        }


@contextmanager
def measured(connection: Connection, *, pids: Sequence[int] = ()) -> Iterator[Cost]:
    """Measure what happens inside; `pids` are further processes of ours whose CPU counts."""
    cost = Cost()
    before = _look(connection, pids)
    start = time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - start
    after = _look(connection, pids)
    cost.own_cpu = after[0] - before[0]
    cost.postgres_cpu = None if before[1] is None or after[1] is None else after[1] - before[1]
    cost.wal_bytes, cost.wal_syncs = after[2] - before[2], after[3] - before[3]


def _look(connection: Connection, pids: Sequence[int]) -> tuple[float, float | None, int, int]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    own = usage.ru_utime + usage.ru_stime + sum(cpu_of(pid) or 0.0 for pid in pids)
    with transaction(connection):
        connection.execute("SELECT pg_stat_clear_snapshot()")
        version = connection.info.server_version
        syncs = (
            "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
            if version >= 180000
            else "SELECT wal_sync FROM pg_stat_wal"
        )
        row = connection.execute(
            f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, coalesce(({syncs}), 0)::bigint,"
            " pg_backend_pid()"
        ).fetchone()
    if row is None:
        raise RuntimeError("no answer")
    return own, _postgres_cpu(row[2]), row[0], row[1]


def cpu_of(pid: int, *, with_children: bool = False) -> float | None:
    """Seconds of CPU of a process so far, on Linux; None elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12]) + (int(fields[13]) + int(fields[14]) if with_children else 0)
    return ticks / TICKS


def _postgres_cpu(backend: int) -> float | None:
    """CPU of the whole server that this backend belongs to."""
    try:
        parent = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
    total = cpu_of(parent, with_children=True)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                total = (total or 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
    return total


def memory_mb(pid: int | None = None) -> float | None:
    """Resident memory of a process in MB, on Linux."""
    try:
        pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def floor(connection: Connection, queries: Mapping[str, str]) -> float:
    """Seconds that bare COPY needs to write the rows of `queries` (table → SELECT) into empty twins with the same indexes."""
    total = 0.0
    for table, query in queries.items():
        twin = f"floor_{table}"
        with transaction(connection):
            connection.execute(f"CREATE TABLE {twin} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
            data: list[bytes] = []
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                data.extend(bytes(block) for block in copy)
        lines = b"".join(data).splitlines(keepends=True)
        slices = [b"".join(lines[at : at + FLOOR_SLICE]) for at in range(0, len(lines), FLOOR_SLICE)]
        start = time.perf_counter()
        for one in slices:
            with transaction(connection), connection.cursor().copy(f"COPY {twin} FROM STDIN") as copy:
                copy.write(one)
        total += time.perf_counter() - start
        with transaction(connection):
            connection.execute(f"DROP TABLE {twin}")
    return total


def result(workload: str, contacts: int, seconds: float, floor_seconds: float | None, **more: Any) -> dict[str, Any]:
    """The object a benchmark prints (its names are fixed, DESIGN §7); more may stand beside them."""
    rate = contacts / seconds if seconds else 0.0
    floor_rate = contacts / floor_seconds if floor_seconds else None
    return {
        "workload": workload,
        "contacts": contacts,
        "seconds": round(seconds, 3),
        "per_second": round(rate, 1),
        "floor_per_second": round(floor_rate, 1) if floor_rate else None,
        "ratio": round(rate / floor_rate, 3) if floor_rate else None,
        **more,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


Progress = Callable[[str, int, int], None]


def counted(progress: Progress, what: str, whole: int) -> Callable[[int], None]:
    """A listener to how far something has come; never says more than all."""
    return lambda done: progress(what, min(done, whole), whole)
