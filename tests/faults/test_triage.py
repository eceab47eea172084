"""Finding the bad row: as bookkeeping alone, against a make-believe table of lanes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.triage import BELIEVED, TRIES, Triage

LANES = tuple(range(8))


class Table:
    """Rows by lane; some are bad."""

    def __init__(self, rows: dict[int, list[bool]]) -> None:
        self.rows = {lane: list(bad) for lane, bad in rows.items()}
        self.done, self.aside, self.fails = 0, 0, 0

    def turn(self, triage: Triage, limit: int, at: float) -> None:
        for bite in triage.bites(LANES, limit, at):
            each = max(1, bite.limit // len(bite.lanes))
            taken = {lane: self.rows.get(lane, [])[:each] for lane in bite.lanes}
            if not any(map(any, taken.values())):
                for lane, some in taken.items():
                    del self.rows.get(lane, [])[: len(some)]
                count = sum(map(len, taken.values()))
                self.done += count
                triage.passed(bite, count)
                continue
            self.fails += 1
            if triage.failed(bite, at):
                (lane,) = bite.lanes
                assert self.rows[lane].pop(0), "a good row was put aside"
                self.aside += 1
                triage.put_aside(lane)

    @property
    def left(self) -> int:
        return sum(map(len, self.rows.values()))


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.sampled_from((0.0, 0.02, 0.1)), st.integers(1, 200))
def test_p15_only_bad_rows_are_put_aside_and_all_others_are_done(seed: int, share: float, limit: int) -> None:
    chance = random.Random(seed)
    rows = {lane: [chance.random() < share for _ in range(chance.randrange(60))] for lane in LANES}
    table, triage = Table(rows), Triage()
    good, bad = (sum(row is kind for lane in rows.values() for row in lane) for kind in (False, True))
    for turn in range(2_000):
        if not table.left:
            break
        table.turn(triage, limit, turn * 60.0)
    assert (table.done, table.aside) == (good, bad)


def test_p15_a_thousand_bad_rows_among_many_cost_few_failures_each() -> None:
    rows = {lane: [n % 100 == 50 for n in range(2_000)] for lane in LANES}
    table, triage = Table(rows), Triage()
    for turn in range(10_000):
        if not table.left:
            break
        table.turn(triage, 800, turn * 60.0)
    assert table.aside == 160
    assert table.fails / table.aside < TRIES + 3


def test_a_fault_of_our_own_does_not_empty_the_inbox_into_the_dead_letters() -> None:
    table, triage = Table({lane: [True] * 500 for lane in LANES}), Triage()
    for turn in range(5_000):
        table.turn(triage, 100, turn * 60.0)
    assert table.aside == BELIEVED


@pytest.mark.parametrize("lost", [(0, 1), (3,), LANES])
def test_suspicion_does_not_outlive_the_ownership_of_a_lane(lost: tuple[int, ...]) -> None:
    triage = Triage()
    (bite,) = triage.bites(LANES, 100, 0.0)
    triage.failed(bite, 0.0)
    mine = [lane for lane in LANES if lane not in lost]
    seen = [lane for bite in triage.bites(mine, 100, 0.0) for lane in bite.lanes]
    assert sorted(seen) == mine


def test_batches_that_are_cut_off_grow_smaller_and_large_again_when_they_come_through() -> None:
    triage = Triage()
    sizes = []
    for _ in range(3):
        (bite,) = triage.bites(LANES, 6_400, 0.0)
        sizes.append(bite.limit)
        triage.cut_off()
    for _ in range(4):
        (bite,) = triage.bites(LANES, 6_400, 0.0)
        sizes.append(bite.limit)
        triage.passed(bite, 10)
    assert sizes == [6_400, 3_200, 1_600, 800, 1_600, 3_200, 6_400]
