"""A link or a key made for somebody else: whoever made it may be the one who holds it, so both count as one pair of eyes."""

import re

from app.database import transaction
from tests.web.conftest import Api, Staff
from tests.web.test_mischief import HERE, Bench, calling
from tests.web.test_mischief import bench as a_bench

bench = a_bench


def lent(it: Bench, role: str) -> dict[str, str]:
    """The headers of a session that the admin began as somebody else, with a link they made for them."""
    person = it.connection.execute("SELECT id FROM users WHERE role = %s ORDER BY id", (role,)).fetchone()
    it.connection.rollback()
    assert person
    it.client.cookies.clear()
    headers = {**HERE, "Cookie": f"journey_session={it.cookies['admin']}"}
    shown = it.client.post(f"/settings/people/{person[0]}/link", headers=headers).text
    link = re.findall(r"token=(jl_\w+)", shown)[0]
    it.client.cookies.clear()
    assert it.client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code == 303
    cookie = it.client.cookies["journey_session"]
    it.client.cookies.clear()
    return {**HERE, "Cookie": f"journey_session={cookie}"}


def test_nobody_approves_their_own_by_a_link_or_key_they_made_for_another_t20(bench: Bench) -> None:
    """The admin draws and approves it as the reviewer; or draws it as the operator and approves it as themself."""
    it, before = bench, bench.live()
    tag = it.admin("GET", f"{it.path}/draft").headers["etag"]
    it.admin.ok("PUT", f"{it.path}/draft", {"document": calling(32)}, headers={"If-Match": tag})
    handed = it.hand_in()
    reviewing = lent(it, "reviewer")
    form = {"decision": "approve", "content_hash": handed}
    refused = it.client.post(f"{it.path}/review/decide", data=form, headers=reviewing)
    assert refused.status_code == 403
    page = it.client.get(f"{it.path}/review?lang=en", headers=reviewing).text
    assert "sign in with your own password first" in page
    assert 'data-open="approve"' not in page
    person = it.connection.execute("SELECT id FROM users WHERE role = 'reviewer' ORDER BY id").fetchone()
    it.connection.rollback()
    assert person
    made = it.admin.ok("POST", "/keys", {"name": "theirs", "role": "reviewer", "user_id": person[0]})["key"]
    assert it.approve(Api(it.client, made), handed) == 403
    it.publish(handed)
    drawing = lent(it, "operator")
    tag = it.operator("GET", f"{it.path}/draft").headers["etag"]
    headers = {**drawing, "Origin": "http://testserver", "If-Match": tag}
    saved = it.client.put(f"/api/v1{it.path}/draft", json={"document": calling(33)}, headers=headers)
    assert saved.status_code == 200, saved.text
    handed = it.hand_in()
    assert it.approve(it.admin, handed) == 403
    it.publish(handed)
    assert bench.live() == before
    bench.save(59)
    handed = bench.hand_in()
    assert bench.approve(bench.reviewer, handed) == 200
    bench.publish(handed)
    assert bench.live() != before, "by their own password or key the reviewer may"


def test_one_person_with_two_names_is_one_of_two_approvers_t20(bench: Bench, staff: Staff) -> None:
    bench.admin.ok("PUT", "/policies/review", {"second_over": 0})
    headers = {**HERE, "Cookie": f"journey_session={bench.cookies['admin']}"}
    bench.save(34)
    handed = bench.hand_in()
    with transaction(bench.connection):
        bench.connection.execute("UPDATE submission SET reach = 5")
        bench.connection.execute("UPDATE users SET joined_at = '2020-02-20'")
    as_reviewer = lent(bench, "reviewer")
    form = {"decision": "approve", "content_hash": handed}
    for session in (as_reviewer, headers):
        bench.client.post(f"{bench.path}/review/decide", data=form, headers=session)
    submission = bench.operator.ok("GET", f"{bench.path}/submission")
    assert (submission["approvals"], submission["needed"]) == (1, 2)
    assert bench.operator("POST", f"{bench.path}/publish", {"content_hash": handed}).status_code == 409
    # Who it was made for sees it, and by their own password they are somebody else again.
    bench.client.cookies.clear()
    page = bench.client.get(
        "/?lang=en", headers={**HERE, "Cookie": f"journey_session={bench.cookies['reviewer']}"}
    ).text
    assert "admin made a sign-in link for you" in page
    assert "by a link that admin made" in bench.client.get("/settings/me?lang=en", headers=as_reviewer).text
    assert bench.approve(bench.reviewer, handed) == 200
    assert bench.operator.ok("GET", f"{bench.path}/submission")["approvals"] == 2
    opened = bench.connection.execute(
        "SELECT after::jsonb ->> 'maker' FROM audit WHERE what = 'session.open'"
    ).fetchall()
    bench.connection.rollback()
    assert opened == [(f"user:{staff.user_ids['admin']}",)]
