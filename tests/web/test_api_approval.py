"""Approval binds content, and nobody approves what they edited (T20): the rules a bypass would break."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.database import Connection
from tests.web.conftest import FLOW, Api, Staff, flow, go_live

Publish = Callable[..., int]


def made(api: Api, document: dict[str, Any] | None = None) -> str:
    return f"/journeys/{api.ok('POST', '/journeys', {'name': 'A', 'document': document or FLOW})['id']}"


def hand_in(api: Api, path: str) -> str:
    return str(api.ok("POST", f"{path}/submit")["content_hash"])


def save(api: Api, path: str, document: dict[str, Any]) -> None:
    tag = api("GET", f"{path}/draft").headers["etag"]
    api.ok("PUT", f"{path}/draft", {"document": document}, headers={"If-Match": tag})


def approve(api: Api, path: str, content_hash: str, decision: str = "approve", **more: Any) -> Any:
    said = {"decision": decision, "content_hash": content_hash, "comment": "Hm.", **more}
    return api("POST", f"{path}/reviews", said)


def test_nobody_approves_what_they_made_edited_or_handed_in(admin: Api, reviewer: Api, operator: Api) -> None:
    own = made(admin)  # an admin draws and approves, though never the same
    refused = approve(admin, own, hand_in(operator, own))
    assert refused.status_code == 403
    assert "edited" in refused.json()["detail"]
    edited = made(operator)
    save(admin, edited, flow(duration="PT20M"))
    assert approve(admin, edited, hand_in(operator, edited)).status_code == 403
    handed = made(operator)
    refused = approve(admin, handed, hand_in(admin, handed))
    assert refused.status_code == 403
    assert "handed" in refused.json()["detail"]
    assert approve(reviewer, own, hand_in(operator, own)).status_code == 200


def test_another_key_of_the_same_person_is_the_same_person(client: TestClient, admin: Api, staff: Staff) -> None:
    path = made(admin)
    content_hash = hand_in(admin, path)
    for more in ({}, {"user_id": staff.user_ids["admin"]}):
        key = admin.ok("POST", "/keys", {"name": "second", "role": "reviewer", **more})["key"]
        assert approve(Api(client, key), path, content_hash).status_code == 403


def test_without_an_approval_nothing_is_published(operator: Api, reviewer: Api, admin: Api) -> None:
    path = made(operator)
    wish = {"content_hash": operator.ok("POST", f"{path}/validate")["content_hash"]}
    for api in (operator, reviewer, admin):
        assert api("POST", f"{path}/publish", wish).status_code == 409
    assert approve(reviewer, path, wish["content_hash"]).status_code == 409
    hand_in(operator, path)
    assert operator("POST", f"{path}/publish", wish).status_code == 409
    assert approve(reviewer, path, wish["content_hash"], "reject").json()["status"] == "rejected"
    assert operator("POST", f"{path}/publish", wish).status_code == 409
    assert approve(reviewer, path, wish["content_hash"]).status_code == 409
    assert operator.ok("GET", path)["status"] == "draft"


def test_an_edit_after_handing_in_or_approval_voids_it(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    content_hash = hand_in(operator, path)
    save(operator, path, flow(duration="PT99M"))
    assert approve(reviewer, path, content_hash).status_code == 409
    content_hash = hand_in(operator, path)
    assert approve(reviewer, path, content_hash).status_code == 200
    save(operator, path, flow(duration="PT98M"))
    for tried in (content_hash, operator.ok("POST", f"{path}/validate")["content_hash"]):
        assert operator("POST", f"{path}/publish", {"content_hash": tried}).status_code == 409
    # Back to what was approved is not approved: the approval is void, not asleep.
    save(operator, path, flow(duration="PT99M"))
    assert operator("POST", f"{path}/publish", {"content_hash": content_hash}).status_code == 409


def test_moving_a_node_on_the_canvas_voids_nothing(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    content_hash = hand_in(operator, path)
    assert approve(reviewer, path, content_hash).status_code == 200
    moved = flow()
    moved["nodes"][0]["x"] = 400
    save(operator, path, moved)
    assert operator.ok("POST", f"{path}/publish", {"content_hash": content_hash})["version"] == 1


def test_who_edits_after_approving_no_longer_counts(operator: Api, admin: Api) -> None:
    path = made(operator)
    content_hash = hand_in(operator, path)
    assert approve(admin, path, content_hash).status_code == 200
    moved = flow()
    moved["nodes"][0]["x"] = 400
    save(admin, path, moved)
    assert operator("POST", f"{path}/publish", {"content_hash": content_hash}).status_code == 409


def test_a_change_of_the_account_voids_the_approval(operator: Api, reviewer: Api, admin: Api) -> None:
    hook = {"channel": "webhook", "settings": {"url": "https://shop.example/a", "secret": "one"}}
    admin.ok("PUT", "/accounts/hook", hook)
    document = flow()
    document["nodes"][2] = {
        "id": "note",
        "type": "send.webhook",
        "version": 1,
        "settings": {"account": "hook", "url": "https://shop.example/a"},
    }
    path = made(operator, document)
    content_hash = hand_in(operator, path)
    assert approve(reviewer, path, content_hash).status_code == 200
    admin.ok("PUT", "/accounts/hook", {**hook, "settings": {"url": "https://evil.example/a"}})
    assert operator("POST", f"{path}/publish", {"content_hash": content_hash}).status_code == 409
    assert hand_in(operator, path) != content_hash


def test_a_wrong_hash_approves_and_publishes_nothing(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    content_hash = hand_in(operator, path)
    for wrong in ("0" * 64, content_hash[:-1], content_hash.upper()):
        assert approve(reviewer, path, wrong).status_code == 409
    assert approve(reviewer, path, content_hash).status_code == 200
    assert operator("POST", f"{path}/publish", {"content_hash": "0" * 64}).status_code == 409


def test_two_reviewers_at_once_leave_one_clear_answer(operator: Api, reviewer: Api, admin: Api) -> None:
    for _ in range(5):
        path = made(operator)
        content_hash = hand_in(operator, path)
        barrier, answers = Barrier(2), {}

        def say(api: Api, decision: str) -> None:
            barrier.wait()  # noqa: B023 - used before the loop goes on
            answers[decision] = approve(api, path, content_hash, decision).status_code  # noqa: B023

        threads = [Thread(target=say, args=(reviewer, "approve")), Thread(target=say, args=(admin, "reject"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Whoever came first, the rejection stands: nothing that anybody rejected goes out.
        assert answers["reject"] == 200
        assert answers["approve"] in (200, 409)
        assert operator("POST", f"{path}/publish", {"content_hash": content_hash}).status_code == 409


def test_publishing_at_once_from_two_sides_makes_one_version(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    content_hash = hand_in(operator, path)
    assert approve(reviewer, path, content_hash).status_code == 200
    barrier, codes = Barrier(2), []

    def go(api: Api) -> None:
        barrier.wait()
        codes.append(api("POST", f"{path}/publish", {"content_hash": content_hash}).status_code)

    threads = [Thread(target=go, args=(api,)) for api in (operator, reviewer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409]
    assert len(operator.ok("GET", f"{path}/versions")["items"]) == 1


def test_each_live_version_has_an_approval_of_its_hash_by_somebody_else_i13(
    operator: Api, reviewer: Api, publish: Publish, connection: Connection
) -> None:
    path = f"/journeys/{publish()}"
    save(operator, path, flow(duration="PT30M"))
    go_live(operator, reviewer, int(path.rpartition("/")[2]))
    bad = connection.execute(
        """
        SELECT v.id FROM version v WHERE NOT EXISTS (
            SELECT FROM submission s JOIN review r ON r.submission_id = s.id AND r.decision = 'approve'
            WHERE s.journey_id = v.journey_id AND s.content_hash = v.content_hash AND s.status = 'published'
              AND r.reviewer <> ALL(s.editors) AND r.reviewer <> s.submitted_by)
        """
    ).fetchall()
    assert bad == []
    count = connection.execute("SELECT count(*) FROM version").fetchone()
    assert count == (2,)


@pytest.mark.parametrize("extra", ["status", "live_version_id", "workspace_id", "revision", "editors", "id"])
def test_a_body_cannot_set_what_is_not_asked_for_t10(operator: Api, admin: Api, extra: str) -> None:
    assert operator("POST", "/journeys", {"name": "A", "document": FLOW, extra: 1}).status_code == 422
    path = made(operator)
    assert operator("PATCH", path, {"name": "B", extra: 1}).status_code == 422
    tag = {"If-Match": '"1"'}
    answer = operator("PUT", f"{path}/draft", {"document": FLOW, extra: 1}, headers=tag)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": extra, "message": "is unknown here; remove it, or check the spelling"}]
    assert admin("POST", "/keys", {"name": "A", "role": "viewer", extra: 1}).status_code == 422
    assert admin("PUT", "/accounts/a", {"channel": "webhook", "settings": {}, extra: 1}).status_code == 422
