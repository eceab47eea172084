"""A rule means the same to PostgreSQL as to its closure, whatever people and events look like."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database import Connection
from app.store.segments import clause, count
from flows.contract import Event, Facts
from flows.errors import RuleError
from flows.rules import parse
from tests.flows.build import PROPERTY_TEST
from tests.flows.rule_strategies import AT, audience_rules, contacts

WORKSPACE, LANE = 1, 7
INSERT_CONTACT = (
    "INSERT INTO contact (workspace_id, lane, id, attributes, tags, consents, created_at, updated_at)"
    " VALUES (1, 7, %s, %s, %s, '{}', %s, %s)"
)
INSERT_EVENT = (
    "INSERT INTO event (workspace_id, lane, contact_id, timestamp, id, received_at, name, properties)"
    " VALUES (1, 7, %s, %s, %s, %s, %s, %s)"
)


def store(connection: Connection, people: list[Facts]) -> None:
    """Put people and their events into the tables, in place of those who were there."""
    connection.execute("DELETE FROM contact")
    connection.execute("DELETE FROM event")
    for number, facts in enumerate(people, start=1):
        connection.execute(INSERT_CONTACT, (number, json.dumps(facts.attributes), sorted(facts.tags), AT, AT))
        events = [event for named in facts.events.values() for event in named]
        for place, event in enumerate(events):
            row = (number, event.timestamp, place, AT, event.name, json.dumps(event.properties))
            connection.execute(INSERT_EVENT, row)


def members(connection: Connection, rule: Any) -> set[int]:
    audience = clause(parse(rule).tree, at=AT)
    found = connection.execute(
        f"SELECT c.id FROM contact c WHERE c.workspace_id = %(workspace)s AND {audience.sql}",  # noqa: S608
        {**audience.parameters, "workspace": WORKSPACE},
    )
    return {int(row[0]) for row in found}


@settings(PROPERTY_TEST, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(people=st.lists(contacts(), min_size=1, max_size=8), rules=st.lists(audience_rules(), min_size=1, max_size=5))
def test_the_audience_is_who_the_rule_holds_for(connection: Connection, people: list[Facts], rules: list[Any]) -> None:
    store(connection, people)
    for rule in rules:
        holds = parse(rule).holds
        expected = {number for number, facts in enumerate(people, start=1) if holds(facts, AT, None, None)}
        assert members(connection, rule) == expected, rule


def person(attributes: dict[str, Any], *events: tuple[str, timedelta, dict[str, Any]]) -> Facts:
    history: dict[str, list[Event]] = {}
    for name, ago, properties in sorted(events, key=lambda event: -event[1]):
        history.setdefault(name, []).append(Event(name, AT - ago, properties))
    return Facts(attributes, set(), history)


CORNERS: list[tuple[dict[str, Any], Any]] = [
    ({"attribute": "a", "op": "eq", "value": 0.1}, 0.1),
    ({"attribute": "a", "op": "eq", "value": 1}, 1.0),
    ({"attribute": "a", "op": "eq", "value": 1}, True),
    ({"attribute": "a", "op": "in", "value": [1, "x"]}, True),
    ({"attribute": "a", "op": "not_in", "value": ["x"]}, 5),
    ({"attribute": "a", "op": "ne", "value": "x"}, None),
    ({"attribute": "a", "op": "lt", "value": 10**15}, 10**300),
    ({"attribute": "a", "op": "gt", "value": "Z"}, "a"),
    ({"attribute": "a", "op": "gt", "value": "é"}, "中"),
    ({"attribute": "a", "op": "contains", "value": ""}, ""),
    ({"attribute": "a", "op": "contains", "value": 1}, [True, 1.0]),
    ({"attribute": "a", "op": "contains", "value": True}, [1]),
    ({"attribute": "a", "op": "starts_with", "value": "上"}, "上海"),
    ({"attribute": "a.0", "op": "eq", "value": "x"}, ["x"]),
    ({"attribute": "a.b", "op": "missing"}, {"b": None}),
    ({"attribute": "a", "op": "before", "value": "2026-03-05"}, "2026-02-30"),
    ({"attribute": "a", "op": "before", "value": "2026-03-05"}, "1900-02-29"),
    ({"attribute": "a", "op": "after", "value": "2026-03-05"}, "2026-03-05T00:00:00.0000009Z"),
    ({"attribute": "a", "op": "after", "value": "2026-03-04"}, "2026-03-05 07:59+08:00"),
    ({"attribute": "a", "op": "before", "value": "2026-03-05"}, "2026-03-04T23:59"),
    ({"attribute": "a", "op": "before", "value": "2026-03-05"}, "2026-03-04\n"),
    ({"attribute": "a", "op": "after", "value": "1999-01-01"}, "infinity"),
    ({"attribute": "a", "op": "within", "value": "P1D"}, AT.isoformat()),
    ({"attribute": "a", "op": "within", "value": "P1D"}, (AT - timedelta(days=1)).isoformat()),
    ({"attribute": "a", "op": "eq", "value": "%s {0} '; DROP TABLE contact; --"}, "%s {0} '; DROP TABLE contact; --"),
]


@pytest.mark.parametrize(("rule", "value"), CORNERS)
def test_a_corner_is_the_same_on_both_sides(connection: Connection, rule: dict[str, Any], value: Any) -> None:
    facts = person({"a": value})
    store(connection, [facts])
    assert (members(connection, rule) == {1}) is parse(rule).holds(facts, AT, None, None)


def test_a_window_holds_its_end_and_not_its_beginning(connection: Connection) -> None:
    store(
        connection,
        [
            person({}, ("paid", timedelta(days=7), {})),
            person({}, ("paid", timedelta(days=7, microseconds=-1), {})),
            person({}, ("paid", timedelta(), {})),
            person({}, ("paid", timedelta(microseconds=-1), {})),
        ],
    )
    assert members(connection, {"event": "paid", "within": "P7D"}) == {2, 3}
    assert members(connection, {"event": "paid", "count": {"op": "eq", "value": 0}}) == {4}


def test_events_of_other_contacts_lanes_and_workspaces_do_not_count(connection: Connection) -> None:
    store(connection, [person({}), person({}, ("paid", timedelta(hours=1), {}))])
    connection.execute("UPDATE event SET lane = 8")
    assert members(connection, {"event": "paid"}) == set()
    connection.execute("UPDATE event SET lane = 7, workspace_id = 2")
    assert members(connection, {"event": "paid"}) == set()


def test_an_audience_is_counted_within_its_workspace_without_the_merged(connection: Connection) -> None:
    store(connection, [person({"plan": "pro"}), person({"plan": "pro"}), person({"plan": "free"})])
    connection.execute("UPDATE contact SET merged_into = 1 WHERE id = 2")
    rule = parse({"attribute": "plan", "op": "eq", "value": "pro"})
    assert count(connection, WORKSPACE, rule, AT) == 1
    assert count(connection, WORKSPACE, None, AT) == 2
    assert count(connection, 2, rule, AT) == 0


def test_no_value_of_a_rule_stands_in_the_text_of_the_statement() -> None:
    marker = "MARKER'--"
    tree = parse(
        {
            "all": [
                {"attribute": f"{marker}.{marker}", "op": "in", "value": [marker]},
                {"tag": marker},
                {"event": marker, "where": [{"property": marker, "op": "contains", "value": marker}]},
            ]
        }
    ).tree
    audience = clause(tree, at=AT)
    assert marker not in audience.sql
    assert sum(marker in (value if isinstance(value, list) else [value]) for value in audience.parameters.values()) >= 5


@pytest.mark.parametrize(
    "leaf",
    [{"message": "nudge", "outcome": "clicked"}, {"segment": "lapsed"}, {"property": "a", "op": "exists"}],
)
def test_what_needs_a_walk_cannot_choose_an_audience(leaf: dict[str, Any]) -> None:
    with pytest.raises(RuleError, match=r"rule\.any\[1\]"):
        clause(parse({"any": [{"tag": "x"}, leaf]}).tree, at=AT)


def test_the_zone_of_the_session_changes_nothing(connection: Connection) -> None:
    store(connection, [person({"a": "2026-03-05T00:30:00"}), person({"a": "2026-03-05"})])
    rule = {"attribute": "a", "op": "after", "value": "2026-03-05T00:00:00Z"}
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        connection.execute("SELECT set_config('TimeZone', %s, true)", (zone,))
        assert members(connection, rule) == {1}
