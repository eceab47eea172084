"""The verbs apart from each other: who may view, comment, edit, submit, approve, publish, pause, and who raises whom."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.main import iter_route_contexts
from app.store import keys
from app.web.guard import GuardedRoute, action_of
from app.web.page import PageRoute
from tests.web.conftest import FLOW, Api, Staff

HERE = {"Origin": "http://testserver", "Accept": "text/html"}
VERBS = {
    "viewer": "view",
    "operator": "view comment edit submit publish pause",
    "reviewer": "view comment approve publish pause",
    "admin": "view comment edit submit approve publish pause",
}
ACTIONS = {
    "view": "journey.read",
    "comment": "journey.comment",
    "edit": "journey.edit",
    "submit": "journey.submit",
    "approve": "journey.review",
    "publish": "journey.publish",
    "pause": "journey.run",
}


def sign_in(client: TestClient, connection: Connection, staff: Staff, role: str) -> None:
    with transaction(connection):
        link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
    client.cookies.clear()
    client.post("/login", data={"token": link}, headers=HERE)


def unowned(connection: Connection, staff: Staff, role: str) -> str:
    """A key that stands for nobody, as `journey key add` makes it."""
    token = auth.new_token()
    with transaction(connection):
        row = keys.New(staff.workspace_id, "robot", role, token.prefix, token.digest)
        keys.add(connection, row, datetime.now(UTC))
    return token.text


def test_the_verbs_are_separate_q24() -> None:
    for role, verbs in VERBS.items():
        assert {verb for verb, action in ACTIONS.items() if auth.may(role, action)} == set(verbs.split())


def test_a_reviewer_publishes_without_editing_and_sees_the_canvas_read_only_q24(
    client: TestClient, connection: Connection, staff: Staff, operator: Api, reviewer: Api
) -> None:
    made = operator.ok("POST", "/journeys", {"name": "A", "document": FLOW})["id"]
    handed = operator.ok("POST", f"/journeys/{made}/submit")["content_hash"]
    headers = {"If-Match": '"1"'}
    assert reviewer("PUT", f"/journeys/{made}/draft", {"document": FLOW}, headers=headers).status_code == 403
    assert reviewer("PATCH", f"/journeys/{made}", {"name": "B"}).status_code == 403
    assert reviewer("POST", "/journeys", {"name": "B", "document": FLOW}).status_code == 403
    sign_in(client, connection, staff, "reviewer")
    page = client.get(f"/journeys/{made}/edit", headers=HERE)
    assert page.status_code == 200
    assert '"edit": false' in page.text.replace('"edit":false', '"edit": false')
    reviewer.ok("POST", f"/journeys/{made}/reviews", {"decision": "approve", "content_hash": handed})
    assert reviewer.ok("POST", f"/journeys/{made}/publish", {"content_hash": handed})["status"] == "live"
    assert reviewer.ok("POST", f"/journeys/{made}/pause")["status"] == "paused"


def test_an_approval_needs_a_person_t20(
    client: TestClient, connection: Connection, staff: Staff, operator: Api
) -> None:
    made = operator.ok("POST", "/journeys", {"name": "A", "document": FLOW})["id"]
    handed = operator.ok("POST", f"/journeys/{made}/submit")["content_hash"]
    for role in ("reviewer", "admin"):
        robot = Api(client, unowned(connection, staff, role))
        answer = robot("POST", f"/journeys/{made}/reviews", {"decision": "approve", "content_hash": handed})
        assert answer.status_code == 403
        assert robot("GET", f"/journeys/{made}").status_code == 200
    assert operator("POST", f"/journeys/{made}/publish", {"content_hash": handed}).status_code == 409


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_a_key_never_outranks_the_person_it_stands_for_t11(admin: Api, staff: Staff, role: str) -> None:
    for wish in auth.ROLES:
        answer = admin("POST", "/keys", {"name": "k", "role": wish, "user_id": staff.user_ids[role]})
        assert (answer.status_code == 201) == (not auth.outranks(wish, role)), f"a {wish} key for a {role}"


def test_nobody_raises_limits_or_disables_themselves_and_the_last_admin_stays_t11(
    admin: Api, client: TestClient, connection: Connection, staff: Staff
) -> None:
    own = staff.user_ids["admin"]
    for change in ({"role": "viewer"}, {"disabled": True}):
        assert admin("PATCH", f"/users/{own}", change).status_code == 422
    second = admin.ok("POST", "/users", {"email": "b@shop.example", "name": "B", "role": "admin"})["id"]
    key = admin.ok("POST", "/keys", {"name": "b", "role": "admin", "user_id": second})["key"]
    assert Api(client, key)("PATCH", f"/users/{own}", {"disabled": True}).status_code == 200
    assert admin("GET", "/users").status_code == 401
    robot = Api(client, unowned(connection, staff, "admin"))
    with transaction(connection):
        connection.execute("UPDATE key SET expires_at = now() + interval '1 hour' WHERE name = 'robot'")
    refused = robot("PATCH", f"/users/{second}", {"role": "viewer"})
    assert refused.status_code == 409
    assert robot("PATCH", f"/users/{second}", {"disabled": True}).status_code == 409


def test_who_is_disabled_is_out_with_all_keys_and_comes_back_with_them(admin: Api, operator: Api, staff: Staff) -> None:
    user = staff.user_ids["operator"]
    assert admin.ok("PATCH", f"/users/{user}", {"disabled": True})["disabled_at"]
    assert operator("GET", "/journeys").status_code == 401
    assert admin.ok("PATCH", f"/users/{user}", {"disabled": False})["disabled_at"] is None
    assert operator("GET", "/journeys").status_code == 200


def test_two_people_of_one_workspace_never_share_an_address_whatever_its_letters(admin: Api) -> None:
    assert admin("POST", "/users", {"email": "OPERATOR@shop.example", "name": "O", "role": "viewer"}).status_code == 409


def test_pages_of_another_workspace_s_things_do_not_exist_t09(
    app: FastAPI, client: TestClient, connection: Connection, operator: Api, admin: Api, staff: Staff, others: Staff
) -> None:
    journey = operator.ok("POST", "/journeys", {"name": "A", "document": FLOW})["id"]
    plan = operator.ok("POST", "/plans", {"name": "P", "scene": "retain"})["id"]
    key = admin.ok("GET", "/keys")["items"][0]["id"]
    operator.ok("POST", f"/journeys/{journey}/submit")
    values = {"journey_id": journey, "plan_id": plan, "key_id": key, "user_id": staff.user_ids["viewer"]}
    values |= {"contact_id": 1, "message_id": 1, "session_id": 1, "comment_id": 1, "name": "hook"}
    values["draft_id"] = operator.ok("POST", f"/journeys/{journey}/drafts", {"name": "Aside"})["id"]
    sign_in(client, connection, others, "admin")
    walked = 0
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, str(context.path)
        if not isinstance(route, PageRoute) or not any("{" + name + "}" in path for name in values):
            continue
        for name, value in {**values, "node": "pause", "node_id": "pause", "state": "v1"}.items():
            path = path.replace("{" + name + "}", str(value))
        for method in context.methods or ():
            answer = client.request(method, path, headers=HERE, follow_redirects=False)
            # A form that says nothing is refused before anything is looked for.
            assert answer.status_code in (400, 404, 422), f"{method} {path}: {answer.status_code}"
            if method == "GET":
                assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
        walked += 1
    assert walked >= 40


def test_no_route_is_without_a_policy_and_no_policy_without_a_role(app: FastAPI) -> None:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, GuardedRoute):
            assert auth.POLICY[action_of(context.original_route)]
    assert all("admin" in roles for roles in auth.POLICY.values())
