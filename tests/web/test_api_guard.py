"""Who may do what: every operation times every role, other workspaces, keys in wrong places, forged browser requests."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from app import auth, main
from app.auth import POLICY, ROLES
from app.database import Connection, transaction
from app.settings import Settings
from app.store import keys
from app.web.guard import UnguardedError, action_of, can, router
from app.web.openapi import operations
from app.web.page import PageRoute
from tests.web.conftest import FLOW, Api, Staff

# What each role may do, written out once more by hand: a slip in the policy table must not pass.
READS = {
    "journey.read",
    "plan.read",
    "policy.read",
    "segment.preview",
    "node_type.read",
    "contact.read",
    "message.read",
    "account.read",
}
SELF = {"self.read", "self.edit"}
BOTH = {"journey.comment", "journey.publish", "journey.run", "contact.unmask"}
DRAWS = {"journey.edit", "journey.submit", "journey.enroll", "plan.edit", "contact.edit"}
RULES = {
    "account.edit",
    "policy.edit",
    "restore.confirm",
    "key.read",
    "key.edit",
    "user.read",
    "user.edit",
    "audit.read",
}
PERSONS = {"contact.export", "contact.erase"}
MAY = {
    "viewer": READS | SELF,
    "operator": READS | SELF | BOTH | DRAWS,
    "reviewer": READS | SELF | BOTH | {"journey.review"},
    "admin": READS | SELF | BOTH | DRAWS | RULES | PERSONS | {"journey.review"},
    "ingest": set(),
}
NUMBERS = {
    "name": "nobody",
    **dict.fromkeys(
        (
            *("journey_id", "migration_id", "contact_id", "message_id", "key_id", "user_id", "plan_id", "session_id"),
            "draft_id",
        ),
        "999999",
    ),
}


def nothing() -> None:
    """A handler."""


def actions(app: FastAPI, *, pages: bool = False) -> Iterator[tuple[str, str, str]]:
    """Every guarded operation: method, path with numbers filled in, action. `pages`: what browsers ask for instead."""
    for context in main.iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, main.GuardedRoute) and isinstance(route, PageRoute) == pages:
            path = str(context.path)
            for name, number in NUMBERS.items():
                path = path.replace("{" + name + "}", number)
            for method in sorted(context.methods or ()):
                yield method, path, action_of(route)


def test_the_policy_table_says_what_the_roles_are_for() -> None:
    assert {role: {action for action in POLICY if auth.may(role, action)} for role in (*ROLES, "ingest")} == MAY
    assert not auth.may("admin", "journey.delete_everything")
    assert not auth.may("root", "journey.read")


def test_every_operation_lets_in_exactly_the_roles_that_may_t11(app: FastAPI, client: TestClient, staff: Staff) -> None:
    found = list(actions(app))
    assert len(found) >= 35
    asked_within = {"contact.unmask"}
    assert {action for _, _, action in (*found, *actions(app, pages=True))} | asked_within == set(POLICY)
    for method, path, action in found:
        for role in (*ROLES, "ingest"):
            headers = {"Authorization": f"Bearer {staff.keys[role]}"}
            status = client.request(method, path, headers=headers, content=b"{").status_code
            assert (status == 403) == (action not in MAY[role]), f"{role}: {method} {path} gave {status}"
            assert status < 500
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
            answer = client.request(method, path, headers=headers, content=b"{")
            assert answer.status_code == 401, f"{method} {path} gave {answer.status_code} without a key"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["errors"] == []


def sign_in(client: TestClient, connection: Connection, staff: Staff, role: str) -> None:
    with transaction(connection):
        link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
    client.cookies.clear()
    answer = client.post(
        "/login", data={"token": link}, headers={"Origin": "http://testserver"}, follow_redirects=False
    )
    assert answer.status_code == 303


def test_every_page_lets_in_exactly_the_roles_that_may_t11(
    app: FastAPI, client: TestClient, connection: Connection, staff: Staff
) -> None:
    found = list(actions(app, pages=True))
    assert len(found) >= 2
    here = {"Origin": "http://testserver", "Accept": "text/html"}
    for role in ROLES:
        sign_in(client, connection, staff, role)
        for method, path, action in found:
            status = client.request(method, path, headers=here, follow_redirects=False).status_code
            assert (status == 403) == (action not in MAY[role]), f"{role}: {method} {path} gave {status}"
            assert status < 500, f"{role}: {method} {path} gave {status}"
            if path == "/settings/me/sign-out":
                sign_in(client, connection, staff, role)
            if method not in ("GET", "HEAD"):
                forged = client.request(method, path, headers={"Origin": "http://elsewhere.example"})
                assert forged.status_code == 403, f"{method} {path} was done for another site"
    client.cookies.clear()
    for method, path, _ in found:
        answer = client.request(method, path, headers=here, follow_redirects=False)
        assert answer.status_code == (303 if method == "GET" else 401), f"{method} {path} without a session"
        assert client.request(method, path, headers={**here, "HX-Request": "true"}).headers["HX-Redirect"]


def test_every_address_is_guarded_or_stands_among_the_open_ones(app: FastAPI) -> None:
    described = {(method.upper(), path) for path, method, _ in operations(app.openapi()) if path.startswith("/api/")}
    contexts = [one for one in main.iter_route_contexts(app.routes) if str(one.path).startswith("/api/")]
    guarded = {(method, str(one.path)) for one in contexts for method in one.methods or ()}
    assert described == guarded
    careless = APIRouter()
    careless.add_api_route("/api/v1/secrets", nothing)
    app.include_router(careless)
    with pytest.raises(UnguardedError, match="/api/v1/secrets"):
        main.refuse_unguarded(app)


def test_a_route_without_an_action_or_with_an_unknown_one_cannot_be_made() -> None:
    with pytest.raises(UnguardedError, match="exactly one action"):
        router("x").add_api_route("/nothing", nothing)
    with pytest.raises(UnguardedError, match="policy table"):
        can("journey.explode")


def test_another_workspace_s_things_do_not_exist_t09(
    client: TestClient, operator: Api, publish: Callable[..., int], others: Staff, admin: Api, app: FastAPI
) -> None:
    journey = publish()
    user = admin.ok("GET", "/users")["items"][0]["id"]
    key = admin.ok("GET", "/keys")["items"][0]["id"]
    admin.ok("PUT", "/accounts/hook", {"channel": "webhook", "settings": {"url": "https://shop.example/"}})
    contact = operator.ok("POST", f"/journeys/{journey}/enroll", {"user_id": "u1", "idempotency_key": "1"})
    contact = operator.ok("GET", "/contacts?identity=user_id:u1")["items"][0]["id"]
    plan = operator.ok("POST", "/plans", {"name": "Spring", "scene": "retain"})["id"]
    draft = operator.ok("POST", f"/journeys/{journey}/drafts", {"name": "Other"})["id"]
    rival = Api(client, others.keys["admin"])
    numbers = {
        "draft_id": draft,
        "plan_id": plan,
        "journey_id": journey,
        "contact_id": contact,
        "key_id": key,
        "user_id": user,
        "name": "hook",
        "message_id": 1,
        "migration_id": 1,
    }
    bodies: dict[str, Any] = {
        "reviews": {"decision": "approve", "content_hash": "x"},
        "publish": {"content_hash": "x"},
        "enroll": {"user_id": "u", "idempotency_key": "k"},
        "draft": {"document": FLOW},
    }
    walked = 0
    for path, method, operation in operations(app.openapi()):
        if not path.startswith("/api/") or "{" not in path or "node-types" in path:
            continue
        if (method, path) == ("put", "/api/v1/accounts/{name}"):  # makes their own of the same name
            continue
        filled = path.removeprefix("/api/v1").format(**numbers)
        example = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {}).get("example")
        body = bodies.get(filled.rpartition("/")[2], example)
        answer = rival(method, filled, body, headers={"If-Match": '"1"'})
        assert answer.status_code == 404, f"{method} {filled}: {answer.status_code} {answer.text}"
        walked += 1
    assert walked >= 20
    for path in ("/journeys", "/plans", "/contacts", "/messages", "/accounts"):
        assert rival.ok("GET", path)["items"] == []
    assert rival.ok("GET", "/contacts?identity=user_id:u1")["items"] == []
    assert {one["id"] for one in rival.ok("GET", "/users")["items"]}.isdisjoint({user})
    assert rival.ok("POST", "/segments/preview", {"rule": {"attribute": "x", "op": "missing"}}) == {"count": 0}


def test_a_revoked_or_expired_key_opens_nothing_from_the_next_request_on(
    client: TestClient, admin: Api, connection: Connection, staff: Staff
) -> None:
    made = admin.ok("POST", "/keys", {"name": "short", "role": "viewer"})
    api = Api(client, made["key"])
    assert api("GET", "/journeys").status_code == 200
    assert admin.ok("POST", f"/keys/{made['id']}/revoke")["revoked_at"]
    assert api("GET", "/journeys").status_code == 401
    token = auth.new_token()
    row = keys.New(staff.workspace_id, "old", "admin", token.prefix, token.digest, None, made_at(connection))
    keys.add(connection, row, made_at(connection))
    connection.commit()
    assert Api(client, token.text)("GET", "/journeys").status_code == 401


def made_at(connection: Connection) -> Any:
    row = connection.execute("SELECT now()").fetchone()
    assert row is not None
    return row[0]


def test_a_forged_secret_with_a_good_prefix_opens_nothing(client: TestClient, staff: Staff) -> None:
    good = staff.keys["admin"]
    for forged in (good[:-1] + ("0" if good[-1] != "0" else "1"), good.upper(), good + "0", good[:30], "jl" + good[2:]):
        assert Api(client, forged)("GET", "/journeys").status_code == 401


def test_a_key_in_an_address_is_refused_even_where_no_key_is_needed_t14(client: TestClient, staff: Staff) -> None:
    for path in ("/api/v1/journeys", "/healthz", "/nowhere"):
        for query in (f"key={staff.keys['viewer']}", f"x=1&access_token={staff.keys['viewer']}"):
            answer = client.get(f"{path}?{query}", headers={"Authorization": f"Bearer {staff.keys['viewer']}"})
            assert answer.status_code == 400
            assert staff.keys["viewer"] not in answer.text


def test_a_user_s_role_bounds_all_of_their_keys_at_once_t11(client: TestClient, admin: Api, staff: Staff) -> None:
    operator, user = Api(client, staff.keys["operator"]), staff.user_ids["operator"]
    assert operator("POST", "/journeys", {"name": "A", "document": FLOW}).status_code == 201
    admin.ok("PATCH", f"/users/{user}", {"role": "viewer"})
    assert operator("POST", "/journeys", {"name": "A", "document": FLOW}).status_code == 403
    # A key that outranks the person it stands for cannot be made; one made before they fell does not help.
    wish = {"name": "more", "role": "admin", "user_id": user}
    assert admin("POST", "/keys", wish).json()["errors"][0]["field"] == "role"
    admin.ok("PATCH", f"/users/{user}", {"role": "admin"})
    key = admin.ok("POST", "/keys", wish)["key"]
    assert Api(client, key)("GET", "/users").status_code == 200
    admin.ok("PATCH", f"/users/{user}", {"role": "operator"})
    assert Api(client, key)("GET", "/users").status_code == 403


def test_nobody_changes_their_own_role_or_takes_the_last_admin_away(
    admin: Api, client: TestClient, staff: Staff
) -> None:
    assert admin("PATCH", f"/users/{staff.user_ids['admin']}", {"role": "viewer"}).status_code == 422
    second = admin.ok("POST", "/users", {"email": "b@shop.example", "name": "B", "role": "admin"})
    key = admin.ok("POST", "/keys", {"name": "b", "role": "admin", "user_id": second["id"]})["key"]
    other = Api(client, key)
    assert other("PATCH", f"/users/{staff.user_ids['admin']}", {"role": "viewer"}).status_code == 200
    assert admin("GET", "/users").status_code == 403


def test_a_login_link_signs_in_once_by_a_button_and_the_session_cannot_be_forged_t06(
    client: TestClient, connection: Connection, staff: Staff, settings: Settings
) -> None:
    now = made_at(connection)
    link = auth.login(connection, staff.user_ids["operator"], staff.workspace_id, now)
    connection.commit()
    for _ in range(3):
        page = client.get(f"/login?token={link}")
        assert page.status_code == 200
        assert "Sign in" in page.text
    assert client.post("/login", data={"token": link}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    home = {"Origin": "http://testserver"}
    answer = client.post("/login", data={"token": link}, headers=home, follow_redirects=False)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.post("/login", data={"token": link}, headers=home, follow_redirects=False).status_code == 403
    # The cookie reads; it writes only from our own pages.
    assert client.get("/api/v1/journeys").status_code == 200
    body = {"name": "A", "document": FLOW}
    for headers in (
        {},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert client.post("/api/v1/journeys", json=body, headers=headers).status_code == 403
    assert client.post("/api/v1/journeys", json=body, headers=home).status_code == 201
    assert client.post("/api/v1/journeys", json=body, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201
    assert client.get("/api/v1/users").status_code == 403
    session = client.cookies["journey_session"]
    assert client.post("/logout", headers=home, follow_redirects=False).status_code == 303
    assert client.get("/api/v1/journeys", headers={"Cookie": f"journey_session={session}"}).status_code == 401
    assert settings.secret is not None


def test_sessions_and_login_links_are_no_keys_and_do_not_stand_in_lists(
    client: TestClient, admin: Api, connection: Connection, staff: Staff
) -> None:
    link = auth.login(connection, staff.user_ids["admin"], staff.workspace_id, made_at(connection))
    connection.commit()
    assert Api(client, link)("GET", "/journeys").status_code == 401
    assert all(one["prefix"].startswith("jc_") for one in admin.ok("GET", "/keys")["items"])
