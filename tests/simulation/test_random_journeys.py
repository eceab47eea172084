"""Random flows and random events: whatever the batches, lanes and order, the engine tells the story of the reference."""

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from app.store.rows import Connection
from flows import document
from flows.validate import errors, validate
from tests.simulation import engine
from tests.simulation.drawing import SEEDS, drawn, others, paces
from tests.simulation.engine import Pace, Town, walked
from tests.simulation.reference import Event, Journey, Person
from tests.simulation.strategies import CATALOG, MINUTE, START, Happening, flows, happenings

EXAMPLES = 24
UNTIL = 3 * 24 * 60 * MINUTE  # after the last event


@dataclass(frozen=True)
class Story:
    """Everything that happens in one example."""

    documents: list[dict[str, Any]]
    batches: list[list[Happening]]
    pace: Pace
    versions: list[tuple[int, int, dict[str, Any]]]  # before which batch, of which journey, and what it is from then on


@st.composite
def stories(draw: st.DrawFn) -> Story:
    lagging = draw(st.integers(0, 3)) == 3
    crossing = draw(st.booleans())
    documents = [draw(flows(crossing=crossing)) for _ in range(draw(st.sampled_from((1, 2, 3, 4))))]
    batches = draw(happenings(lagging=lagging, journeys=len(documents)))
    versions = [
        (draw(st.integers(1, len(batches))), draw(st.integers(0, len(documents) - 1)), draw(flows(crossing=crossing)))
        for _ in range(draw(st.sampled_from((0, 0, 1, 2))))
    ]
    return Story(documents, batches, draw(paces), sorted(versions, key=lambda one: one[0]))


def live(connection: Connection, story: Story) -> tuple[Town, list[int]]:
    """The engine's telling."""
    town = Town(connection, CATALOG, timezone="UTC", start=START)
    town.pace = story.pace
    journeys = [town.publish(f"journey {n}", one) for n, one in enumerate(story.documents)]
    for number, batch in enumerate(story.batches):
        if batch[0].at > town.now:  # otherwise its timers have yet to wait for these events
            town.until(batch[0].at, including=False)
        for _, journey, flow in (one for one in story.versions if one[0] == number):
            town.publish("", flow, journeys[journey])
        for (at, into), together in groupby(batch, key=lambda one: (one.at, one.into)):
            if into is None:
                town.accept([one.payload for one in together], at=at)
            for one in together if into is not None else ():
                town.now = at
                town.enroll(journeys[into], f"u{one.who}", one.properties, one.message)
        town.now = batch[-1].at
        after = story.batches[number + 1 : number + 2]
        if after and after[0][0].at == town.now:
            town.read()
        else:
            town.still()
    town.until(story.batches[-1][-1].at + UNTIL)
    return town, journeys


def tell(story: Story, people: dict[str, int], workspace_id: int, journeys: list[int]) -> dict[int, Person]:
    """The reference's."""
    seeds = [f"{workspace_id}/{journey}" for journey in journeys]
    plans = [Journey(seed, one) for seed, one in zip(seeds, story.documents, strict=True)]
    events: dict[int, list[Event]] = {contact: [] for contact in people.values()}
    seen = set()
    for number, batch in enumerate(story.batches):
        for _, journey, flow in (one for one in story.versions if one[0] == number):
            version = Journey(seeds[journey], flow)
            for mine in events.values():
                mine.append(Event(batch[0].at, "", batch[0].at, {}, version=version))
        for one in batch:
            if one.message not in seen:
                seen.add(one.message)
                event = Event(one.at, one.name, one.timestamp, one.properties, one.name == "identify")
                into = "" if one.into is None else seeds[one.into]
                events[people[f"u{one.who}"]].append(event._replace(into=into))
    told = {}
    for contact, mine in events.items():
        told[contact] = Person(contact, plans)
        told[contact].live(mine, story.batches[-1][-1].at + UNTIL)
    return told


def show(story: Story, people: dict[str, int]) -> None:
    """What the failing example was, in few lines."""
    note(f"{story.pace}, {people}")
    for title, one in [("", one) for one in story.documents] + [(f"{v[:2]}", v[2]) for v in story.versions]:
        note(f"journey {title} {one['settings']}")
        for node in one["nodes"]:
            wires = {edge["port"]: edge["to"] for edge in one["edges"] if edge["from"] == node["id"]}
            note(f"  {node['id']} {node['type']} {node['settings']} {wires}")
    for number, batch in enumerate(story.batches):
        for one in batch:
            moments = f"at {one.at:%d %H:%M} of {one.timestamp:%d %H:%M}"
            note(f"batch {number}: u{one.who} {moments} {one.name} {one.properties} {one.message}")


def compare(connection: Connection, story: Story) -> None:
    town, journeys = live(connection, story)
    workspace = town.workspace_id
    people = engine.contacts(connection, workspace)
    told = tell(story, people, workspace, journeys)
    show(story, people)
    have = engine.walks(connection, workspace)
    for contact, one in told.items():
        assert have.get(contact, []) == walked(one)
    sent = engine.messages(connection, workspace)
    assert sent == {contact: Counter(one.messages) for contact, one in told.items() if one.messages}
    assert engine.tags(connection, workspace) == {contact: one.tags for contact, one in told.items()}
    engine.balance(connection, workspace)


def examine(connection: Connection, number: int, examples: int) -> None:
    """Draw that many stories from a seed and compare both tellings of each."""

    @drawn(number, examples)
    @given(story=stories())
    def holds(story: Story) -> None:
        for one in (*story.documents, *(version for _, _, version in story.versions)):
            assert not errors(validate(document.load(one), CATALOG))
        note(f"seed {number}")
        try:
            compare(connection, story)
        finally:
            connection.rollback()

    holds()


@pytest.mark.timeout(600)  # some fifteen seconds each where nobody else works
@pytest.mark.parametrize("number", range(1))
def test_engine_and_reference_tell_the_same_story(shared: Connection, number: int) -> None:
    examine(shared, number, EXAMPLES)


@pytest.mark.simulate
@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", SEEDS)
def test_they_do_so_for_many_more(shared: Connection, number: int) -> None:
    """`make simulate`."""
    examine(shared, *others(number, 1000))
