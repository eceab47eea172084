"""Every route × role × own, foreign-scope and foreign-workspace things, judged by the policy table alone (T09, T11).

Generated from the app (`grid.py`). Writing routes are tried on one's own things too, and rolled back.
"""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from app import auth
from app.keys import user_hash
from app.lanes import lane_of
from app.store import inapp
from tests.web.conftest import FLOW, Staff
from tests.web.grid import SAFE, SCOPED, STEP, Route, World, filled
from tests.web.towns import PRIVATE, SEARCHED, SECRET_OF_HOOKS, Somebody, Things, dump, standing, strays


def allowed(who: Somebody, route: Route) -> int | None:
    """What the policy alone says: None where they may."""
    if route.page and not who.cookie:
        return 303 if route.method in SAFE else 401
    if not route.page and not who.key:
        return 401
    return None if auth.may(who.role, route.action) else 403


def test_every_route_lets_in_whom_the_policy_lets_in_and_hides_what_is_others_t09_t11(world: World) -> None:
    assert len(world.routes) >= 130
    before = dump(world.connection, world.rival.workspace_id)
    for who in world.people:
        for route in world.routes:
            refused = allowed(who, route)
            if refused:  # before anything is looked for, so it is one answer for whatever is named
                world.expect(who, route, filled(route, world.rival if len(who.name) % 2 else world.own), refused)
                continue
            if who.scopes is None or route.method in SAFE or SCOPED & set(route.names):
                with world.rehearsal():
                    world.expect(who, route, filled(route, world.own, caller=who), None)
            if not route.owned or route.name == "PUT /api/v1/accounts/{name}":
                continue  # it makes an account of one's own; see below
            if who.scopes is None:
                world.expect(who, route, filled(route, world.rival), 404)
                if len(route.owned) > 1:
                    world.expect(who, route, filled(route, world.own, world.rival), 404)
                if len(route.owned) > 1 and route.owned[-1] not in SCOPED:  # what is one journey's is not another's
                    world.expect(who, route, filled(route, world.own, world.there), 404)
            elif SCOPED & set(route.names):
                world.expect(who, route, filled(route, world.there), 404)
    assert not world.wrong, "\n".join(world.wrong)
    assert dump(world.connection, world.rival.workspace_id) == before


def asking(things: Things) -> dict[str, Any]:
    """What may stand behind a question mark, naming somebody's things."""
    numbers = {name.removesuffix("_id"): value for name, value in things.ids.items()}
    return {
        **numbers,
        "id": things.ids["journey_id"],
        "q": SEARCHED,
        "text": SEARCHED,
        "try-who": f"{things.mark}-user",
        "identity": f"user_id:{things.mark}-user",
        "about": f"journey:{things.ids['journey_id']}",
        "actor": f"user:{things.ids['user_id']}",
        "recipient": f"{things.mark}@example.com",
        "walk": f"{lane_of(things.workspace_id, things.number)}-{things.number}",
        "tag": "vip",
    }


def test_no_list_search_or_question_ever_answers_with_what_is_others_t09_f102(world: World) -> None:
    asked = 0
    for who in world.people:
        for route in world.routes:
            if route.method != "GET" or allowed(who, route) is not None or route.path.endswith("/stream"):
                continue
            path = filled(route, world.own, caller=who)
            for things in (world.rival, world.there):
                known = asking(things)
                for name in set(route.asked) & set(known):
                    # What was typed is said again on the page; so whole marks are only asked for by programs.
                    if things.mark not in str(known[name]) or not route.page:
                        answer = world.ask(who, route, path, params={name: known[name]})
                        assert answer.status_code < 500
                        asked += 1
    assert asked > 200
    assert not world.wrong, "\n".join(world.wrong)
    # The marks are where they would be found: who runs the other workspace sees them in every list.
    seen = [
        route.path
        for route in world.routes
        if route.method == "GET"
        and not route.names
        and world.rival.mark in world.ask(world.stranger, route, route.path).text
    ]
    lists = {
        "/journeys",
        "/plans",
        "/contacts",
        "/messages",
        "/settings/accounts",
        "/settings/people",
        "/settings/keys",
    }
    assert lists | {"/", "/settings/audit"} <= set(seen)
    assert {
        f"/api/v1{path}" for path in ("/journeys", "/contacts", "/messages", "/accounts", "/keys", "/users")
    } <= set(seen)


OWN_JOURNEY = 1  # the first that `grid.make` draws
# Writing routes that are told of a thing in the body: (address, sent, whether it says that there is none). {} is one's own.
NAMING: list[tuple[str, str, Callable[[Things], dict[str, Any]]]] = [
    ("POST", "/journeys/archive", lambda it: {"data": {"id": [it.ids["journey_id"]]}}),
    ("POST", "/journeys/move", lambda it: {"data": {"id": [it.ids["journey_id"]], "plan": ""}}),
    ("POST", "/journeys/scope", lambda it: {"data": {"id": [it.ids["journey_id"]], "scope": "here"}}),
    ("POST", "/journeys/restore", lambda it: {"params": {"ids": it.ids["journey_id"]}}),
    ("POST", "/journeys/move", lambda it: {"data": {"id": [OWN_JOURNEY], "plan": it.ids["plan_id"]}}),
    ("POST", "/journeys/new", lambda it: {"data": {"name": "N", "plan": it.ids["plan_id"]}}),
    ("POST", "/api/v1/journeys", lambda it: {"json": {"name": "N", "document": FLOW, "plan_id": it.ids["plan_id"]}}),
    ("POST", "/api/v1/keys", lambda it: {"json": {"name": "K", "role": "viewer", "user_id": it.ids["user_id"]}}),
    ("POST", "/api/v1/late", lambda it: {"json": {"do": "drop", "journey_id": it.ids["journey_id"]}}),
    (
        "PUT",
        "/api/v1/accounts/{name}",
        lambda _: {"json": {"channel": "webhook", "settings": {"url": "https://x.example/"}}},
    ),
    ("POST", "/journeys/{journey_id}/comments", lambda it: {"json": {"text": "x", "parent": it.ids["comment_id"]}}),
    ("POST", "/journeys/{journey_id}/simulate", lambda it: {"data": {"do": "start", "contact": f"+86138{it.number}"}}),
    ("POST", "/journeys/{journey_id}/simulate", lambda it: {"data": {"do": "start", "contact": str(it.number)}}),
    (
        "POST",
        "/journeys/{journey_id}/nodes/{node_id}/panel/preview",
        lambda it: {"data": {**STEP, "try-who": f"+86138{it.number}"}},
    ),
    (
        "POST",
        "/api/v1/segments/preview",
        lambda it: {"json": {"rule": {"attribute": "name", "op": "is", "value": f"{it.mark} name"}}},
    ),
]


def test_a_body_that_names_what_is_others_reads_and_changes_nothing_of_theirs_t09(world: World) -> None:
    """As everybody who may, about the rival's things, and about another scope's; about one's own it does what it says."""
    assert world.own.ids["journey_id"] == OWN_JOURNEY
    before = dump(world.connection, world.rival.workspace_id)
    unlabelled = {"POST /api/v1/keys", "PUT /api/v1/accounts/{name}"}  # people and accounts bear no scope
    by_name = {route.name: route for route in world.routes}
    for method, path, sent in NAMING:
        route = by_name[f"{method} {path}"]
        for who in world.people:
            if allowed(who, route) is not None:
                continue
            own = (
                filled(route, world.own) if route.path != "/api/v1/accounts/{name}" else path.format(**world.rival.ids)
            )
            world.ask(who, route, own, **sent(world.rival))
            if who.scopes and route.name not in unlabelled:
                stood = standing(world.connection, world.there)
                world.ask(who, route, own, **sent(world.there))
                assert standing(world.connection, world.there) == stood, f"{who.name}: {route.name}"
    # An address with the other's name in it is echoed by what makes one's own account of that name.
    # One's own person is shown to whom they may be shown, so the answers above are those of doors that open.
    operator = next(one for one in world.people if one.role == "operator")
    for method, path, sent in NAMING:
        if path.endswith(("/simulate", "/preview")) and not path.startswith("/api/"):
            route = by_name[f"{method} {path}"]
            shown = world.ask(operator, route, filled(route, world.own), **sent(world.own)).text
            assert f"{world.own.mark} city" in shown, route.name
            assert PRIVATE in shown, route.name
            # A viewer finds the same person by a name that is not flagged, and `look` looks for what is.
            named = {"contact": f"{world.own.mark}-user", "try-who": f"{world.own.mark}-user"}
            mine = {"data": {**sent(world.own)["data"], **named}}
            seen = world.ask(world.people[0], route, filled(route, world.own), **mine).text
            assert f"{world.own.mark} city" in seen, route.name
    assert strays(world.connection) == []
    mixed = "SELECT j.name, p.name FROM journey j JOIN plan p ON p.id = j.plan_id WHERE j.scope <> p.scope"
    assert world.connection.execute(mixed).fetchall() == []
    wrong = [line for line in world.wrong if "/api/v1/accounts/" not in line]
    assert not wrong, "\n".join(wrong)
    assert dump(world.connection, world.rival.workspace_id) == before


