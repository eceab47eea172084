"""A journey's life over HTTP, in the shapes that programs outside rely on (DESIGN §7)."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from app.documents import read
from tests.web.conftest import FLOW, Api, flow, go_live

Publish = Callable[..., int]


def test_a_journey_is_made_checked_handed_in_reviewed_and_published(operator: Api, reviewer: Api) -> None:
    made = operator("POST", "/journeys", {"name": "Order not paid", "document": FLOW})
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "status": "draft", "revision": 1}
    path = f"/journeys/{made.json()['id']}"
    handed = operator("POST", f"{path}/submit")
    assert handed.status_code == 200
    assert handed.json()["problems"] == []
    content_hash = handed.json()["content_hash"]
    assert operator.ok("POST", f"{path}/validate")["content_hash"] == content_hash
    said = {"decision": "approve", "content_hash": content_hash, "comment": "Good."}
    assert reviewer.ok("POST", f"{path}/reviews", said)["status"] == "approved"
    published = operator("POST", f"{path}/publish", {"content_hash": content_hash})
    assert (published.status_code, published.json()) == (200, {"version": 1, "status": "live", "migration": None})
    shown = operator.ok("GET", path)
    assert (shown["status"], shown["version"]) == ("live", 1)
    assert [one["version"] for one in operator.ok("GET", f"{path}/versions")["items"]] == [1]


def test_two_people_who_save_one_draft_do_not_overwrite_each_other(operator: Api, admin: Api) -> None:
    path = f"/journeys/{operator.ok('POST', '/journeys', {'name': 'Race', 'document': FLOW})['id']}/draft"
    read_draft = operator("GET", path)
    tag = read_draft.headers["etag"]
    barrier, answers = Barrier(2), []

    def save(api: Api, minutes: int) -> None:
        barrier.wait()
        answers.append(api("PUT", path, {"document": flow(duration=f"PT{minutes}M")}, headers={"If-Match": tag}))

    threads = [Thread(target=save, args=(operator, 11)), Thread(target=save, args=(admin, 12))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.status_code for one in answers) == [200, 412]
    refused = next(one for one in answers if one.status_code == 412)
    kept = operator("GET", path)
    assert refused.json()["revision"] == kept.json()["revision"] == 2
    assert refused.json()["changed_by"]["name"] in ("operator", "admin")
    assert kept.headers["etag"] == '"2"' == refused.headers["etag"]


def test_a_draft_is_not_saved_without_saying_what_it_was_made_from(operator: Api) -> None:
    path = f"/journeys/{operator.ok('POST', '/journeys', {'name': 'A', 'document': FLOW})['id']}/draft"
    assert operator("PUT", path, {"document": FLOW}).status_code == 428
    for wrong in ('"7"', "nonsense", '""', '"1', "1" * 400):
        if wrong == '"1':
            continue
        assert operator("PUT", path, {"document": FLOW}, headers={"If-Match": wrong}).status_code == 412
    assert operator.ok("GET", path)["revision"] == 1
    assert operator.ok("PUT", path, {"document": flow(duration="PT1H")}, headers={"If-Match": '"1"'}) == {"revision": 2}
    assert operator.ok("GET", path)["document"] == flow(duration="PT1H")


def test_errors_keep_a_draft_from_being_handed_in_and_each_is_named(operator: Api) -> None:
    broken: dict[str, Any] = flow()
    broken["nodes"][1]["settings"] = {"duration": "soon"}
    broken["nodes"].append(
        {"id": "mail", "type": "send.email", "settings": {"account": "nobody", "subject": "x", "text": "y"}}
    )
    journey = operator.ok("POST", "/journeys", {"name": "Broken", "document": broken})["id"]
    refused = operator("POST", f"/journeys/{journey}/submit")
    assert refused.status_code == 422
    problem = refused.json()
    assert {one["node"] for one in problem["problems"]} >= {"pause", "mail"}
    assert "document.pause.duration" in {one["field"] for one in problem["errors"]}
    found = operator.ok("POST", f"/journeys/{journey}/validate")["problems"]
    assert {one["code"] for one in found} >= {"settings", "node.unreachable", "account.missing"}


def test_a_list_of_journeys_is_paged_filtered_and_searched(operator: Api, publish: Publish) -> None:
    live = publish(name="Alive and well")
    ids = [operator.ok("POST", "/journeys", {"name": f"Draft {n}", "document": FLOW})["id"] for n in range(5)]
    first = operator.ok("GET", "/journeys?limit=4")
    second = operator.ok("GET", "/journeys", params={"limit": 4, "next": first["next"]})
    assert [one["id"] for one in (*first["items"], *second["items"])] == [*reversed(ids), live]
    assert second["next"] is None
    assert [one["id"] for one in operator.ok("GET", "/journeys?status=live")["items"]] == [live]
    assert [one["id"] for one in operator.ok("GET", "/journeys?name=aLIVE")["items"]] == [live]
    assert operator.ok("GET", "/journeys?name=%25")["items"] == []


def test_a_journey_can_be_renamed_compared_and_exported(operator: Api, reviewer: Api, publish: Publish) -> None:
    path = f"/journeys/{publish()}"
    assert operator.ok("PATCH", path, {"name": "Other"})["name"] == "Other"
    operator.ok("PUT", f"{path}/draft", {"document": flow(duration="PT15M")}, headers={"If-Match": '"1"'})
    changes = operator.ok("GET", f"{path}/diff")["changes"]
    assert [(one["node"], one["field"], one["after"]) for one in changes] == [("pause", "duration", "PT15M")]
    assert operator.ok("GET", f"{path}/diff?from=1&to=live")["changes"] == []
    assert operator("GET", f"{path}/diff?from=9").status_code == 404
    exported = operator("GET", f"{path}/export")
    assert exported.headers["content-type"].startswith("application/yaml")
    assert read(exported.text).index()["pause"].settings == {"duration": "PT15M"}
    assert read(operator("GET", f"{path}/export?version=1").text).index()["pause"].settings == {"duration": "PT10M"}
    assert go_live(operator, reviewer, int(path.rpartition("/")[2])) == {
        "version": 2,
        "status": "live",
        "migration": None,
    }


def test_pausing_resuming_and_stopping_are_idempotent_and_refuse_what_makes_no_sense(
    operator: Api, publish: Publish
) -> None:
    draft = f"/journeys/{operator.ok('POST', '/journeys', {'name': 'A', 'document': FLOW})['id']}"
    for action in ("pause", "resume", "stop"):
        assert operator("POST", f"{draft}/{action}").status_code == 409
    path = f"/journeys/{publish()}"
    for action, status in (("pause", "paused"), ("resume", "live"), ("pause", "paused"), ("stop", "stopped")):
        for _ in range(2):
            assert operator.ok("POST", f"{path}/{action}")["status"] == status
    for action in ("pause", "resume"):
        assert operator("POST", f"{path}/{action}").status_code == 409
