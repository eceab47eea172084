"""Carries rendered messages to their channels: a few at a time, each account over its own line, what became of them at once.

The only caller of a channel's `deliver`. Keeps no message and knows no database: what must be written before a message goes
out and after it is handed to the `Book`. Remembers which accounts are in trouble, so that a dead one takes nobody's turn.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from app.egress import Egress
from app.failpoints import FailpointError, failpoint
from app.links import Tokens
from app.rendering import Site
from app.settings import Settings
from app.store.outbox import Place
from flows.contract import Channel, Outgoing, Report

ACCOUNTS_AT_ONCE = 8
# Messages that may be out while nobody has written what became of them: what a killed process may repeat at most (P3).
OPEN_AT_ONCE = 8
FRESH_SECONDS = 0.25  # what was begun longer ago is asked for again: somebody may have opted out meanwhile (P10)
BEGIN_SECONDS = 60.0  # what has not been begun by then waits for another turn; well below the lease
ALL_SECONDS = 90.0  # for a whole batch; what has not answered by then is unknown
REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 60.0
NOT_BEGUN = Report("retry", "not begun")

Divert = Callable[[str, dict[str, str], dict[str, Any]], tuple[dict[str, str], dict[str, Any]]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long messages wait, and for what; tests are less patient."""

    lease: timedelta = timedelta(seconds=120)  # whoever has not written by then has died
    silence: timedelta = timedelta(minutes=15)  # marketing mail nobody knows of waits so long for a receipt
    first_retry_seconds: float = 30.0
    poll_seconds: float = 1.0  # how often somebody looks where nobody gave a hint


class Book(Protocol):
    """Where it is written that messages, named by their numbers, are about to go out, and what became of others."""

    def __call__(self, ended: Sequence[tuple[int, Report]], next: Sequence[int]) -> Collection[int]:
        """Commit both at once; returns those of `next` that are still ours to send, and still wanted."""

    def still(self, number: int) -> bool:
        """Whether a message that was begun a while ago is wanted even now; if not, that is written."""


@dataclass(slots=True)
class Load:
    """The messages of one account, to one channel, each with its number in the batch."""

    place: Place
    channel: Channel
    messages: list[tuple[int, Outgoing]] = field(default_factory=list)


