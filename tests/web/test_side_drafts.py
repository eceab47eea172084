"""Several drafts of one journey: kept aside with an owner, put on top of what is live by then, never a way round a review."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.database import Connection
from tests.web.browsing import HERE, post, said, sign_in
from tests.web.conftest import Api, Staff, flow, go_live
from tests.web.test_api_approval import approve, hand_in, made, save

Json = Any
Enter = Callable[[str], TestClient]


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def titled(document: dict[str, Json], text: str) -> dict[str, Json]:
    after = deepcopy(document)
    after["nodes"][2]["settings"]["title"] = text
    return after


def take_up(api: Api, path: str, draft: int, choices: dict[str, str] | None = None) -> Any:
    tag = api("GET", f"{path}/draft").headers["etag"]
    return api("POST", f"{path}/drafts/{draft}/take-up", {"choices": choices or {}}, headers={"If-Match": tag})


def test_a_draft_kept_aside_is_taken_up_on_top_of_what_was_published_since(
    operator: Api, reviewer: Api, publish: Callable[..., int]
) -> None:
    journey = publish()
    path = f"/journeys/{journey}"
    save(operator, path, titled(flow(), "Another title"))
    kept = operator.ok("POST", f"{path}/drafts", {"name": "Another title"})
    assert (kept["owner"], kept["based_on"], kept["steps"]) == ("operator", 1, 4)
    save(operator, path, flow(duration="PT30M"))
    go_live(operator, reviewer, journey)
    rebased = operator.ok("POST", f"{path}/drafts/{kept['id']}/rebase", {})
    assert (rebased["conflicts"], rebased["mine"], rebased["theirs"]) == ([], ["note"], ["pause"])
    assert take_up(operator, path, kept["id"]).status_code == 200
    assert operator.ok("GET", f"{path}/draft")["document"] == titled(flow(duration="PT30M"), "Another title")
    assert operator.ok("GET", f"{path}/drafts")["items"] == []
    assert take_up(operator, path, kept["id"]).status_code == 404


def test_what_both_changed_is_asked_and_the_choice_holds(
    operator: Api, reviewer: Api, publish: Callable[..., int]
) -> None:
    journey = publish()
    path = f"/journeys/{journey}"
    save(operator, path, flow(duration="PT20M"))
    kept = operator.ok("POST", f"{path}/drafts", {"name": "Twenty"})["id"]
    save(operator, path, flow(duration="PT30M"))
    go_live(operator, reviewer, journey)
    (conflict,) = operator.ok("POST", f"{path}/drafts/{kept}/rebase", {})["conflicts"]
    assert (conflict["key"], conflict["what"]) == ("step pause", ["settings"])
    before = operator.ok("GET", f"{path}/draft")
    assert take_up(operator, path, kept).status_code == 409
    assert operator.ok("GET", f"{path}/draft") == before
    assert take_up(operator, path, kept, {"step pause": "theirs"}).status_code == 200
    assert operator.ok("GET", f"{path}/draft")["document"] == flow(duration="PT30M")


def test_who_drew_it_may_not_approve_it_whoever_takes_it_up(operator: Api, admin: Api, reviewer: Api) -> None:
    path = made(operator)
    save(admin, path, flow(duration="PT20M"))
    kept = operator.ok("POST", f"{path}/drafts", {"name": "By two"})["id"]
    go_live(operator, reviewer, int(path.rpartition("/")[2]))  # who edited starts anew with each version
    save(operator, path, flow(duration="PT40M"))
    (conflict,) = operator.ok("POST", f"{path}/drafts/{kept}/rebase", {})["conflicts"] or [{"key": "step pause"}]
    assert take_up(operator, path, kept, {conflict["key"]: "mine"}).status_code == 200
    save(operator, path, flow(duration="PT50M"))
    handed = hand_in(operator, path)
    refused = approve(admin, path, handed)
    assert refused.status_code == 403
    assert "edited" in refused.json()["detail"]
    assert approve(reviewer, path, handed).status_code == 200


def test_who_drew_a_save_that_somebody_else_brings_back_may_not_approve_it(
    enter: Enter, operator: Api, admin: Api, reviewer: Api
) -> None:
    path = made(operator)
    journey = int(path.rpartition("/")[2])
    save(admin, path, flow(duration="PT20M"))
    drawn = admin.ok("GET", path)["revision"]
    save(operator, path, flow(duration="PT30M"))
    go_live(operator, reviewer, journey)
    revision = operator.ok("GET", path)["revision"]
    done = post(enter("operator"), f"{path}/versions/restore", state=f"r{drawn}", revision=revision)
    assert done.status_code == 204
    assert approve(admin, path, hand_in(operator, path)).status_code == 403


def test_taking_one_up_voids_an_approval_and_needs_the_revision_that_was_seen(operator: Api, reviewer: Api) -> None:
    path = made(operator)
    kept = operator.ok("POST", f"{path}/drafts", {"name": "First"})["id"]
    save(operator, path, flow(duration="PT20M"))
    handed = hand_in(operator, path)
    assert approve(reviewer, path, handed).status_code == 200
    place = f"{path}/drafts/{kept}/take-up"
    assert operator("POST", place, {}).status_code == 428
    assert operator("POST", place, {}, headers={"If-Match": '"1"'}).status_code == 412
    assert take_up(operator, path, kept).status_code == 200
    assert operator("POST", f"{path}/publish", {"content_hash": handed}).status_code == 409


def test_drafts_aside_are_for_who_draws_and_of_one_workspace(
    client: TestClient, operator: Api, viewer: Api, others: Staff
) -> None:
    path = made(operator)
    kept = operator.ok("POST", f"{path}/drafts", {"name": "Mine", "begin": "live"})["id"]
    assert viewer("POST", f"{path}/drafts", {"name": "No"}).status_code == 403
    assert viewer("DELETE", f"{path}/drafts/{kept}").status_code == 403
    assert [one["name"] for one in viewer.ok("GET", f"{path}/drafts")["items"]] == ["Mine"]
    rival = Api(client, others.keys["admin"])
    assert rival("GET", f"{path}/drafts").status_code == 404
    assert rival("DELETE", f"{path}/drafts/{kept}").status_code == 404
    assert rival("POST", f"{path}/drafts/{kept}/rebase", {}).status_code == 404
    other = made(operator)
    assert operator("DELETE", f"{other}/drafts/{kept}").status_code == 404, "of another journey"
    for wrong in ({"name": ""}, {"name": "x" * 201}, {"name": "a", "begin": "v1"}, {"name": "a", "owner": "user:1"}):
        assert operator("POST", f"{path}/drafts", wrong).status_code == 422, wrong
    assert operator("DELETE", f"{path}/drafts/{kept}").status_code == 204


def test_no_more_than_fifty_lie_aside(operator: Api) -> None:
    path = made(operator)
    for number in range(50):
        operator.ok("POST", f"{path}/drafts", {"name": f"n{number}"})
    assert operator("POST", f"{path}/drafts", {"name": "one more"}).status_code == 409


def test_the_page_keeps_compares_takes_up_and_asks_what_clashes(
    enter: Enter, operator: Api, reviewer: Api, publish: Callable[..., int]
) -> None:
    journey = publish()
    path = f"/journeys/{journey}"
    save(operator, path, flow(duration="PT20M"))
    browser = enter("operator")
    assert post(browser, f"{path}/drafts", name="  ").status_code == 422
    assert post(browser, f"{path}/drafts", name="Twenty <b>minutes</b>").headers["HX-Redirect"] == f"{path}/versions"
    (kept,) = operator.ok("GET", f"{path}/drafts")["items"]
    save(operator, path, flow(duration="PT30M"))
    go_live(operator, reviewer, journey)
    browser = enter("operator")
    page = browser.get(f"{path}/versions?lang=en", headers=HERE).text
    assert "Twenty &lt;b&gt;minutes&lt;/b&gt;" in page
    assert "behind v2" in page
    compared = browser.get(f"{path}/compare?before=live&after=d{kept['id']}&lang=en", headers=HERE).text
    assert "30 minutes → 20 minutes" in compared
    dialog = browser.get(f"{path}/drafts/{kept['id']}/take-up?lang=en", headers=HERE).text
    assert "by now version 2 is live" in dialog
    assert 'name="key" value="step pause"' in dialog
    assert "As in this draft: Wait 20 minutes" in dialog
    assert "As it is live: Wait 30 minutes" in dialog
    revision = operator.ok("GET", path)["revision"]
    place = f"{path}/drafts/{kept['id']}/take-up"
    undecided = post(browser, place, revision=revision)
    assert undecided.status_code == 409
    assert "choose for each" in said(undecided)["text"]
    assert post(browser, place, revision=revision - 1, key="step pause", side="mine").status_code == 412
    assert (
        post(browser, place, revision=revision, key="step pause", side="mine").headers["HX-Redirect"] == f"{path}/edit"
    )
    assert operator.ok("GET", f"{path}/draft")["document"] == flow(duration="PT20M")
    assert post(browser, f"{path}/drafts/{kept['id']}/delete").status_code == 404


def test_who_drew_the_original_may_not_approve_its_copy(enter: Enter, operator: Api, admin: Api, reviewer: Api) -> None:
    path = made(admin)
    lead = post(enter("operator"), f"{path}/duplicate").headers["HX-Redirect"]
    copy = "/".join(lead.split("/")[:3])
    handed = hand_in(operator, copy)
    assert approve(admin, copy, handed).status_code == 403
    assert approve(reviewer, copy, handed).status_code == 200
