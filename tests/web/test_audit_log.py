"""Every writing operation leaves a row in the audit log, or stands in a table with the reason why it need not."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import audit, auth, vault
from app.database import Connection, transaction
from app.main import iter_route_contexts
from app.store import audit as rows
from app.store import secondsteps
from app.web.guard import GuardedRoute
from tests.conftest import SECRET
from tests.web.conftest import FLOW, Api, Staff, flow, go_live

HERE = {"Origin": "http://testserver", "Accept": "text/html"}
# Writing methods that leave no row, each with the reason.
QUIET = {
    "POST /api/v1/journeys/{journey_id}/enroll": "an event handed in by a program, kept in the history; as many as orders",
    "POST /api/v1/journeys/{journey_id}/validate": "looks only",
    "POST /api/v1/journeys/{journey_id}/drafts/{draft_id}/rebase": "looks only",
    "POST /api/v1/segments/preview": "looks only",
    "POST /journeys/{journey_id}/describe": "looks at an unsaved document",
    "POST /journeys/{journey_id}/read": "looks at an unsaved document",
    "POST /journeys/{journey_id}/simulate": "looks only",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel": "a form about an unsaved step",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/form": "a form about an unsaved step",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/apply": "keeps nothing: the draft is saved by the editor",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/count": "looks only",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/preview": "looks only",
    "POST /journeys/{journey_id}/nodes/{node_id}/panel/mail": "looks only",
    "POST /journeys/{journey_id}/settings/panel": "a form about an unsaved document",
    "POST /journeys/new/guided/count": "looks only",
    "POST /journeys/new/guided": "makes its journey by the same function as POST /journeys/new",
    "POST /templates/{template_id}": "makes its journey by the same function as POST /journeys/new",
    "POST /demo/colleague": "in the demo alone; recorded as a sign-in",
    "POST /journeys/{journey_id}/moving/preview": "looks only",
    "POST /api/v1/journeys/{journey_id}/migrations/preview": "looks only",
    "POST /settings/policies/form": "a form about rules that are not saved",
    "POST /settings/accounts/{name}": "writes by the same function as PUT /api/v1/accounts/{name}",
}


def writing(app: FastAPI) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, GuardedRoute):
            for method in context.methods or ():
                if method not in ("GET", "HEAD"):
                    yield f"{method} {context.path}"


class Walk:
    """Does things and looks each time whether a row came of it."""

    def __init__(self, client: TestClient, connection: Connection, staff: Staff) -> None:
        self.client, self.connection, self.staff = client, connection, staff
        self.done: dict[str, str] = {}

    def sign_in(self, role: str) -> None:
        with transaction(self.connection):
            link = auth.login(self.connection, self.staff.user_ids[role], self.staff.workspace_id, datetime.now(UTC))
        self.client.cookies.clear()
        self.client.post("/login", data={"token": link}, headers=HERE)

    def count(self) -> int:
        self.connection.rollback()
        head = rows.head(self.connection, self.staff.workspace_id)
        return head.number if head else 0

    def __call__(self, route: str, path: str = "", *, role: str = "", **sent: Any) -> Any:
        """A request by key (the API) or by the session (pages)."""
        method, template = route.split(" ")
        before = self.count()
        headers = dict(HERE)
        if template.startswith("/api/"):
            headers = {"Authorization": f"Bearer {self.staff.keys[role or 'admin']}", **sent.pop("headers", {})}
        answer = self.client.request(method, path or template, headers=headers, follow_redirects=False, **sent)
        assert answer.status_code < 400, f"{route}: {answer.status_code} {answer.text}"
        assert self.count() > before, f"{route} left no row"
        newest = rows.page(self.connection, self.staff.workspace_id, rows.Wanted(), None, 1)[0]
        actor = self.staff.user_ids[role or "admin"] if template.startswith("/api/") else None
        assert actor is None or newest.actor == f"user:{actor}", route
        self.done[route] = newest.what
        return answer


def test_every_writing_operation_leaves_a_row_t28(
    app: FastAPI, client: TestClient, connection: Connection, staff: Staff, operator: Api, reviewer: Api, admin: Api
) -> None:
    walk = Walk(client, connection, staff)
    _api(walk, operator, reviewer, admin)
    _pages(walk, operator, reviewer, admin)
    assert set(walk.done) & set(QUIET) == set()
    assert {*walk.done, *QUIET} == set(writing(app))
    verdict = audit.verify(connection, staff.workspace_id)
    assert verdict.broken is None
    assert verdict.sound > len(walk.done)


def _api(walk: Walk, operator: Api, reviewer: Api, admin: Api) -> None:
    at = "/api/v1"
    made = walk(f"POST {at}/journeys", role="operator", json={"name": "A", "document": FLOW}).json()["id"]
    one = f"{at}/journeys/{made}"
    route = f"{at}/journeys/{{journey_id}}"
    walk(f"PATCH {route}", one, json={"name": "B"})
    walk(f"PUT {route}/scope", f"{one}/scope", json={"scope": "x"})
    draft = {"document": flow(duration="PT20M")}
    walk(f"PUT {route}/draft", f"{one}/draft", role="operator", json=draft, headers={"If-Match": '"1"'})
    operator.ok("PUT", f"/journeys/{made}/draft", draft, headers={"If-Match": '"2"'})
    # The admin renamed it, and drew nothing: so the reviewer may approve what the operator drew.
    handed = walk(f"POST {route}/submit", f"{one}/submit", role="operator").json()["content_hash"]
    walk(f"POST {route}/nudge", f"{one}/nudge", role="operator")
    aside = walk(f"POST {route}/drafts", f"{one}/drafts", role="operator", json={"name": "Other"}).json()["id"]
    walk(f"DELETE {route}/drafts/{{draft_id}}", f"{one}/drafts/{aside}", role="operator")
    aside = operator.ok("POST", f"/journeys/{made}/drafts", {"name": "Again"})["id"]
    tag = operator("GET", f"/journeys/{made}/draft").headers["etag"]
    taken = f"{one}/drafts/{aside}/take-up"
    walk(f"POST {route}/drafts/{{draft_id}}/take-up", taken, role="operator", json={}, headers={"If-Match": tag})
    handed = operator.ok("POST", f"/journeys/{made}/submit")["content_hash"]
    said = {"decision": "approve", "content_hash": handed}
    walk(f"POST {route}/reviews", f"{one}/reviews", role="reviewer", json=said)
    walk(f"POST {route}/publish", f"{one}/publish", role="reviewer", json={"content_hash": handed})
    for deed in ("pause", "resume"):
        walk(f"POST {route}/{deed}", f"{one}/{deed}", role="reviewer")
    _migrations(walk, operator, reviewer, made)
    walk(f"POST {route}/stop", f"{one}/stop", role="reviewer")
    walk(f"PUT {at}/privacy", json={"purposes": [{"name": "offers", "title": "Offers"}]})
    walk(f"POST {at}/late", json={"do": "drop"})
    plan = walk(f"POST {at}/plans", json={"name": "P", "scene": "retain"}).json()["id"]
    walk(f"PUT {at}/plans/{{plan_id}}", f"{at}/plans/{plan}", json={"name": "Q", "scene": "retain"})
    walk(f"PUT {at}/plans/{{plan_id}}/scope", f"{at}/plans/{plan}/scope", json={"scope": "x"})
    walk(f"POST {at}/plans/{{plan_id}}/archive", f"{at}/plans/{plan}/archive", json={"archived": True})
    tag = admin("GET", "/policies").headers["etag"]
    walk(f"PUT {at}/policies/review", json={"second_over": None})
    walk(f"PUT {at}/policies", json={"caps": [{"limit": 2, "per": "day"}]}, headers={"If-Match": tag})
    hook = {"channel": "webhook", "settings": {"url": "https://shop.example/", "secret": "s3cr3t-of-the-shop"}}
    walk(f"PUT {at}/accounts/{{name}}", f"{at}/accounts/hook", json=hook)
    walk(f"DELETE {at}/accounts/{{name}}", f"{at}/accounts/hook")
    key = walk(f"POST {at}/keys", json={"name": "k", "role": "viewer"}).json()["id"]
    walk(f"POST {at}/keys/{{key_id}}/revoke", f"{at}/keys/{key}/revoke")
    user = walk(f"POST {at}/users", json={"email": "u@shop.example", "name": "U", "role": "viewer"}).json()["id"]
    walk(f"PATCH {at}/users/{{user_id}}", f"{at}/users/{user}", json={"role": "operator"})
    walk(f"POST {at}/users/{{user_id}}/sign-out", f"{at}/users/{user}/sign-out")
    contact = _contact(walk)
    walk(f"PATCH {at}/contacts/{{contact_id}}", f"{at}/contacts/{contact}", json={"tags": {"add": ["vip"]}})
    walk(f"POST {at}/contacts/{{contact_id}}/erase", f"{at}/contacts/{contact}/erase", json={"confirm": "u7"})


MOVE = [{"node": "pause", "do": "move", "to": "pause", "wait": "keep"}]


def _migrations(walk: Walk, operator: Api, reviewer: Api, journey: int) -> None:
    """A second version, and those of the first moved to it, in the API and on the page."""
    tag = operator("GET", f"/journeys/{journey}/draft").headers["etag"]
    operator.ok("PUT", f"/journeys/{journey}/draft", {"document": flow(duration="PT1H")}, headers={"If-Match": tag})
    go_live_again(operator, reviewer, journey)
    route, one = "/api/v1/journeys/{journey_id}/migrations", f"/api/v1/journeys/{journey}/migrations"
    id = walk(f"POST {route}", one, json={"people": MOVE}, role="operator").json()["id"]
    walk(f"POST {route}/{{migration_id}}/stop", f"{one}/{id}/stop", role="operator")
    walk(f"POST {route}/{{migration_id}}/reverse", f"{one}/{id}/reverse", role="operator")


def go_live_again(operator: Api, reviewer: Api, journey: int) -> None:
    bound = operator.ok("POST", f"/journeys/{journey}/submit")["content_hash"]
    reviewer.ok("POST", f"/journeys/{journey}/reviews", {"decision": "approve", "content_hash": bound})
    operator.ok("POST", f"/journeys/{journey}/publish", {"content_hash": bound})


def _contact(walk: Walk) -> int:
    from app.lanes import lane_of

    with transaction(walk.connection):
        workspace = walk.staff.workspace_id
        walk.connection.execute(
            "INSERT INTO contact (workspace_id, lane, id, created_at, updated_at) VALUES (%s, %s, 7, now(), now())"
            " ON CONFLICT DO NOTHING",
            (workspace, lane_of(workspace, 7)),
        )
        walk.connection.execute(
            "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at) VALUES (%s, 'user_id', 'u7', 7, now())"
            " ON CONFLICT DO NOTHING",
            (workspace,),
        )
    return 7


def _pages(walk: Walk, operator: Api, reviewer: Api, admin: Api) -> None:
    walk.sign_in("operator")
    _lists(walk, operator)
    _journey_pages(walk, operator, reviewer)
    for deed, form in (
        ("attributes", {"name": "city", "value": "北京"}),
        ("tags", {"add": "new"}),
        ("consents", {"channel": "email", "allowed": "false"}),
    ):
        walk(f"POST /contacts/{{contact_id}}/{deed}", f"/contacts/7/{deed}", data=form)
    plan = walk("POST /plans", data={"name": "P", "scene": "retain"}).headers["hx-redirect"]
    walk("POST /plans/{plan_id}", plan, data={"name": "Q", "scene": "retain"})
    walk("POST /plans/{plan_id}/archive", f"{plan}/archive")
    walk("POST /plans/{plan_id}/restore", f"{plan}/restore")
    walk.sign_in("admin")
    _settings_pages(walk, admin)


def _lists(walk: Walk, operator: Api) -> None:
    walk("POST /journeys")
    walk("POST /journeys/new", data={"name": "N"})
    walk("POST /journeys/new/import", data={"document": "{}"}, files={"file": ("a.json", _text(), "application/json")})
    made = operator.ok("POST", "/journeys", {"name": "L", "document": FLOW})["id"]
    walk("POST /journeys/{journey_id}/duplicate", f"/journeys/{made}/duplicate")
    walk("POST /journeys/move", data={"id": [str(made)], "plan": ""})
    walk("POST /journeys/scope", data={"id": [str(made)], "scope": "y"})
    walk("POST /journeys/archive", data={"id": [str(made)]})
    walk("POST /journeys/restore", f"/journeys/restore?ids={made}")
    walk("POST /journeys/{journey_id}/archive", f"/journeys/{made}/archive")
    walk("POST /journeys/{journey_id}/restore", f"/journeys/{made}/restore")


def _text() -> bytes:
    import json

    return json.dumps(FLOW).encode()


def _journey_pages(walk: Walk, operator: Api, reviewer: Api) -> None:
    made = operator.ok("POST", "/journeys", {"name": "J", "document": FLOW})["id"]
    route, one = "/journeys/{journey_id}", f"/journeys/{made}"
    said = walk(f"POST {route}/comments", f"{one}/comments", json={"text": "Why?"}).json()["items"][0]["id"]
    settle = f"{one}/comments/{said}/settle"
    walk(f"POST {route}/comments/{{comment_id}}/settle", settle, json={"settled": True})
    walk(f"POST {route}/review/submit", f"{one}/review/submit")
    walk(f"POST {route}/review/nudge", f"{one}/review/nudge")
    bound = operator.ok("POST", f"/journeys/{made}/validate")["content_hash"]
    walk.sign_in("reviewer")
    decision = {"decision": "approve", "content_hash": bound, "comment": "Good."}
    walk(f"POST {route}/review/decide", f"{one}/review/decide", data=decision)
    walk(f"POST {route}/review/publish", f"{one}/review/publish", data={"content_hash": bound})
    walk(f"POST {route}/state", f"{one}/state", data={"to": "paused"})
    walk(f"POST {route}/run", f"{one}/run", data={"to": "live"})
    walk(f"POST {route}/pausing", f"{one}/pausing", data={"to": "paused", "mode": "late"})
    walk(f"POST {route}/pausing", f"{one}/pausing", data={"to": "live", "mode": "late"})
    walk.sign_in("operator")
    walk(f"POST {route}/drafts", f"{one}/drafts", data={"name": "Other"})
    aside = operator.ok("POST", f"/journeys/{made}/drafts", {"name": "Again"})["id"]
    walk(f"POST {route}/drafts/{{draft_id}}/delete", f"{one}/drafts/{aside}/delete")
    aside = operator.ok("POST", f"/journeys/{made}/drafts", {"name": "Once more"})["id"]
    walk(f"POST {route}/drafts/{{draft_id}}/take-up", f"{one}/drafts/{aside}/take-up", data={"revision": "1"})
    walk(f"POST {route}/versions/restore", f"{one}/versions/restore", data={"state": "v1", "revision": "2"})
    other = operator.ok("POST", "/journeys", {"name": "K", "document": FLOW})["id"]
    go_live(operator, reviewer, other)
    tag = operator("GET", f"/journeys/{other}/draft").headers["etag"]
    operator.ok("PUT", f"/journeys/{other}/draft", {"document": flow(duration="PT1H")}, headers={"If-Match": tag})
    go_live_again(operator, reviewer, other)
    people = {"place": "1 pause waiting", "choice": "to:pause", "wait": "keep"}
    walk(f"POST {route}/moving", f"/journeys/{other}/moving", data=people)
    id = operator.ok("GET", f"/journeys/{other}/migrations")["items"][0]["id"]
    walk(f"POST {route}/moving/{{migration_id}}/{{deed}}", f"/journeys/{other}/moving/{id}/stop")


def _settings_pages(walk: Walk, admin: Api) -> None:
    user = admin.ok("POST", "/users", {"email": "p@shop.example", "name": "P", "role": "viewer"})["id"]
    route, one = "/settings/people/{user_id}", f"/settings/people/{user}"
    walk("POST /settings/people/second", data={"second_over": "100000"})
    walk("POST /settings/people", data={"email": "q@shop.example", "name": "Q", "role": "viewer"})
    walk(f"POST {route}", one, data={"name": "P", "role": "operator"})
    walk(f"POST {route}/link", f"{one}/link")
    walk(f"POST {route}/state", f"{one}/state", data={"to": "out"})
    walk(f"POST {route}/sign-out", f"{one}/sign-out")
    walk("POST /settings/keys", data={"name": "n", "role": "viewer"})
    key = admin.ok("POST", "/keys", {"name": "m", "role": "viewer"})["id"]
    walk("POST /settings/keys/{key_id}/revoke", f"/settings/keys/{key}/revoke")
    hook = {"name": "hook-2", "url": "https://shop.example/"}
    walk("POST /settings/accounts/new/{channel}", "/settings/accounts/new/webhook", data=hook)
    walk("POST /settings/accounts/{name}/test", "/settings/accounts/hook-2/test", data={})
    walk("POST /settings/accounts/{name}/remove", "/settings/accounts/hook-2/remove")
    walk("POST /settings/me", data={"name": "Admin", "language": "zh"})
    words = "seven lanterns under snow"
    walk("POST /settings/me/password", data={"password": words, "again": words})
    _second_steps(walk, words, one, route)
    walk.sign_in("admin")
    old = walk.client.get("/settings/me", headers=HERE).text
    walk.sign_in("admin")
    page = walk.client.get("/settings/me", headers=HERE).text
    number = page.split("/settings/me/sessions/")[1].partition("/")[0]
    assert old
    walk("POST /settings/me/sessions/{session_id}/end", f"/settings/me/sessions/{number}/end")
    walk("POST /contacts/{contact_id}/erase", "/contacts/7/erase", data={"confirm": "u7"})
    walk("POST /health/late", data={"do": "release"})
    page = walk.client.get("/settings/policies", headers=HERE).text
    rules, asked = (one.replace("&#34;", '"') for one in re.findall(r'name="etag" value="([^"]+)"', page))
    fuse = {"marketing": "4", "transactional": "30", "reach_times": "3"}
    walk("POST /settings/policies", data={"etag": rules, "defer": "2", "defer_unit": "D", **fuse})
    walk("POST /settings/policies/purposes", data={"etag": asked, "text": "Choose."})
    walk("POST /health/confirm")
    walk("POST /settings/me/sign-out")


def _second_steps(walk: Walk, password: str, person: str, route: str) -> None:
    """One's own is set up and taken away again; that of another is reset, on the page and in the API."""
    user, at = int(person.rpartition("/")[2]), "/api/v1/users/{user_id}/second-step"
    for deed in (f"POST {route}/second-step/reset", f"DELETE {at}"):
        _equip(walk, user)
        walk(deed, f"{person}/second-step/reset" if deed.startswith("POST") else at.format(user_id=user))
    walk("POST /settings/second-step", data={"to": "required"})
    walk("POST /settings/me/second-step", data={"present": password})
    with transaction(walk.connection):
        kept = secondsteps.find(walk.connection, walk.staff.workspace_id, walk.staff.user_ids["admin"])
        assert kept is not None
        owner = f"{walk.staff.workspace_id}/second step/{walk.staff.user_ids['admin']}"
        key = vault.unseal({}, kept.sealed, owner=owner, secret=SECRET.encode())["key"]
    code = pyotp.TOTP(key).at(datetime.now(UTC))
    said = walk("POST /settings/me/second-step/confirm", data={"code": code}).text
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code>", said)
    said = walk("POST /settings/me/second-step/codes", data={"present": password, "code": codes[0]}).text
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code>", said)
    walk("POST /settings/second-step", data={"to": "free"})
    walk("POST /settings/me/second-step/off", data={"present": password, "code": codes[0]})


