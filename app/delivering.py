"""The deliver loop: messages handed to their channels, on a connection and in a thread of their own.

A slow provider makes this loop slow and nothing else: it holds no lane. Never decides what becomes of a message.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime

from app import log
from app.courier import Courier
from app.database import IN_ORDER, Connection, connect
from app.engine import GAP, mind_gap
from app.nudges import Sleeper
from app.ownership import PATIENCE, Patience
from app.plans import Plans
from app.stages import deliver

LIMIT = 500
SHORTEST_REST_SECONDS = 0.02
BACK_OFF_SECONDS = 0.1
BACK_OFF_AT_MOST = 5.0
IDLE_SESSION_SECONDS = 300.0  # nothing is owned by this session; only a vanished process should lose it


class Deliverer:
    """One worker's deliver loop. A batch waits for providers, so it has `red_seconds` before it counts as stuck."""

    red_seconds = 240.0

    def __init__(
        self,
        url: str,
        plans: Plans,
        courier: Courier,
        *,
        sleeper: Sleeper,
        clock: Callable[[], datetime],
        patience: Patience = PATIENCE,
        done: Callable[[], object] = bool,
        after_gap: Callable[[], object] = bool,
    ) -> None:
        self.beat_at = time.monotonic()
        self.sleeper = sleeper
        self._url, self._plans, self._courier = url, plans, courier
        self._clock, self._done, self._patience, self._after_gap = clock, done, patience, after_gap
        self._turned_at = clock() - 2 * GAP  # before the first turn it looks, too
        self._stop = threading.Event()
        courier.stopping = self._stop.is_set
        self._connection: Connection | None = None
        self._troubles = 0

    def stop(self) -> None:
        """End after the messages that are out now; the rest of the batch is given back."""
        self._stop.set()
        self.sleeper.wake()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stop.is_set():
            self.beat_at = time.monotonic()
            try:
                rest = self._turn()
                self._troubles = 0
            except Exception as error:  # noqa: BLE001 whatever a batch brings about, its leases run out and it is tried again
                self._back_off(error)
                continue
            if rest > 0:
                self.sleeper.wait(rest)
        if self._connection is not None:
            self._connection.close()

    def _turn(self) -> float:
        """Deliver one batch; returns how long to rest afterwards."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._url,
                name="journey-deliver",
                statement_seconds=self._patience.statement_seconds,
                idle_in_transaction_seconds=self._patience.idle_in_transaction_seconds,
                idle_session_seconds=IDLE_SESSION_SECONDS,
                **IN_ORDER,
            )
        now = self._clock()
        self._turned_at = mind_gap(self._turned_at, now, self._after_gap)
        taken = deliver.run(self._connection, self._plans, self._courier, now=now, limit=LIMIT)
        if taken:
            log.get(__name__).info("batch", stage="deliver", taken=taken)
            self._done()
            return 0.0 if taken >= LIMIT else SHORTEST_REST_SECONDS
        return self._courier.pace.poll_seconds

    def _back_off(self, error: Exception) -> None:
        self._troubles += 1
        if self._troubles & (self._troubles - 1) == 0:
            log.get(__name__).warning("deliver trouble", failures=self._troubles, **log.told(error))
        pause = min(BACK_OFF_AT_MOST, BACK_OFF_SECONDS * 2 ** min(self._troubles - 1, 10))
        self._stop.wait(pause * random.uniform(0.5, 1.0))
