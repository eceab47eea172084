"""The review page in depth: whom it reaches, each message for three people, conditions, two approvers, nudge, publish dialog."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.store import journeys, seasons
from flows.conditions import OVER
from tests.web.browsing import HERE, post, said, sign_in
from tests.web.conftest import Api, Staff, flow
from tests.web.crowd import Crowd
from tests.web.test_api_approval import made, save
from tests.web.test_api_submission import sending
from tests.web.test_pages_review import changed, hash_of

Enter = Callable[[str], TestClient]
MAIL = {
    "account": "mail",
    "subject": "Hello {{ contact.name }}",
    "html": "<p>Your <b>{{ event.product }}</b> waits. <a href='https://shop.example/pay'>Pay</a></p>",
}
NASTY = "<img src=x onerror=alert(1)>{{ 7*7 }}"


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


@pytest.fixture
def crowd(connection: Connection, staff: Staff) -> Crowd:
    return Crowd(connection, staff)


def mailing(admin: Api) -> dict[str, object]:
    account = {"host": "mail.example", "from_address": "a@b.example", "username": "me", "tls": "tls"}
    admin.ok("PUT", "/accounts/mail", {"channel": "email", "settings": account})
    document = flow()
    document["nodes"][2] = {"id": "note", "type": "send.email", "version": 1, "settings": MAIL}
    return document


def number(path: str) -> int:
    return int(path.rpartition("/")[2])


def test_the_parts_say_whom_it_reaches_and_who_else_writes_to_them(
    enter: Enter, operator: Api, publish: Callable[..., int], crowd: Crowd
) -> None:
    publish(sending("We miss you"), name="Win <b>back</b>")
    monday = sending("Every Monday")
    rule = {"attribute": "tier", "op": "eq", "value": "gold"}
    monday["nodes"][0] |= {"type": "entry.segment", "settings": {"rule": rule, "schedule": {"cron": "0 9 * * 1"}}}
    publish(monday, name="Gold news")
    crowd.person("Ada", ("order_submitted", {}))
    crowd.person("Bo", ("order_submitted", {}), tier="gold")
    crowd.person("Cy", ("order_submitted", {}), tier="gold")
    crowd.person("Di", tier="gold")
    path = made(operator)
    operator.ok("POST", f"{path}/submit")
    browser = enter("reviewer")
    page = browser.get(f"{path}/review", headers=HERE).text
    assert f'hx-get="{path}/review/reach"' in page
    part = browser.get(f"{path}/review/reach?lang=en", headers=HERE).text
    assert "who did “order_submitted” in the last 30 days" in part
    assert "people would enter within 30 days" in part
    assert "1 for each person" in part.partition("Messages, if each comes in once")[2]
    assert "Win &lt;b&gt;back&lt;/b&gt;" in part
    assert "begins with the same event" in part
    assert "We miss you" in part
    back, gold = re.findall(r'<li>\s*<p><a href="/journeys/\d+/live">.*?</li>', part, re.DOTALL)
    assert "3 people would enter both within 30 days" in back
    assert "Gold news" in gold
    assert "2 people would enter both within 30 days" in gold, "two audiences that both lie ahead"
    assert "live since" in gold
    assert "Every Monday" in gold
    assert re.search(
        r'comes in once</h3>.*In-app.*1 for each person</small></span><span class="amount">\d<', part, re.S
    )
    assert "人会在 30 天内进入" in browser.get(f"{path}/review/reach?lang=zh", headers=HERE).text


def test_messages_are_made_for_real_people_and_what_they_wrote_stays_text(
    enter: Enter, operator: Api, crowd: Crowd
) -> None:
    crowd.person("Ada", ("order_submitted", {"product": NASTY}), name=NASTY)
    path = made(operator, sending())
    operator.ok("POST", f"{path}/submit")
    part = enter("reviewer").get(f"{path}/review/messages?lang=en", headers=HERE).text
    assert "<img" not in part
    assert "{{ 7*7 }}" in part
    assert "49" not in part
    assert "Made for people whom this journey would let in" in part


def test_a_mail_stands_in_a_frame_without_rights_and_its_links_lead_nowhere(
    enter: Enter, operator: Api, admin: Api, crowd: Crowd
) -> None:
    ada = crowd.person("Ada", ("order_submitted", {"product": "kettle"}), name="Ada")
    path = made(operator, mailing(admin))
    operator.ok("POST", f"{path}/submit")
    browser = enter("reviewer")
    frame = f"{path}/review/mail/note/{ada}"
    assert f'src="{frame}"' in browser.get(f"{path}/review/messages", headers=HERE).text
    answer = browser.get(frame, headers=HERE)
    assert "<b>kettle</b>" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "example.com/u/" in answer.text, "the way out is there, and belongs to nobody"
    assert "/r/" not in answer.text, "no click is counted"
    for wrong in (
        f"{path}/review/mail/other/{ada}",
        f"{path}/review/mail/note/999999",
        f"/journeys/999/review/mail/note/{ada}",
    ):
        assert browser.get(wrong, headers=HERE).status_code == 404


def test_a_draft_that_is_not_whole_has_parts_that_say_so(enter: Enter, operator: Api) -> None:
    document = flow()
    document["nodes"][1]["settings"]["duration"] = "soon"
    path = made(operator, document)
    browser = enter("operator")
    assert "as soon as the draft is whole" in browser.get(f"{path}/review/reach?lang=en", headers=HERE).text
    assert "as soon as the draft is whole" in browser.get(f"{path}/review/messages?lang=en", headers=HERE).text
    assert browser.get(f"{path}/review", headers=HERE).status_code == 200


def test_conditions_of_the_page_are_of_the_workspace_s_clock_and_shown_wherever_it_matters(
    enter: Enter, operator: Api, publish: Callable[..., int], connection: Connection, staff: Staff
) -> None:
    with transaction(connection):
        connection.execute("UPDATE workspace SET timezone = 'Asia/Shanghai' WHERE id = %s", (staff.workspace_id,))
    journey = publish()
    changed(operator, journey, duration="P5D")
    browser = enter("reviewer")
    page = browser.get(f"/journeys/{journey}/review", headers=HERE).text
    place = f"/journeys/{journey}/review/decide"
    later = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT09:00")
    for wrong in (
        {"entries_at_most": "many"},
        {"entries_at_most": "0"},
        {"not_before": "soon"},
        {"not_before": "2020-01-01T09:00"},
    ):
        refused = post(browser, place, decision="approve", content_hash=hash_of(page), **wrong)
        assert refused.status_code == 422, wrong
        assert said(refused)["kind"] == "bad"
    post(browser, place, decision="approve", content_hash=hash_of(page), entries_at_most="12", not_before=later)
    page = browser.get(f"/journeys/{journey}/review?lang=en", headers=HERE).text
    told = re.compile(
        r"at most 12 people enter, nobody before <time datetime=\"([^\"]+)\">[A-Z][a-z]+ \d+, \d{4} 09:00"
    )
    found = told.search(page)
    assert found
    assert datetime.fromisoformat(found[1]) == datetime.fromisoformat(f"{later}+08:00")
    dialog = browser.get(f"/journeys/{journey}/moving/dialog?lang=en", headers=HERE).text
    assert told.search(dialog)
    operator.ok("POST", f"/journeys/{journey}/publish", {"content_hash": hash_of(dialog)})
    live = browser.get(f"/journeys/{journey}/live?lang=en", headers=HERE).text
    assert told.search(live)
    assert "0 of 12 have entered." in live
    assert told.search(browser.get(f"/journeys/{journey}/versions?lang=en", headers=HERE).text)


def test_who_was_turned_away_is_counted_on_the_live_page_and_named_on_their_own(
    enter: Enter, operator: Api, reviewer: Api, connection: Connection, staff: Staff, crowd: Crowd
) -> None:
    path = made(operator)
    handed = operator.ok("POST", f"{path}/submit")["content_hash"]
    wish = {"decision": "approve", "content_hash": handed, "conditions": {"entries_at_most": 1}}
    reviewer.ok("POST", f"{path}/reviews", wish)
    operator.ok("POST", f"{path}/publish", {"content_hash": handed})
    ada = crowd.person("Ada")
    with transaction(connection):
        journey = journeys.find(connection, staff.workspace_id, number(path))
        assert journey is not None
        assert journey.live_version_id is not None
        lane = connection.execute("SELECT lane FROM contact WHERE id = %s", (ada,)).fetchone()
        assert lane
        version, at = journey.live_version_id, datetime.now(UTC)
        seasons.turn_away(connection, [seasons.Turned(staff.workspace_id, lane[0], ada, journey.id, OVER, version, at)])
    browser = enter("operator")
    assert "1 person was turned away" in browser.get(f"{path}/live?lang=en", headers=HERE).text
    page = browser.get(f"/contacts/{ada}?lang=en", headers=HERE).text
    assert "over the approved cap" in page
    (kept,) = operator.ok("GET", f"{path}/turned-away")["items"]
    assert (kept["contact_id"], kept["reason"]) == (ada, "over the approved cap")


def test_one_of_two_is_said_and_who_approved_is_not_asked_again(
    enter: Enter, operator: Api, admin: Api, crowd: Crowd
) -> None:
    crowd.person("somebody")
    browser = enter("admin")
    wrong = post(browser, "/settings/people/second", second_over="a lot")
    assert wrong.status_code == 422
    assert "is a whole number" in wrong.text
    assert post(browser, "/settings/people/second", second_over="0").status_code == 200
    assert admin.ok("GET", "/policies/review") == {"second_over": 0}
    path = made(operator)
    operator.ok("POST", f"{path}/submit")
    browser = enter("reviewer")
    page = browser.get(f"{path}/review?lang=en", headers=HERE).text
    assert "0 of 2" in page
    post(browser, f"{path}/review/decide", decision="approve", content_hash=hash_of(page))
    page = browser.get(f"{path}/review?lang=en", headers=HERE).text
    assert "approved: 1 of 2" in page
    assert "Waits for a second review." in page
    assert 'data-open="approve"' not in page
    browser = enter("admin")
    page = browser.get(f"{path}/review?lang=en", headers=HERE).text
    assert 'data-open="approve"' in page
    post(browser, f"{path}/review/decide", decision="approve", content_hash=hash_of(page))
    assert "ready to be published" in browser.get(f"{path}/review?lang=en", headers=HERE).text
    assert post(enter("admin"), "/settings/people/second", second_over="").status_code == 200
    assert admin.ok("GET", "/policies/review") == {"second_over": None}


def test_a_nudge_from_the_page_shows_up_where_reviewers_begin(enter: Enter, operator: Api) -> None:
    path = made(operator)
    operator.ok("POST", f"{path}/submit")
    browser = enter("operator")
    assert "Remind reviewers" in browser.get(f"{path}/review?lang=en", headers=HERE).text
    done = post(browser, f"{path}/review/nudge")
    assert said(done)["text"] == "Reviewers are reminded."
    again = post(browser, f"{path}/review/nudge")
    assert again.status_code == 409
    assert "less than an hour ago" in said(again)["text"]
    own = browser.get("/?lang=en", headers=HERE).text
    assert "waits for a review" in own
    assert "waits for you" not in own
    start = enter("reviewer").get("/?lang=en", headers=HERE).text
    assert "waits for you to review it" in start
    assert "reminded" in start
    assert post(enter("reviewer"), f"{path}/review/nudge").status_code == 403


def test_the_publish_dialog_asks_for_each_step_and_leads_to_the_progress(
    enter: Enter, operator: Api, reviewer: Api, publish: Callable[..., int], crowd: Crowd
) -> None:
    journey = publish()
    crowd.walks(journey, crowd.person("Ada"))
    crowd.walks(journey, crowd.person("Bo"))
    changed(operator, journey, duration="P5D")
    handed = operator.ok("GET", f"/journeys/{journey}/submission")["content_hash"]
    reviewer.ok("POST", f"/journeys/{journey}/reviews", {"decision": "approve", "content_hash": handed})
    browser = enter("operator")
    assert 'data-open="publish-dialog"' in browser.get(f"/journeys/{journey}/review", headers=HERE).text
    dialog = browser.get(f"/journeys/{journey}/moving/dialog?lang=en", headers=HERE).text
    assert "They stay on version 1" in dialog
    assert 'value="1 pause waiting"' in dialog
    wish = {"content_hash": handed, "place": "1 pause waiting", "choice": "to:pause", "wait": "keep"}
    told = post(browser, f"/journeys/{journey}/moving/preview", **wish).text
    assert "2 people are moved" in told
    done = post(browser, f"/journeys/{journey}/moving", **wish)
    assert done.headers["HX-Redirect"] == f"/journeys/{journey}/moving"
    (migration,) = operator.ok("GET", f"/journeys/{journey}/migrations")["items"]
    assert migration["expected"]["moved"] == 2
    assert enter("viewer").get(f"/journeys/{journey}/moving/dialog", headers=HERE).status_code == 403


def test_parts_of_another_workspace_are_not_there(
    client: TestClient, connection: Connection, operator: Api, others: Staff
) -> None:
    path = made(operator)
    operator.ok("POST", f"{path}/submit")
    rival = sign_in(client, connection, others, "admin")
    for part in ("review/reach", "review/messages", "review/mail/note/1", "moving/dialog"):
        assert rival.get(f"{path}/{part}", headers=HERE).status_code == 404
    assert post(rival, f"{path}/review/nudge").status_code == 404
    key = Api(client, others.keys["admin"])
    for address in ("submission", "turned-away"):
        assert key("GET", f"{path}/{address}").status_code == 404
    assert key("POST", f"{path}/nudge").status_code == 404


def test_a_change_of_anything_after_one_of_two_approvals_begins_anew(
    operator: Api, reviewer: Api, admin: Api, crowd: Crowd
) -> None:
    crowd.person("somebody")
    admin.ok("PUT", "/policies/review", {"second_over": 0})
    path = made(operator)
    handed = operator.ok("POST", f"{path}/submit")["content_hash"]
    reviewer.ok("POST", f"{path}/reviews", {"decision": "approve", "content_hash": handed})
    save(operator, path, flow(duration="PT99M"))
    anew = operator.ok("POST", f"{path}/submit")["content_hash"]
    assert operator.ok("GET", f"{path}/submission")["approvals"] == 0
    assert admin("POST", f"{path}/reviews", {"decision": "approve", "content_hash": handed}).status_code == 409
    assert admin.ok("POST", f"{path}/reviews", {"decision": "approve", "content_hash": anew})["status"] == "open"
    assert operator("POST", f"{path}/publish", {"content_hash": anew}).status_code == 409
