"""Live streams to browsers: one look a second at what many pages watch, shared between them; each is told what changed.

A look runs in a thread, off the event loop. A reader that is slow misses nothing: what it has not taken yet is joined together.
Never keeps a connection, never asks while nobody watches.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi.concurrency import run_in_threadpool

STREAMS_AT_MOST = 400
EVERY_SECONDS = 1.0
PING_SECONDS = 15.0
LOOKS_AT_ONCE = 4
RIGHTS = "rights"  # not told to readers: somebody may do less now, so each is asked whether they still may read

Parts = dict[str, Any]
# What a watched thing looks like now: for each event its data. Parts of `counters` are told apart further.
Look = Callable[[], Mapping[str, Any]]
log = structlog.get_logger()


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Parts:
    """What has to be told: events whose data differ; of counters only the ids that do."""
    news: Parts = {}
    for event, data in after.items():
        known = before.get(event) if before is not None else None
        if data == known:
            continue
        if event == "counters" and known is not None:
            data = {part: _differing(known.get(part, {}), now) for part, now in data.items()}
            data = {part: now for part, now in data.items() if now}
        elif event == "comment":
            if known is None:
                continue  # what was there when the page was opened stands on it already
            data = {"ids": sorted(id for id in {*data, *known} if data.get(id) != known.get(id))}
        news[event] = data
    return news


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Parts:
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


@dataclass(eq=False, slots=True)
class Reader:
    """One open stream: what it has still to be told."""

    news: Parts = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: Parts) -> None:
        """Join news to those not taken yet."""
        for event, data in news.items():
            waiting = self.news.get(event)
            if event == "counters" and waiting:
                data = {part: {**waiting.get(part, {}), **data.get(part, {})} for part in {*waiting, *data}}
            elif event == "comment" and waiting:
                data = {"ids": sorted({*waiting["ids"], *data["ids"]})}
            self.news[event] = data
        if news:
            self.ready.set()

    def take(self) -> Parts:
        """All news, which are taken with that."""
        self.ready.clear()
        news, self.news = self.news, {}
        return news


@dataclass(eq=False, slots=True)
class _Watch:
    """One thing that is looked at while somebody reads of it."""

    look: Look
    readers: set[Reader] = field(default_factory=set)
    seen: Mapping[str, Any] | None = None
    task: asyncio.Task[None] | None = None


class Streams:
    """All streams of this process."""

    def __init__(
        self, *, every: float = EVERY_SECONDS, ping: float = PING_SECONDS, at_most: int = STREAMS_AT_MOST
    ) -> None:
        self.every, self.ping, self.at_most = every, ping, at_most
        self.open = 0
        self.looks = 0
        self._watches: dict[Hashable, _Watch] = {}
        self._turn: asyncio.Semaphore | None = None

    @property
    def full(self) -> bool:
        """Whether there are as many streams as this process bears."""
        return self.open >= self.at_most

    def join(self, key: Hashable, look: Look) -> Reader:
        """Begin to read of a thing; whoever watches the same key shares its looks."""
        self.open += 1
        watch = self._watches.setdefault(key, _Watch(look))
        reader = Reader()
        watch.readers.add(reader)
        if watch.seen is not None:
            reader.tell(changes(None, watch.seen))
        if watch.task is None:
            watch.task = asyncio.get_running_loop().create_task(self._watch(key, watch))
        return reader

    def leave(self, key: Hashable, reader: Reader) -> None:
        """Read no more."""
        watch = self._watches.get(key)
        if watch is None or reader not in watch.readers:
            return
        self.open -= 1
        watch.readers.discard(reader)
        if not watch.readers:
            del self._watches[key]
            if watch.task is not None:
                watch.task.cancel()

    async def _watch(self, key: Hashable, watch: _Watch) -> None:
        clock = asyncio.get_running_loop().time
        self._turn = self._turn or asyncio.Semaphore(LOOKS_AT_ONCE)
        while watch.readers:
            began = clock()
            try:
                async with self._turn:
                    self.looks += 1
                    seen = await run_in_threadpool(watch.look)
            except Exception as error:  # noqa: BLE001 the database is away, or worse: the pages keep what they show
                log.warning("stream.look", name=str(key), error=type(error).__name__)
            else:
                news, watch.seen = changes(watch.seen, seen), seen
                for reader in watch.readers:
                    reader.tell(news)
            await asyncio.sleep(max(self.every - (clock() - began), self.every / 2))

    async def lines(self, reader: Reader, alive: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """The stream as text, until the reader goes or `alive`, asked with every ping and change of rights, says no."""
        clock = asyncio.get_running_loop().time
        asked = clock()
        yield "retry: 3000\n\n"
        while True:
            try:
                async with asyncio.timeout(max(asked + self.ping - clock(), 0.001)):
                    await reader.ready.wait()
            except TimeoutError:
                yield ": ping\n\n"
            news = reader.take()
            if news.pop(RIGHTS, None) is not None or clock() - asked >= self.ping:
                asked = clock()
                if not await alive():
                    yield event("over", {})
                    return
            for name, data in news.items():
                yield event(name, data)


def event(name: str, data: Any) -> str:
    """One event of a stream."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'), default=str)}\n\n"
