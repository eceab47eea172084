"""Messages go out once, to those who want them, and everybody else has a reason (D5, D6, D7, P10)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.database import Connection, transaction
from app.links import Tokens
from app.store import suppressions, versions
from app.store.outbox import NEVER
from tests.deliver.house import BASE, SECRET, House, build
from tests.deliver.peers import NOW, Personality, mail_account, smtp_server

Server = tuple[Personality, int]
PENDING, SENDING, SENT, FAILED, SUPPRESSED, _, UNKNOWN = range(7)


@pytest.fixture
def server() -> Iterator[tuple[Personality, int]]:
    personality = Personality()
    with smtp_server(personality) as port:
        yield personality, port


@pytest.fixture
def house(connection: Connection, server: Server) -> House:
    made = build(connection)
    made.account("mail", "email", mail_account(server[1]))
    made.courier.allow = {f"127.0.0.1:{server[1]}"}
    return made


def test_a_mail_goes_out_rendered_tracked_and_with_its_way_out(house: House, server: Server) -> None:
    house.message(7)
    assert house.deliver() == 1
    ((address, mail),) = server[0].taken
    (row,) = house.messages()
    assert (row["status"], row["title"], row["outcome"], row["sent_at"]) == (SENT, "Hi P7", 1, NOW)
    assert (row["recipient"], address, mail["subject"]) == ("p7@example.com", "p7@example.com", "Hi P7")
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "https://shop.example" not in html
    tokens = Tokens(SECRET)
    clicked = tokens.read("click", html.split(f'href="{BASE}/r/')[1].split('"')[0])
    assert clicked is not None
    assert house.rows("SELECT url FROM link WHERE id = %s", clicked.target) == [("https://shop.example/o/o7?a=1&b=2",)]
    opened = tokens.read("open", html.split(f'src="{BASE}/o/')[1].split(".gif")[0])
    assert opened is not None
    assert (opened.workspace_id, opened.message_id) == (house.workspace, 1007)
    out = tokens.read("unsubscribe", mail["list-unsubscribe"].strip("<>").rpartition("/")[2])
    assert out is not None
    assert out.target == 7
    assert f"{BASE}/u/" in html
    assert house.deliver() == 0


def test_everybody_who_gets_nothing_has_a_reason(house: House, server: Server) -> None:
    house.message(1, consents={"email": {"marketing": False}})
    house.message(2, consents={"email": {"marketing": False}}, marketing=False)
    house.message(3)
    house.message(4, marketing=False)
    house.message(5, attributes={"name": "no mail"})
    house.message(6, attributes={"email": "p6@example.com"})
    with transaction(house.connection):
        both = [(house.workspace, "email", f"P{n}@Example.com ", "hard_bounce") for n in (3, 4)]
        suppressions.add(house.connection, both, NOW)
    house.deliver()
    assert [(one["status"], one["reason"]) for one in house.messages()] == [
        (SUPPRESSED, "opted_out"),
        (SENT, None),  # transactional passes consent
        (SUPPRESSED, "suppressed: hard_bounce"),
        (SUPPRESSED, "suppressed: hard_bounce"),  # but never suppression
        (SUPPRESSED, "no_address"),
        (FAILED, "missing variable: contact.name"),
    ]
    assert [address for address, _ in server[0].taken] == ["p2@example.com"]


def test_p10_who_opts_out_between_two_batches_gets_nothing_more(house: House, server: Server) -> None:
    house.people(range(1, 5))
    house.deliver(limit=2)
    with transaction(house.connection):
        people = [(house.workspace, number, "email") for number in range(1, 5)]
        assert suppressions.opt_out(house.connection, people, NOW) == 4
    house.deliver()
    assert sorted(house.statuses()) == [SENT, SENT, SUPPRESSED, SUPPRESSED]
    assert len(server[0].taken) == 2


def test_h03_one_refusal_among_many_fails_alone_and_nobody_is_written_to_twice(house: House, server: Server) -> None:
    server[0].refuse["p250@example.com"] = "550 no such user"
    house.people(range(300))
    house.deliver()
    house.deliver(NOW + timedelta(hours=2))
    assert house.statuses().count(SENT) == 299
    assert house.messages()[250]["reason"] == "550 no such user"
    assert len({address for address, _ in server[0].taken}) == len(server[0].taken) == 299


def test_a_busy_server_is_asked_again_later_and_later_until_we_give_up(house: House, server: Server) -> None:
    server[0].refuse |= dict.fromkeys(("p1@example.com", "p3@example.com"), "450 busy")
    house.people([1, 2, 3])
    now, waits, steps = NOW, [], set()
    for _attempt in range(60):
        house.deliver(now)
        one, _, other = house.messages()
        if one["status"] != PENDING:
            break
        steps.add(other["due_at"] - one["due_at"])
        waits.append((one["due_at"] - now).total_seconds())
        now = one["due_at"]
    assert house.messages()[0]["status"] == FAILED
    assert house.messages()[0]["reason"] == "gave up: 450 busy"
    assert 24 <= waits[0] <= 36
    assert timedelta() not in steps, "two that were refused together come again in step"
    assert max(waits) <= 3600 * 1.2
    assert now - NOW <= timedelta(hours=24)
    assert house.statuses()[:2] == [FAILED, SENT]


def test_d7_marketing_mail_that_nobody_knows_of_waits_for_a_receipt_and_is_repeated_once(
    house: House, server: Server
) -> None:
    server[0].hang_up.add("p1@example.com")
    house.message(1)
    house.deliver()
    (one,) = house.messages()
    assert (one["status"], one["due_at"]) == (UNKNOWN, NOW + timedelta(minutes=15))
    assert house.deliver(NOW + timedelta(minutes=14)) == 0
    house.deliver(NOW + timedelta(minutes=16))
    (one,) = house.messages()
    assert (one["status"], one["due_at"], one["attempt"]) == (UNKNOWN, NEVER, 2)
    assert house.deliver(NOW + timedelta(days=3)) == 0


def test_d7_transactional_mail_is_repeated_under_the_same_message_id(house: House, server: Server) -> None:
    server[0].hang_up.add("p1@example.com")
    house.message(1, marketing=False)
    house.deliver()
    assert house.statuses() == [UNKNOWN]
    server[0].hang_up.clear()
    house.deliver(NOW + timedelta(minutes=2))
    assert house.statuses() == [SENT]
    key = house.messages()[0]["provider_id"]
    assert server[0].taken[0][1]["message-id"] == f"<{key}.1001@example.com>"


def test_d7_a_sender_that_died_in_the_act_leaves_marketing_mail_unknown_and_webhooks_repeated(
    house: House, server: Server, httpserver: HTTPServer
) -> None:
    keys = []

    def receive(request: Request) -> Response:
        keys.append(request.headers["Idempotency-Key"])
        return Response(status=200)

    httpserver.expect_request("/").respond_with_handler(receive)
    place = f"{httpserver.host}:{httpserver.port}"
    house.account("crm", "webhook", {"url": httpserver.url_for("/"), "secret": "s"})
    house.courier.allow = {*house.courier.allow, place}
    house.message(1, status=SENDING, attempt=1)
    house.message(2, "hook", status=SENDING, attempt=1)
    house.message(3, status=SENDING, attempt=1, due_at=NOW + timedelta(seconds=1))  # somebody's lease still holds
    house.deliver()
    assert house.statuses() == [UNKNOWN, SENT, SENDING]
    assert server[0].taken == []
    assert len(keys) == 1


def test_t03_every_channel_connects_through_the_egress_client(
    house: House, server: Server, httpserver: HTTPServer, connected: list[Any]
) -> None:
    httpserver.expect_request("/").respond_with_data("")
    house.account("crm", "webhook", {"url": httpserver.url_for("/")})
    house.courier.allow = {*house.courier.allow, f"{httpserver.host}:{httpserver.port}"}
    house.message(1)
    house.message(2, "hook")
    house.message(3, "pop")
    house.deliver()
    assert house.statuses() == [SENT, SENT, SENT]
    assert sorted(port for _, port in connected) == sorted([server[1], httpserver.port])


def test_d6_the_key_of_a_message_never_changes(house: House, httpserver: HTTPServer) -> None:
    keys, answers = [], iter([503, 503, 200])

    def receive(request: Request) -> Response:
        keys.append(request.headers["Idempotency-Key"])
        return Response(status=next(answers))

    httpserver.expect_request("/").respond_with_handler(receive)
    house.account("crm", "webhook", {"url": httpserver.url_for("/")})
    house.courier.allow = {f"{httpserver.host}:{httpserver.port}"}
    house.message(1, "hook")
    now = NOW
    for _attempt in range(3):
        house.deliver(now)
        with transaction(house.connection):  # the contact is renamed between two attempts
            house.connection.execute("UPDATE identity SET value = value || 'x'")
        now += timedelta(hours=1)
    assert house.statuses() == [SENT]
    assert len(set(keys)) == 1
    assert len(keys) == 3


def test_a_late_writer_changes_nothing(house: House) -> None:
    """The lease ran out while the first sender dawdled; the second's word stands."""
    house.message(1)
    original = house.courier.carry

    def taken_over(*given: Any) -> Any:
        said = original(*given)
        with transaction(house.connection):
            house.connection.execute("UPDATE message SET attempt = attempt + 1, status = 2, reason = 'the other one'")
        return said

    object.__setattr__(house, "courier", _Patched(house.courier, taken_over))
    house.deliver()
    (one,) = house.messages()
    assert (one["status"], one["reason"]) == (SENT, "the other one")


