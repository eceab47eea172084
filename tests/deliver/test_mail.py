"""Mail over real SMTP: every recipient gets its own report, and nobody writes headers but us."""

import asyncio
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from app.egress import Egress
from flows.contract import Report
from nodes.send_email.deliver import deliver
from nodes.send_email.mail import plain
from tests.deliver.peers import NOW, Personality, mail_account, outgoing, send_mail, smtp_server

# By name: in the package, `deliver` is the function.
channel = import_module("nodes.send_email.deliver")
PAYLOADS = json.loads((Path(__file__).parent.parent / "data" / "header_injections.json").read_text("utf-8"))


@pytest.fixture
def server() -> Iterator[tuple[Personality, int]]:
    personality = Personality()
    with smtp_server(personality) as port:
        yield personality, port


def test_a_mail_arrives_with_both_parts_and_the_words_intact(server: tuple[Personality, int]) -> None:
    personality, port = server
    fields = {"subject": "小明，你的订单", "text": "你好 小明", "html": "<p>你好 <b>小明</b></p>"}
    (report,) = send_mail([outgoing(7, "ming@example.cn", fields=fields)], port, from_name="商店")
    ((address, mail),) = personality.taken
    assert (report.status, report.provider_id, address) == ("sent", f"{7:064x}", "ming@example.cn")
    assert (mail["subject"], mail["to"], mail["from"]) == (
        "小明，你的订单",
        "ming@example.cn",
        "商店 <shop@example.com>",
    )
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content().strip(), html.get_content().strip()) == ("你好 小明", "<p>你好 <b>小明</b></p>")
    assert mail["message-id"] == f"<{7:064x}.7@example.com>"
    assert personality.senders == ["shop@example.com"]


def test_d6_a_repeat_is_the_same_bytes(server: tuple[Personality, int]) -> None:
    personality, port = server
    send_mail([outgoing(7, "a@example.com")], port)
    send_mail([outgoing(7, "a@example.com")], port)
    first, second = (mail.as_bytes() for _, mail in personality.taken)
    assert first == second


def test_rfc8058_marketing_mail_names_the_way_out_twice(server: tuple[Personality, int]) -> None:
    personality, port = server
    send_mail([outgoing(7, "a@example.com")], port, unsubscribe_mailto="out@example.com")
    mail = personality.taken[0][1]
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["list-unsubscribe"].replace(" ", "") == (
        f"<https://go.example.com/u/abc>,<mailto:out@example.com?subject=unsubscribe-{7:032x}>".replace(
            f"{7:032x}", f"{7:064x}"[:32]
        )
    )


def test_transactional_mail_needs_no_way_out_and_marketing_mail_does(server: tuple[Personality, int]) -> None:
    personality, port = server
    reports = send_mail(
        [outgoing(1, "a@example.com", links={}), outgoing(2, "b@example.com", links={}, marketing=False)], port
    )
    assert [report.status for report in reports] == ["failed", "sent"]
    assert "unsubscribe" in reports[0].reason
    assert personality.taken[0][1]["list-unsubscribe"] is None


def test_bounces_come_back_tagged_with_the_message(server: tuple[Personality, int]) -> None:
    personality, port = server
    send_mail([outgoing(7, "a@example.com")], port, bounce_address="bounces@example.com")
    assert personality.senders == ["bounces+7@example.com"]


def test_h03_one_refused_recipient_among_five_hundred_fails_alone(server: tuple[Personality, int]) -> None:
    personality, port = server
    personality.refuse["p250@example.com"] = "550 no such user"
    messages = [
        outgoing(number, f"p{number}@example.com", fields={"subject": "s", "text": "t"}) for number in range(500)
    ]
    reports = send_mail(messages, port)
    assert [number for number, report in enumerate(reports) if report.status != "sent"] == [250]
    assert reports[250] == ("failed", "550 no such user", "", None)
    assert len({address for address, _ in personality.taken}) == len(personality.taken) == 499
    assert len(personality.sessions) == 1  # one connection for all


