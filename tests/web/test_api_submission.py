"""All that a reviewer sees by the API, conditions of approvals, the second approver, the nudge, who was turned away."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.store import submissions, users
from app.world import World
from nodes import catalog
from tests.stages.places import happen, track
from tests.web.conftest import Api, Staff, flow
from tests.web.crowd import Crowd
from tests.web.test_api_approval import approve, hand_in, made, save

Publish = Callable[..., int]
Json = Any


@pytest.fixture
def second(connection: Connection, client: TestClient, staff: Staff, admin: Api) -> Api:
    """Another reviewer."""
    with transaction(connection):
        user = users.add(
            connection,
            staff.workspace_id,
            email="r2@shop.example",
            name="second",
            role="reviewer",
            now=datetime.now(UTC),
        )
    assert user is not None
    key = admin.ok("POST", "/keys", {"name": "second", "role": "reviewer", "user_id": user.id})["key"]
    return Api(client, key)


def sending(text: str = "Hello {{ contact.name | default: 'you' }}, {{ event.product }}") -> dict[str, Json]:
    document = deepcopy(flow())
    document["nodes"][2]["settings"]["title"] = text
    return document


@pytest.fixture
def crowd(connection: Connection, staff: Staff) -> Crowd:
    return Crowd(connection, staff)


def test_what_is_handed_in_is_shown_whole(operator: Api, reviewer: Api, publish: Publish, crowd: Crowd) -> None:
    journey = publish()
    for name, language in (("Ada", "en"), ("李", "zh"), ("Bo", "en"), ("Cy", "de")):
        crowd.person(name, ("order_submitted", {"product": "kettle"}), name=name, language=language)
    crowd.person("Nobody", name="Nobody")
    path = f"/journeys/{journey}"
    assert reviewer.ok("GET", f"{path}/submission")["status"] == "published"
    document = sending()
    document["nodes"][1]["settings"]["duration"] = "PT15M"
    save(operator, path, document)
    handed = hand_in(operator, path)
    shown = reviewer.ok("GET", f"{path}/submission")
    assert (shown["status"], shown["content_hash"], shown["submitted_by"]) == ("open", handed, "operator")
    assert (shown["approvals"], shown["needed"]) == (0, 1)
    assert [(one["node"], one["state"]) for one in shown["changes"]] == [("pause", "changed"), ("note", "changed")]
    assert shown["changes"][0]["lines"] == ["Time to wait: 10 minutes → 15 minutes"]
    (message,) = shown["messages"]
    titles = {one["called"]: one["fields"]["title"] for one in message["made"]}
    assert titles.items() <= {(n, f"Hello {n}, kettle") for n in ("Ada", "李", "Bo", "Cy")}
    assert len(titles) == 3
    assert "李" in titles, "another language is worth a look"
    assert shown["shown_for"] == "would_enter"
    (way,) = shown["reach"]["ways"]
    assert way == {"node": "start", "basis": "events", "event": "order_submitted", "people": 4}
    assert (shown["reach"]["people"], shown["reach"]["about"]) == (4, False)
    assert shown["volumes"] == [{"channel": "inapp", "each": 1, "at_most": 4, "again": False}]


def test_each_change_says_who_stands_at_that_step_now(
    operator: Api, reviewer: Api, publish: Publish, connection: Connection, staff: Staff
) -> None:
    journey = publish()
    world = World(connection, catalog(), timezone="UTC", start=datetime.now(UTC))
    world.workspace_id = staff.workspace_id
    happen(world, world.now, *(track(f"u{n}", "order_submitted") for n in range(3)))
    document = sending("Still there")
    document["nodes"][1]["settings"]["duration"] = "PT15M"
    path = f"/journeys/{journey}"
    save(operator, path, document)
    hand_in(operator, path)
    changes = reviewer.ok("GET", f"{path}/submission")["changes"]
    assert {one["node"]: one["people"] for one in changes} == {"pause": 3, "note": 0}


def test_a_message_that_cannot_be_made_or_would_not_go_out_says_so(operator: Api, reviewer: Api, crowd: Crowd) -> None:
    crowd.person("Ada", ("order_submitted", {}), name="Ada", consents={"inapp": {"marketing": False}})
    crowd.person("Bo", ("order_submitted", {"product": "pot"}), name="Bo")
    path = made(operator, sending("Your {{ event.product }} waits"))
    hand_in(operator, path)
    (message,) = reviewer.ok("GET", f"{path}/submission")["messages"]
    by_name = {one["called"]: one for one in message["made"]}
    assert by_name["Ada"]["withheld"] == "opted_out"
    assert "event.product" in by_name["Ada"]["failed"]
    assert by_name["Bo"]["fields"]["title"] == "Your pot waits"
    assert (by_name["Bo"]["withheld"], by_name["Bo"]["failed"]) == ("", "")


def test_with_nobody_to_let_in_the_messages_are_made_for_anybody_and_say_so(
    operator: Api, reviewer: Api, crowd: Crowd
) -> None:
    path = made(operator, sending("Hello {{ contact.name }}"))
    hand_in(operator, path)
    assert reviewer.ok("GET", f"{path}/submission")["messages"][0]["made"] == []
    contact = crowd.person("Ada", name="Ada")
    with transaction(crowd.connection):
        crowd.connection.execute(
            "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at)"
            " SELECT workspace_id, 'user_id', 'Ada, of late', contact_id, created_at + interval '1 day' FROM identity"
            " WHERE contact_id = %s AND kind = 'user_id'",
            (contact,),
        )
    shown = reviewer.ok("GET", f"{path}/submission")
    assert shown["shown_for"] == "anybody"
    assert shown["messages"][0]["made"][0]["recipient"] == "Ada, of late", "the name that came last"
    assert [one["fields"]["title"] for one in shown["messages"][0]["made"]] == ["Hello Ada"]
    assert shown["reach"]["people"] == 0


def test_what_a_viewer_may_not_see_is_masked_before_the_words_are_made(
    operator: Api, viewer: Api, admin: Api, crowd: Crowd
) -> None:
    admin.ok("PUT", "/privacy", {"personal": ["name", "user_id"]})
    crowd.person("Adelheid", ("order_submitted", {"product": "kettle"}), name="Adelheid")
    path = made(operator, sending())
    hand_in(operator, path)
    clear = operator.ok("GET", f"{path}/submission")["messages"][0]["made"][0]
    assert clear["fields"]["title"] == "Hello Adelheid, kettle"
    hidden = viewer("GET", f"{path}/submission")
    assert "Adelheid" not in hidden.text
    assert hidden.json()["messages"][0]["made"][0]["fields"]["title"] == "Hello A•••, kettle"


def test_other_live_journeys_that_write_to_the_same_people_are_named_with_counts_and_their_words(
    operator: Api, reviewer: Api, publish: Publish, crowd: Crowd
) -> None:
    other = publish(sending("We miss you"), name="Win back")
    quiet = deepcopy(flow())
    quiet["nodes"][0]["settings"]["event"] = "something_else"
    elsewhere = publish(quiet, name="Elsewhere")
    ada = crowd.person("Ada", ("order_submitted", {}))
    bo = crowd.person("Bo", ("order_submitted", {}))
    crowd.walks(elsewhere, ada, status=0)
    crowd.walks(elsewhere, bo, status=1)
    crowd.walks(elsewhere, crowd.person("Cy"), status=0)
    path = made(operator)
    hand_in(operator, path)
    found = {one["name"]: one for one in reviewer.ok("GET", f"{path}/submission")["reach"]["others"]}
    assert set(found) == {"Win back", "Elsewhere"}
    assert (found["Elsewhere"]["shared"], found["Elsewhere"]["shared_now"], found["Elsewhere"]["same_event"]) == (
        2,
        1,
        False,
    )
    assert (found["Win back"]["shared"], found["Win back"]["same_event"]) == (0, True)
    assert found["Win back"]["journey_id"] == other
    assert [one["text"] for one in found["Win back"]["copies"]] == ["We miss you"]
    assert (found["Win back"]["shared_ahead"], found["Elsewhere"]["shared_ahead"]) == (2, 0)
    assert datetime.now(UTC) - datetime.fromisoformat(found["Win back"]["live_since"]) < timedelta(minutes=5)


def test_a_reason_is_needed_and_conditions_stand_only_beside_an_approval(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    handed = hand_in(operator, path)
    refused = approve(reviewer, path, handed, "reject", comment=" ")
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["comment"]
    assert approve(reviewer, path, handed, "reject", conditions={"entries_at_most": 1}).status_code == 422
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for wrong in (
        {"entries_at_most": 0}, {"entries_at_most": "7"}, {"entries_at_most": 2**31}, {"not_before": "tomorrow"},
        {"not_before": "2026-11-27T01:00:00"}, {"not_before": past}, {"other": 1},
    ):  # fmt: skip
        assert approve(reviewer, path, handed, conditions=wrong).status_code == 422, wrong
    assert operator.ok("GET", f"{path}/submission")["approvals"] == 0


def test_conditions_are_bound_in_the_approval_and_in_the_version(
    operator: Api, reviewer: Api, publish: Publish
) -> None:
    path = f"/journeys/{publish()}"
    save(operator, path, flow(duration="PT30M"))
    handed = hand_in(operator, path)
    later = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    bound = {"entries_at_most": 5, "not_before": later.isoformat()}
    assert approve(reviewer, path, handed, conditions=bound).json()["status"] == "approved"
    operator.ok("POST", f"{path}/publish", {"content_hash": handed})
    newest, first = operator.ok("GET", f"{path}/versions")["items"]
    assert newest["conditions"]["entries_at_most"] == 5
    assert datetime.fromisoformat(newest["conditions"]["not_before"]) == later
    assert first["conditions"] == {"entries_at_most": None, "not_before": None}
    assert operator.ok("GET", f"{path}/turned-away") == {"items": [], "next": None}


def test_over_so_many_people_two_others_must_approve_and_the_stricter_conditions_hold(
    operator: Api, reviewer: Api, second: Api, admin: Api, crowd: Crowd
) -> None:
    for number in range(3):
        crowd.person(f"p{number}")
    admin.ok("PUT", "/policies/review", {"second_over": 2})
    path = made(operator)
    handed = hand_in(operator, path)
    wish = {"content_hash": handed}
    assert approve(reviewer, path, handed, conditions={"entries_at_most": 9}).json()["status"] == "open"
    assert approve(reviewer, path, handed, conditions={"entries_at_most": 7}).json()["status"] == "open", "once each"
    shown = operator.ok("GET", f"{path}/submission")
    assert (shown["approvals"], shown["needed"], shown["conditions"]["entries_at_most"]) == (1, 2, 7)
    assert operator("POST", f"{path}/publish", wish).status_code == 409
    admin.ok("PUT", "/policies/review", {"second_over": 3})
    assert operator.ok("GET", f"{path}/submission")["needed"] == 1, "three are not more than three"
    admin.ok("PUT", "/policies/review", {"second_over": 2})
    assert approve(second, path, handed, conditions={"entries_at_most": 70}).json()["status"] == "approved"
    operator.ok("POST", f"{path}/publish", wish)
    assert operator.ok("GET", f"{path}/versions")["items"][0]["conditions"]["entries_at_most"] == 7


def test_people_imported_after_the_approval_make_it_take_a_second_one(
    operator: Api, reviewer: Api, second: Api, admin: Api, crowd: Crowd
) -> None:
    admin.ok("PUT", "/policies/review", {"second_over": 2})
    crowd.person("first")
    path = made(operator)
    handed = hand_in(operator, path)
    assert approve(reviewer, path, handed).json()["status"] == "approved"
    for number in range(3):
        crowd.person(f"late{number}")
    refused = operator("POST", f"{path}/publish", {"content_hash": handed})
    assert refused.status_code == 409
    assert "second reviewer" in refused.json()["detail"]
    assert approve(second, path, handed).json()["status"] == "approved"
    operator.ok("POST", f"{path}/publish", {"content_hash": handed})


def test_an_editor_is_never_one_of_the_two(operator: Api, reviewer: Api, admin: Api, crowd: Crowd) -> None:
    admin.ok("PUT", "/policies/review", {"second_over": 0})
    crowd.person("somebody")
    path = made(operator)
    handed = hand_in(operator, path)
    assert approve(reviewer, path, handed).json()["status"] == "open"
    assert approve(admin, path, handed).json()["status"] == "approved"
    moved = flow()
    moved["nodes"][0]["x"] = 400
    save(admin, path, moved)  # layout voids nothing, but who edits is no reviewer any more
    assert operator("POST", f"{path}/publish", {"content_hash": handed}).status_code == 409
    assert operator.ok("GET", f"{path}/submission")["approvals"] == 1


@pytest.mark.parametrize("wrong", [-1, "100", 1.5, 2**31])
def test_the_limit_of_one_reviewer_is_a_whole_number_or_null(admin: Api, operator: Api, wrong: Json) -> None:
    assert admin("PUT", "/policies/review", {"second_over": wrong}).status_code == 422
    assert admin.ok("GET", "/policies/review") == {"second_over": None}
    assert operator("PUT", "/policies/review", {"second_over": 1}).status_code == 403


def test_a_nudge_is_recorded_and_possible_once_an_hour(
    operator: Api, reviewer: Api, connection: Connection, staff: Staff
) -> None:
    path = made(operator)
    assert operator("POST", f"{path}/nudge").status_code == 409, "nothing waits"
    hand_in(operator, path)
    assert operator.ok("POST", f"{path}/nudge") == {"reviewers": 2, "mailed": False}
    refused = operator("POST", f"{path}/nudge")
    assert refused.status_code == 409
    assert "less than an hour ago" in refused.json()["detail"]
    assert operator.ok("GET", f"{path}/submission")["nudged_at"]
    (waits,) = submissions.waiting(connection, staff.workspace_id, f"user:{staff.user_ids['reviewer']}", 10)
    assert (waits.own, waits.nudged_at is not None) == (False, True)
    (waits,) = submissions.waiting(connection, staff.workspace_id, f"user:{staff.user_ids['operator']}", 10)
    assert waits.own
    assert reviewer("POST", f"{path}/nudge").status_code == 403
    for minutes, status in ((59, 409), (2, 200)):
        with transaction(connection):
            connection.execute("UPDATE submission SET nudged_at = nudged_at - %s", (timedelta(minutes=minutes),))
        assert operator("POST", f"{path}/nudge").status_code == status


def test_only_what_was_handed_in_is_there(operator: Api, viewer: Api) -> None:
    path = made(operator)
    assert viewer("GET", f"{path}/submission").status_code == 404
    assert viewer("GET", "/journeys/999999/submission").status_code == 404
