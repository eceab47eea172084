"""F06, F07: owners frozen (SIGSTOP stands in for a paused machine) idle, in a transaction, in a COPY; nodes that dawdle."""

import signal
from datetime import UTC, datetime

import psycopg
import pytest

from app.database import Connection, connect, transaction
from app.store import lanes
from app.store.lanes import Owner
from tests.faults import story
from tests.faults.conftest import Workers, count, settle_books, until

FAST = {"idle_session_seconds": 2.0, "idle_in_transaction_seconds": 1.0, "frozen_seconds": 60.0}
NEVER = {"idle_session_seconds": 60.0, "idle_in_transaction_seconds": 60.0, "frozen_seconds": 1.5}


def owners(connection: Connection) -> list[Owner]:
    with transaction(connection):
        return [one for one in lanes.owners(connection) if one.lanes]


@pytest.mark.parametrize(("point", "patience"), [("CP10", FAST), ("COPY", NEVER)])
def test_f06_a_worker_frozen_in_the_middle_of_a_batch_is_replaced_and_its_write_refused(
    connection: Connection, workers: Workers, expected: story.State, point: str, patience: dict[str, float]
) -> None:
    begun = story.tell(connection)
    frozen = workers.start(failpoint=f"{point}:stop:2", patience=patience)
    until(frozen.stopped)
    (old,) = owners(connection)
    workers.start(patience=patience)
    until(lambda: story.over(connection))
    assert old.backend_pid not in {one.backend_pid for one in owners(connection)}
    assert story.state(connection, begun) == expected
    frozen.signal(signal.SIGCONT)
    until(lambda: len(owners(connection)) == 2, what="the thawed worker did not come back as a new one")
    assert story.state(connection, begun) == expected
    settle_books(connection)
    said = {line["event"] for line in frozen.lines()}
    assert said & {"database trouble", "batch failed"}, "the thawed worker was not refused"


def test_f06_the_lanes_of_a_worker_frozen_while_idle_are_free_again(
    connection: Connection, workers: Workers, expected: story.State
) -> None:
    frozen = workers.start(patience=FAST)
    until(lambda: owners(connection))
    frozen.signal(signal.SIGSTOP)
    workers.start(patience=FAST)
    begun = story.tell(connection)
    until(lambda: story.over(connection))
    frozen.signal(signal.SIGCONT)
    until(lambda: len(owners(connection)) == 2)
    assert story.state(connection, begun) == expected


def test_f07_a_node_that_dawdles_over_one_contact_keeps_nobody_else(connection: Connection, workers: Workers) -> None:
    nodes = [
        {"id": "start", "type": "entry.event", "settings": {"event": "hello"}},
        {"id": "slow", "type": "odd.dawdle", "settings": {"every": 70, "seconds": 0.35}},
        {"id": "end", "type": "exit", "settings": {}},
    ]
    edges = [{"from": "start", "port": "next", "to": "slow"}, {"from": "slow", "port": "next", "to": "end"}]
    story.prepare(connection)
    story.publish(connection, {"schema": 1, "nodes": nodes, "edges": edges}, 1)
    begun = datetime.now(UTC)
    story.post(connection, [story.letter(n, "hello", begun) for n in story.everybody()])
    patience = {"idle_in_transaction_seconds": 0.15}
    workers.start(patience=patience, batch_limit=5_000)
    until(lambda: count(connection, "SELECT count(*) FROM enrollment WHERE status = 1") == story.PEOPLE - 1)
    until(lambda: count(connection, "SELECT count(*) FROM dead") == 1)
    assert count(connection, "SELECT count(*) FROM inbox") == 0


def test_a_frozen_session_is_what_the_database_ends(database_url: str) -> None:
    with connect(database_url, idle_in_transaction_seconds=0.2) as session:
        session.execute("SELECT 1")
        with connect(database_url) as other:
            other.execute("SELECT pg_sleep(0.5)")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            session.execute("SELECT 1")
