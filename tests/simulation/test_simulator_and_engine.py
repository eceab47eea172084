"""The simulator walks one contact exactly as the engine does: on random flows and stories, path, moments, messages and end."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, note
from hypothesis import strategies as st

from app.simulating import Story, Told, rehearse
from app.store.rows import Connection
from flows import document
from flows.compile import Label, compile_plan
from tests.simulation import engine
from tests.simulation.drawing import drawn
from tests.simulation.engine import Town, Walked, walked
from tests.simulation.reference import Event, Journey, Person
from tests.simulation.strategies import CATALOG, MINUTE, START, Happening, flows, happenings

UNTIL = 3 * 24 * 60 * MINUTE


@st.composite
def stories(draw: st.DrawFn) -> tuple[dict[str, Any], list[Happening]]:
    """A flow, and the events of one person in order of arrival, one at a time: so does who sits at the simulator."""
    mine: list[Happening] = []
    for one in (one for batch in draw(happenings(lagging=False, journeys=1)) for one in batch):
        if one.who == 0 and one.message not in {other.message for other in mine}:
            at = max(one.at, mine[-1].at + timedelta(seconds=1)) if mine else one.at
            mine.append(replace(one, at=at))
    return draw(flows()), mine


def as_story(contact: int, told: list[Happening]) -> Story:
    steps: list[dict[str, Any]] = []
    before = START
    for one in told:
        step = {"do": "event", "name": one.name, "properties": one.properties}
        if one.name == "identify":
            step = {"do": "identify", "traits": one.properties}
        gaps = {"after": one.at - before, "earlier": one.at - one.timestamp}
        steps.append(step | {name: f"PT{int(gap.total_seconds())}S" for name, gap in gaps.items() if gap})
        before = one.at
    steps.append({"do": "wait", "length": f"PT{int(UNTIL.total_seconds())}S"})
    return Story.model_validate({"start": START, "person": {"contact": contact}, "happenings": steps})


def simulated(told: Told, seed_: str) -> list[Walked]:
    """The simulator's telling in the words of the comparison."""
    paths: dict[int, list[tuple[str, datetime]]] = {}
    keys: list[str] = []
    ends: dict[int, tuple[str, str | None]] = {}
    rest: dict[int, datetime | None] = {}
    for one in told.moments:
        if one.kind == "entered":
            keys.append(one.detail["key"])
        elif one.kind in ("moved", "waits", "stays") and one.detail["arrived"]:
            paths.setdefault(one.detail["member"], []).append((one.node, one.at))
        elif one.kind == "left":
            ends[one.detail["member"]] = (one.detail["status"], one.why or None)
        if one.kind in ("waits", "stays"):
            rest[one.detail["member"]] = one.detail["until"]
    found = []
    for number, key in enumerate(keys, 1):
        status, reason = ends.get(number, ("active", None))
        wake = rest.get(number) if status == "active" else None
        found.append(Walked(seed_, key, tuple(paths[number]), status, reason, wake))
    return sorted(found, key=lambda one: one.key)


def messages(told: Told) -> Counter[Any]:
    return Counter((one.node, one.at) for one in told.moments if one.kind == "message")


def plan_of(flow: dict[str, Any], workspace: int, journey: int) -> Any:
    return compile_plan(document.load(flow), CATALOG, Label(workspace, journey, 1))


def show(flow: dict[str, Any], mine: list[Happening]) -> None:
    """What the failing example was, in few lines."""
    note(f"{flow['settings']}")
    for node in flow["nodes"]:
        wires = {edge["port"]: edge["to"] for edge in flow["edges"] if edge["from"] == node["id"]}
        note(f"  {node['id']} {node['type']} {node['settings']} {wires}")
    for one in mine:
        note(f"at {one.at:%d %H:%M:%S} of {one.timestamp:%d %H:%M:%S} {one.name} {one.properties}")


@pytest.mark.parametrize("number", range(1))
def test_the_simulator_tells_the_story_of_the_reference(number: int) -> None:
    @drawn(number, 150)
    @given(story=stories())
    def holds(story: tuple[dict[str, Any], list[Happening]]) -> None:
        flow, mine = story
        person = Person(7, [Journey("1/1", flow)])
        events = [Event(one.at, one.name, one.timestamp, one.properties, one.name == "identify") for one in mine]
        person.live(events, (mine[-1].at if mine else START) + UNTIL)
        told = rehearse(plan_of(flow, 1, 1), as_story(7, mine))
        show(flow, mine)
        assert simulated(told, "1/1") == walked(person)
        assert messages(told) == Counter((node, at) for _, _, node, _, at in person.messages)
        assert set(told.tags) == person.tags
        assert told.attributes == person.attributes

    holds()


def lived(connection: Connection, flow: dict[str, Any], mine: list[Happening]) -> tuple[Town, int]:
    """The engine's telling."""
    town = Town(connection, CATALOG, timezone="UTC", start=START)
    journey = town.publish("journey", flow)
    for one in mine:
        town.until(one.at, including=False)
        town.accept([one.payload], at=one.at)
        town.now = one.at
        town.read()
    town.still()
    town.until((mine[-1].at if mine else START) + UNTIL)
    return town, journey


@pytest.mark.timeout(300)
def test_the_simulator_tells_the_story_of_the_engine(shared: Connection) -> None:
    @drawn(11, 40, phases=[Phase.generate])
    @given(story=stories())
    def holds(story: tuple[dict[str, Any], list[Happening]]) -> None:
        flow, mine = story
        try:
            town, journey = lived(shared, flow, mine)
            workspace = town.workspace_id
            people = engine.contacts(shared, workspace)
            contact = people.get("u0", 0)
            told = rehearse(plan_of(flow, workspace, journey), as_story(contact, mine))
            have = engine.walks(shared, workspace).get(contact, [])
            assert simulated(told, f"{workspace}/{journey}") == have
            sent = engine.messages(shared, workspace).get(contact, Counter())
            assert messages(told) == Counter({(one[2], one[4]): n for one, n in sent.items()})
            assert set(told.tags) == engine.tags(shared, workspace).get(contact, set())
        finally:
            shared.rollback()

    holds()


def test_a_story_told_in_two_parts_is_the_story_told_at_once() -> None:
    flow = {
        "schema": 1,
        "settings": {},
        "nodes": [
            {"id": "in", "type": "entry.event", "settings": {"event": "a"}},
            {"id": "rest", "type": "wait.duration", "settings": {"duration": "PT10M"}},
            {"id": "say", "type": "send.inapp", "settings": {"title": "Hello"}},
        ],
        "edges": [{"from": "in", "port": "next", "to": "rest"}, {"from": "rest", "port": "next", "to": "say"}],
    }
    begin = {"start": START, "happenings": [{"do": "enter"}]}
    told = rehearse(plan_of(flow, 1, 1), Story.model_validate(begin))
    assert (told.due, told.at) == (START + timedelta(minutes=10), ("rest",))
    begin["happenings"] = [{"do": "enter"}, {"do": "next"}]
    after = rehearse(plan_of(flow, 1, 1), Story.model_validate(begin))
    assert after.moments[: len(told.moments)] == told.moments
    assert after.path == (("in", "next"), ("rest", "next"), ("say", "next"))
    assert not after.walking