def _equip(walk: Walk, user_id: int) -> None:
    with transaction(walk.connection):
        secondsteps.begin(walk.connection, walk.staff.workspace_id, user_id, "sealed", datetime.now(UTC))
        secondsteps.confirm(walk.connection, walk.staff.workspace_id, user_id, 0, [], datetime.now(UTC))


def test_what_is_recorded_holds_no_secret_and_nobody_s_data(
    client: TestClient, connection: Connection, staff: Staff, admin: Api
) -> None:
    hook = {"channel": "webhook", "settings": {"url": "https://shop.example/", "secret": "s3cr3t-of-the-shop"}}
    admin.ok("PUT", "/accounts/hook", hook)
    walk = Walk(client, connection, staff)
    change = {"attributes": {"phone": "+8613800000000"}, "tags": {"add": ["ill"]}}
    admin.ok("PATCH", f"/contacts/{_contact(walk)}", change)
    key = admin.ok("POST", "/keys", {"name": "k", "role": "viewer"})["key"]
    walk.count()
    whole = repr(rows.after(connection, staff.workspace_id, 0, 1_000))
    for secret in ("s3cr3t", "+8613800000000", "'ill'", '"ill"', key[-64:], auth.digest_of(key)):
        assert secret not in whole


def test_the_log_is_read_by_admins_filtered_and_in_pages(
    client: TestClient, staff: Staff, admin: Api, operator: Api, connection: Connection
) -> None:
    ids = [operator.ok("POST", "/journeys", {"name": f"J{n}", "document": FLOW})["id"] for n in range(5)]
    admin.ok("PATCH", f"/journeys/{ids[0]}", {"name": "Another"})
    assert operator("GET", "/audit").status_code == 403
    found, after = [], ""
    while True:
        page = admin.ok("GET", f"/audit?limit=2{after}")
        found += [one["number"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&next={page['next']}"
    assert found == [6, 5, 4, 3, 2, 1]
    about = admin.ok("GET", f"/audit?about=journey:{ids[0]}")["items"]
    assert [one["what"] for one in about] == ["journey.rename", "journey.create"]
    assert about[0]["before"] == {"name": "J0"}
    assert about[0]["after"] == {"name": "Another"}
    assert len(admin.ok("GET", f"/audit?actor=user:{staff.user_ids['operator']}&what=journey")["items"]) == 5
    walk = Walk(client, connection, staff)
    walk.sign_in("admin")
    text = client.get(f"/settings/audit?about=journey:{ids[0]}", headers=HERE).text
    assert "renamed the journey" in text
    assert "Another" in text
    assert "J1" not in text


@pytest.mark.parametrize("query", ["since=2026-13-01", "since=0001-01-01&until=9999-12-31", "next=x", "what=%00"])
def test_odd_questions_to_the_log_are_answered_without_a_fault(
    client: TestClient, connection: Connection, staff: Staff, query: str
) -> None:
    Walk(client, connection, staff).sign_in("admin")
    assert client.get(f"/settings/audit?{query}", headers=HERE).status_code in (200, 422)
