"""The consent card of a profile, its history, export and erasure by hand, and pages that viewers see masked (F106, F107, P12)."""

import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from app.database import Connection
from tests.web.browsing import HERE, post, said, sign_in
from tests.web.conftest import Api, Staff
from tests.web.test_erasure import CANARIES, MAIL, PHONE, Town, town

__all__ = ["town"]
Enter = Callable[[str], TestClient]


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def test_an_operator_writes_down_what_somebody_said_and_why_and_it_stands_in_the_history(
    town: Town, enter: Enter, admin: Api
) -> None:
    admin.ok("PUT", "/privacy", {"purposes": [{"name": "newsletter", "title": "Monday letter"}]})
    id = town.leave_traces()
    browser = enter("operator")
    answer = post(
        browser,
        f"/contacts/{id}/consents",
        channel="email",
        purpose="newsletter",
        allowed="false",
        reason="Said <b>so</b> on the phone",
    )
    assert said(answer)["text"] == "Written down: nothing more of this from now on."
    for page in (answer.text, browser.get(f"/contacts/{id}", headers=HERE).text):
        assert "Said &lt;b&gt;so&lt;/b&gt; on the phone" in page
        assert "E-mail · Monday letter" in page
        assert "not: Monday letter, offers" in page
        assert "told by somebody here · operator" in page
    assert town.ask("SELECT consents -> 'email' -> 'newsletter' FROM contact WHERE id = %s", id) == [(False,)]
    assert town.ask("SELECT count(*) FROM audit WHERE what = 'contact.change' AND after LIKE %s", "%phone%") == [(0,)]


def test_a_viewer_reads_the_card_and_changes_nothing(town: Town, enter: Enter) -> None:
    id = town.leave_traces()
    browser = enter("viewer")
    page = browser.get(f"/contacts/{id}", headers=HERE).text
    assert "What may reach them" in page
    for deed in ("Write down what they said", "/export", "Erase"):
        assert deed not in page
    assert post(browser, f"/contacts/{id}/consents", channel="email", allowed="false").status_code == 403


def test_an_admin_erases_by_typing_a_name_and_is_told_where_it_was_the_wrong_one(town: Town, enter: Enter) -> None:
    id = town.leave_traces()
    browser = enter("admin")
    page = browser.get(f"/contacts/{id}", headers=HERE).text
    assert f'href="/api/v1/contacts/{id}/export"' in page
    exported = browser.get(f"/api/v1/contacts/{id}/export", headers=HERE)
    assert MAIL in json.dumps(exported.json())
    for wrong in ("", "somebody"):
        answer = post(browser, f"/contacts/{id}/erase", confirm=wrong)
        assert answer.status_code == 422
        assert "Nothing was erased" in answer.text
    assert "It is being erased" in post(browser, f"/contacts/{id}/erase", confirm=PHONE).text
    town.run()
    assert browser.get(f"/contacts/{id}", headers=HERE).status_code == 404
    assert post(browser, f"/contacts/{id}/erase", confirm=PHONE).status_code == 404


def test_f107_no_page_shows_a_viewer_what_is_flagged_as_personal(
    town: Town, enter: Enter, admin: Api, connection: Connection
) -> None:
    del connection
    hidden = ["email", "phone", "nickname", "user_id", "anonymous_id", "say", "name"]
    admin.ok("PUT", "/privacy", {"personal": hidden})
    id = town.leave_traces()
    town.do('UPDATE contact SET attributes = attributes || \'{"name": "Canary Jane"}\' WHERE id = %s', id)
    ((message, journey),) = town.ask("SELECT id, journey_id FROM message")
    secrets = [
        "Canary Jane",
        MAIL,
        PHONE,
        *(CANARIES[one] for one in ("user", "anonymous", "nickname", "property", "title")),
    ]
    secrets += [CANARIES["content"], CANARIES["reply"], CANARIES["consent"]]
    paths = ["/contacts", f"/contacts?q={MAIL}", f"/contacts/{id}", f"/contacts/{id}/profile", "/messages"]
    paths += [f"/messages/{message}", f"/journeys/{journey}/people", f"/journeys/{journey}/live/nodes/pause"]
    seen = {}
    for role in ("viewer", "operator"):
        browser = enter(role)
        for path in paths:
            answer = browser.get(path, headers=HERE)
            assert answer.status_code == 200, path
            seen[role, path] = [
                one for one in secrets if one in answer.text.replace(f'value="{MAIL}"', "").replace(f"q={MAIL}", "")
            ]
    assert {path: seen["viewer", path] for path in paths} == {path: [] for path in paths}
    assert all(seen["operator", path] for path in paths), "the pages show nothing to anybody"
