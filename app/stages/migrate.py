"""migrate: move people in flight to another version as was decided at publishing, or put them back, a slice of my lanes a call.

Each batch is one transaction that also writes down what was done with whom: after a kill it goes on where it was, nobody is
moved twice. People with letters unread wait for them; a paused journey's people wait for the resume. Never chooses anybody.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from app.database import transaction
from app.facts import supply_facts
from app.failpoints import failpoint
from app.migrating import Rules, rules_of
from app.plans import Plans
from app.store import enrollments, inbox, migrations_, tallies
from app.store.enrollments import Row
from app.store.migrations_ import Did, Handled, Migration, Moved
from app.store.rows import Connection
from app.walk import Passage, restored, supply, take_out, walk, write
from flows.compile import Plan
from flows.interpret import Status, Traveller, step_text
from flows.moves import Move

Tally = Counter[tuple[int, str, str]]


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Handle up to `limit` people of the oldest migration under way; returns how many."""
    with transaction(connection):
        current = migrations_.next_open(connection)
        if current is None:
            return 0
        plans.refresh(connection)
        plans.include(connection, {current.version_id})
        if current.version_id in plans.broken:
            return 0
        if current.status == "reversing":
            done, left = _put_back(connection, current, lanes, now, limit), "reversing"
        else:
            done, left = _move(connection, plans, current, lanes, now, limit), "running"
    failpoint("CP34")
    if not done:
        _end(connection, current, left, now)
    return done


def _move(
    connection: Connection, plans: Plans, current: Migration, lanes: Sequence[int], now: datetime, limit: int
) -> int:
    rules = rules_of(current)
    rows = migrations_.take(connection, current.workspace_id, rules.waiting, lanes, limit)
    if len(rows) < limit:
        rows += migrations_.take_finished(connection, current.workspace_id, rules.through, lanes, limit - len(rows))
    blocked = inbox.waiting_contacts(connection, [(row.lane, row.contact_id) for row in rows]) if rows else set()
    rows = [row for row in rows if row.contact_id not in blocked]
    if not rows:
        return 0
    failpoint("CP30")
    plans.include(connection, {row.version_id for row in rows})
    # A version that cannot be compiled any more has books all the same: those of its journey.
    lost = dict.fromkeys(plans.broken, plans.by_version[current.version_id])
    passage = Passage(now, {**lost, **plans.by_version}, plans.policies)
    passage.record.tally.update(_leaving(rows, rules, current.version_id, plans))
    leaving, going = _sorted_out(rows, rules, plans, current)
    switched = migrations_.switch(connection, [row for row, _, _ in going], current.version_id)
    if switched != len(going):
        raise RuntimeError(f"{switched} of {len(going)} people could be pinned to the new version")
    failpoint("CP31")
    _walk(connection, passage, leaving, going, now)
    failpoint("CP32")
    write(connection, passage)
    targets = {one.id: rule.to or "" for _, one, rule in going}
    handled = [Handled(row, _did(row, one, targets), one.walks) for row, one, _ in (*leaving, *going)]
    migrations_.keep(connection, current, handled)
    failpoint("CP33")
    return len(rows)


Case = tuple[Row, Traveller, Move]


def _sorted_out(rows: Sequence[Row], rules: Rules, plans: Plans, current: Migration) -> tuple[list[Case], list[Case]]:
    """Who is taken out where they stand, and who goes on in the new version."""
    target = plans.by_version[current.version_id]
    leaving: list[Case] = []
    going: list[Case] = []
    for row in rows:
        rule = rules.of(row)
        old = plans.by_version.get(row.version_id)
        if rule.do == "exit" and old is not None:
            one = restored(row, old)
            one.cause = f"migration {current.id}"
            leaving.append((row, one, rule))
        else:
            going.append((row, _arriving(row, rule, target, current), rule))
    return leaving, going


def _arriving(row: Row, rule: Move, target: Plan, current: Migration) -> Traveller:
    """Somebody about to come to their place in the new version."""
    one = restored(row, target)
    one.status, one.reason, one.wake_at, one.slot = Status.ACTIVE, None, None, 0
    one.cause = f"migration {current.id}"
    one.path = step_text(row.node, "", "moved")
    one.waiting = False
    if rule.to is not None:
        one.node = rule.to
    return one


