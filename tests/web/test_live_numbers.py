"""Numbers on the live page: what a naive count finds, for any part of the time; books that balance; one look for many pages."""

from datetime import datetime, timedelta

import pytest

from app.database import Connection, transaction
from app.store import periods
from app.web.period import Period, read
from tests.stages.counting import counted as statements
from tests.web.story import START, Told


@pytest.fixture
def told(connection: Connection) -> Told:
    return Told(connection)


def bounds(told: Told, period: Period) -> tuple[datetime | None, datetime | None]:
    return period.bounds(told.world.now, "UTC")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_numbers_of_any_period_are_those_of_a_naive_count(told: Told, seed: int) -> None:
    told.go(people=9, steps=60, seed=seed)
    middle = START + timedelta(days=2, hours=3)
    asked = [
        Period(),
        *(Period(name) for name in ("1h", "24h", "7d", "30d")),  # type: ignore[arg-type]
        Period("custom", since=middle),
        Period("custom", until=middle),
        Period("custom", since=START + timedelta(hours=30), until=middle + timedelta(days=1)),
        Period("custom", since=START + timedelta(hours=2), until=START + timedelta(hours=5)),
    ]
    for period in asked:
        since, until = bounds(told, period)
        with transaction(told.connection):
            numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (since, until))
        naive = told.counted(since, until)
        for (node, port), count in naive.items():
            there = numbers.nodes[node]
            assert (there.ports[port] if port else there.entered) == count, f"{period}: {node} {port}"
        for name, there in numbers.nodes.items():
            assert there.entered == naive[name, ""], f"{period}: {name}"
            assert all(count == naive[name, port] for port, count in there.ports.items())
            assert there.before + there.entered == there.waiting + there.left, "the books of a node do not balance"
            assert there.before >= 0
            if period == Period():
                assert there.before == 0
        totals = numbers.totals
        if period == Period():
            assert totals.entered == totals.active + totals.completed + totals.exited + totals.failed
            assert totals.goal == totals.exited, "only goals take people out here"


def test_who_waits_is_who_stands_there_and_the_next_wait_is_the_earliest(told: Told) -> None:
    told.go(people=12, steps=50, seed=7)
    with transaction(told.connection):
        numbers, waiting = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
        due = periods.next_due(told.connection, told.workspace_id, waiting)
    rows = told.ask(
        "SELECT version_id, node, count(*), min(wake_at) FROM enrollment WHERE workspace_id = %s AND status = 0 GROUP BY 1, 2"
    )
    assert rows
    assert {(version, node): count for version, node, count, _ in rows} == {k: n for k, n in waiting.items() if n}
    assert {(version, node): at for version, node, _, at in rows} == due
    assert all(numbers.nodes[node].waiting == count for _, node, count, _ in rows)


def test_the_next_wait_of_a_crowded_node_is_told_exactly_or_not_at_all(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.go(people=30, steps=60, seed=5)
    monkeypatch.setattr(periods, "FEW", 0)
    truth = {
        (version, node): at
        for version, node, at in told.ask(
            "SELECT version_id, node, min(wake_at) FROM enrollment WHERE workspace_id = %s AND status = 0 GROUP BY 1, 2"
        )
    }
    for front in (1, 2, 100):
        monkeypatch.setattr(periods, "FRONT", front)
        with transaction(told.connection):
            found = periods.next_due(told.connection, told.workspace_id, dict.fromkeys(truth, 9))
        assert found.items() <= truth.items()
        assert found
    assert found == truth


def test_messages_are_counted_at_their_node_as_they_stand(told: Told) -> None:
    told.go(people=9, steps=80, seed=4)
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
    mail = numbers.nodes["note"].mail
    [row] = told.ask(
        "SELECT count(*), count(*) FILTER (WHERE status = 2), count(*) FILTER (WHERE outcome >= 2),"
        " count(*) FILTER (WHERE outcome >= 3), count(*) FILTER (WHERE outcome >= 4),"
        " count(*) FILTER (WHERE status = 4 AND reason = 'opted_out'), count(*) FILTER (WHERE status IN (0, 1, 6))"
        " FROM message WHERE workspace_id = %s"
    )
    found = (
        mail.total,
        mail.sent,
        mail.delivered,
        mail.opened,
        mail.clicked,
        mail.suppressed["opted_out"],
        mail.pending,
    )
    assert found == row
    assert mail.opened > mail.clicked > 0
    assert mail.withheld > 0
    assert mail.unsubscribed > 0
    assert mail.total == mail.pending + mail.sent + mail.failed + mail.expired + mail.withheld


def test_numbers_of_one_version_are_its_own_and_all_versions_add_up(told: Told) -> None:
    told.go(people=6, steps=20, seed=1)
    told.world.publish("Order not paid", {**_changed()}, told.journey)
    told.go(people=6, steps=20, seed=2)
    place = told.workspace_id, told.journey
    with transaction(told.connection):
        versions = [id for (id,) in told.connection.execute("SELECT id FROM version ORDER BY number")]
        whole, _ = read(told.connection, place, None, (None, None))
        parts = [read(told.connection, place, version, (None, None))[0] for version in versions]
    assert len(parts) == 2
    assert all(part.totals.entered for part in parts)
    assert sum(part.totals.entered for part in parts) == whole.totals.entered
    for name, there in whole.nodes.items():
        assert there.entered == sum(part.nodes[name].entered for part in parts if name in part.nodes)


def _changed() -> dict[str, object]:
    from copy import deepcopy

    from tests.web.story import FLOW

    made = deepcopy(FLOW)
    made["nodes"][2]["settings"]["duration"] = "PT3H"
    return made


def test_a_look_asks_as_much_for_a_year_as_for_a_minute(told: Told) -> None:
    told.go(people=6, steps=20, seed=3)
    asked = set()
    for length in (timedelta(hours=3), timedelta(days=3), timedelta(days=300)):
        period = Period("custom", since=told.world.now - length, until=told.world.now - timedelta(hours=1))
        with transaction(told.connection), statements(told.connection) as sent:
            read(told.connection, (told.workspace_id, told.journey), None, bounds(told, period))
        asked.add(len(sent))
    assert asked == {3}


def test_short_spans_are_forgotten_and_the_numbers_stay(told: Told) -> None:
    told.go(people=6, steps=60, seed=6)
    told.world.now += timedelta(days=3)
    told.fold()
    assert told.ask("SELECT count(*) FROM tally_span WHERE workspace_id = %s AND minutes = 5") == [(0,)]
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
    assert numbers.nodes["start"].entered == told.counted()["start", ""]
