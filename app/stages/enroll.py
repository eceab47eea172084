"""enroll: fire the schedules that are due, and let the audience of the oldest firing in, a slice of my lanes at a time.

One bounded slice a call, so that a blast to a million people cannot delay a reminder. How far a lane has come is written in
the transaction that lets its people in. Never reads the clock.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from app import log
from app import schedules as firing
from app.admitting import hold
from app.database import transaction
from app.facts import recall
from app.failpoints import failpoint
from app.plans import Plans
from app.store import audiences, dead, enrollments, schedules
from app.store.contacts import Wanted
from app.store.inbox import Letter
from app.store.rows import Connection, take_ids
from app.store.segments import Clause
from app.walk import TOLERANCE, Passage, walk, write
from flows.compile import Plan
from flows.contract import Start
from flows.interpret import HOLD, Traveller
from flows.match import Place, may_enter


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Fire what is due, then let in up to `limit` people of the oldest run; returns how much was done (0: nothing is open)."""
    with transaction(connection):
        plans.refresh(connection)
        fired = _fire(connection, plans, now)
    with transaction(connection):
        current = schedules.next_run(connection, lanes, _paused(plans), list(plans.broken))
        if current is None:
            # Two workers that end a run's last lanes side by side do not see each other do it; here one comes back.
            schedules.finish(connection, now)
            return fired
        plans.include(connection, {current.version_id})
        done = _slice(connection, plans, current, now, limit)
        failpoint("CP6")
    failpoint("CP7")
    return fired + done


def park(connection: Connection, plans: Plans, *, lane: int, now: datetime, error: BaseException) -> None:
    """Pass over the next contact of a lane, with whom every slice has failed: kept as the letter that would let them in."""
    with transaction(connection):
        current = schedules.next_run(connection, [lane], _paused(plans), list(plans.broken))
        if current is None:
            return
        start = plans.by_version[current.version_id].steps[current.node].start
        found = (
            audiences.members(
                connection,
                current.workspace_id,
                current.lanes,
                wanted=Wanted(()),
                limit=1,
                audience=_audience(start, current),
            )
            if start
            else []
        )
        for one in found:
            asked = msgspec.json.encode({"journey": current.journey_id, "context": {}}).decode()
            letter = Letter(lane, 0, current.workspace_id, one.id, "enroll", "journey.enrolled", now, now, asked, None)
            dead.keep(connection, [(letter, f"{type(error).__name__}: {error}")], now)
            schedules.progress(connection, current, [(lane, one.id, 0, False)])


def _paused(plans: Plans) -> list[int]:
    """Versions whose runs wait until the journey goes on."""
    return [plan.version_id for plan in plans.by_version.values() if plan.paused]


def _fire(connection: Connection, plans: Plans, now: datetime) -> int:
    """Begin runs for due schedules and say when each fires next; one missed for too long is skipped."""
    due = [one for one in schedules.due(connection, now) if one.version_id not in plans.broken]
    if not due:
        return 0
    known = [(one, plans.by_version.get(one.version_id)) for one in due]
    places = schedules.zones(connection, sorted({one.workspace_id for one in due if _is_date(plans, one)}))
    runs: list[tuple[schedules.Due, dict[str, Any], bool]] = []
    nexts: list[tuple[schedules.Due, datetime | None]] = []
    for one, plan in known:
        try:
            detail, after = _firing(one, plan, places.get(one.workspace_id, []), now)
        except Exception as error:  # noqa: BLE001 one schedule that cannot be reckoned must not hold up the others
            names = {"workspace": one.workspace_id, "journey": one.journey_id, "node": one.node}
            log.get(__name__).error("a schedule cannot be fired; tried again later", **names, **log.told(error))
            detail, after = None, now + HOLD
        if detail is not None:
            runs.append((one, detail, _is_whole(plan, one)))
        nexts.append((one, after))
    schedules.open_runs(connection, runs)
    schedules.advance(connection, nexts)
    return len(due)


def _firing(
    one: schedules.Due, plan: Plan | None, zones: list[str], now: datetime
) -> tuple[dict[str, Any] | None, datetime | None]:
    """What the run of a due schedule is told (None: no run), and when it fires next (None: never).

    What falls due in a pause is not made up for (Q06); who joins an audience meanwhile is noted, so as not to be new later.
    """
    step = plan.steps.get(one.node) if plan else None
    if plan is None or step is None or step.start is None or not plan.live:
        return None, None
    dated = step.start.kind == "date"
    early = dated and plan.opened_at is not None and one.next_at < plan.opened_at  # contacts took on zones before then
    late = early or now - one.next_at > firing.MAX_LATE
    found = firing.days(step.start, zones, plan.timezone, one.next_at) if dated else []
    detail = None if late or (dated and not found) else {**firing.as_detail(found), "known": firing.real(zones)}
    if plan.paused:
        detail = {"absorb": True} if "on" in (step.start.schedule or {}) and not late else None
    after = max(one.next_at, now - firing.MAX_LATE) if dated else max(one.next_at, now)
    return detail, firing.next_firing(step.start, zones, plan.timezone, after)


