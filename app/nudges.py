"""Nudges: “there is something to do”, said through Valkey to every worker. A hint: whoever misses one finds out by polling.

`send` returns at once, whatever state Valkey is in, and is coalesced to ten a second for a process; `wait` is a sleep that a
nudge cuts short. Without Valkey, or with one that hangs, everything works and is up to a poll later.
"""

import random
import threading
import time
from collections.abc import Callable

import redis

from app import log
from app.hints import Hints, client

CHANNEL = "journey:nudge"
APART_SECONDS = 0.1  # ten a second at most
JITTER = 0.2
LISTEN_SECONDS = 5.0
RETRY_SECONDS = 1.0
RETRY_AT_MOST = 15.0


class Sleeper:
    """One loop's sleep. Woken by its own `wake`, and by every nudge that comes in."""

    def __init__(self, listen: Callable[[], None]) -> None:
        self._listen = listen
        self._woken = threading.Event()

    def wake(self) -> None:
        """End the present sleep, or the next one at once."""
        self._woken.set()

    def wait(self, seconds: float, *, jitter: bool = True) -> bool:
        """Sleep until woken or the end of the time, whichever comes first; true if woken.

        With jitter up to a fifth shorter, so that many workers do not ask the database in step.
        """
        self._listen()
        if jitter:
            seconds *= 1 - JITTER * random.random()
        woken = self._woken.wait(max(0.0, seconds))
        self._woken.clear()
        return woken


class Nudges:
    """Sending and waiting for nudges in one process. Its threads begin when first needed, so it may be forked before."""

    def __init__(self, url: str | None, *, hints: Hints | None = None) -> None:
        self._url = url
        self._hints = hints or Hints(url)
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._sleepers: list[Sleeper] = []
        self._own = self.sleeper()

    def send(self) -> None:
        """Nudge the workers soon; never waits, never raises."""
        if self._url is not None and not self._wanted.is_set():
            self._wanted.set()
            self._begin("nudge-sender", self._send_all)

    def sleeper(self) -> Sleeper:
        """A sleep of one's own, for one loop of several in this process."""
        self._sleepers.append(Sleeper(self._listen_once))
        return self._sleepers[-1]

    def wait(self, seconds: float, *, jitter: bool = True) -> bool:
        """Sleep until a nudge or the end of the time, for a process with one loop."""
        return self._own.wait(seconds, jitter=jitter)

    def wake(self) -> None:
        """Wake every sleeper of this process."""
        for sleeper in self._sleepers:
            sleeper.wake()

    def close(self) -> None:
        """End the threads; nothing is sent any more."""
        self._closed.set()
        self._wanted.set()
        self.wake()

    def _listen_once(self) -> None:
        if self._url is not None:
            self._begin("nudge-listener", self._listen)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        if name in self._threads or self._closed.is_set():
            return
        with self._lock:
            if name not in self._threads:
                self._threads[name] = threading.Thread(target=work, name=name, daemon=True)
                self._threads[name].start()

    def _send_all(self) -> None:
        while not self._closed.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if self._closed.is_set():
                break
            self._hints.call(lambda valkey: int(valkey.publish(CHANNEL, "1")), 0)
            self._closed.wait(APART_SECONDS)
        self._hints.close()

    def _listen(self) -> None:
        failures = 0
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                self._subscribe()
            except (redis.RedisError, OSError, ValueError) as error:
                failures = 0 if time.monotonic() - begun > RETRY_AT_MOST else failures + 1
                if failures == 1:
                    log.get(__name__).warning("no nudges from Valkey; polling", error=type(error).__name__)
                pause = min(RETRY_AT_MOST, RETRY_SECONDS * 2 ** (failures - 1))
                self._closed.wait(pause * random.uniform(0.5, 1.0))

    def _subscribe(self) -> None:
        """Listen until the connection breaks or stops answering."""
        assert self._url is not None
        with client(self._url) as valkey, valkey.pubsub() as channel:
            channel.subscribe(CHANNEL)
            asked = False
            while not self._closed.is_set():
                message = channel.get_message(timeout=LISTEN_SECONDS)
                if message is None:
                    # Silence: nobody has nudged, or nobody is there. Only an unanswered ping tells the two apart.
                    if asked:
                        raise redis.TimeoutError("no answer to a ping")
                    channel.ping()
                    asked = True
                    continue
                asked = False
                if message["type"] == "message":
                    self.wake()
