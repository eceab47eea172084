"""Whom the simulator walks: people invented for the occasion, one made to fit the entry, or a real contact as it is known.

Reads facts of a real contact; never changes them, and never shows more than its own page would.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app import schedules
from app.simulating.rehearsal import asked_of
from app.simulating.story import NAMES_AT_MOST, PAST_AT_MOST, Person
from app.store import history, people
from app.store.rows import Connection
from flows.calendar import shift
from flows.compile import Plan, Step
from flows.contract import Json, Start
from flows.durations import elapsed
from flows.past import FOR_EVER
from flows.rules.tree import All, Compare, Happened, Leaf, Not, Tagged, Tree
from flows.rules.tree import Any as Either
from flows.words import _

Say = Callable[[str], str]
PRESETS: Mapping[str, str] = {
    "fits": _("Somebody who fits the entry"),
    "new": _("Somebody new"),
    "loyal": _("A loyal customer"),
    "quiet": _("A customer gone quiet"),
}
PAST: Mapping[str, tuple[dict[str, Json], ...]] = {
    "fits": (),
    "new": ({"event": "registered", "ago": "PT1H"},),
    "loyal": (
        {"event": "registered", "ago": "P300D"},
        {"event": "order_paid", "ago": "P40D", "properties": {"amount": 320}},
        {"event": "order_paid", "ago": "P9D", "properties": {"amount": 199}},
        {"event": "app_open", "ago": "P1D"},
    ),
    "quiet": (
        {"event": "registered", "ago": "P300D"},
        {"event": "order_paid", "ago": "P120D", "properties": {"amount": 99}},
        {"event": "app_open", "ago": "P60D"},
    ),
}
MARGIN = 10  # an event lies this part of its window back, so that it is still inside a little later
OVER = {"gt": 1, "lt": -1}


def invented(preset: str, step: Step | None, now: datetime, language: str) -> Person:
    """Somebody who does not exist, with what such a person would have done before."""
    about: dict[str, Any] = {
        "user_id": "simulated",
        "attributes": {"name": "小雨" if language == "zh" else "Mia", "language": language},
        "tags": ["vip"] if preset == "loyal" else [],
        "identities": {"email": "mia@example.com", "phone": "+10000000000"},
        "past": list(PAST.get(preset, ())),
    }
    if preset == "fits" and step is not None and step.start is not None:
        start = step.start
        if start.kind == "date":
            about["attributes"][start.attribute] = _day_for(start, now).isoformat()
        for rule in (start.rule, start.when):
            if rule is not None:
                _fit(rule.tree, about)
    return Person.model_validate(about)


def properties_for(plan: Plan, step: Step | None) -> dict[str, Json]:
    """Properties with which an event lets somebody in: its `where`, and the key of a keyed journey."""
    found: dict[str, Json] = {}
    if plan.key_path:
        found[plan.key_path.removeprefix("properties.")] = "A1"
    if step is not None and step.start is not None and step.start.where is not None:
        for leaf in step.start.where.trees:
            if isinstance(leaf, Compare):
                _set(found, leaf)
    return found


def known(connection: Connection, workspace_id: int, contact_id: int, plan: Plan, now: datetime) -> Person | None:
    """A real contact with the facts that this draft asks about; None where there is no such contact."""
    one = people.find(connection, workspace_id, contact_id)
    if one is None:
        return None
    asked = asked_of(plan)
    back = max(asked.values(), default=timedelta()) or FOR_EVER
    wanted = [(workspace_id, one.lane, one.id, now - back)] if asked else []
    events = [
        event for _contact, event in history.of_contacts(connection, wanted, sorted(asked)) if event.timestamp < now
    ]
    names: dict[str, str] = {}
    for kind, value in one.identities:
        names.setdefault(kind, value[:200])
    past = [
        {"event": event.name, "ago": _ago(now - event.timestamp), "properties": dict(event.properties)}
        for event in events[-PAST_AT_MOST:]
    ]
    return Person.model_validate(
        {
            "contact": one.id,
            "user_id": names.get("user_id", "")[:200],
            "attributes": dict(list(one.attributes.items())[:NAMES_AT_MOST]),
            "tags": one.tags[:NAMES_AT_MOST],
            "consents": one.consents,
            "identities": names,
            "past": past,
        }
    )


def _ago(span: timedelta) -> str:
    return f"PT{min(max(1, int(span.total_seconds())), 365 * 86_400)}S"


def _day_for(start: Start, now: datetime) -> date:
    """A date in an attribute whose moment comes tomorrow."""
    day = now.date() + timedelta(days=1)
    found = next(iter(schedules.origins(start, day)), day)
    return shift(found, "-P30Y") if start.every_year else found


def _fit(tree: Tree, about: dict[str, Any]) -> None:
    """Make a rule hold as well as can be seen from its leaves; of alternatives the first."""
    if isinstance(tree, All):
        for part in tree.parts:
            _fit(part, about)
    elif isinstance(tree, Either):
        _fit(tree.parts[0], about)
    elif isinstance(tree, Not):
        if isinstance(tree.part, Tagged):
            about["tags"] = [tag for tag in about["tags"] if tag != tree.part.tag]
    else:
        _fit_leaf(tree, about)


def _fit_leaf(leaf: Leaf, about: dict[str, Any]) -> None:
    if isinstance(leaf, Tagged):
        about["tags"].append(leaf.tag)
    elif isinstance(leaf, Compare) and leaf.of == "attribute":
        _set(about["attributes"], leaf)
    elif isinstance(leaf, Happened) and leaf.op in ("gte", "gt", "eq"):
        times = leaf.count + (leaf.op == "gt")
        window = elapsed(leaf.within) if leaf.within else timedelta(days=10 * MARGIN)
        properties: dict[str, Json] = {}
        for one in leaf.where:
            if isinstance(one, Compare):
                _set(properties, one)
        for number in range(min(times, 50)):
            ago = _ago(window / MARGIN + timedelta(seconds=number))
            about["past"].append({"event": leaf.event, "ago": ago, "properties": properties})


def _set(values: dict[str, Json], leaf: Compare) -> None:
    """Give a value that the comparison likes."""
    for part in leaf.path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        values = inner
    value: Json = leaf.value[0] if isinstance(leaf.value, tuple) and leaf.value else leaf.value
    if leaf.op in OVER and isinstance(value, int | float):
        value += OVER[leaf.op]
    if leaf.op == "exists":
        value = "something"
    if leaf.op not in ("missing", "ne", "not_in", "within", "before", "after") and not isinstance(value, tuple):
        values[leaf.path[-1]] = value