def test_doors_without_a_role_open_to_their_own_workspace_only_t09(world: World, staff: Staff, others: Staff) -> None:
    """The sink, call-backs of providers, the pull of in-app messages, the door for events."""
    before = dump(world.connection, world.rival.workspace_id)
    client, who = world.client, next(one for one in world.people if one.role == "operator")
    for path in (
        "/sink",
        "/sink?channel=email",
        f"/sink/{world.rival.ids['caught']}",
        f"/sink/{world.own.ids['caught']}",
    ):
        answer = client.get(path, headers=who.headers(page=True))
        world.look(who, path, answer.text)
        assert answer.status_code == (404 if path.endswith(str(world.rival.ids["caught"])) else 200), path
    assert world.own.mark in client.get("/sink", headers=who.headers(page=True)).text
    for other in world.people[:-2]:  # what was caught bears no scope and is not masked
        good = other.scopes is None and other.role != "viewer"
        assert client.get("/sink", headers=other.headers(page=True)).status_code == (200 if good else 404), other.name
    body = json.dumps({"receipts": [{"message": world.rival.number, "event": "bounced", "id": "e"}]}).encode()
    stamp = str(int(time.time()))
    mark = hmac.new(SECRET_OF_HOOKS.encode(), f"d.{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    signed = {"X-Journey-Id": "d", "X-Journey-Timestamp": stamp, "X-Journey-Signature": f"v1={mark}"}
    assert client.post("/hooks/post", content=body, headers=signed).json() == {"accepted": 0, "ignored": 1}
    secret = inapp.workspace_secret(world.connection, others.workspace_id)
    world.connection.rollback()
    name = f"{world.rival.mark}-user"
    basic = {"Authorization": "Basic " + b64encode(f"{staff.keys['ingest']}:".encode()).decode()}
    asked = {"userId": name, "userHash": user_hash(secret, name)}
    assert client.get("/v1/inapp", params=asked, headers=basic).status_code == 403
    told = {"userId": name, "anonymousId": f"{world.rival.mark}-anonymous", "traits": {"name": "Taken over"}}
    assert client.post("/v1/identify", json=told, headers=basic).status_code == 200
    assert not world.wrong, "\n".join(world.wrong)
    assert dump(world.connection, world.rival.workspace_id) == before


FORGED: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://shop.testserver"},
    {"Origin": "null"},
    {},
)


def test_no_writing_route_does_anything_for_another_site_t06(world: World) -> None:
    """Every page and every operation, with the admin's own cookie, as a form of another site would have the browser send it."""
    admin = next(one for one in world.people if one.role == "admin")
    before, tried = dump(world.connection, world.own.workspace_id), 0
    for route in world.routes:
        if route.method in SAFE:
            continue
        for forged in FORGED:
            headers = {"Cookie": f"journey_session={admin.cookie}", "If-Match": '"3"', **forged}
            world.client.cookies.clear()
            path = filled(route, world.own, caller=admin)
            answer = world.client.request(route.method, path, headers=headers, follow_redirects=False)
            assert answer.status_code == 403, f"{route.name} {forged}: {answer.status_code}"
            tried += 1
    assert tried > 300
    assert dump(world.connection, world.own.workspace_id) == before
