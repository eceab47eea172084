"""An account is tested by a real message over the way that all messages take; the answer says what to mend."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from starlette.testclient import TestClient

from app.database import Connection
from app.main import create_app
from app.settings import Settings
from tests.web.browsing import HERE, post, sign_in
from tests.web.conftest import Staff

Enter = Callable[..., TestClient]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A mail server; it wants a password where it is closed, and is gone before its last word where it is dying."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.closed = self.dying = False

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        del server, session
        if self.closed:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        del session
        self.mails.append(envelope)
        if self.dying:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def mail_server() -> Iterator[tuple[Server, int]]:
    server, port = Server(), free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield server, port
    controller.stop()


@pytest.fixture
def enter(settings: Settings, connection: Connection, staff: Staff) -> Iterator[Enter]:
    """A browser before a program that sends for real, at most to these ports of this machine."""
    opened = []

    def go(*ports: int, sink: bool = False, role: str = "admin") -> TestClient:
        allowed = tuple(f"127.0.0.1:{port}" for port in ports)
        placed = settings.model_copy(
            update={"sink": sink, "egress_allow": allowed, "sink_smtp_port": ports[0] if ports else 1}
        )
        client = TestClient(create_app(placed), base_url="http://testserver")
        opened.append(client)
        return sign_in(client.__enter__(), connection, staff, role)

    yield go
    for client in opened:
        client.__exit__(None, None, None)


def account(browser: TestClient, port: int) -> None:
    fields = {"name": "mail", "host": "127.0.0.1", "port": port, "tls": "none"}
    made = post(browser, "/settings/accounts/new/email", **fields, from_address="shop@shop.example")
    assert made.status_code == 204, made.text


def test_a_test_mail_goes_out_and_it_is_said(enter: Enter, mail_server: tuple[Server, int]) -> None:
    server, port = mail_server
    browser = enter(port)
    account(browser, port)
    asked = browser.get("/settings/accounts/mail/test", headers=HERE).text
    assert "Send a test" in asked
    told = post(browser, "/settings/accounts/mail/test", to="li@shop.example").text
    assert "It works." in told
    assert "took the test mail for li@shop.example" in told
    assert [one.rcpt_tos for one in server.mails] == [["li@shop.example"]]
    assert b"A test from Journey Canvas" in server.mails[0].content


def test_a_wrong_password_is_called_by_its_name(enter: Enter, mail_server: tuple[Server, int]) -> None:
    server, port = mail_server
    browser = enter(port)
    account(browser, port)
    server.closed = True
    told = post(browser, "/settings/accounts/mail/test", to="li@shop.example").text
    assert "It did not work." in told
    assert "The server refused the user name or the password." in told
    assert server.mails == []


def test_a_mail_that_was_handed_over_and_never_answered_is_called_doubtful(
    enter: Enter, mail_server: tuple[Server, int]
) -> None:
    server, port = mail_server
    browser = enter(port)
    account(browser, port)
    server.dying = True
    assert (
        "It was handed over, but no answer came."
        in post(browser, "/settings/accounts/mail/test", to="li@shop.example").text
    )
    assert len(server.mails) == 1


def test_a_server_that_is_not_there_is_called_that(enter: Enter) -> None:
    port = free_port()
    browser = enter(port)
    account(browser, port)
    told = post(browser, "/settings/accounts/mail/test", to="li@shop.example").text
    assert "The server does not answer: check its name and port." in told


def test_the_house_is_not_left_for_addresses_that_are_not_public(enter: Enter, mail_server: tuple[Server, int]) -> None:
    server, port = mail_server
    browser = enter()  # nothing is allowed on this machine
    account(browser, port)
    told = post(browser, "/settings/accounts/mail/test", to="li@shop.example").text
    assert "This program does not go there" in told
    assert server.mails == []


def test_what_is_no_address_is_refused_at_the_field(enter: Enter) -> None:
    browser = enter()
    account(browser, 25)
    told = post(browser, "/settings/accounts/mail/test", to="nobody")
    assert told.status_code == 422
    assert 'aria-invalid="true"' in told.text


def test_a_receiver_without_an_address_has_nothing_to_test(enter: Enter) -> None:
    browser = enter()
    assert post(browser, "/settings/accounts/new/webhook", name="hook", secret="s" * 20).status_code == 204
    told = post(browser, "/settings/accounts/hook/test")
    assert told.status_code == 422
    assert "names no address" in told.text


def test_it_is_said_in_chinese_too(enter: Enter, mail_server: tuple[Server, int]) -> None:
    server, port = mail_server
    browser = enter(port)
    account(browser, port)
    server.closed = True
    headers = {**HERE, "HX-Request": "true", "Accept-Language": "zh-CN"}
    told = browser.post("/settings/accounts/mail/test", data={"to": "li@shop.example"}, headers=headers).text
    assert "服务器拒绝了用户名或密码" in told


def test_only_who_manages_accounts_may_test_one(enter: Enter) -> None:
    account(enter(), 25)
    assert post(enter(role="operator"), "/settings/accounts/mail/test", to="a@b.example").status_code == 403
