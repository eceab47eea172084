"""timers: take the enrollments of my lanes whose time has come and walk them to rest, in one transaction.

A timer never overtakes a letter of its contact that was accepted before: event and time-out in one tick, the event wins.
"""

from collections.abc import Sequence
from datetime import datetime

from app.database import transaction
from app.failpoints import failpoint
from app.plans import Plans
from app.facts import recall
from app.store import contacts, enrollments, inbox
from app.store.rows import Connection
from app.walk import TOLERANCE, Passage, restored, supply, take_out, walk, write
from flows.interpret import Status, Traveller


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Handle up to `limit` due enrollments; returns how many were taken (people behind unread letters do not count)."""
    with transaction(connection):
        rows = enrollments.due(connection, lanes, now, limit)
        if not rows:
            return 0
        failpoint("CP14")
        blocked = inbox.waiting_contacts(connection, [(row.lane, row.contact_id) for row in rows])
        rows = [row for row in rows if row.contact_id not in blocked]
        if not rows:
            return 0
        plans.refresh(connection)
        plans.include(connection, {row.version_id for row in rows})
        travellers = [_woken(row, plans, now) for row in rows]
        passage = Passage(now, plans.by_version)
        _walk(connection, passage, travellers)
        failpoint("CP9")
        write(connection, passage)
        failpoint("CP15")
    failpoint("CP16")
    return len(rows)


def _woken(row: enrollments.Row, plans: Plans, now: datetime) -> Traveller:
    one = restored(row, plans.by_version[row.version_id])
    due = row.wake_at or now
    one.arrived_at = due if now - due <= TOLERANCE else now
    one.cause = "timer"
    return one


def _walk(connection: Connection, passage: Passage, travellers: list[Traveller]) -> None:
    going = []
    for one in travellers:
        if one.plan.stopped:
            take_out(passage, one, "manual", "journey stopped")
        elif one.plan.paused:
            one.status, one.moved = Status.HELD, True
            passage.travellers[one.id] = one
        else:
            going.append(one)
    _supply_facts(connection, going)
    supply(connection, passage, going)
    walk(passage, going)


def _supply_facts(connection: Connection, travellers: Sequence[Traveller]) -> None:
    steps = {id(one.plan.steps[one.node]): one.plan.steps[one.node] for one in travellers}
    reads = frozenset[str]().union(*(step.reads_ahead for step in steps.values()))
    if not reads:
        fresh = {one.contact: contacts.Facts() for one in travellers}
    else:
        keys = {one.contact: (one.plan.workspace_id, one.lane, one.contact) for one in travellers}
        fresh = {
            id: facts for id, (facts, _) in contacts.read(connection, list(keys.values()), contacts.Wanted(reads)).items()
        }
    for one in travellers:
        one.facts = fresh.setdefault(one.contact, contacts.Facts())
    recall(connection, travellers)
