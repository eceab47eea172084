"""Carries rendered messages to their channels: a few accounts at a time, each in its own batches, reports in order.

The only caller of a channel's `deliver`. Keeps no message and knows no database; remembers which accounts are in
trouble, so that one dead provider does not take everybody's turn.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from app.egress import Egress
from app.failpoints import failpoint
from app.links import Tokens
from app.rendering import Site
from app.settings import Settings
from app.sink import HOST, Divert, diversion
from app.store.outbox import Place
from flows.contract import Channel, Outgoing, Report

ACCOUNTS_AT_ONCE = 8
ALL_SECONDS = 90.0  # for a whole batch; what has not answered by then is unknown
REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 60.0

log = structlog.get_logger()


@dataclass(slots=True)
class Load:
    """The messages of one account, to one channel."""

    place: Place
    channel: Channel
    messages: list[Outgoing] = field(default_factory=list)


@dataclass(slots=True)
class Courier:
    """What a worker delivers with. `divert` leads account and fields to the sink; `cut_off` sends nothing."""

    site: Site
    secret: bytes
    allow: Collection[str] = ()
    divert: Divert | None = None
    cut_off: bool = False
    _resting: dict[Place, tuple[datetime, float]] = field(default_factory=dict)

    def resting(self, now: datetime) -> list[Place]:
        """Accounts that failed everybody a moment ago: their turn comes when they have rested."""
        return [place for place, (until, _) in self._resting.items() if until > now]

    def carry(self, loads: Sequence[Load], now: datetime) -> list[list[Report]]:
        """One report per message of each load. Runs its own event loop: call it from a worker's thread."""
        if self.cut_off or not loads:
            return [[Report("sent")] * len(load.messages) for load in loads]
        reports = asyncio.run(self._carry(loads, now))
        for load, said in zip(loads, reports, strict=True):
            self._judge(load.place, said, now)
        return reports

    async def _carry(self, loads: Sequence[Load], now: datetime) -> list[list[Report]]:
        gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)
        async with Egress(self.allow, now=lambda: now) as egress:

            async def one(load: Load) -> list[Report]:
                async with gate:
                    return await _hand_over(load, egress)

            return list(await asyncio.gather(*(one(load) for load in loads)))

    def _judge(self, place: Place, said: Sequence[Report], now: datetime) -> None:
        """An account that takes nobody's message rests, longer each time; any success ends that."""
        if any(report.status in ("sent", "failed") for report in said):
            self._resting.pop(place, None)
            return
        seconds = min(self._resting.get(place, (now, REST_SECONDS / 2))[1] * 2, LONGEST_REST_SECONDS)
        self._resting[place] = (now + timedelta(seconds=seconds), seconds)


async def _hand_over(load: Load, egress: Egress) -> list[Report]:
    reports: list[Report] = []
    size = max(1, load.channel.batch)
    try:
        async with asyncio.timeout(ALL_SECONDS):
            for start in range(0, len(load.messages), size):
                reports += await _call(load, load.messages[start : start + size], egress)
    except TimeoutError:
        begun = min(len(reports) + size, len(load.messages))
        reports += [Report("unknown", "no answer in time")] * (begun - len(reports))
    return reports + [Report("retry", "the batch took too long")] * (len(load.messages) - len(reports))


async def _call(load: Load, messages: Sequence[Outgoing], egress: Egress) -> list[Report]:
    failpoint("CP20")
    try:
        reports = list(await load.channel.deliver(messages, egress))
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 a channel is a plugin; its bug must not decide about others' messages
        log.error("channel.failed", channel=load.channel.name, account=load.place[2], error=type(error).__name__)
        return [Report("unknown", f"the channel failed: {type(error).__name__}")] * len(messages)
    failpoint("CP22")
    if len(reports) != len(messages):
        return [Report("unknown", "the channel reported on other messages than it was given")] * len(messages)
    return reports


def courier_for(settings: Settings) -> Courier:
    """The courier of a worker with these settings: to providers, or to the sink where that stands in for them."""
    secret = settings.secret_bytes
    courier = Courier(Site(settings.base_url, Tokens(secret)), secret, settings.egress_allow)
    if settings.sink:
        courier.divert = diversion(settings.sink_smtp_port, settings.sink_http_port)
        ports = (settings.sink_smtp_port, settings.sink_http_port)
        courier.allow = (*settings.egress_allow, *(f"{HOST}:{port}" for port in ports))
    return courier


def loads_of(made: Sequence[tuple[Place, Channel, Outgoing]]) -> tuple[list[Load], list[tuple[int, int]]]:
    """Messages by account, and for each message its (load, place in it)."""
    loads: dict[Place, Load] = {}
    numbers: dict[Place, int] = {}
    positions = []
    for place, channel, outgoing in made:
        load = loads.setdefault(place, Load(place, channel))
        number = numbers.setdefault(place, len(numbers))
        positions.append((number, len(load.messages)))
        load.messages.append(outgoing)
    return list(loads.values()), positions
