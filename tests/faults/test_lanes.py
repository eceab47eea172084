"""Lanes among workers: shared evenly, never held twice, free when their owner is gone. F05, F06."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

import psycopg
import pytest

from app import ownership
from app.database import Connection
from app.lanes import LANES
from app.ownership import LanesLostError, Ownership, Patience
from tests.faults.conftest import until


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def crew(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ownership]]:
    """Three workers' ownerships that look around often."""
    monkeypatch.setattr(ownership, "TEND_SECONDS", 0.05)
    monkeypatch.setattr(ownership, "HUNGRY_SECONDS", 0.01)
    patience = Patience(frozen_seconds=0.4)
    crew = [Ownership(database_url, clock=_now, patience=patience, id=f"w{n}") for n in range(3)]
    yield crew
    for one in crew:
        one.lose()


def shares(*crew: Ownership) -> list[int]:
    """How many lanes each has, most first; no lane is ever with two."""
    for one in crew:
        one.tend()
    for one, other in combinations(crew, 2):
        assert not set(one.lanes) & set(other.lanes), "a lane has two owners"
    return sorted((len(one.lanes) for one in crew), reverse=True)


def test_a_worker_alone_has_every_lane_at_once(crew: list[Ownership]) -> None:
    begun = time.perf_counter()
    crew[0].tend()
    assert len(crew[0].lanes) == LANES
    assert time.perf_counter() - begun < 1.0  # about 10 ms on an idle machine


def test_workers_share_evenly_when_one_joins_and_when_one_leaves(crew: list[Ownership]) -> None:
    first, second, third = crew
    first.tend()
    until(lambda: shares(first, second) == [32, 32])
    until(lambda: shares(first, second, third) == [22, 21, 21])
    second.leave()
    until(lambda: shares(first, third) == [32, 32])
    first.lose()  # as a kill does: nothing is given back in order
    until(lambda: shares(third) == [64])


def test_workers_that_open_together_share_evenly_from_the_start(crew: list[Ownership]) -> None:
    for one in crew[:2]:
        one.open()
    assert shares(*crew[:2]) == [32, 32]


def test_who_loses_the_connection_has_lost_every_lane(crew: list[Ownership], connection: Connection) -> None:
    first, second = crew[:2]
    first.tend()
    connection.execute("SELECT pg_terminate_backend(%s)", (first.connection.info.backend_pid,))
    connection.commit()
    until(lambda: shares(second) == [64])
    with pytest.raises(psycopg.OperationalError):
        first.connection.execute("SELECT 1")
    with pytest.raises(LanesLostError):
        first.connection.execute("SELECT 1")


def test_the_row_of_a_dead_worker_is_cleared_away(crew: list[Ownership], connection: Connection) -> None:
    first, second = crew[:2]
    first.tend()
    first.lose()
    until(lambda: shares(second) == [64])
    until(lambda: shares(second) and _names(connection) == ["w1"])


def test_f06_an_owner_that_stands_still_is_ended_and_one_that_works_is_not(
    crew: list[Ownership], connection: Connection
) -> None:
    still, worker, watcher = crew
    until(lambda: shares(still, worker, watcher) == [22, 21, 21])
    pids = {one.id: one.connection.info.backend_pid for one in crew}
    until(lambda: shares(worker, watcher) == [32, 32], what="the owner that stood still was not ended")
    assert worker.connection.info.backend_pid == pids["w1"]
    assert watcher.connection.info.backend_pid == pids["w2"]
    with pytest.raises(psycopg.OperationalError):
        still.connection.execute("INSERT INTO dead (workspace_id, kind, reason, created_at) VALUES (1, '', '', now())")
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM dead").fetchone() == (0,)


def test_a_backend_that_holds_no_lanes_is_never_ended(crew: list[Ownership], connection: Connection) -> None:
    crew[0].tend()
    # A row from before a restart of the database, whose number now belongs to somebody else.
    connection.execute(
        "INSERT INTO worker (id, backend_pid, lanes, started_at, progress_at) VALUES ('old', pg_backend_pid(), '{1}', %s, %s)",
        (_now(), _now()),
    )
    connection.commit()
    begun = time.monotonic()
    while time.monotonic() - begun < 0.6:
        crew[0].tend()
        time.sleep(0.05)
    assert connection.execute("SELECT 1").fetchone() == (1,)


def _names(connection: Connection) -> list[str]:
    with connection.transaction():
        return [name for (name,) in connection.execute("SELECT id FROM worker ORDER BY id")]
