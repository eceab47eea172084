"""The page of sending rules in a browser: fields, words, effects; two who change them at once; who may only look."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.store import audit, workspaces
from tests.web.browsing import HERE, post, said, sign_in
from tests.web.conftest import Api, Staff

Enter = Callable[[str], TestClient]
PAGE = "/settings/policies"
CAP = {"cap_limit": "3", "cap_count": "7", "cap_unit": "D", "cap_channel": "", "cap_over": "skip"}
NIGHT = {"quiet_from": "21:00", "quiet_to": "08:00", "quiet_channel": "", "quiet_over": "defer"}
REST = {"defer": "2", "defer_unit": "D", "marketing": "3", "transactional": "30", "reach_times": "3"}


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def tag(browser: TestClient) -> str:
    found = re.search(r'name="etag" value="([^"]+)"', browser.get(PAGE, headers=HERE).text)
    assert found
    return found[1].replace("&#34;", '"')


def held(connection: Connection, staff: Staff) -> dict[str, Any]:
    with transaction(connection):
        return workspaces.policies(connection, staff.workspace_id)


def test_a_cap_is_saved_said_in_words_and_kept_in_the_log_with_before_and_after_q15(
    enter: Enter, connection: Connection, staff: Staff
) -> None:
    browser = enter("admin")
    answer = post(browser, PAGE, etag=tag(browser), **CAP, **NIGHT, **REST)
    assert answer.status_code == 200, answer.text
    assert said(answer)["text"].startswith("Saved.")
    assert "At most 3 marketing messages in 7 days to one person, on all channels together" in answer.text
    assert "From 21:00 to 08:00 on the person's own clock, no marketing on any channel" in answer.text
    assert held(connection, staff)["caps"] == [{"limit": 3, "per": "P7D", "channel": None, "over": "skip"}]
    with transaction(connection):
        row = audit.page(connection, staff.workspace_id, audit.Wanted(), None, 1)[0]
    assert row.what == "policy.change"
    assert ("P7D" in row.before, "P7D" in row.after) == (False, True)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"cap_limit": "many"}, "cap-0-limit"),
        ({"cap_limit": "0"}, "cap-0-limit"),
        ({"cap_count": "99"}, "cap-0-count"),
        ({"cap_count": ""}, "cap-0-count"),
        ({"quiet_from": "25:00"}, "quiet-0-from"),
        ({"quiet_to": "21:00"}, "quiet-0-to"),
        ({"defer": "-1"}, "defer"),
        ({"reach_times": "1e9"}, "reach_times"),
    ],
)
def test_a_wrong_field_says_so_where_it_stands_and_nothing_is_saved(
    enter: Enter, connection: Connection, staff: Staff, wrong: dict[str, str], place: str
) -> None:
    browser = enter("admin")
    answer = post(browser, PAGE, **{"etag": tag(browser), **CAP, **NIGHT, **REST, **wrong})
    assert answer.status_code == 422
    assert re.search(rf'id="{place}"[^>]*aria-invalid="true"', answer.text)
    assert re.search(rf'id="{place}-wrong">[^<]+<', answer.text)
    assert held(connection, staff) == {}


def test_the_second_of_two_admins_is_told_and_loses_nothing(enter: Enter, connection: Connection, staff: Staff) -> None:
    browser = enter("admin")
    seen = tag(browser)
    assert post(browser, PAGE, etag=seen, **CAP, **REST).status_code == 200
    second = post(browser, PAGE, etag=seen, **{**CAP, "cap_limit": "5"}, **REST)
    assert second.status_code == 412
    assert "Somebody changed the rules while you were at it." in second.text
    assert "At most 3 marketing messages in 7 days" in second.text
    assert 'value="5"' in second.text
    assert held(connection, staff)["caps"][0]["limit"] == 3
    assert post(browser, PAGE, etag=tag(browser), **{**CAP, "cap_limit": "5"}, **REST).status_code == 200
    assert held(connection, staff)["caps"][0]["limit"] == 5


def test_buttons_add_and_take_away_rules_and_save_nothing(enter: Enter, connection: Connection, staff: Staff) -> None:
    browser = enter("admin")
    more = post(browser, f"{PAGE}/form", etag="x", do="cap+", **CAP, **REST).text
    assert more.count('name="cap_limit"') == 2
    assert "autofocus" in more
    less = post(browser, f"{PAGE}/form", etag="x", do="cap- 0", **CAP, **REST).text
    assert less.count('name="cap_limit"') == 0
    words = post(browser, f"{PAGE}/form", etag="x", **{**CAP, "cap_limit": "1"}, **REST).text
    assert "At most 1 marketing message in 7 days" in words
    assert 'name="cap_limit"' not in words
    assert held(connection, staff) == {}


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_who_may_not_change_the_rules_reads_them_in_words(enter: Enter, role: str, admin: Api) -> None:
    etag = admin("GET", "/policies").headers["ETag"]
    admin("PUT", "/policies", {"caps": [{"limit": 1, "per": "day"}]}, headers={"If-Match": etag})
    browser = enter(role)
    page = browser.get(PAGE, headers=HERE).text
    assert "At most 1 marketing message in one day of their calendar" in page
    assert "cap_limit" not in page
    assert post(browser, PAGE, etag="x", **CAP, **REST).status_code == 403
    assert post(browser, f"{PAGE}/purposes", etag="x").status_code == 403


def test_purposes_are_saved_by_the_page_and_the_second_is_told(enter: Enter, admin: Api) -> None:
    browser = enter("admin")
    seen = admin("GET", "/privacy").headers["ETag"]
    wish = {"name": ["offers"], "title": ["Offers"], "text": "Choose.", "text_version": "1", "personal": "email, phone"}
    assert post(browser, f"{PAGE}/purposes", etag=seen, **{**wish, "name": ["Of fers"]}).status_code == 422
    assert post(browser, f"{PAGE}/purposes", etag=seen, **wish).status_code == 200
    assert admin.ok("GET", "/privacy")["personal"] == ["email", "phone"]
    late = post(browser, f"{PAGE}/purposes", etag=seen, **{**wish, "title": ["Deals"]})
    assert late.status_code == 412
    assert "Deals" in late.text
    assert admin.ok("GET", "/privacy")["purposes"] == [{"name": "offers", "title": "Offers"}]
    assert admin("PUT", "/privacy", {"text": "x"}, headers={"If-Match": seen}).status_code == 412
