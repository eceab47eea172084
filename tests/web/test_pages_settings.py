"""People, keys, accounts, the catalogue, health and the overview in a browser; and errors that keep the shell around them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from app.database import Connection, transaction
from app.settings import Settings
from app.store import accounts
from nodes import catalog
from tests.web.browsing import HERE, PART, post, said, sign_in, statements_of
from tests.web.conftest import Api, Staff, flow

Enter = Callable[[str], TestClient]
SECRET = "s3cr3t-pass-word"
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def enter(client: TestClient, connection: Connection, staff: Staff) -> Enter:
    return lambda role: sign_in(client, connection, staff, role)


def test_a_key_is_shown_once_and_opens_nothing_after_it_was_revoked(enter: Enter, client: TestClient) -> None:
    browser = enter("admin")
    wrong = post(browser, "/settings/keys", name=" ", role="ingest")
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    shown = post(browser, "/settings/keys", name="Shop", role="viewer").text
    found = re.search(r'<code id="secret">(jc_[0-9a-f_]+)</code>', shown)
    assert found
    page = browser.get("/settings/keys", headers=HERE).text
    assert found[1] not in page
    assert "Shop" in page
    api = Api(client, found[1])
    client.cookies.clear()
    assert api("GET", "/journeys").status_code == 200
    browser = enter("admin")
    number = re.findall(r"/settings/keys/(\d+)/revoke", browser.get("/settings/keys", headers=HERE).text)[0]
    assert "revoked" in post(browser, f"/settings/keys/{number}/revoke").text
    client.cookies.clear()
    assert api("GET", "/journeys").status_code == 401


def test_somebody_invited_comes_in_by_the_link_and_only_once(enter: Enter, client: TestClient) -> None:
    browser = enter("admin")
    assert post(browser, "/settings/people", email="nobody", name="A", role="operator").status_code == 422
    shown = post(browser, "/settings/people", email="li@shop.example", name="Li Na", role="reviewer").text
    found = re.search(r"/login\?token=(jl_[0-9a-f_]+)", shown)
    assert found
    client.cookies.clear()
    assert client.post("/login", data={"token": found[1]}, headers=HERE, follow_redirects=False).status_code == 303
    assert "Li Na" in client.get("/journeys", headers=HERE).text
    client.cookies.clear()
    assert client.post("/login", data={"token": found[1]}, headers=HERE).status_code == 403
    taken = post(enter("admin"), "/settings/people", email="li@shop.example", name="Li", role="viewer")
    assert taken.status_code == 422
    assert "is taken" in taken.text


def test_a_role_is_changed_by_an_admin_but_never_the_own_one(enter: Enter, staff: Staff, admin: Api) -> None:
    browser = enter("admin")
    post(browser, f"/settings/people/{staff.user_ids['viewer']}", name="Viewer", role="operator")
    roles = {one["id"]: one["role"] for one in admin.ok("GET", "/users")["items"]}
    assert roles[staff.user_ids["viewer"]] == "operator"
    refused = post(browser, f"/settings/people/{staff.user_ids['admin']}", name="Admin", role="viewer")
    assert refused.status_code == 422
    roles = {one["id"]: one["role"] for one in admin.ok("GET", "/users")["items"]}
    assert roles[staff.user_ids["admin"]] == "admin"
    for path in ("/settings/keys", "/settings/people", "/settings/audit", "/settings/accounts/new/email"):
        assert enter("reviewer").get(path, headers=HERE).status_code == 403


def test_an_account_keeps_its_secret_when_the_form_leaves_it_empty_and_never_shows_it(
    enter: Enter, connection: Connection, staff: Staff
) -> None:
    browser = enter("admin")
    assert "No account yet" in browser.get("/settings/accounts", headers=HERE).text
    fields = {
        "name": "shop-mail",
        "host": "mail.example",
        "from_address": "a@b.example",
        "username": "me",
        "tls": "tls",
    }
    place = "/settings/accounts/new/email"
    assert post(browser, place, **{**fields, "name": "Not A Name"}).status_code == 422
    assert post(browser, place, **{**fields, "port": "many"}).status_code == 422
    assert post(browser, place, **fields, password=SECRET).status_code == 204
    assert "there is an account of this name" in post(browser, place, **fields).text

    def sealed() -> str:
        connection.rollback()
        found = accounts.find(connection, staff.workspace_id, "shop-mail")
        assert found is not None
        return found.sealed

    assert sealed()
    form = browser.get("/settings/accounts/shop-mail", headers=HERE).text
    assert SECRET not in form
    assert "kept as it is" in form
    post(browser, "/settings/accounts/shop-mail", **{**fields, "host": "other.example"})
    assert sealed()
    assert "other.example" in browser.get("/settings/accounts", headers=HERE).text
    post(browser, "/settings/accounts/shop-mail", **fields, **{"forget.password": "1"})
    assert not sealed()
    post(browser, "/settings/accounts/shop-mail/remove")
    assert "No account yet" in browser.get("/settings/accounts", headers=HERE).text


def test_the_form_of_a_wrong_account_never_repeats_the_secret(enter: Enter) -> None:
    answer = post(enter("admin"), "/settings/accounts/new/email", name="shop", host="", password=SECRET)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert 'role="alert"' in answer.text


def test_the_catalogue_tells_of_every_step_in_both_languages(enter: Enter) -> None:
    browser = enter("viewer")
    for language, word in (("en", "Ways out"), ("zh", "出口")):
        page = browser.get(f"/nodes?lang={language}", headers=HERE).text
        assert word in page
        for type in catalog(plugins=False):
            assert f'id="{type}"' in page


def test_health_says_who_works_and_what_was_put_aside_without_what_it_said(
    enter: Enter, connection: Connection, staff: Staff, others: Staff
) -> None:
    now = datetime.now(UTC)
    with transaction(connection):
        for workspace, reason in ((staff.workspace_id, f"broke {NASTY}"), (others.workspace_id, "theirs")):
            connection.execute(
                "INSERT INTO dead (workspace_id, kind, payload, reason, created_at) VALUES (%s, 'track', %s, %s, %s)",
                (workspace, '{"properties": "hidden words"}', reason, now),
            )
        connection.execute(
            "INSERT INTO worker (id, backend_pid, lanes, started_at, progress_at) VALUES ('w1', 1, '{1,2,3}', %s, %s)",
            (now, now),
        )
    page = enter("viewer").get("/health", headers=HERE).text
    assert "3 of 64 lanes" in page
    assert "broke &lt;script&gt;" in page
    assert "hidden words" not in page
    assert "theirs" not in page


def test_the_overview_names_what_needs_somebody_and_leads_there(
    enter: Enter, operator: Api, connection: Connection, staff: Staff, publish: Callable[..., int]
) -> None:
    page = enter("viewer").get("/", headers=HERE).text
    assert "The first things to do" in page
    assert "Needs somebody" not in page
    live = publish(name="Order not paid")
    draft = int(operator.ok("POST", "/journeys", {"name": "Welcome", "document": flow()})["id"])
    operator.ok("POST", f"/journeys/{draft}/submit")
    with transaction(connection):
        connection.execute(
            "INSERT INTO tally (workspace_id, journey_id, version_id, node, port, minute, count)"
            " VALUES (%s, %s, 1, '', 'failed', now(), 3)",
            (staff.workspace_id, live),
        )
    page = enter("viewer").get("/", headers=HERE).text
    assert "The first things to do" not in page
    assert f'<a href="/journeys/{draft}/review">Welcome</a>' in page
    assert "3 people are stuck" in page
    assert f'href="/journeys/{live}/live"' in page


def test_the_overview_asks_as_many_questions_for_many_journeys_as_for_one(
    enter: Enter, operator: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.ok("POST", "/journeys", {"name": "One", "document": flow()})
    browser = enter("viewer")
    few = statements_of(monkeypatch, browser, "/")
    for number in range(12):
        operator.ok("POST", "/journeys", {"name": f"More {number}", "document": flow()})
    assert len(statements_of(monkeypatch, browser, "/")) == len(few)


def test_errors_keep_the_shell_for_who_is_signed_in_and_only_for_them(enter: Enter, client: TestClient) -> None:
    lost = client.get("/nowhere", headers=HERE)
    assert lost.status_code == 404
    assert 'class="rail"' not in lost.text
    browser = enter("viewer")
    for path, status in (("/nowhere", 404), ("/journeys/999999/review", 404), ("/settings/keys", 403)):
        answer = browser.get(path, headers=HERE)
        assert answer.status_code == status
        assert 'class="rail"' in answer.text, path
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_part_of_a_page_that_is_refused_says_so_in_the_corner_and_swaps_nothing(enter: Enter) -> None:
    answer = enter("viewer").get("/journeys/999999/review", headers=PART)
    assert (answer.status_code, answer.text) == (404, "")
    assert answer.headers["HX-Reswap"] == "none"
    assert said(answer)["kind"] == "bad"


def test_caught_messages_stand_inside_the_shell_of_who_is_signed_in(enter: Enter, settings: Settings) -> None:
    assert settings.sink
    page = enter("viewer").get("/sink", headers=HERE).text
    assert 'class="rail"' in page
