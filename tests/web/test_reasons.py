"""Stored reasons become sentences in one place, in both languages; none is left as a bare code (Q15)."""

import ast
from collections.abc import Iterator

import pytest

from app import causes, reasons
from app.language import words
from app.reasons import Known, OptOut, Part
from flows.conditions import OVER
from flows.words import speaking
from tests.conftest import ROOT

NAMES = Known(journeys={12: "Welcome"}, channels={"email": "E-mail"})


@pytest.mark.parametrize(
    ("stored", "english", "chinese"),
    [
        (
            "lost to journey 12: 3 per P7D",
            "lost to journey “Welcome” (12): 3 of 3 marketing messages in 7 days",
            "让位于旅程 “Welcome” (12)：7 天内的营销消息已达 3/3 条",
        ),
        (
            "lost to journey 13: 1 per day by email",
            "lost to journey 13: 1 of 1 marketing messages by E-mail in one day of their calendar",
            "让位于旅程 13：对方日历的一天内的E-mail营销消息已达 1/1 条",
        ),
        (
            "quiet hours: until 08:00 Asia/Shanghai",
            "quiet hours until 08:00 Asia/Shanghai",
            "免打扰时段，至 08:00（Asia/Shanghai）",
        ),
        (
            "fuse: more than 3 a day of one step to one person",
            "ceiling: more than 3 a day of one step to one person",
            "上限：同一步骤一天内对同一人超过 3 条",
        ),
        (
            "fuse: 3 complaints about 1000 messages by email in 7 days; from 0.3% on, mailbox providers refuse mail",
            "fuse: 3 complaints about 1000 messages by E-mail in 7 days; from 0.3% on, mailbox providers refuse mail",
            "熔断：7 天内E-mail的 1000 条消息收到 3 次投诉；达到 0.3% 后，邮箱服务商会拒收邮件",
        ),
        (
            "season: journey 12",
            "the season of journey “Welcome” (12) pauses it",
            "旅程 “Welcome” (12) 正处于季节，此旅程因此暂停",
        ),
        ("pause: skipped", "fell due while the journey was paused", None),
        (OVER, "over the approved cap", None),
        ("moved", "moved to another version", None),
        ("550 no such user", "550 no such user", "550 no such user"),
    ],
)
def test_every_reason_is_a_sentence_q15(stored: str, english: str, chinese: str | None) -> None:
    assert reasons.sentence(stored, str, NAMES) == english
    if chinese:
        say = words("zh").gettext
        with speaking("zh", say):
            assert reasons.sentence(stored, say, NAMES) == chinese


def test_the_journey_that_won_is_a_link_and_one_out_of_scope_is_a_number_only_q15() -> None:
    linked = reasons.parts("lost to journey 12: 3 per P7D", str, NAMES)
    assert Part("“Welcome” (12)", "/journeys/12/live") in linked
    assert all(part.href is None for part in reasons.parts("lost to journey 12: 3 per P7D", str))


def test_an_opt_out_says_of_what_when_and_how_q10() -> None:
    known = Known(opt_out=OptOut("Offers", "E-mail", "3 May 2026", "on the preference page"))
    told = reasons.sentence("opted_out", str, known)
    assert told == "opted out of Offers (E-mail) on 3 May 2026, on the preference page"
    assert reasons.sentence("opted_out", str) == "opted out of this channel"


@pytest.mark.parametrize(
    ("stored", "english", "chinese"),
    [
        ("the tag raw is not allowed", "the tag raw is not allowed", "不允许使用标签 raw"),
        ("unknown before: the host cannot be reached", None, "是否送达未知：无法连接主机"),
        ("gave up: mx.example.com:25 cannot be reached", None, "多次尝试后放弃：无法连接 mx.example.com:25"),
        ("the recipient is not a mail address", "the recipient is not a mail address", "收件人不是邮箱地址"),
        ("the moon is full", "the moon is full", "the moon is full"),
    ],
)
def test_what_our_own_guard_and_channels_say_is_said_in_the_readers_language_a_plugins_words_stand(
    stored: str, english: str | None, chinese: str
) -> None:
    assert reasons.sentence(stored, words("zh").gettext) == chinese
    if english:
        assert reasons.sentence(stored, str) == english


@pytest.mark.parametrize(
    ("stored", "english", "chinese"),
    [
        ("no tag vip", "does not have the tag “vip”", "没有标签“vip”"),
        ("plan.name is missing", "plan.name is not known", "plan.name 未知"),
        ("mail not opened", "“Your order” was not opened", "“Your order”未达到“已打开”"),
        ("mail clicked", "“Your order” was clicked", "“Your order”已点击"),
        ("order paid 2x in 1 week 1 day", "order paid 2× in 1 week 1 day", "order paid 在 1 周 1 天内 2 次"),
        ("order paid 0x", "order paid 0×", "order paid 0 次"),
        ('city = "tag is missing"', None, None),
    ],
)
def test_what_a_rule_saw_is_said_in_the_readers_language(stored: str, english: str | None, chinese: str | None) -> None:
    assert causes.seen(stored, str, {"mail": "Your order"}.get) == english
    with speaking("zh", words("zh").gettext):
        assert causes.seen(stored, words("zh").gettext, {"mail": "Your order"}.get) == chinese


SPEAKERS = ("CopyError", "VaultError", "Report", "NotAllowed", "Unsendable", "Unreachable", "NoAnswer")
ROOMS = ("app/*.py", "app/stages/*.py", "nodes/send_*/*.py")


def _given() -> Iterator[str]:
    """Every reason that stands in our code as a text, its places filled with something."""
    for path in sorted(path for room in ROOMS for path in ROOT.glob(room)):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SPEAKERS:
                for text in call.args[-1:]:
                    if isinstance(text, ast.Constant | ast.JoinedStr):
                        yield "".join(
                            str(part.value) if isinstance(part, ast.Constant) else "x7"
                            for part in getattr(text, "values", [text])
                        )


def test_no_reason_of_ours_is_left_in_english() -> None:
    say, silent = words("zh").gettext, ("sent", "not begun", "HTTP x7")
    given = {text for text in _given() if text not in silent}
    assert len(given) > 40
    assert sorted(text for text in given if reasons.sentence(text, say) == text) == []
