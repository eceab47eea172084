"""Webhooks to a real receiver: signed, repeated under one key, and honest about silence."""

import asyncio
import hashlib
import hmac
import threading
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app import egress as egress_module
from app.egress import Egress
from flows.contract import Outgoing, Report
from nodes.send_webhook.deliver import deliver
from tests.deliver.peers import NOW, outgoing


def send(messages: list[Outgoing], allow: str) -> list[Report]:
    async def main() -> list[Report]:
        async with Egress({allow}, now=lambda: NOW) as egress:
            return await deliver(messages, egress)

    return asyncio.run(main())


def hook(number: int, url: str, account: dict[str, Any] | None = None, body: str = '{"n": 1}') -> Outgoing:
    return outgoing(number, "u1", fields={"url": url, "body": body}, account=account or {})


def place(server: HTTPServer) -> str:
    return f"{server.host}:{server.port}"


def test_a_webhook_is_signed_with_every_secret_that_is_valid(httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def receive(request: Request) -> Response:
        seen.append(request)
        return Response(status=204)

    httpserver.expect_request("/in", method="POST").respond_with_handler(receive)
    account = {"secret": "new", "previous_secret": "old"}
    (report,) = send([hook(5, httpserver.url_for("/in"), account, '{"name": "小明"}')], place(httpserver))
    (request,) = seen
    assert report.status == "sent"
    assert request.headers["Idempotency-Key"] == f"{5:064x}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.get_json() == {"name": "小明"}
    signed = f"{5:064x}.{request.headers['X-Journey-Timestamp']}.".encode() + request.data
    marks = [hmac.new(secret, signed, hashlib.sha256).hexdigest() for secret in (b"new", b"old")]
    assert request.headers["X-Journey-Signature"] == ",".join(f"v1={mark}" for mark in marks)
    assert request.headers["X-Journey-Timestamp"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("status", "after", "expected"),
    [
        (200, None, ("sent", None)),
        (202, None, ("sent", None)),
        (302, None, ("failed", None)),
        (400, None, ("failed", None)),
        (404, None, ("failed", None)),
        (410, None, ("failed", None)),
        (429, "120", ("retry", 120.0)),
        (429, None, ("retry", None)),
        (500, None, ("retry", None)),
        (502, None, ("retry", None)),
        (503, "86400", ("retry", 3600.0)),
        (503, "Sun, 01 Mar 2026 12:10:00 GMT", ("retry", 600.0)),
        (503, "Sun, 01 Mar 2020 12:10:00 GMT", ("retry", 0.0)),
        (503, "soon", ("retry", None)),
        (503, "-5", ("retry", None)),
    ],
)
def test_what_the_receiver_says_decides(
    httpserver: HTTPServer, status: int, after: str | None, expected: tuple[str, float | None]
) -> None:
    httpserver.expect_request("/").respond_with_response(
        Response(status=status, headers={"Retry-After": after} if after else {})
    )
    (report,) = send([hook(1, httpserver.url_for("/"))], place(httpserver))
    assert (report.status, report.retry_after) == expected


def test_one_bad_receiver_fails_alone_and_reports_keep_their_order(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/good").respond_with_data("")
    httpserver.expect_request("/bad").respond_with_data("", status=422)
    messages = [hook(number, httpserver.url_for("/bad" if number == 17 else "/good")) for number in range(40)]
    reports = send(messages, place(httpserver))
    assert [number for number, report in enumerate(reports) if report.status != "sent"] == [17]
    assert reports[17].reason == "HTTP 422"


def test_d7_silence_after_the_request_is_unknown(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_module, "TOTAL_SECONDS", 1.0)
    given_up = threading.Event()

    def dawdle(request: Request) -> Response:
        del request
        given_up.wait(60)
        return Response()

    httpserver.expect_request("/").respond_with_handler(dawdle)
    (report,) = send([hook(1, httpserver.url_for("/"))], place(httpserver))
    given_up.set()
    assert report.status == "unknown"


def test_a_receiver_that_is_down_is_tried_again(httpserver: HTTPServer) -> None:
    (report,) = send([hook(1, "http://127.0.0.1:9/")], "127.0.0.1:9")
    assert report.status == "retry"
    (report,) = send([hook(1, "http://127.0.0.1:9/")], place(httpserver))
    assert report.status == "failed"  # plain HTTP, and not on our list


@pytest.mark.parametrize("body", ["{", "NaN", '{"a": Infinity}', "[" * 100_000, "\x00"])
def test_what_is_not_json_is_not_sent(httpserver: HTTPServer, body: str) -> None:
    (report,) = send([hook(1, httpserver.url_for("/"), body=body)], place(httpserver))
    assert report == Report("failed", "the body is not JSON")
    assert httpserver.log == []


def test_t25_a_secret_only_goes_to_the_host_it_belongs_to(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("")
    account = {"url": "https://partner.example/hooks", "secret": "s"}
    (report,) = send([hook(1, httpserver.url_for("/"), account)], place(httpserver))
    assert report == Report("failed", "the address is not on the account's host")
    assert httpserver.log == []
