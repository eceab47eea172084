"""timers: take the enrollments of my lanes whose time has come and walk them to rest, in one transaction.

A timer never overtakes a letter of its contact that was accepted before: event and time-out in one tick, the event wins.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from app.database import transaction
from app.facts import supply_facts
from app.failpoints import failpoint
from app.plans import Plans
from app.store import enrollments, inbox, tallies
from app.store.pauses import LEAVE
from app.store.rows import Connection
from app.taken import Taken
from app.walk import TOLERANCE, Passage, by_clock, restored, supply, take_out, turns, walk, write
from flows.interpret import HOLD, REASON_LENGTH, Status, Traveller


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Handle up to `limit` due enrollments; returns how many were taken (people behind unread letters do not count)."""
    with transaction(connection):
        rows = _due(connection, lanes, now, limit)
        if not rows:
            return 0
        failpoint("CP14")
        plans.refresh(connection)
        plans.include(connection, {row.version_id for row in rows})
        enrollments.postpone(connection, [row for row in rows if row.version_id in plans.broken], now + HOLD)
        travellers = [_woken(row, plans, now) for row in rows if row.version_id not in plans.broken]
        failpoint("CP18")
        passage = Passage(now, plans.by_version, plans.policies)
        _walk(connection, passage, travellers)
        failpoint("CP9")
        write(connection, passage)
        failpoint("CP15")
    failpoint("CP16")
    return Taken(len(rows), moved=passage.moved, workspaces=len({row.workspace_id for row in rows}))


def park(connection: Connection, plans: Plans, *, lane: int, now: datetime, error: BaseException) -> None:
    """Fail the first due enrollment of a lane, whose every batch has failed; it can be driven again when it is mended.

    Works on the bare row, because it may be the row itself that cannot be read.
    """
    reason = f"{type(error).__name__}: {error}"[:REASON_LENGTH]
    with transaction(connection):
        for row in _due(connection, [lane], now, 1):
            plan = plans.by_version.get(row.version_id)
            keeps_place = plan is None or plan.reentry in ("once", "per_key")
            enrollments.fail(connection, row, reason, slot=0 if keeps_place else row.id, at=now)
            counts = {(row.version_id, row.node, "!end"): 1, (row.version_id, "", "failed"): 1}
            tallies.append(connection, {row.version_id: row}, counts, now)


def _due(connection: Connection, lanes: Sequence[int], now: datetime, limit: int) -> list[enrollments.Row]:
    """Due enrollments, without those of people who have letters still unread."""
    rows = enrollments.due(connection, lanes, now, limit)
    rows = _in_turn(rows, enrollments.beside(connection, _at_the_cut(rows, each=enrollments.share(lanes, limit))))
    blocked = inbox.waiting_contacts(connection, [(row.lane, row.contact_id) for row in rows]) if rows else set()
    return [row for row in rows if row.contact_id not in blocked]


def _at_the_cut(rows: Sequence[enrollments.Row], *, each: int) -> list[enrollments.Row]:
    """The last to end of each lane that had to be cut: others that end at the same instant may have been left."""
    taken = Counter(row.lane for row in rows)
    last = {row.lane: row.wake_at for row in rows}  # each lane's come in order of time
    return [row for row in rows if taken[row.lane] >= each and row.wake_at == last[row.lane]]


def _in_turn(rows: list[enrollments.Row], left: Sequence[enrollments.Row]) -> list[enrollments.Row]:
    """As many rows as were taken; where some that were left come before them, those."""
    if not left:
        return rows
    together = defaultdict(list)
    for row in sorted((*rows, *left), key=lambda row: (row.journey_id, row.id), reverse=True):
        together[row.contact_id, row.wake_at].append(row)
    return [together[row.contact_id, row.wake_at].pop() for row in rows]


def _woken(row: enrollments.Row, plans: Plans, now: datetime) -> Traveller:
    one = restored(row, plans.by_version[row.version_id])
    one.arrived_at = _moment(one, now)
    return one


def _moment(one: Traveller, now: datetime) -> datetime:
    """When the wait ends for whoever waits: at its time, unless that is long past."""
    due = one.wake_at or now
    return due if now - due <= TOLERANCE else now


def _walk(connection: Connection, passage: Passage, travellers: list[Traveller]) -> None:
    going = []
    for one in travellers:
        if one.plan.stopped:
            take_out(passage, one, "manual", "journey stopped")
        elif one.reason == LEAVE:
            take_out(passage, one, "manual", "journey paused")
        elif one.plan.paused:
            one.status, one.moved = Status.HELD, True
            passage.travellers[one.id] = one
        else:
            going.append(one)
    supply_facts(connection, going)
    supply(connection, going)
    for one_round in turns(going):
        for one in one_round:
            by_clock(one, _moment(one, passage.now))
        walk(passage, one_round)