@pytest.mark.parametrize(
    ("where", "answer", "status"),
    [
        ("refuse", "450 mailbox busy", "retry"),
        ("refuse", "552 mailbox full", "failed"),
        ("data", "451 try later", "retry"),
        ("data", "554 looks like spam", "failed"),
    ],
)
def test_4xx_means_later_and_5xx_means_never(
    server: tuple[Personality, int], where: str, answer: str, status: str
) -> None:
    personality, port = server
    getattr(personality, where)["b@example.com"] = answer
    reports = send_mail([outgoing(number, f"{name}@example.com") for number, name in enumerate("abc")], port)
    assert [report.status for report in reports] == ["sent", status, "sent"]
    assert reports[1].reason == answer


def test_d7_a_connection_lost_after_data_is_unknown_and_the_others_go_on(server: tuple[Personality, int]) -> None:
    personality, port = server
    personality.hang_up.add("b@example.com")
    reports = send_mail([outgoing(number, f"{name}@example.com") for number, name in enumerate("abc")], port)
    assert [report.status for report in reports] == ["sent", "unknown", "sent"]
    assert [address for address, _ in personality.taken] == ["a@example.com", "c@example.com"]


def test_d7_a_server_too_slow_to_answer_data_leaves_the_mail_unknown(
    server: tuple[Personality, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "TOTAL_SECONDS", 2.0)  # only the slow one may take as long, on a loaded machine too
    personality, port = server
    personality.slow.add("b@example.com")
    reports = send_mail([outgoing(number, f"{name}@example.com") for number, name in enumerate("abc")], port)
    assert [report.status for report in reports] == ["sent", "unknown", "sent"]


def test_a_server_that_hangs_up_after_two_mails_gets_the_rest_over_new_connections(
    server: tuple[Personality, int],
) -> None:
    personality, port = server
    personality.most_per_session = 2
    reports = send_mail([outgoing(number, f"p{number}@example.com") for number in range(7)], port)
    assert {report.status for report in reports} == {"sent"}
    assert len(personality.taken) == 7


def test_a_dead_server_is_asked_once_and_everybody_waits() -> None:
    with smtp_server(Personality()) as port:
        pass
    reports = send_mail([outgoing(number, f"p{number}@example.com") for number in range(50)], port)
    assert {(report.status, report.reason) for report in reports} == {("retry", f"127.0.0.1:{port} cannot be reached")}


def test_t03_a_mail_server_inside_our_network_is_never_asked() -> None:
    async def main() -> list[Report]:
        message = outgoing(1, "a@example.com", account=mail_account(25))
        return await deliver([message], Egress(now=lambda: NOW))

    (report,) = asyncio.run(main())
    assert report.status == "failed"
    assert "private network" in report.reason


def test_an_incomplete_account_is_named_without_its_secrets() -> None:
    account = {"host": "h", "from_address": "a@b.c", "password": "hunter2", "colour": "red"}
    reports = asyncio.run(deliver([outgoing(1, "a@example.com", account=account)], None))
    assert reports[0].status == "failed"
    assert "colour" in reports[0].reason
    assert "hunter2" not in str(reports)


def test_t23_there_are_at_least_sixty_injections() -> None:
    assert len(PAYLOADS) >= 60


def test_t23_no_injection_adds_a_header_a_recipient_or_a_mail(server: tuple[Personality, int]) -> None:
    personality, port = server
    messages = []
    for number, (field, value) in enumerate(PAYLOADS):
        fields = {"subject": "s", "text": "t"}
        if field != "recipient":
            fields[field] = value
        messages.append(outgoing(number, value if field == "recipient" else f"p{number}@example.com", fields=fields))
    reports = send_mail(messages, port)
    assert len(reports) == len(PAYLOADS)
    assert {report.status for report in reports} <= {"failed", "sent"}
    assert len(personality.taken) == sum(report.status == "sent" for report in reports)
    for address, mail in personality.taken:
        assert address.endswith("@example.com")
        assert address.count("@") == 1
        assert not {name.lower() for name in mail} & {"bcc", "cc", "x-evil", "x-injected"}
        assert mail["to"] == address
        for name in ("from", "to", "subject", "message-id", "date"):
            assert len(mail.get_all(name)) == 1
    assert not [
        report
        for report, (_, value) in zip(reports, PAYLOADS, strict=True)
        if "\n" in value and report.status == "sent"
    ]


def test_html_becomes_words_where_no_text_was_written() -> None:
    html = "<style>p{}</style><p>Hi <b>you</b> &amp; me</p><a href='https://x.example/a'>buy</a><script>no()</script>"
    assert plain(html) == "Hi you & me\nbuy (https://x.example/a)"
