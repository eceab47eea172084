"""The suite itself: it must find what is wrong, or it proves nothing."""

import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from flows.contract import Batch, Event, Json, Member, Message, NodeSettings, NodeType, Outcome, Tag, Wait
from flows.errors import NodeError
from nodes.purity import no_clock_no_chance
from nodes.testing import NOON, check_contract, faults, make_batch, make_member, placements, wake
from nodes.wait_duration import node as good

HOURLY: dict[str, Json] = {"duration": "PT1H"}


def everybody(batch: Batch) -> list[int]:
    return [member.id for member in batch.members]


def found(advance: Callable[[Batch], Outcome], **other: Any) -> str:
    """What the suite says of a node that behaves like this."""
    return "\n".join(faults(replace(good, advance=advance, **other), [HOURLY]))


def on(batch: Batch, **other: Any) -> Outcome:
    return Outcome(go={"next": everybody(batch)}, **other)


def rest(batch: Batch, wait: Wait) -> Outcome:
    return Outcome(stay={wait: everybody(batch)})


NO_ZONE = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake to be found

BAD: dict[str, tuple[Callable[[Batch], Outcome], str]] = {
    "loses somebody": (lambda b: Outcome(go={"next": everybody(b)[1:]}), "exactly the members"),
    "invents somebody": (lambda b: Outcome(go={"next": [*everybody(b), -1]}), "exactly the members"),
    "doubles somebody": (lambda b: on(b, fail={"why": everybody(b)}), "placed twice"),
    "has a secret port": (lambda b: Outcome(go={"elsewhere": everybody(b)}), "no port ['elsewhere']"),
    "waits unheard": (lambda b: rest(b, Wait(event="x")), "which `listens` does not name"),
    "waits for ever": (lambda b: rest(b, Wait()), "nothing can end its wait"),
    "waits in no zone": (lambda b: rest(b, Wait(NO_ZONE)), "without a zone"),
    "reads the clock": (lambda b: rest(b, Wait(datetime.now(UTC))), "the moment and the draw are in the batch"),
    "rolls dice": (lambda b: on(b) if random.random() < 2 else rest(b, Wait(NOON)), "the draw are in the batch"),
    "counts from now": (lambda b: rest(b, Wait(b.now)), "order of the members, or on batch.now"),
    "favours the first": (
        lambda b: Outcome(go={"next": everybody(b)[:1]}, fail={"late": everybody(b)[1:]}),
        "order of the members",
    ),
    "cannot count": (lambda b: on(b, why={1: "x" * (1 // len(b.members))}), "ZeroDivisionError"),
    "trusts values": (
        lambda b: Outcome(go={"next": [m.id for m in b.members if m.facts.attributes.get("n", 0) + 1]}),
        "TypeError",
    ),
    "changes facts": (
        lambda b: on(b, why=dict.fromkeys([m.id for m in b.members if tag(m)], "x")),
        "what it was given",
    ),
    "sends by another": (lambda b: on(b, send=[Message(everybody(b), "fax")]), "not its channel"),
    "tags a stranger": (lambda b: on(b, effects=[Tag([-1])]), "for strangers"),
    "fails silently": (lambda b: Outcome(fail={"": everybody(b)}), "without a reason"),
    "talks too much": (lambda b: on(b, why=dict.fromkeys(everybody(b), "x" * 999)), "short reason"),
}


def tag(member: Member) -> bool:
    member.facts.tags.add("x")
    return True


@pytest.mark.parametrize("name", BAD)
def test_a_node_that_misbehaves_is_found_out(name: str) -> None:
    advance, sentence = BAD[name]
    assert sentence in found(advance, reads=("attributes.n",))


def test_an_answer_that_changes_from_call_to_call_is_found_out() -> None:
    calls: list[int] = []

    def moody(batch: Batch) -> Outcome:
        calls.append(1)
        return Outcome(go={"next": everybody(batch)}) if len(calls) % 2 else Outcome(leave={"x": everybody(batch)})

    assert "the same batch twice gives two outcomes" in found(moody)


class Open(BaseModel):
    duration: str = ""


class Bare(NodeSettings):
    duration: str = ""


class Shifting(NodeSettings):
    duration: Any = Field(title="How long", description="A time.")

    @field_validator("duration")
    @classmethod
    def _longer(cls, value: str) -> str:
        return value.replace("1", "11")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"type": "Wait Duration"}, "not lower case words with dots"),
        ({"version": 0}, "not a number from 1 up"),
        ({"version": 2}, "no stored settings of version 1"),
        ({"title": " "}, "no title"),
        ({"help": ""}, "no help"),
        ({"icon": "no.svg"}, "icon cannot be read"),
        ({"icon": "__init__.py"}, "icon is not SVG"),
        ({"settings": Open}, "unknown fields"),
        ({"settings": Bare}, "no help text"),
        ({"settings": Shifting}, "change when they are saved"),
        ({"summary": lambda _settings: "x" * 61}, "at most 60"),
        ({"summary": lambda _settings: "a\nb"}, "at most 60"),
        ({"ports": ("next", "next")}, "name something twice"),
        ({"ports": ["next"]}, "not a tuple of names"),
        ({"reads": ("the weather",)}, "nobody can fetch the fact 'the weather'"),
        ({"group": "entry"}, "how people come in"),
        ({"start": lambda _settings: None}, "gives no Start"),
        ({"jumps": lambda _settings: {"away": "n"}}, "ports that do not exist"),
    ],
)
def test_a_type_that_looks_wrong_is_found_out(changed: dict[str, Any], sentence: str) -> None:
    assert sentence in "\n".join(faults(replace(good, **changed), [HOURLY]))


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("<svg viewBox='0 0 24 24' width='24' height='24'><script/><path stroke='currentColor'/></svg>", "script"),
        ("<svg viewBox='0 0 24 24' width='24' height='24' onload='x' stroke='currentColor'/>", "onload"),
        (
            "<svg viewBox='0 0 24 24' width='24' height='24' stroke='currentColor'><image href='http://x'/></svg>",
            "image",
        ),
        ("<svg viewBox='0 0 32 32' width='24' height='24' stroke='currentColor'/>", "24 by 24"),
        ("<svg viewBox='0 0 24 24' width='24' height='24' stroke='red'/>", "currentColor"),
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "more than a drawing"),
        ("<svg>" + " " * 5000 + "</svg>", "longer than"),
    ],
)
def test_a_drawing_that_is_more_or_less_is_found_out(
    monkeypatch: pytest.MonkeyPatch, drawing: str, sentence: str
) -> None:
    monkeypatch.setattr("nodes.looks.icon", lambda _node: drawing)
    assert sentence in "\n".join(faults(good, [HOURLY]))