class _Patched:
    def __init__(self, courier: Any, carry: Any) -> None:
        self._courier = courier
        self.carry = carry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._courier, name)


def test_in_app_messages_are_there_at_once_with_their_words(house: House) -> None:
    house.message(1, "pop")
    house.deliver()
    (one,) = house.messages()
    assert (one["status"], one["title"], one["recipient"]) == (SENT, "Hi P1", "u1")
    ((content,),) = house.rows("SELECT content FROM message")
    assert content == {"title": "Hi P1", "body": "there", "url": "", "expires_at": "2026-03-02T12:00:00+00:00"}


def test_a_webhook_that_was_taken_is_delivered(connection: Connection, httpserver: HTTPServer) -> None:
    house = build(connection, hook={"wait_for": "delivered", "timeout": "PT1H"})
    bodies = []

    def receive(request: Request) -> Response:
        bodies.append(request.get_json())
        return Response(status=202)

    httpserver.expect_request("/").respond_with_handler(receive)
    house.account("crm", "webhook", {"url": httpserver.url_for("/")})
    house.courier.allow = {f"{httpserver.host}:{httpserver.port}"}
    house.message(1, "hook")
    house.deliver()
    assert bodies == [{"who": "u1"}]
    assert [one["outcome"] for one in house.messages()] == [2]
    ((name, properties),) = house.letters()
    assert name == "message.delivered"
    assert (properties["enrollment"], properties["node"], properties["visit"]) == (1, "hook", 1)


