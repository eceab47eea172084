"""Random flows, people and plans between two versions: nobody lost, nobody twice, no message repeated, books right."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from app import migrating
from app.lanes import ALL_LANES
from app.publishing import Desk
from app.stages import migrate
from app.store import migrations_
from app.store.rows import Connection
from flows.moves import Move
from tests.simulation.drawing import SEEDS, drawn, others, paces
from tests.simulation.engine import Pace, Town
from tests.simulation.strategies import CATALOG, MINUTE, START, Happening, flows, happenings

EXAMPLES = 40


@dataclass(frozen=True)
class Story:
    """Two versions, what happens, when the second goes live and what becomes of people then; whether it is undone."""

    old: dict[str, Any]
    new: dict[str, Any]
    batches: list[list[Happening]]
    pace: Pace
    at: int
    people: list[Move]
    undone: bool


def nodes_of(document: dict[str, Any], *, entries: bool) -> list[str]:
    return [one["id"] for one in document["nodes"] if entries or not one["type"].startswith("entry.")]


@st.composite
def plans(draw: st.DrawFn, old: dict[str, Any], new: dict[str, Any]) -> list[Move]:
    targets = nodes_of(new, entries=False)
    found = []
    for node in nodes_of(old, entries=True):
        do = draw(st.sampled_from(("move", "move", "move", "exit", "stay")))
        to = draw(st.sampled_from(targets)) if do == "move" and targets else None
        if do != "move" or to:
            found.append(Move(node=node, do=do, to=to, wait=draw(st.sampled_from(("anew", "keep")))))
        if targets and not draw(st.integers(0, 2)):
            found.append(Move(node=node, do="reopen", to=draw(st.sampled_from(targets))))
    return found


@st.composite
def stories(draw: st.DrawFn) -> Story:
    old = draw(flows())
    new = draw(flows()) if draw(st.booleans()) else old
    batches = draw(happenings(lagging=False, journeys=1))
    at = draw(st.integers(0, len(batches)))
    return Story(old, new, batches, draw(paces), at, draw(plans(old, new)), draw(st.booleans()))


def rows(town: Town, query: str) -> list[tuple[Any, ...]]:
    return town.connection.execute(query, {"w": town.workspace_id}).fetchall()  # type: ignore[arg-type]


def walks(town: Town) -> dict[int, tuple[Any, ...]]:
    """By enrollment: where it stands, all that a reversal must bring back."""
    found = rows(
        town,
        "SELECT id, status, version_id, node, slot, rested_at, wake_at, reason, visits FROM enrollment"
        " WHERE workspace_id = %(w)s",
    )
    return {row[0]: row[1:] for row in found}


def sent(town: Town) -> dict[tuple[int, str], int]:
    """How many messages each step wrote to each walk."""
    found = rows(town, "SELECT enrollment_id, node, count(*) FROM message WHERE workspace_id = %(w)s GROUP BY 1, 2")
    return {(id, node): count for id, node, count in found}


def books(town: Town) -> None:
    """The tallies say what the rows say, version by version; nobody walks twice at a place."""
    names = {1: "completed", 2: "exited", 3: "failed"}
    told = rows(
        town,
        "SELECT version_id, port, sum(count)::bigint FROM tally WHERE workspace_id = %(w)s AND node = ''"
        " AND left(port, 1) <> '!' GROUP BY 1, 2 HAVING sum(count) <> 0",
    )
    found: dict[tuple[int, str], int] = {}
    for status, version, *_ in walks(town).values():
        for name in ("entered", names.get(status)):
            if name:
                found[version, name] = found.get((version, name), 0) + 1
    assert {(version, port): count for version, port, count in told} == found
    waits = rows(
        town,
        "SELECT version_id, node, sum(CASE WHEN port = '' THEN count ELSE -count END)::bigint FROM tally"
        " WHERE workspace_id = %(w)s AND node <> '' AND (port = '!end' OR left(port, 1) <> '!') GROUP BY 1, 2",
    )
    stand: dict[tuple[int, str], int] = {}
    for status, version, node, *_ in walks(town).values():
        if status in (0, 4):
            stand[version, node] = stand.get((version, node), 0) + 1
    there = {(version, node): count for version, node, count in waits if count}
    for place, count in stand.items():
        assert there.get(place, 0) == count
    twice = rows(
        town,
        "SELECT contact_id FROM enrollment WHERE workspace_id = %(w)s AND status IN (0, 4)"
        " GROUP BY contact_id, journey_id, key HAVING count(*) > 1",
    )
    assert not twice


def drain(town: Town) -> int:
    """The stage, in shares of lanes and odd limits, until it has nothing left to do."""
    done, shares = 0, town.pace.shares
    while True:
        found = [
            migrate.run(
                town.connection,
                town.plans,
                lanes=ALL_LANES[n::shares],
                now=town.now,
                limit=max(1, town.pace.limit // 40),
            )
            for n in range(shares)
        ]
        done += sum(found)
        if not any(found):
            return done


def moved(town: Town, journey: int, story: Story) -> None:
    """Preview, publish with the plan, carry it out, perhaps undo it, and look each time."""
    desk = Desk(town.connection, town.plans.catalog, town.workspace_id, "op", town.now)
    seen = migrating.preview(desk, journey, story.people, None)
    before, mail = walks(town), sent(town)
    town.publish("", story.new, journey, story.people)
    assert walks(town) == before
    count = drain(town)
    after = walks(town)
    found = migrations_.of_journey(town.connection, town.workspace_id, journey, None, 5)
    done = migrating.progress(desk, found)
    if not found:
        assert count == 0
        return
    (one,) = found
    mine = done[one.id]
    assert one.status == "done"
    assert (mine.moved, mine.exited, mine.reopened) == (seen.moved, seen.exited, seen.reopened)
    assert count == seen.moved + seen.exited + seen.reopened
    assert after.keys() == before.keys()
    by_place = {(rule.node, rule.finished): rule for rule in story.people}
    for id, (status, _, node, *_) in before.items():
        rule = by_place.get((node, status == 1))
        if rule is None or rule.do == "stay":
            assert after[id] == before[id]
    mail_after = sent(town)
    for (id, node), number in mail.items():
        assert mail_after[id, node] >= number
    books(town)
    if story.undone:
        migrating.reverse(desk, journey, one.id)
        drain(town)
        undone = migrating.progress(desk, found)[one.id]
        assert undone.put_back + undone.gone == count
        back = walks(town)
        assert sum(1 for id in before if back[id] == before[id]) >= undone.put_back
        books(town)


def live(connection: Connection, story: Story) -> None:
    town = Town(connection, CATALOG, timezone="UTC", start=START)
    town.pace = story.pace
    journey = town.publish("journey", story.old)
    for number, batch in enumerate(story.batches):
        if number == story.at:
            moved(town, journey, story)
        if batch[0].at > town.now:
            town.until(batch[0].at, including=False)
        for one in batch:
            if one.into is None:
                town.accept([one.payload], at=one.at)
            else:
                town.now = one.at
                town.enroll(journey, f"u{one.who}", one.properties, one.message)
        town.now = batch[-1].at
        town.still()
    if story.at == len(story.batches):
        moved(town, journey, story)
    town.until(story.batches[-1][-1].at + 3 * 24 * 60 * MINUTE)
    books(town)


def examine(connection: Connection, number: int, examples: int) -> None:
    @drawn(number, examples)
    @given(story=stories())
    def holds(story: Story) -> None:
        # A message that would be repeated breaks the key of its row (enrollment, step, visit), and so the batch.
        note(f"seed {number}, {story.people}, at {story.at}, {story.pace}, undone {story.undone}")
        note(f"{story.old}")
        note(f"{story.new}")
        try:
            live(connection, story)
        finally:
            connection.rollback()

    holds()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(1))
def test_random_migrations_lose_nobody_move_nobody_twice_and_repeat_no_message(shared: Connection, number: int) -> None:
    examine(shared, number, EXAMPLES)


@pytest.mark.simulate
@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", SEEDS)
def test_they_do_so_for_many_more(shared: Connection, number: int) -> None:
    """`make simulate`."""
    examine(shared, *others(number, 300))