def test_old_settings_are_upgraded_a_step_at_a_time() -> None:
    def upgrade(settings: dict[str, Json], from_version: int) -> dict[str, Json]:
        return {"duration": f"PT{settings['hours']}H"} if from_version == 2 else {"hours": settings["h"]}

    third = replace(good, version=3, upgrade=upgrade)
    assert not list(faults(third, [HOURLY], {1: {"h": 2}, 2: {"hours": 3}}))
    assert "version 1 cannot be upgraded" in "\n".join(faults(third, [HOURLY], {1: {"x": 2}, 2: {"hours": 3}}))


def test_a_refused_sample_and_a_missing_one_are_found_out() -> None:
    assert "is refused" in "\n".join(faults(good, [{"duration": "soon"}]))
    assert "no sample settings" in "\n".join(faults(replace(good, settings=Bare)))


def test_check_contract_lists_everything_at_once() -> None:
    with pytest.raises(AssertionError, match=r"(?s)wait\.duration breaks the contract.*no help.*no port"):
        check_contract(
            replace(good, help="", ports=("on",), advance=lambda batch: Outcome(go={"next": everybody(batch)}))
        )
    with pytest.raises(AssertionError, match="is not a NodeType"):
        check_contract("wait.duration")  # type: ignore[arg-type]


CALLS: dict[str, Callable[[], object]] = {
    "time": time.time,
    "monotonic": time.monotonic,
    "now": lambda: datetime.now(UTC),
    "today": date.today,
    "chance": random.random,
    "seeded chance": random.Random(1).random,
    "bytes of chance": lambda: os.urandom(1),
    "uuid": uuid.uuid4,
    "a file": Path(os.devnull).open,
}


@pytest.mark.parametrize("name", CALLS)
def test_clocks_chance_and_files_are_out_of_reach(name: str) -> None:
    def asks() -> object:
        return CALLS[name]()

    with pytest.raises(NodeError, match="in the batch"), no_clock_no_chance():
        asks()


def test_the_network_is_out_of_reach() -> None:
    with socket.socket() as line, pytest.raises(NodeError, match="in the batch"), no_clock_no_chance():
        line.connect(("127.0.0.1", 9))


def test_what_is_pure_passes_the_guard_and_afterwards_everything_is_allowed_again() -> None:
    with no_clock_no_chance():
        assert NOON + timedelta(days=1) > datetime.fromisoformat("2026-03-02T12:00:00+00:00")
    assert time.time() > 0


def test_a_woken_member_keeps_when_the_wait_began() -> None:
    once = wake(make_member(1, key="o1", visit=2), NOON + timedelta(hours=1), Event("a", NOON, {}))
    again = wake(once, NOON + timedelta(hours=2))
    assert (again.rested_at, again.arrived_at, again.woken_by) == (NOON, NOON + timedelta(hours=2), None)
    assert (again.waiting, again.key, again.visit) == (True, "o1", 2)


def test_batches_take_settings_as_an_operator_saves_them() -> None:
    batch = make_batch(good, {"duration": "PT2H"}, 3, timezone="Asia/Shanghai")
    assert (batch.settings.duration, len(batch.members), batch.timezone) == ("PT2H", 3, "Asia/Shanghai")
    assert set(placements(good.advance(batch))) == {1, 2, 3}
    assert isinstance(good, NodeType)
