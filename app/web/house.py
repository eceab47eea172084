"""What the web process holds while it runs: settings, connections, node types, the time. Never a request's data."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from psycopg import OperationalError

from app import database
from app.database import Pool
from app.hints import Hints
from app.settings import Settings
from app.store import scopes
from app.store.rows import Connection
from nodes import Catalog

AWAY_SECONDS = 1.0  # while the database is away, requests are refused at once for this long before one tries again


def utc_now() -> datetime:
    """The time of day of this machine."""
    return datetime.now(UTC)


@dataclass(slots=True)
class House:
    """The furniture of one web process."""

    settings: Settings
    catalog: Catalog
    pool: Pool
    hints: Hints
    nudge: Callable[[], None]
    revision: str  # the migration this program is written for
    registry: CollectorRegistry
    now: Callable[[], datetime] = utc_now
    _away_until: float = field(default=0.0, init=False)

    @contextmanager
    def transaction(self, *, read_only: bool = False, limit: Sequence[str] | None = None) -> Iterator[Connection]:
        """One transaction, committed at the end; in a read-only one the database itself refuses to write.

        `limit`: the scopes of whom it is for; lists leave out what lies in others.
        """
        connection = self._taken()
        try:
            connection.read_only = read_only
            with database.transaction(connection):
                scopes.limit(connection, limit)
                yield connection
        finally:
            if not connection.closed and not connection.info.transaction_status:
                connection.read_only = None
            self.pool.putconn(connection)

    def _taken(self) -> Connection:
        if time.monotonic() < self._away_until:
            raise OperationalError("the database was away a moment ago")
        try:
            return self.pool.getconn()
        except OperationalError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise
