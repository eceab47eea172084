"""Valkey as it may be used here: asked with a short time-out, believed when it answers, done without when it does not.

Whatever is kept there may be gone, old or another's at any moment; nothing that matters is. A call never raises and never
takes longer than the time-out; after a few failures it is not even tried for a while.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import log

CALL_SECONDS = 0.2
FAILURES = 3
OPEN_SECONDS = 2.0
OPEN_AT_MOST = 30.0

T = TypeVar("T")


def client(url: str) -> redis.Redis:
    """A connection with short time-outs and no retries of its own."""
    return redis.Redis.from_url(
        url,
        socket_timeout=CALL_SECONDS,
        socket_connect_timeout=CALL_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        decode_responses=True,
    )


class Hints:
    """One Valkey, or none. Safe to share between threads."""

    def __init__(self, url: str | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._clock = clock
        self._client = client(url) if url else None
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    @property
    def usable(self) -> bool:
        """Whether the next call will be tried."""
        return self._client is not None and self._clock() >= self._open_until

    def call(self, ask: Callable[[redis.Redis], T], default: T) -> T:
        """What Valkey answers, or the default."""
        if self._client is None or not self.usable:
            return default
        try:
            answer = ask(self._client)
        except (redis.RedisError, OSError, ValueError) as error:
            self._note_failure(error)
            return default
        self._failures = 0
        return answer

    def close(self) -> None:
        """Drop the connections."""
        if self._client is not None:
            self._client.close()

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            first = self._failures == FAILURES
            pause = min(OPEN_AT_MOST, OPEN_SECONDS * 2 ** (self._failures - FAILURES))
            self._open_until = self._clock() + pause * random.uniform(0.75, 1.25)
        if first:
            log.get(__name__).warning("Valkey does not answer; going on without it", error=type(error).__name__)
