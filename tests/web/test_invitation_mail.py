"""An invitation goes out by mail as well, through the first e-mail account there is; without one it is only shown."""

import re
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from starlette.testclient import TestClient

from app.database import Connection
from app.main import create_app
from app.settings import Settings
from tests.web.browsing import post, sign_in
from tests.web.conftest import Api, Staff, flow

ACCOUNT = {"name": "mail", "host": "mail.example", "from_address": "a@b.example", "username": "me", "tls": "tls"}
LI = {"email": "li@shop.example", "name": "Li Na", "role": "viewer"}


@pytest.fixture
def caught() -> list[Any]:
    return []


@pytest.fixture
def browser(settings: Settings, connection: Connection, staff: Staff, caught: list[Any]) -> Iterator[TestClient]:
    """An admin's browser before a program whose mails land in a catcher."""

    class Catcher:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            del server, session
            caught.append(envelope)
            return "250 OK"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mail = Controller(Catcher(), hostname="127.0.0.1", port=port)
    mail.start()
    placed = settings.model_copy(update={"sink_smtp_port": port, "egress_allow": (f"127.0.0.1:{port}",)})
    with TestClient(create_app(placed), base_url="http://testserver") as client:
        yield sign_in(client, connection, staff, "admin")
    mail.stop()


def test_an_invitation_also_goes_out_by_mail_where_there_is_an_account(browser: TestClient, caught: list[Any]) -> None:
    assert post(browser, "/settings/accounts/new/email", **ACCOUNT).status_code == 204
    shown = post(browser, "/settings/people", **LI).text
    assert "on its way by mail to li@shop.example" in shown
    assert [one.rcpt_tos for one in caught] == [["li@shop.example"]]
    mail = message_from_bytes(caught[0].content, policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"token=(jl_[0-9a-f]{12}_[0-9a-f]{64})", shown)
    assert found
    assert found[1] in body.get_content()
    assert "Journey Canvas" in str(mail["Subject"])


def test_a_nudge_goes_to_those_who_may_review_and_to_nobody_else(
    browser: TestClient, caught: list[Any], connection: Connection, staff: Staff
) -> None:
    assert post(browser, "/settings/accounts/new/email", **ACCOUNT).status_code == 204
    operator = Api(browser, staff.keys["operator"])
    journey = operator.ok("POST", "/journeys", {"name": "Not paid", "document": flow()})["id"]
    operator.ok("POST", f"/journeys/{journey}/submit")
    assert operator.ok("POST", f"/journeys/{journey}/nudge") == {"reviewers": 2, "mailed": True}
    assert sorted(one.rcpt_tos[0] for one in caught) == ["admin@shop.example", "reviewer@shop.example"]
    mail = message_from_bytes(caught[0].content, policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    assert str(mail["Subject"]) == "“Not paid” waits for your review"
    assert f"/journeys/{journey}/review" in body.get_content()
    caught.clear()
    assert post(sign_in(browser, connection, staff, "operator"), f"/journeys/{journey}/review/nudge").status_code == 409
    assert caught == []


def test_without_an_account_it_is_only_shown(browser: TestClient, caught: list[Any]) -> None:
    shown = post(browser, "/settings/people", **LI).text
    assert "token=jl_" in shown
    assert "by mail" not in shown
    assert caught == []
