"""rollup: fold tallies into spans of time, so that pages sum few rows; call in stragglers of a stop. Never counts people."""

from collections.abc import Sequence
from datetime import datetime

from app.database import transaction
from app.plans import Plans
from app.store import journeys, tallies
from app.store.rows import Connection


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Fold up to `limit` rows; returns how many."""
    del plans, lanes  # tallies belong to no lane; folding is safe beside other workers because it deletes what it sums
    with transaction(connection):
        # Whom a batch under way parked after the one UPDATE of a resume or stop had passed.
        folded = tallies.fold(connection, now, limit)
        tallies.forget_short(connection, now, limit)
        return folded + journeys.catch_up(connection, now)
