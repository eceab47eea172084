"""What people say about what reaches them, by whatever way: page, one click, reply, device, complaint, SDK, API."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Connection, transaction
from app.groupcommit import commit_calls
from app.keys import address_digest
from app.lanes import ALL_LANES
from app.links import Tokens
from app.main import create_app
from app.privacy import keyword
from app.rendering import Site
from app.settings import Settings
from app.stages import settle
from app.store import workspaces
from app.store.accept import FreshIds
from app.tracking import Limits, read
from tests.deliver.house import House, build, text
from tests.deliver.peers import NOW
from tests.deliver.test_web import PERSON, hook_headers, key

ENGLISH = {"Accept-Language": "en"}
SENT = {"status": 2, "recipient": "p1@example.com"}


@pytest.fixture
def house(connection: Connection) -> House:
    made = build(connection)
    with transaction(connection):
        workspaces.set_privacy(
            connection,
            made.workspace,
            {
                "purposes": [{"name": "newsletter", "title": "The Monday letter"}],
                "text_version": "2026-03",
                "text": "It is up to you.",
            },
        )
    return made


@pytest.fixture
def web(house: House, settings: Settings) -> Iterator[TestClient]:
    del house
    here = ("127.0.0.1", 5000)
    app = create_app(settings, now=lambda: NOW)
    with TestClient(app, "http://127.0.0.1:8000", client=here, follow_redirects=False, headers=PERSON) as client:
        yield client


@pytest.fixture
def path(house: House, settings: Settings) -> str:
    """The way out in a mail to the first contact."""
    house.message(1, **SENT)
    return f"/u/{Tokens(settings.secret_bytes).make('unsubscribe', house.workspace, 1001, 1)}"


def state(house: House) -> dict[str, Any]:
    ((found,),) = house.rows("SELECT consents FROM contact WHERE id = 1")
    return dict(found)


def ledger(house: House) -> list[tuple[Any, ...]]:
    return house.rows("SELECT channel, purpose, allowed, source, actor FROM consent ORDER BY id")


def save(web: TestClient, path: str, *ticked: str) -> Any:
    answer = web.post(path, data={"page": "1", "deed": "save", "choice": list(ticked)}, headers=ENGLISH)
    assert answer.status_code == 200
    return answer


def call(house: House, payload: dict[str, Any]) -> None:
    calls = read("batch", json.dumps({"batch": [payload]}).encode()).calls(house.workspace, NOW, Limits())
    commit_calls(house.connection, calls, FreshIds())


def test_the_page_shows_every_purpose_and_channel_as_it_stands_and_looking_changes_nothing_t22(
    house: House, web: TestClient, path: str
) -> None:
    for method in ("GET", "HEAD"):
        web.request(method, path)
    page = web.get(path, headers=ENGLISH).text
    for said in ("The Monday letter", "It is up to you.", "E-mail", "In-app message", "Save my choice"):
        assert said in page
    assert page.count("checked") == page.count('name="choice"') == 4
    assert "webhook" not in page.lower()
    assert state(house) == {}
    assert ledger(house) == []


def test_the_button_and_the_one_click_opt_out_of_the_channel_and_the_ledger_says_how_and_of_which_text(
    house: House, web: TestClient, path: str
) -> None:
    assert "You are unsubscribed" in web.post(path, data={"page": "1"}, headers=ENGLISH).text
    assert state(house) == {"email": {"marketing": False}}
    assert ledger(house) == [("email", "marketing", False, "page", "contact")]
    ((version, proof),) = house.rows("SELECT text_version, proof FROM consent")
    assert version.startswith("2026-03/en/")
    assert proof == {"message": 1001}
    web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert len(ledger(house)) == 1, "a no that stood already is no news"


def test_one_click_is_kept_as_such(house: House, web: TestClient, path: str) -> None:
    web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert ledger(house) == [("email", "marketing", False, "one-click", "contact")]


def test_a_choice_of_purposes_holds_at_once_where_it_is_a_no(house: House, web: TestClient, path: str) -> None:
    page = save(web, path, "email/marketing", "inapp/newsletter").text
    assert "Your choice is saved" in page
    assert state(house) == {"email": {"newsletter": False}, "inapp": {"marketing": False}}
    assert sorted(ledger(house)) == [
        ("email", "newsletter", False, "page", "contact"),
        ("inapp", "marketing", False, "page", "contact"),
    ]
    page = web.get(path, headers=ENGLISH).text
    assert 'value="email/newsletter">' in page
    assert 'value="email/marketing" checked>' in page
    assert house.rows("SELECT kind FROM receipt") == [], "another purpose, another channel: the message itself is fine"
    save(web, path)
    assert house.rows("SELECT message_id, kind FROM receipt") == [(1001, "unsubscribed")]


def test_t22_a_yes_needs_a_mail_to_the_address_and_a_second_button(
    house: House, web: TestClient, path: str, settings: Settings
) -> None:
    web.post(path, data={"page": "1"})
    page = save(web, path, "email/marketing", "email/newsletter", "inapp/marketing", "inapp/newsletter").text
    assert "look into your mail" in page
    assert "p•••@e•••" in page
    assert "p1@example.com" not in page
    assert state(house) == {"email": {"marketing": False}}, "nothing is switched on by whoever holds the link"
    ((id, recipient, marketing, content),) = house.rows(
        "SELECT id, recipient, marketing, content FROM message WHERE status = 0"
    )
    assert (recipient, marketing) == ("p1@example.com", False)
    link = content["text"].strip().rpartition("\n")[2]
    assert link.startswith(settings.base_url)
    there = link.removeprefix(settings.base_url)
    assert "Nothing has happened yet" in web.get(there, headers=ENGLISH).text
    assert state(house) == {"email": {"marketing": False}}
    assert "Welcome back" in web.post(there, headers=ENGLISH).text
    assert state(house) == {"email": {"marketing": True}}
    assert ledger(house)[-1] == ("email", "marketing", True, "page", "contact")
    ((proof,),) = house.rows("SELECT proof FROM consent ORDER BY id DESC LIMIT 1")
    assert proof == {"message": id, "confirmed": True}


def test_the_mail_that_asks_is_sent_by_the_same_account_with_its_own_words(
    house: House, web: TestClient, path: str, settings: Settings
) -> None:
    web.post(path, data={"page": "1"})
    save(web, path, "email/marketing")
    house.courier.site = Site(settings.base_url, house.courier.site.tokens)
    caught: list[Any] = []

    def divert(channel: str, fields: dict[str, str], account: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        caught.append((channel, fields))
        return fields, account

    house.courier.divert = divert
    house.deliver()
    ((channel, fields),) = caught
    assert channel == "email"
    assert fields["subject"] == "Do you want messages from w again?"
    assert "/again" in fields["html"]
    assert "/r/" not in fields["html"], "its link is not led through the counter"


def test_nobody_floods_a_mailbox_with_questions(web: TestClient, path: str) -> None:
    web.post(path, data={"page": "1"})
    pages = [save(web, path, "email/marketing").text for _ in range(5)]
    assert ["look into your mail" in page for page in pages] == [True, True, True, False, False]
    assert "cannot be switched on here now" in pages[-1]


def test_t22_a_question_is_answered_for_a_week_and_only_with_its_own_token(
    house: House, web: TestClient, path: str, settings: Settings
) -> None:
    web.post(path, data={"page": "1"})
    save(web, path, "email/marketing")
    ((id,),) = house.rows("SELECT id FROM message WHERE status = 0")
    tokens = Tokens(settings.secret_bytes)
    wrong = [
        tokens.make("unsubscribe", house.workspace, id, 1),
        tokens.make("resubscribe", house.workspace, 1001, 1),
        tokens.make("resubscribe", house.workspace + 1, id, 1),
    ]
    assert [web.post(f"/u/{token}/again").status_code for token in wrong] == [404, 404, 404]
    with transaction(house.connection):
        house.connection.execute("UPDATE message SET created_at = %s WHERE id = %s", (NOW - timedelta(days=8), id))
    assert web.post(f"/u/{tokens.make('resubscribe', house.workspace, id, 1)}/again").status_code == 404
    assert state(house)["email"]["marketing"] is False


def test_t22_of_ten_thousand_changed_tokens_none_opens_anything(house: House, web: TestClient, path: str) -> None:
    del web
    chance, token = random.Random(3), path.removeprefix("/u/")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    tokens = Tokens(b"bY7kQ2-xr9Wd_4mZ1uTn8Pv6Hs3Lc5Ga")
    assert tokens.read("unsubscribe", token) is not None
    accepted = 0
    for _ in range(10_000):
        place, letter = chance.randrange(len(token)), chance.choice(letters)
        changed = token[:place] + letter + token[place + 1 :]
        accepted += changed != token and any(tokens.read(one, changed) for one in ("unsubscribe", "resubscribe"))
    assert accepted == 0
    assert house.workspace


def test_a_forged_and_a_forgotten_person_s_token_tell_nothing_apart(
    house: House, web: TestClient, settings: Settings
) -> None:
    tokens = Tokens(settings.secret_bytes)
    assert web.get("/u/nonsense").status_code == web.post("/u/nonsense").status_code == 404
    gone = f"/u/{tokens.make('unsubscribe', house.workspace, 1, 424242)}"
    assert web.get(gone).status_code == web.post(gone, data={"page": "1"}).status_code == 200


@pytest.mark.parametrize(
    ("said", "means"),
    [("STOP", False), (" stop. ", False), ("T", False), ("td", False), ("退订", False), ("【退订】", False), ("TD!", False),
     ("Unsubscribe", False), ("quit", False), ("START", True), ("恢复", True), ("Stop by tomorrow", None), ("Thanks", None),
     ("", None), ("到店", None)],
)  # fmt: skip
def test_short_replies_are_understood_and_others_are_not(said: str, means: bool | None) -> None:
    assert keyword(said) is means


@pytest.fixture
def hooked(house: House, settings: Settings) -> House:
    del settings
    house.account("mail", "email", {"host": "h", "from_address": "a@b.c", "hook_secret": "hook-secret"})
    house.message(1, **SENT)
    house.message(2, status=2, recipient="p2@example.com")
    with transaction(house.connection):
        house.connection.execute(
            "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at)"
            " VALUES (%s, 'email', 'p1@example.com', 1, %s)",
            (house.workspace, NOW),
        )
    return house


def hear(web: TestClient, number: int, *receipts: dict[str, Any]) -> Any:
    body = json.dumps({"receipts": receipts}).encode()
    answer = web.post("/hooks/mail", content=body, headers=hook_headers(body, id=f"d{number}"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_reply_of_stop_opts_out_of_the_channel_before_it_is_answered_and_start_opts_in(
    hooked: House, web: TestClient
) -> None:
    reply = {"message": 1001, "event": "reply", "id": "r1", "text": "退订"}
    assert hear(web, 1, reply) == {"accepted": 1, "ignored": 0}
    assert state(hooked) == {"email": {"marketing": False}}
    settle.run(hooked.connection, hooked.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert hooked.rows("SELECT port, count FROM tally WHERE port = '!unsubscribed'") == [("!unsubscribed", 1)]
    later = (NOW + timedelta(0)).isoformat()
    before = (NOW - timedelta(hours=1)).isoformat()
    hear(web, 2, {"event": "reply", "id": "r2", "text": "START", "sender": "P1@example.com ", "at": before})
    assert state(hooked) == {"email": {"marketing": False}}, "an older yes comes late and counts for nothing"
    with transaction(hooked.connection):
        hooked.connection.execute("SELECT set_config('journey.erasing', 'on', true)")
        hooked.connection.execute("DELETE FROM consent")
    hear(web, 3, {"event": "reply", "id": "r3", "text": "start", "sender": "p1@example.com", "at": later})
    assert state(hooked) == {"email": {"marketing": True}}
    assert ledger(hooked) == [("email", "marketing", True, "keyword", "")]


def test_a_reply_that_is_no_keyword_is_kept_and_decides_nothing(hooked: House, web: TestClient) -> None:
    hear(web, 1, {"message": 1001, "event": "reply", "id": "r1", "text": "When do you open?"})
    assert state(hooked) == {}
    assert hooked.rows("SELECT kind, detail ->> 'text' FROM receipt") == [("reply", "When do you open?")]


def test_a_complaint_suppresses_the_address_and_opts_out_before_it_is_answered(hooked: House, web: TestClient) -> None:
    hear(web, 1, {"message": 1001, "event": "complained", "id": "c1"}, {"message": 7, "event": "complained"})
    assert hooked.rows("SELECT address, reason FROM suppression") == [("p1@example.com", "complaint")]
    assert ledger(hooked) == [("email", "marketing", False, "complaint", "")]
    settle.run(hooked.connection, hooked.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert len(ledger(hooked)) == 1


def test_a_provider_s_own_unsubscribe_counts_as_one(hooked: House, web: TestClient) -> None:
    hear(web, 1, {"message": 1002, "event": "unsubscribed", "id": "u1"})
    assert hooked.rows("SELECT contact_id, source FROM consent") == [(2, "provider")]


@pytest.mark.parametrize("event", ["push_disabled", "app_uninstalled"])
def test_f106_a_device_that_turns_push_off_is_heard_at_once_and_counted_on_the_step(house: House, event: str) -> None:
    house.message(1, **{**SENT, "channel": "push"})
    call(house, {"type": "track", "event": event, "userId": "u1"})
    assert state(house) == {"push": {"marketing": False}}
    assert ledger(house) == [("push", "marketing", False, "device", "sdk")]
    settle.run(house.connection, house.plans, lanes=ALL_LANES, now=NOW, limit=10)
    assert house.rows("SELECT node, port, count FROM tally WHERE port = '!unsubscribed'") == [
        ("send", "!unsubscribed", 1)
    ]


def test_an_identify_says_consents_that_hold_before_it_is_answered_and_are_no_attribute(house: House) -> None:
    traits = {"city": "上海", "consents": {"email": {"marketing": False, "newsletter": True}, "text_version": "v7"}}
    call(house, {"type": "identify", "userId": "new", "traits": traits})
    assert house.rows("SELECT consents FROM contact") == [({"email": {"marketing": False, "newsletter": True}},)]
    assert sorted(house.rows("SELECT purpose, allowed, source, text_version FROM consent")) == [
        ("marketing", False, "identify", "v7"),
        ("newsletter", True, "identify", "v7"),
    ]
    ((properties,),) = house.rows("SELECT properties FROM inbox")
    assert json.loads(properties) == {"city": "上海"}


@pytest.mark.parametrize(
    "odd",
    ["yes", [], {"email": True}, {"email": {"marketing": "no"}}, {"e mail": {"marketing": False}}, {"email": {"": True}},
     {"email": {"marketing": None}}, {"text_version": 7, "email": {"marketing": False}}],
)  # fmt: skip
def test_consents_of_another_shape_decide_nothing_and_stay_what_they_were(house: House, odd: Any) -> None:
    call(house, {"type": "identify", "userId": "new", "traits": {"consents": odd}})
    assert house.rows("SELECT consents FROM contact") == [({},)]
    ((properties,),) = house.rows("SELECT properties FROM inbox")
    assert json.loads(properties) == {"consents": odd}


def test_the_api_keeps_who_said_it_why_and_to_which_text(house: House, web: TestClient) -> None:
    house.message(1)
    change = {
        "consents": {"email": {"offers": False}},
        "consent_source": "import",
        "consent_reason": "said so on the phone",
        "text_version": "form 3",
    }
    headers = {"Authorization": f"Bearer {key(house, 'operator')}"}
    assert web.patch("/api/v1/contacts/1", json=change, headers=headers).status_code == 202
    ((source, actor, version, proof),) = house.rows("SELECT source, actor, text_version, proof FROM consent")
    assert (source, version, proof) == ("import", "form 3", {"reason": "said so on the phone"})
    assert actor.startswith("key:")


def test_the_ledger_only_grows(house: House) -> None:
    house.message(1)
    call(house, {"type": "identify", "userId": "u1", "traits": {"consents": {"email": {"marketing": True}}}})
    for forbidden in ("UPDATE consent SET allowed = NOT allowed", "DELETE FROM consent"):
        with pytest.raises(Exception, match="only grows"), transaction(house.connection):
            house.connection.execute(forbidden)  # type: ignore[call-overload]
    assert len(ledger(house)) == 1


def test_a_word_of_a_merged_contact_is_kept_with_whom_it_has_become(house: House) -> None:
    house.people([1, 2])
    with transaction(house.connection):
        house.connection.execute("UPDATE contact SET merged_into = 1 WHERE id = 2")
        from app.store import suppressions

        assert suppressions.opt_out(house.connection, [(house.workspace, 2, "email")], NOW) == 2
    assert house.rows("SELECT contact_id FROM consent") == [(1,)]
    assert house.rows("SELECT consents FROM contact") == [({"email": {"marketing": False}},)] * 2


def test_an_imported_address_of_somebody_erased_stays_unwritten_until_they_say_they_want_it(house: House) -> None:
    house.courier.cut_off = True
    with transaction(house.connection):
        digest = address_digest(house.courier.secret, house.workspace, "P1@example.com")
        house.connection.execute(
            "INSERT INTO erased (workspace_id, digest, reason, at) VALUES (%s, %s, 'erased', %s)",
            (house.workspace, digest, NOW),
        )
    house.message(1)
    house.deliver()
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(4, "erased")]
    with transaction(house.connection):
        house.connection.execute("UPDATE contact SET consents = %s", (text({"email": {"marketing": True}}),))
        house.connection.execute("UPDATE message SET status = 0, reason = NULL, due_at = %s", (NOW,))
    house.deliver()
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(2, None)]
