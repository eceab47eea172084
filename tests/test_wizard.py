"""The guided start composes a valid flow whatever was chosen, and says what is wrong at its field."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from app import wizard
from app.simulating import Story, rehearse
from flows import document as documents
from flows.compile import Label, compile_plan
from flows.validate import validate
from nodes import catalog

CATALOG = catalog(plugins=False)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENOUGH = {
    "name": "Second order",
    "event": "order_paid",
    "title": "Hello",
    "text": "Come again",
    "goal": "order_paid_again",
}
RULE = {"who": "rule", "what.0": "did", "of.0": "app_open", "what.1": "attribute", "of.1": "city", "value.1": "上海"}


def composed(accounts: tuple[str, ...] = ("shop-mail",), **typed: str) -> dict[str, Any]:
    found = wizard.answered(ENOUGH | typed)
    assert found.wrong == {}
    return wizard.compose(found, str, accounts)


WHO = ({}, RULE, RULE | {"when": "weekly"}, RULE | {"when": "monthly", "day": "28"})
CHANNELS = ({}, {"channel": "shop-mail", "link": "https://example.com/x"}, {"channel": "gone"})
PAUSES = ({}, {"wait.amount": "30", "wait.unit": "M"})
REMINDERS = ({"reminders": "0"}, {"reminders": "3", "gap.amount": "2", "reminder": "Still there?"})
EFFECTS = ({"holdout": "0"}, {"holdout": "25", "within": "1", "again": "rest", "rest": "60"})


@pytest.mark.parametrize("choice", list(product(WHO, CHANNELS, PAUSES, REMINDERS, EFFECTS)))
def test_whatever_is_chosen_the_flow_is_valid_and_whole(choice: tuple[dict[str, str], ...]) -> None:
    typed = {name: text for one in choice for name, text in one.items()}
    document = composed(**typed)
    problems = validate(documents.load(document), CATALOG, accounts={"shop-mail": "email"})
    assert [(one.node, one.code) for one in problems] == []
    spots = [(node["x"], node["y"]) for node in document["nodes"]]
    assert len(set(spots)) == len(spots)
    assert all(x % 8 == 0 and y % 8 == 0 for x, y in spots)


@pytest.mark.parametrize("typed", [{}, {"reminders": "3"}, {"holdout": "0", "wait.amount": "5"}])
def test_who_does_nothing_gets_every_message_and_leaves_without_the_goal(typed: dict[str, str]) -> None:
    plan = compile_plan(documents.load(composed(**typed)), CATALOG, Label(1, 1, 1))
    story = {"start": NOW, "arms": {"control": "go"}, "happenings": [{"do": "enter"}, *[{"do": "next"}] * 9]}
    told = rehearse(plan, Story.model_validate(story))
    assert len([one for one in told.moments if one.kind == "message"]) == 1 + int(typed.get("reminders", "1"))
    assert told.moments[-1].why == "goal not reached"


def test_who_reaches_the_goal_leaves_at_once() -> None:
    plan = compile_plan(documents.load(composed()), CATALOG, Label(1, 1, 1))
    happenings = [{"do": "enter"}, {"do": "event", "name": "order_paid_again", "after": "P2D"}]
    story = {"start": NOW, "arms": {"control": "go"}, "happenings": happenings}
    told = rehearse(plan, Story.model_validate(story))
    assert (told.moments[-1].why, told.walking) == ("goal", False)


@pytest.mark.parametrize(
    ("step", "typed", "field"),
    [
        ("plan", {"name": ""}, "name"), ("plan", {"name": "x" * 201}, "name"), ("plan", {"scene": "confuse"}, "scene"),
        ("audience", {"event": " "}, "event"), ("audience", {"event": "message.opened"}, "event"),
        ("audience", {"who": "rule"}, "rule"), ("audience", RULE | {"value.1": ""}, "rule"),
        ("audience", RULE | {"days.0": "x"}, "rule"), ("audience", RULE | {"op.1": "gte"}, "rule"),
        ("audience", RULE | {"when": "never"}, "when"), ("audience", RULE | {"time": "25:00"}, "time"),
        ("tool", {"title": ""}, "title"), ("tool", {"link": "shop"}, "link"), ("tool", {"reminders": "9"}, "reminders"),
        ("tool", {"gap.amount": "0"}, "gap"), ("tool", {"channel": "shop-mail", "text": ""}, "text"),
        ("effect", {"goal": ""}, "goal"), ("effect", {"within": "0"}, "within"), ("effect", {"holdout": "51"}, "holdout"),
        ("effect", {"again": "rest", "rest": "0"}, "rest"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_its_field(step: str, typed: dict[str, str], field: str) -> None:
    assert list(wizard.answered(ENOUGH | typed, (step,)).wrong) == [field]


def test_a_step_is_checked_only_when_it_is_asked_for() -> None:
    assert wizard.answered({}, ()).wrong == {}
    assert list(wizard.answered({"name": "Mine"}, ("plan",)).wrong) == []
