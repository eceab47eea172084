"""Who opts out gets nothing more, whenever they say it: before, between or during attempts, by any channel (P10, F27, Q10)."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from app.courier import Courier
from app.database import Connection, connect, transaction
from app.lanes import ALL_LANES
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site
from app.stages import gate
from app.store import consents, suppressions
from app.store.consents import Consent
from flows.contract import Batch, Channel, NodeType, Outcome, Outgoing, Report
from nodes import catalog
from nodes.sending import SendSettings, ports, send
from tests.deliver.house import BASE, SECRET, House, build, text
from tests.deliver.peers import NOW

PENDING, SENDING, SENT, FAILED, SUPPRESSED, EXPIRED, UNKNOWN, DEFERRED = range(8)


class Settings(SendSettings):
    """A plugin's settings; it would like every message to pass."""

    words: str = "hello"
    message_class: Any = "transactional"


@dataclass
class Recorder:
    """A plugin's channel: it remembers when each call began, takes its time, and answers as told."""

    batch: int = 100
    seconds: float = 0.0
    answer: Report = field(default_factory=lambda: Report("sent"))
    calls: dict[int, list[float]] = field(default_factory=dict)
    before: Callable[[Outgoing], None] = bool  # type: ignore[assignment]

    async def deliver(self, messages: Sequence[Outgoing], egress: Any) -> list[Report]:
        del egress
        for one in messages:
            self.calls.setdefault(one.id, []).append(time.monotonic())
            self.before(one)
            if self.seconds:
                time.sleep(self.seconds)
        return [self.answer] * len(messages)

    @property
    def node(self) -> NodeType:
        def advance(batch: Batch) -> Outcome:
            return send(batch, "pigeon", None)

        channel = Channel("pigeon", {"words": "text"}, self.deliver, batch=self.batch)
        return NodeType(
            "send.pigeon",
            version=1,
            title="Pigeon",
            group="send",
            settings=Settings,
            ports=ports,
            summary=lambda _: "",
            advance=advance,
            channel=channel,
        )


def furnish(connection: Connection, recorder: Recorder, **settings: Any) -> House:
    house = build(connection)
    house.plans = Plans({**catalog(plugins=False), "send.pigeon": recorder.node})
    with transaction(connection):
        connection.execute(
            "UPDATE version SET document = jsonb_set(document, '{nodes,2}', %s::jsonb)",
            (text({"id": "hook", "type": "send.pigeon", "version": 1, "settings": settings}),),
        )
    house.courier = Courier(Site(BASE, Tokens(SECRET)), SECRET)
    return house


def people(house: House, numbers: Sequence[int], **more: Any) -> None:
    house.people(numbers, "hook", **{"channel": "pigeon", "account": None, **more})


def leave(house: House, number: int, connection: Connection | None = None, purpose: str = "marketing") -> None:
    mine = connection or house.connection
    with transaction(mine):
        consents.set_consents(mine, [Consent(house.workspace, number, "pigeon", purpose, False, NOW, "page")])


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def house(connection: Connection, recorder: Recorder) -> House:
    return furnish(connection, recorder)


LOT = 16  # as many are claimed at once: so each claim has its own moment, and opt-outs are aimed at it


