"""P15, F23, F45: one bad letter, row, node or version harms only itself; it is kept with the reason, the others go on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.database import Connection, transaction
from app.store import schedules
from tests.faults import story
from tests.faults.conftest import Workers, count, until

WAITING = {
    "nodes": [
        {"id": "start", "type": "entry.event", "settings": {"event": "hello"}},
        {"id": "rest", "type": "wait.duration", "settings": {"duration": "PT1H"}},
        {"id": "odd", "type": "odd.raise", "settings": {"every": 1000}},
        {"id": "end", "type": "exit", "settings": {}},
    ],
    "edges": [
        {"from": "start", "port": "next", "to": "rest"},
        {"from": "rest", "port": "next", "to": "odd"},
        {"from": "odd", "port": "next", "to": "end"},
    ],
}


def flow(**settings: Any) -> dict[str, Any]:
    nodes = [{**node, "settings": settings} if node["id"] == "odd" else node for node in WAITING["nodes"]]
    return {"schema": 1, "nodes": nodes, "edges": WAITING["edges"]}


def hello(connection: Connection, properties: dict[int, dict[str, Any]] | None = None) -> None:
    """Everybody says hello; some say it strangely."""
    at, told = datetime.now(UTC), properties or {}
    story.post(connection, [story.letter(n, "hello", at, told.get(n)) for n in story.everybody()])


def wake(connection: Connection) -> None:
    """Everybody's wait is over."""
    with transaction(connection):
        connection.execute("UPDATE enrollment SET wake_at = %s", (datetime.now(UTC),))


def statuses(connection: Connection) -> dict[int, int]:
    with transaction(connection):
        return dict(connection.execute("SELECT status, count(*) FROM enrollment GROUP BY 1").fetchall())


@pytest.fixture
def town(connection: Connection) -> Connection:
    story.prepare(connection)
    return connection


def test_p15_a_letter_the_database_refuses_is_put_aside_and_the_others_are_matched(
    town: Connection, workers: Workers
) -> None:
    story.publish(town, flow(), 1)
    strange = [7, 8, 55, 101]
    hello(town, {n: {"text": "a\0b"} for n in strange})  # JSON may say it, jsonb may not hold it
    workers.start(batch_limit=5_000)
    until(lambda: statuses(town) == {0: story.PEOPLE - len(strange)})
    until(lambda: count(town, "SELECT count(*) FROM dead") == len(strange))
    with transaction(town):
        kept = town.execute("SELECT (payload ->> 'contact_id')::int, reason FROM dead ORDER BY 1").fetchall()
    assert [contact for contact, _ in kept] == strange
    assert all("UntranslatableCharacter" in reason for _, reason in kept)
    assert story.over(town)


def test_p15_an_enrollment_that_cannot_be_read_fails_alone_with_the_reason(town: Connection, workers: Workers) -> None:
    story.publish(town, flow(), 1)
    hello(town)
    worker = workers.start(batch_limit=5_000)
    until(lambda: statuses(town) == {0: story.PEOPLE})
    with transaction(town):
        town.execute("UPDATE enrollment SET visits = 'rest=many' WHERE contact_id IN (10, 20, 30)")
    wake(town)
    until(lambda: statuses(town) == {1: story.PEOPLE - 3, 3: 3})
    with transaction(town):
        failed = town.execute("SELECT contact_id, reason FROM enrollment WHERE status = 3 ORDER BY 1").fetchall()
    assert [contact for contact, _ in failed] == [10, 20, 30]
    assert all(reason.startswith("ValueError") for _, reason in failed)
    booked = "SELECT sum(count) FROM tally WHERE node = '' AND port = 'failed'"
    assert count(town, booked) == 3
    assert count(town, "SELECT count(*) FROM trail WHERE steps LIKE '%ValueError%'") == 3
    assert len([line for line in worker.lines() if line["event"] == "bad row put aside"]) == 3


def test_p15_a_node_that_raises_parks_its_people_and_moves_the_others(town: Connection, workers: Workers) -> None:
    story.publish(town, flow(every=10), 1)
    hello(town)
    workers.start(batch_limit=5_000)
    until(lambda: statuses(town) == {0: story.PEOPLE})
    wake(town)
    until(lambda: statuses(town) == {1: story.PEOPLE - 12, 3: 12})
    with transaction(town):
        reasons = town.execute("SELECT DISTINCT reason FROM enrollment WHERE status = 3").fetchall()
    assert reasons == [("ZeroDivisionError: a stranger's bug",)]


def test_f34_people_on_a_version_that_cannot_be_compiled_any_more_wait_and_the_others_walk(
    town: Connection, workers: Workers
) -> None:
    story.publish(town, flow(), 1)
    story.publish(town, flow(), 2)
    hello(town)
    workers.start(batch_limit=5_000)
    until(lambda: statuses(town) == {0: 2 * story.PEOPLE})
    with transaction(town):  # as a plug-in does that was changed under its journeys
        town.execute(
            "UPDATE version SET document = jsonb_set(document, '{nodes,1,settings}', '{\"what\": 1}') WHERE id = 2"
        )
    workers.end_all()
    wake(town)
    workers.start(batch_limit=5_000)
    until(lambda: statuses(town) == {0: story.PEOPLE, 1: story.PEOPLE})
    until(lambda: count(town, "SELECT count(*) FROM enrollment WHERE status = 0 AND wake_at <= now()") == 0)
    assert count(town, "SELECT count(*) FROM enrollment WHERE status = 0 AND version_id = 2") == story.PEOPLE


def test_p15_a_contact_who_cannot_be_let_in_by_a_blast_is_passed_over_and_kept(
    town: Connection, workers: Workers
) -> None:
    nodes = [
        {
            "id": "start",
            "type": "entry.segment",
            "settings": {"rule": {"not": {"tag": "gone"}}, "schedule": {"at": "2026-01-01T00:00:00Z"}},
        },
        {"id": "end", "type": "exit", "settings": {}},
    ]
    flow = {"schema": 1, "nodes": nodes, "edges": [{"from": "start", "port": "next", "to": "end"}]}
    story.publish(town, flow, 1)
    with transaction(town):
        # A row in the way of two of them: its place is taken by what no version of ours has written.
        town.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
        town.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON enrollment FOR EACH ROW WHEN (NEW.contact_id IN (11, 12))"
            " EXECUTE FUNCTION refuse()"
        )
        schedules.replace(town, story.WORKSPACE, 1, 1, [("start", "segment", datetime.now(UTC))])
    try:
        workers.start(batch_limit=5_000)
        until(lambda: statuses(town) == {1: story.PEOPLE - 2})
        until(lambda: count(town, "SELECT count(*) FROM run WHERE finished_at IS NOT NULL") == 1)
        with transaction(town):
            kept = town.execute("SELECT (payload ->> 'contact_id')::int, kind FROM dead ORDER BY 1").fetchall()
        assert kept == [(11, "enroll"), (12, "enroll")]
    finally:
        workers.end_all()
        with transaction(town):
            town.execute("DROP TRIGGER refuse ON enrollment")
            town.execute("DROP FUNCTION refuse")
