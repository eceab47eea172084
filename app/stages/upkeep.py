"""Upkeep: partitions of the event history made ahead, old message ids forgotten. Belongs to no lane; never touches people."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app import fusing, throttle
from app.database import transaction
from app.plans import Plans
from app.store import history, reputations, sendings, sessions, tries, upkeep
from app.store.rows import Connection

MONTHS_AROUND = 2
SEEN_DAYS = 40
SESSION_DAYS = 30  # a session lives half a day, an invitation a week
SENDING_DAYS = 40  # the longest cap looks back a month


def make_partitions(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """The months around `now` have their partitions; one month a transaction. Never more to do at once, so returns 0."""
    del plans, lanes, limit
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for offset in range(-MONTHS_AROUND, MONTHS_AROUND + 1):
        years, month = divmod(first.month - 1 + offset, 12)
        with transaction(connection):
            history.make_partitions(connection, [first.replace(year=first.year + years, month=month + 1)])
    return 0


def forget_seen(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Message ids older than the memory for duplicates promises (30 days, and ten to spare)."""
    del plans, lanes
    with transaction(connection):
        return upkeep.forget_seen(connection, now.date() - timedelta(days=SEEN_DAYS), limit)


def forget_sessions(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Sessions and links that have been over for a month, and old counts of failed sign-ins."""
    del plans, lanes, limit
    with transaction(connection):
        tries.forget(connection, now - throttle.LONGEST - throttle.REMEMBERED)
        return sessions.forget(connection, now - timedelta(days=SESSION_DAYS))


def forget_sendings(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Sent messages that no frequency cap looks back to; and what was complained about is folded and forgotten."""
    del plans, lanes
    with transaction(connection):
        reputations.fold(connection, now)
        return sendings.forget(connection, now - timedelta(days=SENDING_DAYS), limit)


def watch_fuses(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Journeys that write far more than was approved or are complained about are paused. Never more at once: 0."""
    del lanes, limit
    with transaction(connection):
        plans.refresh(connection)
        fusing.watch(connection, plans.policies, now)
        fusing.watch_complaints(connection, now)
    return 0