@dataclass(slots=True)
class Courier:
    """What a worker delivers with. `divert` leads account and fields to the sink; `cut_off` sends nothing.

    `stopping` is asked between messages: whoever wants to end hands the rest back instead of sending it.
    """

    site: Site
    secret: bytes
    allow: Collection[str] = ()
    divert: Divert | None = None
    cut_off: bool = False
    pace: Pace = Pace()
    stopping: Callable[[], bool] = bool
    _resting: dict[Place, tuple[datetime, float]] = field(default_factory=dict)

    def resting(self, now: datetime) -> list[Place]:
        """Accounts that failed everybody a moment ago: their turn comes when they have rested."""
        return [place for place, (until, _) in self._resting.items() if until > now]

    def carry(self, loads: Sequence[Load], book: Book, now: datetime) -> None:
        """Send every load, writing as it goes. Runs its own event loop: call it from a worker's thread."""
        if self.cut_off:
            numbers = [number for load in loads for number, _ in load.messages]
            book([(number, Report("sent")) for number in numbers], ())
        elif loads:
            try:
                asyncio.run(self._carry(loads, book, now))
            except ExceptionGroup as several:
                raise several.exceptions[0] from several

    async def _carry(self, loads: Sequence[Load], book: Book, now: datetime) -> None:
        gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)
        size = max(1, OPEN_AT_ONCE // len(loads))

        async def one(load: Load) -> None:
            # A way out for each: what a channel keeps there is for one account, in one hand.
            async with gate, Egress(self.allow, now=lambda: now) as egress:
                self._judge(load.place, await self._hand_over(load, egress, book, size), now)

        async with asyncio.TaskGroup() as group:
            for load in loads:
                group.create_task(one(load))

    async def _hand_over(self, load: Load, egress: Egress, book: Book, size: int) -> list[Report]:
        """The reports of what was sent. Writes what became of some together with what goes out next."""
        clock, waiting = asyncio.get_running_loop().time, list(load.messages)
        begun, said, ended = clock(), list[Report](), list[tuple[int, Report]]()
        # A channel that takes one at a time is handed a lot one by one, so that we can look up between them.
        single = load.channel.batch <= 1
        size = size if single else min(size, load.channel.batch)
        while waiting and not self.stopping() and clock() - begun < BEGIN_SECONDS:
            going, waiting = waiting[:size], waiting[size:]
            mine = book(ended, [number for number, _ in going])
            going = [(number, one) for number, one in going if number in mine]
            ended = await _lot(load, going, egress, book, begun) if single else await _whole(load, going, egress, begun)
            said += [report for _, report in ended]
        # What was never begun is nobody's failure: it is due again at once.
        book([*ended, *((number, NOT_BEGUN) for number, _ in waiting)], ())
        return said

    def _judge(self, place: Place, said: Sequence[Report], now: datetime) -> None:
        """An account that takes nobody's message rests, longer each time; any success ends that."""
        if not said or any(report.status in ("sent", "failed") for report in said):
            self._resting.pop(place, None)
            return
        seconds = min(self._resting.get(place, (now, REST_SECONDS / 2))[1] * 2, LONGEST_REST_SECONDS)
        self._resting[place] = (now + timedelta(seconds=seconds), seconds)


Numbered = list[tuple[int, Outgoing]]
Ended = list[tuple[int, Report]]


async def _whole(load: Load, going: Numbered, egress: Egress, begun: float) -> Ended:
    seconds = ALL_SECONDS - (asyncio.get_running_loop().time() - begun)
    reports = await _call(load, [one for _, one in going], egress, seconds)
    return [(number, report) for (number, _), report in zip(going, reports, strict=True)]


async def _lot(load: Load, going: Numbered, egress: Egress, book: Book, begun: float) -> Ended:
    """One call after the other; whoever has waited for a slow one is asked for again before it is their turn."""
    ended: Ended = []
    asked = clock = asyncio.get_running_loop().time()
    for number, one in going:
        clock = asyncio.get_running_loop().time()
        if clock - asked > FRESH_SECONDS and not book.still(number):
            continue
        ended += await _whole(load, [(number, one)], egress, begun)
    return ended


async def _call(load: Load, messages: Sequence[Outgoing], egress: Egress, seconds: float) -> list[Report]:
    if not messages:
        return []
    try:
        async with asyncio.timeout(seconds):
            reports = list(await load.channel.deliver(messages, egress))
    except TimeoutError:
        return [Report("unknown", "no answer in time")] * len(messages)
    except FailpointError:
        raise
    except Exception as error:  # noqa: BLE001 a channel is a plugin; its bug must not decide about others' messages
        log.error("channel.failed", channel=load.channel.name, account=load.place[2], error=type(error).__name__)
        return [Report("unknown", f"the channel failed: {type(error).__name__}")] * len(messages)
    failpoint("CP22")
    if len(reports) != len(messages):
        return [Report("unknown", "the channel reported on other messages than it was given")] * len(messages)
    return reports


def courier_for(settings: Settings, divert: Divert | None = None) -> Courier:
    """The courier of a worker with these settings: to providers, or to the sink where that stands in for them."""
    secret = settings.secret_bytes
    return Courier(Site(settings.base_url, Tokens(secret)), secret, settings.egress_allow, divert)


def loads_of(made: Sequence[tuple[Place, Channel, Outgoing]]) -> list[Load]:
    """Messages by account; a message's number is its place in `made`."""
    loads: dict[Place, Load] = {}
    for number, (place, channel, outgoing) in enumerate(made):
        loads.setdefault(place, Load(place, channel)).messages.append((number, outgoing))
    return list(loads.values())


def post(channel: Channel, message: Outgoing, allow: Collection[str], now: datetime) -> Report:
    """Carry one message of the house itself, such as an invitation: no journey's, no contact's, kept nowhere."""

    async def go() -> Report:
        async with Egress(allow, now=lambda: now) as egress:
            return (await channel.deliver([message], egress))[0]

    return asyncio.run(go())
