"""Reviewing in a browser: what changed in words, who may decide, comments, versions, and going back to an earlier draft."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.store import drafts
from app.store.journeys import Saving
from tests.web.browsing import HERE, post, said, sign_in
from tests.web.conftest import Api, Staff, flow

Enter = Callable[[str], TestClient]
NASTY = "</script><script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def changed(operator: Api, journey: int, **settings: Any) -> None:
    """Another draft of a published journey, handed in."""
    revision = operator.ok("GET", f"/journeys/{journey}")["revision"]
    document = flow(**settings)
    operator.ok("PUT", f"/journeys/{journey}/draft", {"document": document}, headers={"If-Match": f'"{revision}"'})
    operator.ok("POST", f"/journeys/{journey}/submit")


def data(page: str) -> dict[str, Any]:
    """What the page brings for its canvas."""
    found = re.search(r'<script type="application/json" id="canvas-data">(.*?)</script>', page, re.DOTALL)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def hash_of(page: str) -> str:
    found = re.search(r'name="content_hash" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_change_is_said_in_the_reader_s_language_by_titles_and_values(
    enter: Enter, operator: Api, publish: Callable[..., int]
) -> None:
    journey = publish()
    changed(operator, journey, duration="P5D")
    page = enter("reviewer").get(f"/journeys/{journey}/review?lang=en", headers=HERE).text
    assert "Time to wait: 10 minutes → 5 days" in page
    assert "Handed in by operator" in page
    assert [one["node"] for one in data(page)["changes"]] == ["pause"]
    assert data(page)["diff"]["nodes"]["pause"]["state"] == "changed"
    assert "10 分钟 → 5 天" in enter("reviewer").get(f"/journeys/{journey}/review?lang=zh", headers=HERE).text


def test_who_handed_it_in_cannot_approve_it_and_is_told_why(enter: Enter, admin: Api) -> None:
    journey = int(admin.ok("POST", "/journeys", {"name": "Mine", "document": flow()})["id"])
    handed = admin.ok("POST", f"/journeys/{journey}/submit")["content_hash"]
    browser = enter("admin")
    page = browser.get(f"/journeys/{journey}/review", headers=HERE).text
    assert "You edited this draft" in page
    assert 'id="approve"' not in page
    refused = post(browser, f"/journeys/{journey}/review/decide", decision="approve", content_hash=handed)
    assert refused.status_code == 403
    assert "somebody else must review it" in said(refused)["text"]


def test_it_is_approved_and_published_from_the_page(enter: Enter, operator: Api) -> None:
    journey = int(operator.ok("POST", "/journeys", {"name": "New", "document": flow()})["id"])
    browser = enter("operator")
    assert "Not handed in yet" in browser.get(f"/journeys/{journey}/review", headers=HERE).text
    assert post(browser, f"/journeys/{journey}/review/submit").headers["HX-Redirect"].endswith("/review")
    browser = enter("reviewer")
    page = browser.get(f"/journeys/{journey}/review", headers=HERE).text
    post(browser, f"/journeys/{journey}/review/decide", decision="approve", content_hash=hash_of(page))
    browser = enter("operator")
    page = browser.get(f"/journeys/{journey}/review", headers=HERE).text
    assert "ready to be published" in page
    done = post(browser, f"/journeys/{journey}/review/publish", content_hash=hash_of(page))
    assert done.headers["HX-Redirect"] == f"/journeys/{journey}/live"
    assert operator.ok("GET", f"/journeys/{journey}")["status"] == "live"


def test_sending_back_needs_a_reason_and_the_reason_is_shown(enter: Enter, operator: Api) -> None:
    journey = int(operator.ok("POST", "/journeys", {"name": "New", "document": flow()})["id"])
    handed = operator.ok("POST", f"/journeys/{journey}/submit")["content_hash"]
    browser, place = enter("reviewer"), f"/journeys/{journey}/review/decide"
    assert post(browser, place, decision="reject", content_hash=handed, comment="  ").status_code == 422
    post(browser, place, decision="reject", content_hash=handed, comment="Too soon. <b>Wait</b> a day.")
    page = enter("operator").get(f"/journeys/{journey}/review", headers=HERE).text
    assert "Too soon. &lt;b&gt;Wait&lt;/b&gt; a day." in page
    assert "Sent back." in page


def test_an_approval_of_what_changed_since_is_refused(enter: Enter, operator: Api, publish: Callable[..., int]) -> None:
    journey = publish()
    changed(operator, journey, duration="P5D")
    browser = enter("reviewer")
    old = hash_of(browser.get(f"/journeys/{journey}/review", headers=HERE).text)
    changed(operator, journey, duration="P6D")
    refused = post(browser, f"/journeys/{journey}/review/decide", decision="approve", content_hash=old)
    assert refused.status_code == 409


def test_comments_are_said_answered_and_settled_and_stay_text(enter: Enter, operator: Api) -> None:
    journey = int(operator.ok("POST", "/journeys", {"name": "New", "document": flow()})["id"])
    place = f"/journeys/{journey}/comments"
    browser = enter("reviewer")
    thread = browser.post(place, json={"node": "pause", "text": NASTY}, headers=HERE).json()["items"][0]
    browser = enter("operator")
    browser.post(place, json={"parent": thread["id"], "text": "Yes."}, headers=HERE)
    page = browser.get(f"/journeys/{journey}/review", headers=HERE).text
    assert "<script>alert(1)" not in page
    (read,) = data(page)["comments"]
    assert (read["text"], read["author"], read["node"]) == (NASTY, "reviewer", "pause")
    assert [one["text"] for one in read["answers"]] == ["Yes."]
    settled = browser.post(f"{place}/{thread['id']}/settle", json={"settled": True}, headers=HERE).json()["items"]
    assert settled[0]["settled_by"] == "operator"
    assert browser.post(place, json={"parent": 999, "text": "?"}, headers=HERE).status_code == 404
    assert browser.post(place, json={"node": "pause", "text": "  "}, headers=HERE).status_code == 422
    assert enter("viewer").post(place, json={"text": "Me too"}, headers=HERE).status_code == 403


def test_comments_of_another_workspace_are_not_there(
    client: TestClient, connection: Connection, enter: Enter, operator: Api, others: Staff
) -> None:
    journey = int(operator.ok("POST", "/journeys", {"name": "New", "document": flow()})["id"])
    thread = (
        enter("operator").post(f"/journeys/{journey}/comments", json={"text": "Hm"}, headers=HERE).json()["items"][0]
    )
    rival = sign_in(client, connection, others, "admin")
    assert rival.get(f"/journeys/{journey}/comments", headers=HERE).status_code == 404
    assert rival.post(f"/journeys/{journey}/comments", json={"text": "Hm"}, headers=HERE).status_code == 404
    settle = f"/journeys/{journey}/comments/{thread['id']}/settle"
    assert rival.post(settle, json={"settled": True}, headers=HERE).status_code == 404
    for path in ("review", "versions", "versions/draft", "compare"):
        assert rival.get(f"/journeys/{journey}/{path}", headers=HERE).status_code == 404


def test_saves_of_one_sitting_share_a_row_and_no_more_than_two_hundred_are_kept(
    connection: Connection, staff: Staff
) -> None:
    begun = datetime(2026, 11, 1, 9, tzinfo=UTC)
    with transaction(connection):
        for number, minutes in enumerate((0, 2, 6, 20), start=1):
            saving = Saving({"schema": 1}, "user:1", begun + timedelta(minutes=minutes))
            drafts.keep(connection, staff.workspace_id, 7, number, saving)
        drafts.keep(connection, staff.workspace_id, 7, 5, Saving({}, "user:2", begun + timedelta(minutes=21)))
    kept = drafts.page(connection, staff.workspace_id, 7, None, 10)
    assert [one.revision for one in kept] == [5, 4, 3]
    assert kept[2].begun_at == begun
    with transaction(connection):
        for number in range(6, 260):
            drafts.keep(connection, staff.workspace_id, 7, number, Saving({}, f"user:{number}", begun))
    assert len(drafts.page(connection, staff.workspace_id, 7, None, 500)) == drafts.KEPT


def test_an_earlier_version_is_looked_at_compared_and_made_the_draft_again(
    enter: Enter, operator: Api, publish: Callable[..., int]
) -> None:
    journey = publish()
    changed(operator, journey, duration="P5D")
    browser = enter("operator")
    page = browser.get(f"/journeys/{journey}/versions", headers=HERE).text
    assert f"/journeys/{journey}/versions/v1" in page
    assert "History of the draft" in page
    assert data(browser.get(f"/journeys/{journey}/versions/v1", headers=HERE).text)["mode"] == "version"
    assert "5 days" in browser.get(f"/journeys/{journey}/compare?before=v1&after=draft", headers=HERE).text
    revision = operator.ok("GET", f"/journeys/{journey}")["revision"]
    place = f"/journeys/{journey}/versions/restore"
    overtaken = post(browser, place, state="v1", revision=revision - 1)
    assert overtaken.status_code == 412
    assert "nothing was replaced" in said(overtaken)["text"]
    assert post(browser, place, state="v1", revision=revision).headers["HX-Redirect"].endswith("/edit")
    assert operator.ok("GET", f"/journeys/{journey}/draft")["document"] == flow()
    assert browser.get(f"/journeys/{journey}/versions/v9", headers=HERE).status_code == 404
    assert browser.get(f"/journeys/{journey}/versions/x1", headers=HERE).status_code == 422