def race(house: House, url: str, recorder: Recorder, pairs: int, together: int = 125) -> dict[str, int]:
    """An opt-out within 50 ms of the claim of each message; how many calls began after its commit, and after a second."""
    chance, answered, slow = random.Random(7), dict[int, float](), list[float]()
    people(house, range(1_000_000, 1_000_000 + together))
    house.deliver(limit=LOT)
    begun = time.monotonic()
    while house.deliver(limit=LOT):
        pass
    seconds = time.monotonic() - begun  # how long a round takes
    for first in range(1, pairs + 1, together):
        numbers = list(range(first, min(first + together, pairs + 1)))
        people(house, numbers)
        with transaction(house.connection):
            house.connection.execute("UPDATE message SET due_at = due_at + id * interval '1 ms' WHERE status = 0")
        start = time.monotonic() + 0.12
        aimed = [start + seconds * place / len(numbers) for place in range(len(numbers))]
        moments = sorted((at + chance.uniform(-0.05, 0.05), n) for at, n in zip(aimed, numbers, strict=True))

        def opt_out(mine: list[tuple[float, int]]) -> None:
            with connect(url) as own:
                for at, number in mine:
                    time.sleep(max(0.0, at - time.monotonic()))
                    begun = time.monotonic()
                    leave(house, number, own)
                    answered[number] = time.monotonic()
                    slow.append(answered[number] - begun)

        threads = [threading.Thread(target=opt_out, args=(moments[n::8],)) for n in range(8)]
        for one in threads:
            one.start()
        time.sleep(max(0.0, start - time.monotonic()))
        while house.deliver(NOW + timedelta(hours=1), limit=LOT):
            pass
        seconds = time.monotonic() - start
        for one in threads:
            one.join()
        while house.deliver(NOW + timedelta(hours=1), limit=LOT):
            pass
    late = {"after the commit": 0, "a second after the answer": 0, "called": 0, "kept back": 0}
    assert len(answered) == pairs
    assert set(house.statuses()) <= {SENT, SUPPRESSED}
    for number, at in answered.items():
        calls = recorder.calls.get(number + 1000, [])
        assert len(calls) <= 1
        late["called"] += bool(calls)
        late["kept back"] += not calls
        late["after the commit"] += any(call > at for call in calls)
        late["a second after the answer"] += any(call > at + 1 for call in calls)
    assert house.statuses().count(SENT) == late["called"] + together
    print(late, f"longest opt-out {max(slow) * 1000:.0f} ms, median {sorted(slow)[len(slow) // 2] * 1000:.1f} ms")  # noqa: T201 figures
    return late


@pytest.mark.parametrize("batch", [1, 100])
def test_p10_f27_no_call_begins_after_an_opt_out_was_answered(
    connection: Connection, database_url: str, batch: int
) -> None:
    recorder = Recorder(batch)
    late = race(furnish(connection, recorder), database_url, recorder, 250)
    assert (late["after the commit"], late["a second after the answer"]) == (0, 0)
    assert late["called"] > 10, "nothing raced: the opt-outs were all too early"
    assert late["kept back"] > 10, "nothing raced: the opt-outs were all too late"


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.parametrize("batch", [1, 100])
def test_p10_f27_ten_thousand_racing_pairs(connection: Connection, database_url: str, batch: int) -> None:
    recorder = Recorder(batch)
    late = race(furnish(connection, recorder), database_url, recorder, 5_000)
    assert (late["after the commit"], late["a second after the answer"]) == (0, 0)
    assert min(late["called"], late["kept back"]) > 500


def test_p10_an_opt_out_does_not_wait_long_for_a_slow_provider_and_those_behind_it_get_nothing(
    connection: Connection, database_url: str
) -> None:
    """One lot of eight, one after the other, half a second each: who opts out meanwhile is asked for again in their turn."""
    recorder = Recorder(batch=1, seconds=0.5)
    house, answered = furnish(connection, recorder), dict[int, float]()
    people(house, range(1, 9))

    def opt_out() -> None:
        time.sleep(0.7)
        with connect(database_url) as own:
            begun = time.monotonic()
            leave(house, 7, own)
            answered[7] = time.monotonic()
            assert answered[7] - begun < 1.5

    thread = threading.Thread(target=opt_out)
    thread.start()
    house.deliver()
    thread.join()
    assert answered[7]
    assert all(at < answered[7] + 1 for at in recorder.calls.get(1007, []))
    assert 1007 not in recorder.calls
    assert [one["reason"] for one in house.messages() if one["status"] == SUPPRESSED] == ["opted_out"]
    assert house.statuses().count(SENT) == 7


def test_q10_an_opt_out_while_the_message_waits(house: House, recorder: Recorder) -> None:
    people(house, [1, 2])
    leave(house, 1)
    house.deliver()
    assert list(recorder.calls) == [1002]
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(SUPPRESSED, "opted_out"), (SENT, None)]


