"""The live view, the people behind its numbers, contacts with their timelines, the log of messages: as browsers get them."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from app import auth
from app.database import Connection, transaction
from app.store import messagelog, seeking
from app.web import messagepages
from app.web.period import Period, read
from tests.web.conftest import Staff
from tests.web.story import Told

Ask = Callable[..., httpx2.Response]
HERE = {"Origin": "http://testserver"}


def sign_in(client: TestClient, connection: Connection, staff: Staff, role: str) -> TestClient:
    with transaction(connection):
        link = auth.login(connection, staff.user_ids[role], staff.workspace_id, datetime.now(UTC))
    assert client.post("/login", data={"token": link}, headers=HERE, follow_redirects=False).status_code == 303
    return client


@pytest.fixture
def visitor(client: TestClient, connection: Connection, staff: Staff) -> TestClient:
    return sign_in(client, connection, staff, "operator")


@pytest.fixture
def told(connection: Connection, staff: Staff) -> Told:
    story = Told(connection, staff.workspace_id)
    story.go(people=9, steps=80, seed=4)
    return story


def rows(visitor: TestClient, address: str) -> list[str]:
    """All rows of a list, page after page."""
    found: list[str] = []
    for _ in range(200):
        answer = visitor.get(address)
        assert answer.status_code == 200, answer.text
        found += re.findall(r"<tr>.*?</tr>", answer.text.partition("<tbody>")[2] or answer.text, re.S)
        more = re.search(r'class="go-on" hx-get="([^"]+)"', answer.text)
        if more is None:
            return found
        address = html.unescape(more[1])
    raise AssertionError("the list never ends")


def test_the_number_on_a_page_of_people_is_the_length_of_its_list(visitor: TestClient, told: Told) -> None:
    base = f"/journeys/{told.journey}/people"
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
    asked = {
        "status=entered": numbers.totals.entered,
        "status=active": numbers.totals.active,
        "status=completed": numbers.totals.completed,
        "status=goal": numbers.totals.goal,
        "node=pause": numbers.nodes["pause"].waiting,
        "node=later&status=waiting": numbers.nodes["later"].waiting,
        "node=pause&status=ended": numbers.nodes["pause"].ended,
    }
    assert all(asked.values()), asked
    for query, count in asked.items():
        page = visitor.get(f"{base}?{query}").text
        assert f"<b>{count}</b>" in page, query
        assert len(rows(visitor, f"{base}?{query}")) == count, query
    assert numbers.nodes["big"].ports["no"] >= len(rows(visitor, f"{base}?node=big&port=no")) > 0
    assert visitor.get(f"{base}?node=big&status=goal").status_code == 422
    assert "taken out by hand" in visitor.get(f"{base}?status=manual").text
    assert visitor.get(f"{base}?version=99").status_code == 404
    assert visitor.get(f"{base}?next=WzAsOTk5OTk5OTk5OTk5LCJ4IiwxLDFd").status_code == 422
    assert visitor.get("/journeys/999/people").status_code == 404


def test_the_live_page_carries_its_numbers_and_leads_to_the_editor_where_nobody_walks(
    visitor: TestClient, told: Told, operator: Any
) -> None:
    page = visitor.get(f"/journeys/{told.journey}/live?period=24h")
    assert page.status_code == 200
    assert '"counters": {"nodes": {' in page.text
    assert "period=24h" in page.text
    assert 'id="run"' in page.text
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
    whole = visitor.get(f"/journeys/{told.journey}/live").text
    assert f'data-total="entered">{numbers.totals.entered}<' in whole
    step = visitor.get(f"/journeys/{told.journey}/live/nodes/note").text
    for word in ("Opened", "Clicked", "opted out of this channel", "Who is here"):
        assert word in step
    assert "<svg" in visitor.get(f"/journeys/{told.journey}/live/course?period=all").text
    drawn = operator.ok(
        "POST", "/journeys", {"name": "Only drawn", "document": {"schema": 1, "nodes": [], "edges": []}}
    )
    answer = visitor.get(f"/journeys/{drawn['id']}/live", follow_redirects=False)
    assert answer.headers["location"] == f"/journeys/{drawn['id']}/edit"


def test_who_may_not_run_a_journey_is_offered_no_button_and_refused(
    client: TestClient, connection: Connection, staff: Staff, told: Told
) -> None:
    viewer = sign_in(client, connection, staff, "viewer")
    assert 'id="run"' not in viewer.get(f"/journeys/{told.journey}/live").text
    assert viewer.post(f"/journeys/{told.journey}/run", data={"to": "paused"}, headers=HERE).status_code == 403
    operator = sign_in(client, connection, staff, "operator")
    answer = operator.post(f"/journeys/{told.journey}/run", data={"to": "paused"}, headers=HERE)
    assert answer.json()["status"] == "paused"
    assert (
        operator.post(f"/journeys/{told.journey}/run", data={"to": "stopped"}, headers=HERE).json()["status"]
        == "stopped"
    )
    assert operator.post(f"/journeys/{told.journey}/run", data={"to": "live"}, headers=HERE).status_code == 409


def test_the_path_of_a_person_is_drawn_on_the_version_they_walked(visitor: TestClient, told: Told) -> None:
    told.world.publish("Order not paid", {**_shorter()}, told.journey)
    [(lane, id, _)] = told.ask(
        "SELECT lane, id, 0 FROM enrollment WHERE workspace_id = %s AND status = 2 ORDER BY id LIMIT 1"
    )
    page = visitor.get(f"/journeys/{told.journey}/live?enrollment={lane}-{id}").text
    assert '"steps": ["start", "big", ' in page
    assert "the goal was reached by “order_paid”" in page
    assert "walks version 1" in page
    assert visitor.get(f"/journeys/{told.journey}/live?enrollment=1-1").status_code == 404


def _shorter() -> dict[str, Any]:
    from tests.web.story import FLOW

    return {**FLOW, "nodes": FLOW["nodes"][:1], "edges": []}


def test_contacts_are_found_by_name_mail_phone_id_and_tag(visitor: TestClient, told: Told) -> None:
    people = [
        {"userId": "anna-1", "traits": {"name": "Anna Berg", "email": "berg@example.com", "phone": "+8613900001111"}},
        {"userId": "anna-2", "traits": {"name": "Annabel", "email": "bel@example.com"}},
        {"userId": "li-1", "traits": {"name": "李娜", "email": "anna.li@example.com"}},
    ]
    for number, one in enumerate(people):
        told.world.accept([{"type": "identify", "messageId": f"p{number}", **one}], at=told.world.now)
    told.world.still()
    with transaction(told.connection):
        told.connection.execute("UPDATE contact SET tags = '{vip}' WHERE attributes ->> 'name' = '李娜'")

    def found(query: str) -> list[str]:
        text = "".join(rows(visitor, f"/contacts?{query}"))
        return [name for name in ("Anna Berg", "Annabel", "李娜") if f">{name}<" in text]

    assert found("q=anna") == ["Anna Berg", "Annabel", "李娜"]
    assert found("q=ANNA%20B") == ["Anna Berg"]
    assert found("q=bel@") == ["Annabel"]
    assert found("q=139%200000") == ["Anna Berg"]
    assert found("q=%E6%9D%8E") == ["李娜"]
    assert found("tag=vip") == found("q=%23vip") == ["李娜"]
    assert found("tag=vi") == []
    assert "Nobody is called so" in visitor.get("/contacts?q=nobody-at-all").text


def test_every_page_of_a_search_holds_others_and_all_of_them_hold_all(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeking, "WINDOW", 3)
    for number in range(7):
        traits = {"name": f"Same {number}", "email": f"same{number}@example.com"}
        told.world.accept(
            [{"type": "identify", "userId": f"same{number}", "messageId": str(number), "traits": traits}],
            at=told.world.now,
        )
    told.world.still()
    with transaction(told.connection):
        told.connection.execute("UPDATE contact SET tags = '{t}' WHERE attributes ->> 'name' LIKE 'Same%%'")

    def walk(ask: Callable[[Any], seeking.Slice]) -> list[int]:
        found: list[int] = []
        after: Any = None
        for _ in range(500):
            with transaction(told.connection):
                part = ask(after)
            found += [one.id for one in part.people]
            after = part.next
            if after is None:
                return found
        raise AssertionError("the list never ends")

    place = told.connection, told.workspace_id
    everybody = walk(lambda after: seeking.newest(*place, after[0] if after else None, 2))
    assert (
        len(everybody) == len(set(everybody)) == told.ask("SELECT count(*) FROM contact WHERE workspace_id = %s")[0][0]
    )
    assert everybody == sorted(everybody, reverse=True)
    for text in ("same", "Same 3", "s"):
        for limit in (1, 2, 50):
            found = walk(lambda after, text=text, limit=limit: seeking.named(*place, text, after, limit))
            assert len(found) == len(set(found)) == (1 if text == "Same 3" else 7), (text, limit)
    tagged = walk(lambda after: seeking.tagged(*place, "t", after, 2))
    assert len(tagged) == len(set(tagged)) == 7


def test_a_timeline_tells_everything_in_order_with_reasons_and_can_be_narrowed(visitor: TestClient, told: Told) -> None:
    [(contact,)] = told.ask(
        "SELECT contact_id FROM enrollment WHERE workspace_id = %s GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )

    def moments(query: str = "") -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        address = f"/contacts/{contact}?{query}"
        for _ in range(100):
            page = visitor.get(address).text
            for kind, rest in re.findall(
                r'<li class="moment (\w+)">(.*?)(?=<li class="moment|<li class="go-on|</ol>\n|$)', page, re.S
            ):
                at = re.search(r'datetime="([^"]+)"', rest)
                found.append((kind, at[1] if at else ""))
            more = re.search(r'class="go-on" hx-get="([^"]+)"', page)
            if more is None:
                return found
            address = html.unescape(more[1])
        raise AssertionError("the timeline never ends")

    whole = moments()
    times = [datetime.fromisoformat(at) for _, at in whole]
    assert times == sorted(times, reverse=True)
    counted = {
        "event": told.ask(
            "SELECT count(*) FROM event WHERE workspace_id = %s AND contact_id = %s", told.workspace_id, contact
        ),
        "entered": told.ask(
            "SELECT count(*) FROM enrollment WHERE workspace_id = %s AND contact_id = %s", told.workspace_id, contact
        ),
        "message": told.ask(
            "SELECT count(*) FROM message WHERE workspace_id = %s AND contact_id = %s", told.workspace_id, contact
        ),
    }
    for kind, [(count,)] in counted.items():
        assert sum(1 for one, _ in whole if one == kind) == count > 0, kind
    assert {kind for kind, _ in moments("kind=message&kind=event")} == {"message", "event"}
    assert {kind for kind, _ in moments(f"journey={told.journey}")} == {"entered", "walk", "message"}
    assert moments("journey=99999") == []
    assert "the event “order_submitted” came" not in visitor.get(f"/contacts/{contact}").text
    assert (
        "the goal was reached by"
        in visitor.get(f"/contacts/{contact}?kind=step").text + visitor.get(f"/contacts/{contact}").text
    )


def test_operators_change_contacts_and_viewers_do_not(
    client: TestClient, connection: Connection, staff: Staff, told: Told
) -> None:
    [(contact,)] = told.ask("SELECT min(contact_id) FROM enrollment WHERE workspace_id = %s")
    viewer = sign_in(client, connection, staff, "viewer")
    assert "Add a tag" not in viewer.get(f"/contacts/{contact}").text
    assert viewer.post(f"/contacts/{contact}/tags", data={"add": "x"}, headers=HERE).status_code == 403
    operator = sign_in(client, connection, staff, "operator")
    answer = operator.post(f"/contacts/{contact}/tags", data={"add": "<b>vip</b>"}, headers=HERE)
    assert "&lt;b&gt;vip&lt;/b&gt;" in answer.text
    assert "Tagged" in answer.headers["HX-Trigger"]
    answer = operator.post(f"/contacts/{contact}/tags", data={"remove": "<b>vip</b>"}, headers=HERE)
    assert "vip" not in answer.text.partition("<section")[0]
    assert "add_back" in answer.headers["HX-Trigger"]
    operator.post(f"/contacts/{contact}/consents", data={"channel": "email", "allowed": "false"}, headers=HERE)
    answer = operator.post(
        f"/contacts/{contact}/attributes", data={"name": "age", "value": "41", "kind": "number"}, headers=HERE
    )
    assert answer.status_code == 200
    told.world.still()
    [(attributes, consents, tags)] = told.ask("SELECT attributes, consents, tags FROM contact WHERE id = %s", contact)
    assert attributes["age"] == 41
    assert consents["email"] == {"marketing": False}
    assert tags == []
    assert (
        operator.post(
            f"/contacts/{contact}/attributes", data={"name": "age", "value": "x", "kind": "number"}, headers=HERE
        ).status_code
        == 422
    )


def test_the_log_of_messages_is_narrowed_and_each_message_says_why(
    visitor: TestClient, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(told.connection):
        numbers, _ = read(told.connection, (told.workspace_id, told.journey), None, (None, None))
    mail = numbers.nodes["note"].mail
    base = f"/messages?journey={told.journey}&node=note"
    for name in ("sent", "opened", "clicked"):
        assert len(rows(visitor, f"{base}&status={name}")) == getattr(mail, name), name
    assert len(rows(visitor, base)) == mail.total
    assert len(rows(visitor, f"{base}&status=suppressed&reason=opted_out")) == mail.suppressed["opted_out"] > 0
    [(user, count)] = told.ask(
        "SELECT i.value, count(*) FROM message m JOIN identity i ON i.contact_id = m.contact_id AND i.kind = 'user_id'"
        " WHERE m.workspace_id = %s GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    assert len(rows(visitor, f"/messages?q={user}")) == count
    assert rows(visitor, "/messages?channel=email") == []
    everything = rows(visitor, "/messages")
    refusals = rows(visitor, f"{base}&status=suppressed")
    monkeypatch.setattr(messagelog, "WINDOW", 3)
    for size in (1, 2, 50):
        monkeypatch.setattr(messagepages, "PAGE", size)
        assert rows(visitor, "/messages") == everything, size
        assert rows(visitor, f"{base}&status=suppressed") == refusals, size
    [(refused,)] = told.ask("SELECT min(id) FROM message WHERE workspace_id = %s AND status = 4")
    page = visitor.get(f"/messages/{refused}").text
    assert "It was not sent" in page
    assert "opted out of this channel" in page
    [(opened,)] = told.ask("SELECT min(id) FROM message WHERE workspace_id = %s AND outcome >= 3")
    page = visitor.get(f"/messages/{opened}").text
    assert '<span class="kept-lines">Your order waits</span>' in page
    assert "bad-text" not in page
    assert "Opened" in page
    assert visitor.get(f"/messages/{opened}/mail").headers["content-security-policy"].startswith("sandbox")
    assert visitor.get("/messages/999999999").status_code == 404


def test_pages_of_other_workspaces_do_not_exist(
    client: TestClient, connection: Connection, others: Staff, told: Told
) -> None:
    rival = sign_in(client, connection, others, "admin")
    [(contact,)] = told.ask("SELECT min(contact_id) FROM enrollment WHERE workspace_id = %s")
    [(message,)] = told.ask("SELECT min(id) FROM message WHERE workspace_id = %s")
    for path in (
        f"/contacts/{contact}",
        f"/contacts/{contact}/profile",
        f"/messages/{message}",
        f"/messages/{message}/mail",
        f"/journeys/{told.journey}/live",
        f"/journeys/{told.journey}/people",
        f"/journeys/{told.journey}/stream",
        f"/journeys/{told.journey}/live/course",
    ):
        assert rival.get(path).status_code == 404, path
    assert "No contact yet" in rival.get("/contacts").text
    assert "Nothing has been sent yet" in rival.get("/messages").text


def test_a_period_is_asked_for_by_word_or_by_moments_of_the_workspace_s_zone(visitor: TestClient, told: Told) -> None:
    page = visitor.get(f"/journeys/{told.journey}/live?since=2026-11-19T08:30&until=2026-11-20T08:30")
    assert 'value="2026-11-19T08:30"' in page.text
    assert Period("custom", since=datetime(2026, 11, 19, 8, 30)).bounds(  # noqa: DTZ001 as a form sends it
        datetime(2026, 11, 25, tzinfo=UTC), "Asia/Shanghai"
    ) == (datetime(2026, 11, 19, 0, tzinfo=UTC), None)
    for wrong in ("since=yesterday", "since=0001-01-01", "period=ever", "until=9999-12-31"):
        assert visitor.get(f"/journeys/{told.journey}/live?{wrong}").status_code == 422, wrong