def _walk(
    connection: Connection, passage: Passage, leaving: Sequence[Case], going: Sequence[Case], now: datetime
) -> None:
    """Take out and let go on; several walks of one contact one after the other, as each may change what the next one sees."""
    moving = [(row, one, rule) for row, one, rule in going if rule.do != "exit"]
    travellers = [one for _, one, _ in moving]
    _recall_messages(connection, travellers)
    for row, one, rule in moving:
        step = one.plan.steps[one.node]
        waits = step.node is not None and (step.node.waits or bool(step.listens))
        one.arrived_at = row.rested_at if rule.wait == "keep" and waits and row.status != Status.COMPLETED else now
    supply_facts(connection, travellers)
    supply(connection, travellers)
    for _, one, rule in (*leaving, *going):
        if rule.do == "exit":
            one.arrived_at = now
            take_out(passage, one, "manual", "taken out")
    for one_round in _rounds(travellers):
        walk(passage, one_round)


def _rounds(travellers: Iterable[Traveller]) -> list[list[Traveller]]:
    """Round k holds each contact's k-th."""
    rounds: list[list[Traveller]] = []
    seen: Counter[int] = Counter()
    for one in travellers:
        if seen[one.contact] == len(rounds):
            rounds.append([])
        rounds[seen[one.contact]].append(one)
        seen[one.contact] += 1
    return rounds


def _recall_messages(connection: Connection, travellers: Sequence[Traveller]) -> None:
    """Remember which steps' messages they have had, so that none is repeated whatever way they take from now on."""
    known = migrations_.had(connection, [(one.plan.workspace_id, one.lane, one.id) for one in travellers])
    for one in travellers:
        for node, visit in known.get(one.id, {}).items():
            visits = one.visits = one.visits or {}
            visits[node] = max(visit, visits.get(node, 0))


def _did(row: Row, one: Traveller, targets: Mapping[int, str]) -> Did:
    if one.status is Status.EXITED and one.reason == "manual":
        return Did.EXITED
    rests = one.status is Status.ACTIVE and one.node == targets.get(one.id)
    if row.status == Status.COMPLETED:
        return Did.REOPENED if rests else Did.REOPENED_WENT_ON
    return Did.MOVED if rests else Did.WENT_ON


def _leaving(rows: Sequence[Row], rules: Rules, target: int, plans: Plans) -> Tally:
    """The books of the old versions: their people are the new one's from now on, and leave the steps they stood at."""
    tally: Tally = Counter()
    for row in rows:
        if rules.of(row).do == "exit" and row.version_id in plans.by_version:
            continue
        tally[row.version_id, "", "entered"] -= 1
        tally[target, "", "entered"] += 1
        if row.status == Status.COMPLETED:
            tally[row.version_id, "", "completed"] -= 1
        else:
            tally[row.version_id, row.node, "!end"] += 1
    return tally


def _put_back(connection: Connection, current: Migration, lanes: Sequence[int], now: datetime, limit: int) -> int:
    found = migrations_.to_put_back(connection, current, lanes, limit)
    if not found:
        return 0
    back = migrations_.put_back(connection, found)
    failpoint("CP35")
    rules, tally = rules_of(current), Counter[tuple[int, str, str]]()
    lines = []
    for one in found:
        if one.enrollment_id in back:
            at = rules.by_place[one.version_id, one.node, one.status == Status.COMPLETED].to or one.node
            _book_back(tally, one, current.version_id, at)
            steps = f"[{step_text(at, '', 'put back')}]"
            lines.append(enrollments.trail_text(one[:3], one.walks + 1, now, (f"migration {current.id}", steps)))
    enrollments.add_trail(connection, lines)
    tallies.append(connection, dict.fromkeys({version for version, _, _ in tally}, current), tally, now)
    migrations_.note_back(connection, current, [(one.enrollment_id, one.enrollment_id in back) for one in found])
    return len(found)


def _book_back(tally: Tally, one: Moved, target: int, at: str) -> None:
    """The books the other way round."""
    if one.did == Did.EXITED:
        tally[one.version_id, "", "exited"] -= 1
        tally[one.version_id, "", "!manual"] -= 1
        tally[one.version_id, one.node, "!end"] -= 1
        return
    tally[one.version_id, "", "entered"] += 1
    tally[target, "", "entered"] -= 1
    tally[target, at, "!end"] += 1
    if one.did == Did.REOPENED:
        tally[one.version_id, "", "completed"] += 1
    else:
        tally[one.version_id, one.node, "!end"] -= 1


def _end(connection: Connection, current: Migration, was: str, now: datetime) -> None:
    """Done, once nobody of any lane is left to be handled."""
    rules = rules_of(current)
    with transaction(connection):
        again = migrations_.find(connection, current.workspace_id, current.journey_id, current.id, lock=True)
        if again is None or again.status != was:
            return
        if was == "reversing":
            if not migrations_.any_to_put_back(connection, again):
                migrations_.set_status(connection, again, "reversed", now)
        elif not migrations_.any_left(connection, again.workspace_id, rules.waiting, rules.through):
            migrations_.set_status(connection, again, "done", now)
        failpoint("CP36")
