"""Who is limited to scopes sees their own journeys and plans, and what belongs to them, and nothing else: every route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.lanes import lane_of
from app.main import iter_route_contexts
from app.store import keys, scopes
from app.web.guard import GuardedRoute, action_of
from app.web.openapi import operations
from app.web.page import PageRoute
from tests.web.conftest import FLOW, Api, Staff, go_live

NAMED = {"journey_id", "plan_id", "contact_id", "message_id"}
HERE = {"Origin": "http://testserver", "Accept": "text/html"}


@dataclass
class City:
    """What lies in one scope."""

    journey_id: int
    plan_id: int
    contact_id: int
    message_id: int


@dataclass
class Cities:
    """Two scopes with the same things in them, and an operator of the first."""

    own: City
    other: City
    unlabelled: int
    key: str
    user_id: int


def settle(connection: Connection, staff: Staff, journey: int, contact: int, plan: int) -> City:
    """A walk and a message of a contact in a journey, as the engine would have left them."""
    lane = lane_of(staff.workspace_id, contact)
    row = connection.execute("SELECT live_version_id FROM journey WHERE id = %s", (journey,)).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO enrollment (workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at, journey_id,"
        " version_id, status, walks, node, key)"
        " VALUES (%s, %s, %s, %s, 0, now(), now(), now(), %s, %s, 0, 1, 'pause', '')",
        (staff.workspace_id, lane, contact, contact, journey, row[0]),
    )
    connection.execute(
        "INSERT INTO message (workspace_id, lane, enrollment_id, node, visit, id, contact_id, created_at, due_at, journey_id,"
        " version_id, status, channel, marketing) VALUES (%s, %s, %s, 'note', 1, %s, %s, now(), now(), %s, %s, 2, 'inapp', true)",
        (staff.workspace_id, lane, contact, contact, contact, journey, row[0]),
    )
    return City(journey, plan, contact, contact)


@pytest.fixture
def cities(connection: Connection, operator: Api, reviewer: Api, staff: Staff, admin: Api) -> Cities:
    made: list[City] = []
    for number, label in enumerate(("shanghai", "beijing"), 1):
        journey = operator.ok("POST", "/journeys", {"name": f"Journey of {label}", "document": FLOW})["id"]
        go_live(operator, reviewer, journey)
        plan = operator.ok("POST", "/plans", {"name": f"Plan of {label}", "scene": "retain"})["id"]
        assert operator.ok("PUT", f"/journeys/{journey}/scope", {"scope": label})["scope"] == label
        assert operator.ok("PUT", f"/plans/{plan}/scope", {"scope": label})["scope"] == label
        with transaction(connection):
            connection.execute(
                "INSERT INTO contact (workspace_id, lane, id, attributes, created_at, updated_at)"
                " VALUES (%s, %s, %s, jsonb_build_object('name', %s::text), now(), now())",
                (staff.workspace_id, lane_of(staff.workspace_id, 1000 + number), 1000 + number, f"Li of {label}"),
            )
            connection.execute(
                "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at) VALUES (%s, 'user_id', %s, %s, now())",
                (staff.workspace_id, f"li-{label}", 1000 + number),
            )
            made.append(settle(connection, staff, journey, 1000 + number, plan))
    unlabelled = operator.ok("POST", "/journeys", {"name": "Journey of nowhere", "document": FLOW})["id"]
    wish = {"email": "city@shop.example", "name": "City", "role": "operator", "scopes": ["shanghai"]}
    user = admin.ok("POST", "/users", wish)
    key = admin.ok("POST", "/keys", {"name": "city", "role": "operator", "user_id": user["id"]})["key"]
    return Cities(made[0], made[1], unlabelled, key, user["id"])


def named_routes(app: FastAPI, *, pages: bool) -> Iterator[tuple[str, str]]:
    """Every guarded route whose address names something that bears a label, or belongs to such a thing."""
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, str(context.path)
        if not isinstance(route, GuardedRoute) or isinstance(route, PageRoute) != pages:
            continue
        if any("{" + name + "}" in path for name in NAMED) and auth.may("operator", action_of(route)):
            for method in sorted(context.methods or ()):
                yield method, path


def filled(path: str, city: City) -> str:
    for name in NAMED:
        path = path.replace("{" + name + "}", str(getattr(city, name)))
    for name, value in (("node", "pause"), ("comment_id", "1"), ("what", "x")):
        path = path.replace("{" + name + "}", value)
    return path


def test_every_route_hides_another_scope_s_things_from_who_is_limited_f102(
    app: FastAPI, client: TestClient, connection: Connection, staff: Staff, cities: Cities
) -> None:
    api = Api(client, cities.key)
    walked = 0
    for method, path in named_routes(app, pages=False):
        for city in (cities.other, City(cities.unlabelled, cities.other.plan_id, 1002, 1002)):
            answer = client.request(method, filled(path, city), headers=api.headers, content=b"{}")
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        walked += 1
    assert walked >= 25
    with transaction(connection):
        link = auth.login(connection, cities.user_id, staff.workspace_id, datetime.now(UTC))
    assert client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code == 303
    pages = 0
    for method, path in named_routes(app, pages=True):
        answer = client.request(method, filled(path, cities.other), headers=HERE, follow_redirects=False)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
        if method == "GET" and not path.endswith(("/stream", "/live/nodes/{node}", "/people")):
            seen = client.get(filled(path, cities.own), headers=HERE, follow_redirects=False)
            assert seen.status_code != 404 or "{node}" in path or "{message_id}" in path, f"{path} hides one's own"
        pages += 1
    assert pages >= 40


def test_a_route_that_names_a_thing_by_another_word_would_slip_through_so_there_is_none(app: FastAPI) -> None:
    known = {
        *NAMED,
        "name",
        "key_id",
        "user_id",
        "session_id",
        "comment_id",
        "node",
        "template_id",
        "channel",
        "what",
        "state",
        "migration_id",  # beside `journey_id`, which bears the scope, like drafts
        "draft_id",
        "deed",
    }
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, GuardedRoute):
            words = {part.partition("}")[0] for part in str(context.path).split("{")[1:]}
            assert words <= known | {"node_id", "type"}, f"{context.path}: does {words - known} bear a scope?"


def test_lists_searches_and_numbers_show_who_is_limited_nothing_of_other_scopes_f102(
    client: TestClient, connection: Connection, staff: Staff, cities: Cities, operator: Api
) -> None:
    api, wide = Api(client, cities.key), operator
    for path, one, two in (
        ("/journeys", cities.own.journey_id, cities.other.journey_id),
        ("/plans", cities.own.plan_id, cities.other.plan_id),
        ("/contacts", 1001, 1002),
        ("/messages", 1001, 1002),
    ):
        assert {item["id"] for item in api.ok("GET", path)["items"]} == {one}
        assert {one, two} <= {item["id"] for item in wide.ok("GET", path)["items"]}
    assert api.ok("GET", "/contacts?identity=user_id:li-beijing")["items"] == []
    assert api.ok("GET", f"/messages?journey={cities.other.journey_id}")["items"] == []
    assert api.ok("GET", "/messages?contact=1002")["items"] == []
    with transaction(connection):
        link = auth.login(connection, cities.user_id, staff.workspace_id, datetime.now(UTC))
    client.post("/login", data={"token": link}, headers=HERE)
    for path in (
        *("/", "/journeys", "/plans", "/messages", "/contacts", "/contacts?q=Li", "/contacts?q=li-", "/health"),
        *("/find?q=of", "/find?q=li-beijing", f"/journeys?plan={cities.other.plan_id}", "/journeys/new", "/templates"),
        f"/journeys/{cities.own.journey_id}/nodes/note/panel/people?text=li",
        f"/journeys/numbers?id={cities.other.journey_id}",
    ):
        answer = client.get(path, headers=HERE)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert "beijing" not in answer.text, path
        assert "of nowhere" not in answer.text, path
    assert "of shanghai" in client.get("/find?q=of", headers=HERE).text
    assert client.get("/sink", headers=HERE).status_code == 404


def test_bulk_deeds_touch_nothing_of_another_scope(
    client: TestClient, connection: Connection, staff: Staff, cities: Cities, operator: Api
) -> None:
    with transaction(connection):
        link = auth.login(connection, cities.user_id, staff.workspace_id, datetime.now(UTC))
    client.post("/login", data={"token": link}, headers=HERE)
    foreign = str(cities.unlabelled)
    assert client.post("/journeys/archive", data={"id": [foreign]}, headers=HERE).status_code == 409
    assert client.post("/journeys/move", data={"id": [foreign], "plan": ""}, headers=HERE).status_code == 404
    own = {"id": [str(cities.own.journey_id)], "plan": str(cities.other.plan_id)}
    assert client.post("/journeys/move", data=own, headers=HERE).status_code == 404
    assert client.post("/journeys/scope", data={"id": [foreign], "scope": "shanghai"}, headers=HERE).status_code == 204
    assert operator.ok("GET", f"/journeys/{foreign}")["scope"] == ""
    # Out of one's own scope nobody limited can put anything, either.
    given = client.post("/journeys/scope", data={"id": own["id"], "scope": ""}, headers=HERE)
    assert given.status_code == 422
    assert Api(client, cities.key)("PUT", f"/plans/{cities.own.plan_id}/scope", {"scope": "beijing"}).status_code == 422


def test_what_somebody_limited_makes_bears_their_label(client: TestClient, cities: Cities) -> None:
    api = Api(client, cities.key)
    made = api.ok("POST", "/journeys", {"name": "New", "document": FLOW})
    assert api.ok("GET", f"/journeys/{made['id']}")["scope"] == "shanghai"
    assert api.ok("POST", "/plans", {"name": "New", "scene": "retain"})["scope"] == "shanghai"


def test_a_key_can_be_narrower_than_its_person_and_never_wider(client: TestClient, cities: Cities, admin: Api) -> None:
    wish = {"name": "narrow", "role": "viewer", "user_id": cities.user_id, "scopes": ["beijing"]}
    nothing = Api(client, admin.ok("POST", "/keys", wish)["key"])
    assert nothing.ok("GET", "/journeys")["items"] == []
    assert nothing("GET", f"/journeys/{cities.unlabelled}").status_code == 404
    one = Api(client, admin.ok("POST", "/keys", {"name": "n", "role": "viewer", "scopes": ["beijing"]})["key"])
    assert [item["id"] for item in one.ok("GET", "/journeys")["items"]] == [cities.other.journey_id]


def test_an_admin_is_never_limited(admin: Api, cities: Cities) -> None:
    assert admin("PATCH", f"/users/{cities.user_id}", {"role": "admin"}).status_code == 422
    wish: dict[str, Any] = {"email": "x@shop.example", "name": "X", "role": "admin", "scopes": ["a"]}
    assert admin("POST", "/users", wish).status_code == 422
    assert admin.ok("PATCH", f"/users/{cities.user_id}", {"scopes": None})["scopes"] is None


def test_without_a_limit_the_database_sees_everything_and_with_none_of_them_nothing(
    connection: Connection, publish: Callable[..., int]
) -> None:
    publish()
    seen = "SELECT count(*) FROM journey WHERE in_scope(scope)"
    for limit, count in ((None, 1), ([], 0), (["x"], 0)):
        scopes.limit(connection, limit)
        row = connection.execute(seen.encode()).fetchone()
        assert row == (count,)
        connection.rollback()


def test_descriptions_name_every_thing_that_bears_a_scope(app: FastAPI) -> None:
    assert {path for path, _, _ in operations(app.openapi()) if path.endswith("/scope")} == {
        "/api/v1/journeys/{journey_id}/scope",
        "/api/v1/plans/{plan_id}/scope",
    }
    assert keys.API_KEYS