def _is_whole(plan: Plan | None, one: schedules.Due) -> bool:
    """Whether a firing concerns a whole audience at once; dates and joining are each person's own."""
    start = plan.steps[one.node].start if plan else None
    return start is not None and start.kind != "date" and "on" not in (start.schedule or {})


def _is_date(plans: Plans, due: schedules.Due) -> bool:
    plan = plans.by_version.get(due.version_id)
    start = plan.steps[due.node].start if plan and due.node in plan.steps else None
    return start is not None and start.kind == "date"


def _slice(connection: Connection, plans: Plans, current: schedules.Run, now: datetime, limit: int) -> int:
    plan = plans.by_version[current.version_id]
    step = plan.steps[current.node]
    start = step.start
    each = max(1, limit // len(current.lanes))
    if start is None or plan.stopped:
        schedules.progress(connection, current, [(lane, after, 0, True) for lane, after in current.lanes])
        schedules.finish(connection, now)
        return len(current.lanes)
    audience = _audience(start, current)
    found = audiences.members(
        connection,
        current.workspace_id,
        current.lanes,
        wanted=Wanted(step.reads_ahead),
        limit=each,
        audience=audience,
    )
    entering = found
    if start.schedule and "on" in start.schedule:
        entering = audiences.joined(connection, current.workspace_id, current.journey_id, current.node, found)
        audiences.left(
            connection,
            current.workspace_id,
            current.journey_id,
            current.node,
            lanes=[lane for lane, _ in current.lanes],
            audience=audience,
        )
    if current.detail.get("absorb"):
        entering = []
    entered = _let_in(connection, plans, current, entering, now)
    _note_progress(connection, current, found, entered, each)
    schedules.finish(connection, now)
    return len(found) + len(current.lanes)


def _audience(start: Start, current: schedules.Run) -> Clause:
    if start.kind != "date":
        return audiences.rule_audience(start.rule, current.planned_at)
    days = []
    for one in firing.of_detail(current.detail):
        origins = firing.origins(start, one.day)
        dates = firing.month_days(origins) if start.every_year else [origin.isoformat() for origin in origins]
        until = max(origins, default=one.day) if start.every_year else None
        known = current.detail.get("known", [])
        days.append(audiences.DayFilter(start.attribute, dates, until, one.zones, known, one.default))
    return audiences.day_audience(days)


def _let_in(
    connection: Connection, plans: Plans, current: schedules.Run, found: Sequence[audiences.Found], now: datetime
) -> dict[int, int]:
    """Enrol those whom the re-entry rule admits and walk them to rest; returns how many by lane."""
    plan = plans.by_version[current.version_id]
    if plan.key_path or not found:
        return {}
    moment = current.planned_at if now - current.planned_at <= TOLERANCE else now
    places = {}
    if not schedules.alone(connection, current):
        places = enrollments.places(connection, [(plan.workspace_id, one.id, plan.journey_id, "") for one in found])
    ids = take_ids(connection, "enrollment_block", len(found))
    passage = Passage(now, plans.by_version, plans.policies, admissions=hold(connection, [plan]))
    travellers, entered = [], dict.fromkeys((one.lane for one in found), 0)
    away = plan.refusal(moment)
    for lane, contact, facts in found:
        past = places.get((contact, plan.journey_id, "")) if places else None
        if past is not None and not may_enter(plan, Place(*past), moment):
            continue
        if away is not None:
            passage.turn_away(plan, lane, contact, moment, away)
            continue
        if not passage.admits(plan, lane, contact, moment):
            continue
        if past is not None:
            passage.reentrants.append((plan.workspace_id, contact, plan.journey_id, ""))
        travellers.append(Traveller(next(ids), contact, moment, facts, plan=plan, node=current.node, lane=lane))
        entered[lane] += 1
    # Equal people share their facts until an effect writes; what they did is each one's own.
    if any(read.startswith("event:") for read in plan.steps[current.node].reads_ahead):
        for one in travellers:
            one.facts = one.facts.copy()
        recall(connection, travellers)
    walk(passage, travellers)
    failpoint("CP9")
    write(connection, passage)
    return entered


def _note_progress(
    connection: Connection, current: schedules.Run, found: Sequence[audiences.Found], entered: dict[int, int], each: int
) -> None:
    last = {one.lane: one.id for one in found}  # those of a lane come in the order of their ids
    count = Counter([one.lane for one in found])
    schedules.progress(
        connection,
        current,
        [(lane, last.get(lane, after), entered.get(lane, 0), count[lane] < each) for lane, after in current.lanes],
    )