def test_q10_an_opt_out_while_the_message_is_put_off(house: House, recorder: Recorder) -> None:
    people(house, [1], status=DEFERRED, due_at=NOW + timedelta(hours=8), reason="quiet hours")
    leave(house, 1)
    later = NOW + timedelta(hours=9)
    gate.run(house.connection, house.plans, lanes=ALL_LANES, now=later, limit=10)
    house.deliver(later)
    assert recorder.calls == {}
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(SUPPRESSED, "opted_out")]


def test_q10_an_opt_out_between_two_attempts(house: House, recorder: Recorder) -> None:
    recorder.answer = Report("retry", "busy")
    people(house, [1])
    house.deliver()
    leave(house, 1)
    recorder.answer = Report("sent")
    house.deliver(NOW + timedelta(hours=2))
    assert len(recorder.calls[1001]) == 1
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(SUPPRESSED, "opted_out")]


def test_q10_an_opt_out_while_nobody_knows_what_became_of_the_message(house: House, recorder: Recorder) -> None:
    recorder.answer = Report("unknown", "no answer")
    people(house, [1])
    house.deliver()
    assert house.statuses() == [UNKNOWN]
    leave(house, 1)
    house.deliver(NOW + timedelta(hours=2))
    assert len(recorder.calls[1001]) == 1
    assert [(one["status"], one["reason"]) for one in house.messages()] == [(SUPPRESSED, "opted_out")]


def test_q10_an_opt_out_between_the_claim_and_the_call(
    house: House, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim has read a yes; what counts is what is true as the call begins."""
    people(house, [1, 2])
    from app.stages import deliver as stage

    real = stage._prepare

    def meanwhile(*given: Any) -> None:
        real(*given)
        leave(house, 1)

    monkeypatch.setattr(stage, "_prepare", meanwhile)
    house.deliver()
    assert list(recorder.calls) == [1002]
    assert house.statuses() == [SUPPRESSED, SENT]
    assert house.rows("SELECT port, count FROM tally WHERE port LIKE '!suppressed%%'") == [("!suppressed:opted_out", 1)]


def test_p10_what_stays_in_the_house_is_asked_for_as_it_is_written(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(connection)
    house.people([1, 2], "pop")
    from app.stages import deliver as stage

    real = stage._prepare

    def meanwhile(*given: Any) -> None:
        real(*given)
        with transaction(house.connection):
            suppressions.opt_out(house.connection, [(house.workspace, 1, "inapp")], NOW)

    monkeypatch.setattr(stage, "_prepare", meanwhile)
    house.deliver()
    assert house.statuses() == [SUPPRESSED, SENT]


def test_p10_a_plugin_s_channel_cannot_call_itself_transactional(house: House, recorder: Recorder) -> None:
    """Its settings say so by default; only what an operator wrote into the document counts, and reviewers see that."""
    people(house, [1])
    house.plans.refresh(house.connection)
    house.plans.include(house.connection, [house.version])
    assert house.plans.by_version[house.version].steps["hook"].marketing
    leave(house, 1)
    house.deliver()
    assert recorder.calls == {}


def test_p10_a_plugin_cannot_send_by_another_channel_than_the_gate_was_asked_about(
    house: House, recorder: Recorder
) -> None:
    people(house, [1], channel="inapp")
    leave(house, 1)
    house.deliver()
    assert recorder.calls == {}
    ((status, reason),) = house.rows("SELECT status, reason FROM message")
    assert status == FAILED
    assert "sends by pigeon" in reason


def test_a_no_to_one_purpose_leaves_the_others_and_a_no_to_marketing_leaves_none(
    connection: Connection, recorder: Recorder
) -> None:
    house = furnish(connection, recorder, purpose="newsletter")
    people(house, [1], consents={"pigeon": {"newsletter": False}})
    people(house, [2], consents={"pigeon": {"offers": False}})
    people(house, [3], consents={"pigeon": {"marketing": False, "newsletter": True}})
    people(house, [4], consents={"pigeon": {"newsletter": False}}, marketing=False)
    house.deliver()
    assert house.statuses() == [SUPPRESSED, SENT, SUPPRESSED, SENT]
