"""The lists behind the numbers: as long as the number says, page by page, whoever they are about."""

import pytest

from app.database import Connection, transaction
from app.store import whereabouts
from app.store.whereabouts import Found, Wanted
from app.web.period import Period, read
from flows.interpret import TOLD_APART
from tests.web.story import START, Told


@pytest.fixture
def told(connection: Connection) -> Told:
    told = Told(connection)
    told.go(people=9, steps=90, seed=11)
    return told


def everybody(told: Told, wanted: Wanted, limit: int) -> list[Found]:
    found: list[Found] = []
    after = None
    for _ in range(1_000):
        with transaction(told.connection):
            part = whereabouts.people(told.connection, wanted, after, limit)
        assert len(part.people) <= limit
        found += part.people
        after = part.next
        if after is None:
            return found
    raise AssertionError("the list never ends")


def versions(told: Told) -> list[int]:
    return [id for (id,) in told.ask("SELECT id FROM version WHERE workspace_id = %s")]


@pytest.mark.parametrize(("limit", "window"), [(1, 2), (3, 5), (50, 3_000)])
def test_every_list_is_as_long_as_its_number(
    told: Told, limit: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereabouts, "WINDOW", window)
    monkeypatch.setattr(whereabouts, "WIDE", window)
    for name in ("all", "7d", "24h", "custom"):
        compare(told, name, limit)


def compare(told: Told, name: str, limit: int) -> None:
    """All lists of one period with their numbers."""
    middle = START.replace(hour=10, minute=0, day=20)
    since, until = Period(name, since=middle if name == "custom" else None).bounds(told.world.now, "UTC")  # type: ignore[arg-type]
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (since, until))
    known = {"workspace_id": told.workspace_id, "versions": versions(told), "since": since, "until": until}
    for node, there in numbers.nodes.items():
        here = everybody(told, Wanted(told.workspace_id, versions(told), [0, 4], node), limit)
        assert len(here) == there.waiting, node
        came = everybody(told, Wanted(**known, statuses=range(5), node=node, arrived=True), limit)
        assert sum(one.times for one in came) == there.entered, node
        for port, count in there.ports.items():
            went = everybody(told, Wanted(**known, statuses=range(5), node=node, port=port), limit)
            assert sum(one.times for one in went) == count, f"{node} {port}"
        ended = everybody(told, Wanted(**known, statuses=[1, 2, 3], node=node, in_place=True), limit)
        assert len(ended) == there.ended, node
    for status, count in ((1, numbers.totals.completed), (2, numbers.totals.exited), (3, numbers.totals.failed)):
        assert len(everybody(told, Wanted(**known, statuses=[status]), limit)) == count
    for reason in TOLD_APART:
        apart = everybody(told, Wanted(**known, statuses=[2], reason=reason), limit)
        assert len(apart) == getattr(numbers.totals, reason)
    if name == "all":
        active = everybody(told, Wanted(told.workspace_id, versions(told), [0, 4]), limit)
        assert len(active) == numbers.totals.active
        whole = everybody(told, Wanted(told.workspace_id, versions(told), range(5)), limit)
        assert len({one.id for one in whole}) == len(whole) == numbers.totals.entered
        assert all(one.identity and one.identity[0] == "user_id" for one in whole)