def test_failures_are_told_only_where_somebody_waits_for_them(connection: Connection, server: Server) -> None:
    house = build(connection, send={"wait_for": "delivered", "timeout": "PT1H"})
    house.account("mail", "email", mail_account(server[1]))
    house.courier.allow = {f"127.0.0.1:{server[1]}"}
    server[0].refuse["p1@example.com"] = "550 no"
    house.message(1)
    house.message(2, attributes={"email": "p2@example.com"})
    house.message(3, attributes={"name": "x"})
    house.deliver()
    assert [(name, one["enrollment"], one["reason"]) for name, one in sorted(house.letters(), key=str)] == [
        ("message.failed", 1, "550 no"),
        ("message.failed", 2, "missing variable: contact.name"),
        ("message.suppressed", 3, "no_address"),
    ]


def test_nothing_is_told_where_nobody_waits(house: House, server: Server) -> None:
    server[0].refuse["p1@example.com"] = "550 no"
    house.message(1)
    house.deliver()
    assert house.letters() == []


def test_an_account_that_is_missing_fails_its_messages_by_name(house: House) -> None:
    house.message(1, account="nowhere")
    house.deliver()
    assert [one["reason"] for one in house.messages()] == ["no email account named nowhere"]


def test_t25_another_secret_does_not_open_credentials(house: House) -> None:
    house.account("crm", "webhook", {"url": "https://crm.example.com/", "secret": "hunter2"})
    ((shown, sealed),) = house.rows("SELECT settings, sealed FROM account WHERE name = 'crm'")
    assert "hunter2" not in json.dumps(shown) + sealed
    house.courier.secret = b"another secret that is long enough"
    house.message(1, "hook")
    house.deliver()
    (one,) = house.messages()
    assert one["status"] == FAILED
    assert "does not open" in one["reason"] or "do not open" in one["reason"]


