"""How many people a rule chooses at this moment, soon enough to be read while one types. Never exact where that is slow.

A small workspace is counted whole; of a large one a few lanes are, which are a fair sample, and the answer says “about”.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg.errors import QueryCanceled

from app.lanes import ALL_LANES, LANES
from app.store import segments
from app.store.rows import Connection
from flows.errors import RuleError
from flows.rules import Rule
from flows.rules.audience import check_audience
from flows.words import _, say

SAMPLE = (7, 23, 39, 55)
LARGE_SAMPLE = 6_000  # contacts in the sampled lanes from which on the rest is estimated
DEPENDS = _("It depends on the walk itself, so it cannot be counted ahead.")
PATIENCE_MS = 2_000
KEPT_FOR = timedelta(seconds=15)
KEPT_AT_MOST = 2_000

Connect = Callable[[], AbstractContextManager[Connection]]


class Counted(NamedTuple):
    """How many of how many; `about` where it is an estimate. `people` None: not to be counted, `reason` says why."""

    people: int | None
    total: int = 0
    about: bool = False
    reason: str = ""


class Counter:
    """Counts, and remembers for a few seconds."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], tuple[datetime, Counted]] = OrderedDict()
        self._lock = threading.Lock()

    def count(
        self, connect: Connect, workspace_id: int, rule: Rule, now: datetime, *, choosing: bool = True
    ) -> Counted:
        """How many contacts a rule chooses; `connect` opens a transaction of its own, which may be given up.

        `choosing`: the rule chooses who comes in; elsewhere it may ask for what only the walk itself will know.
        """
        try:
            check_audience(rule.tree)
        except RuleError as error:
            return Counted(None, reason=str(error).partition(": ")[2] if choosing else say(DEPENDS))
        key = (workspace_id, json.dumps(rule.source, sort_keys=True))
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now - kept[0] <= KEPT_FOR:
            return kept[1]
        try:
            with connect() as connection:
                found = _counted(connection, workspace_id, rule, now)
        except QueryCanceled:
            found = Counted(None)
        with self._lock:
            self._kept[key] = (now, found)
            while len(self._kept) > KEPT_AT_MOST:
                self._kept.popitem(last=False)
        return found


def _counted(connection: Connection, workspace_id: int, rule: Rule, now: datetime) -> Counted:
    segments.be_quick(connection, PATIENCE_MS)
    sampled = segments.count(connection, workspace_id, None, now, SAMPLE)
    if sampled < LARGE_SAMPLE:
        total = segments.count(connection, workspace_id, None, now, ALL_LANES)
        return Counted(segments.count(connection, workspace_id, rule, now), total)
    times = LANES // len(SAMPLE)
    return Counted(segments.count(connection, workspace_id, rule, now, SAMPLE) * times, sampled * times, about=True)