def test_p15_a_dead_account_rests_and_the_others_are_served(house: House, server: Server) -> None:
    house.account("dead", "email", mail_account(9, username=""))
    house.courier.allow = {*house.courier.allow, "127.0.0.1:9"}
    house.people(range(10, 13), account="dead")
    house.deliver()
    assert house.statuses() == [PENDING] * 3
    later = NOW + timedelta(seconds=2)
    with transaction(house.connection):
        house.connection.execute("UPDATE message SET due_at = %s", (NOW,))
    house.people(range(1, 3))
    assert house.deliver(later, limit=3) == 2  # the dead account's three would have filled the batch
    assert sorted(house.statuses()) == [PENDING] * 3 + [SENT] * 2
    assert len(server[0].taken) == 2


def test_what_a_batch_costs_grows_by_one_short_transaction_for_every_eight_mails(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight is what a killed process may leave in doubt (P3); claiming, words and links cost the same for any number."""
    house.people([99])
    house.deliver()  # reads the plans, once
    counts = []
    count = 0
    original = Connection.execute

    def counting(self: Any, *given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return original(self, *given, **named)

    for numbers in (range(1, 17), range(100, 420)):
        house.people(numbers)
        with monkeypatch.context() as patch:
            patch.setattr("psycopg.Connection.execute", counting)
            # Who waited for a slow one is asked for once more; on a busy machine all are slow.
            patch.setattr("app.courier.FRESH_SECONDS", 60.0)
            count = 0
            house.deliver()
        counts.append(count)
    assert counts[0] <= 16
    assert counts[1] - counts[0] == (40 - 2) * 3  # the outcomes of eight; the hold and the mark on the next eight
    assert house.statuses().count(SENT) == 337


def test_f08_a_paused_journey_holds_its_messages_and_a_stopped_one_drops_them(house: House, server: Server) -> None:
    def become(status: str) -> None:
        with transaction(house.connection):
            house.connection.execute("UPDATE journey SET status = %s", (status,))
            versions.bump(house.connection)

    house.people(range(1, 4))
    become("paused")
    house.deliver()
    assert house.statuses() == [PENDING] * 3
    become("live")
    house.deliver(limit=2)
    become("stopped")
    house.deliver()
    ended = [(one["status"], one["reason"]) for one in house.messages() if one["reason"]]
    assert ended == [(SUPPRESSED, "stopped")]
    assert len(server[0].taken) == 2


def test_p15_one_poisonous_message_does_not_hold_up_the_others(connection: Connection, server: Server) -> None:
    house = build(connection, send={"subject": "{{ contact.name | url_decode }}", "html": "<p>{{ contact.name }}</p>"})
    house.account("mail", "email", mail_account(server[1]))
    house.courier.allow = {f"127.0.0.1:{server[1]}"}
    for number, name in enumerate(("%00", "%0d%0aBcc: x@y.z", "%ED%A0%80", "fine", "{{" * 9)):
        house.message(number, attributes={"name": name, "email": f"p{number}@example.com"})
    house.deliver()
    assert house.statuses() == [SENT, FAILED, SENT, SENT, SENT]
    assert house.messages()[1]["reason"] == "the subject holds a line break or control character"


def test_a_message_of_a_step_that_cannot_send_fails_alone(house: House) -> None:
    house.message(1)
    house.message(2)
    with transaction(house.connection):
        house.connection.execute("UPDATE message SET node = 'end' WHERE id = 1001")
    house.deliver()
    assert [(one["status"], one["reason"]) for one in house.messages()] == [
        (FAILED, "the step end cannot send"),
        (SENT, None),
    ]
