"""Advance a batch to rest and write it once. Called by match, timers and enroll inside their transaction.

A batch may walk several rounds (each contact's first event, then each one's second, …); what a round leaves is gathered, and
everything is written at the end in a number of statements that does not grow with the batch. No SQL of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from app.admitting import Admissions
from app.budgets import OVER as OVER_BUDGET
from app.budgets import Want, refused, want
from app.failpoints import failpoint
from app.fusing import ceiling
from app.gate import refusal
from app.policing import Ask, ask
from app.store import contacts, enrollments, history, inbox, messages, schedules, seasons, tallies
from app.store.inbox import Letter
from app.store.lates import HELD
from app.store.outbox import NEVER
from app.store.pauses import SKIP, SKIPPED
from app.store.rows import Connection, take_ids
from flows.compile import Plan
from flows.conditions import OVER
from flows.contract import Event, Facts
from flows.interpret import Change, Rested, Status, Traveller, leave, rested, to_rest, would_end
from flows.policies import Policies, Verdict

# Carried by people whom an awaited event met while their journey was paused: at resume the event is looked up again.
MET = "met while paused"
# A timer or firing later than this counts from now, so that an outage does not fold the waits after it together.
TOLERANCE = timedelta(minutes=5)


@dataclass(slots=True)
class Passage:
    """One batch on its way: what is known, what has been gathered, what will be written."""

    now: datetime
    plans: Mapping[int, Plan]
    policies: Mapping[int, Policies] = field(default_factory=dict)
    record: Rested = field(default_factory=rested)
    travellers: dict[int, Traveller] = field(default_factory=dict)
    reentrants: list[tuple[int, int, int, str]] = field(default_factory=list)
    keys: dict[int, contacts.ContactKey] = field(default_factory=dict)
    drafts: list[messages.Draft] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    admissions: Admissions = field(default_factory=Admissions)
    turned: list[seasons.Turned] = field(default_factory=list)
    moved: int = 0

    def change(self, key: contacts.ContactKey) -> Change:
        """The difference gathered for a contact."""
        self.keys[key[2]] = key
        return self.record.changes.setdefault(key[2], Change())

    def admits(self, plan: Plan, lane: int, contact: int, at: datetime) -> bool:
        """Whether the approval's cap lets one more in; who is beyond it is kept with the reason."""
        if self.admissions.admits(plan):
            return True
        self.turn_away(plan, lane, contact, at, OVER)
        return False

    def turn_away(self, plan: Plan, lane: int, contact: int, at: datetime, reason: str) -> None:
        """Somebody would have come in, and does not, for a reason that is kept."""
        self.turned.append(
            seasons.Turned(plan.workspace_id, lane, contact, plan.journey_id, reason, plan.version_id, at)
        )
        self.record.tally[plan.version_id, "", f"!kept out:{reason}"] += 1


def walk(passage: Passage, travellers: Iterable[Traveller]) -> None:
    """Bring these travellers to rest, plan by plan in the order of journeys, and gather what they leave."""
    by_plan: dict[tuple[int, int], dict[str, list[Traveller]]] = {}
    walked = []
    for one in travellers:
        by_plan.setdefault((one.plan.journey_id, one.plan.version_id), {}).setdefault(one.node, []).append(one)
        walked.append(one)
    for journey, version in sorted(by_plan):
        to_rest(passage.plans[version], by_plan[journey, version], passage.now, passage.record)
    gather(passage, walked)


def due_order(one: Traveller) -> tuple[datetime | None, int, int]:
    """In which order waits of one contact end: by their instant, then by journey, then by entry."""
    return one.wake_at, one.plan.journey_id, one.id


def turns(travellers: Sequence[Traveller]) -> Iterable[Sequence[Traveller]]:
    """Due travellers in rounds of one for each contact, so that what a walk changes is seen by the contact's next one.

    The caller walks a round before it asks for the next: one that came to rest in a wait which ends before another of the
    contact's takes its turn again, before that one.
    """
    if len({one.contact for one in travellers}) == len(travellers):
        yield travellers
        return
    waiting: dict[int, list[Traveller]] = {}
    for one in sorted(travellers, key=due_order, reverse=True):
        waiting.setdefault(one.contact, []).append(one)
    while waiting:
        taking = [due.pop() for due in waiting.values()]
        yield taking
        waiting = {contact: due for contact, due in waiting.items() if due}
        for one in taking:
            due = waiting.get(one.contact, [])
            if due and one.status is Status.ACTIVE and one.wake_at and due_order(one) < due_order(due[0]):
                due.append(one)
                due.sort(key=due_order, reverse=True)


def take_out(passage: Passage, traveller: Traveller, reason: str, why: str) -> None:
    """End one walk where it stands (goal, exit rule, stop)."""
    leave(traveller, Status.EXITED, reason, why=why, record=passage.record)
    gather(passage, [traveller])


def gather(passage: Passage, walked: Sequence[Traveller]) -> None:
    """Turn what a round left into trail lines, drafts and letters: the travellers' moments change with the next round."""
    record = passage.record
    _draft(passage)
    for one, emit in record.emits:
        passage.letters.append(_letter(one, emit.event, emit.properties))
    record.emits.clear()
    for one in walked:
        if one.path:
            one.walks += 1
            passage.trail.append(enrollments.trail_line(one))
            one.path = ""
        if one.contact in record.changes:
            passage.keys[one.contact] = (one.plan.workspace_id, one.lane, one.contact)
        passage.travellers[one.id] = one


def _draft(passage: Passage) -> None:
    """The messages of a round, each with what consent says of it at this moment."""
    record = passage.record
    for step, message, members in record.sends:
        name, account, content = message.channel, message.account, message.content
        tells = "message.suppressed" in step.listens
        if not step.cyclic:
            # Moved here from a version in which they had this step's message: it is not repeated, they just go on.
            members = [pair for pair in members if not pair[0].visits or step.id not in pair[0].visits]
        if members:
            record.tally[members[0][0].plan.version_id, step.id, "!message"] += len(members)
        for one, visit in members:
            why, due = refusal(name, step.marketing, one.facts.consents, step.purpose), None
            if one.mute is not None and why is None:
                why, due = one.mute
            passage.drafts.append(messages.Draft(one, step, visit, one.arrived_at, name, account, why, content, due))
            if why and due is None:
                record.tally[one.plan.version_id, step.id, tallies.withheld(why)] += 1
                if tells:
                    told = {"enrollment": one.id, "node": step.id, "visit": visit, "reason": why}
                    passage.letters.append(_letter(one, "message.suppressed", told))
    record.sends.clear()


def _letter(one: Traveller, name: str, properties: Mapping[str, object]) -> Letter:
    text = msgspec.json.encode(properties).decode()
    at = one.arrived_at
    return Letter(one.lane, 0, one.plan.workspace_id, one.contact, "track", name, at, at, text, None)


def write(connection: Connection, passage: Passage) -> None:
    """Write the whole batch: enrollments, trail, messages, tallies, facts, letters."""
    new, known = [], []
    for one in passage.travellers.values():
        one.slot = enrollments.finished_slot(one)
        if one.new:
            new.append(one)
        elif one.moved:
            known.append(one)
    passage.moved = len(new) + len(known)
    enrollments.free(connection, passage.reentrants)
    enrollments.move(connection, known)
    failpoint("CP10")
    enrollments.add(connection, new)
    if new:
        failpoint("CP5")
    enrollments.add_trail(connection, passage.trail)
    drafts, ids = passage.drafts, take_ids(connection, "message_block", len(passage.drafts))
    if passage.policies or any(one.traveller.plan.budget for one in drafts):
        drafts, ids = _permitted(connection, passage, list(islice(ids, len(drafts))))
    drafts = _fused(connection, passage, drafts)
    messages.add(connection, drafts, ids)
    if drafts:
        failpoint("CP11")
    for version, entered in Counter(one.plan.version_id for one in new).items():
        passage.record.tally[version, "", "entered"] += entered
    tallies.append(connection, passage.plans, passage.record.tally, passage.now)
    keyed = {passage.keys[contact]: change for contact, change in passage.record.changes.items()}
    contacts.apply(connection, keyed, passage.now)
    zoned = {key[0] for key, change in keyed.items() if "timezone" in change.attributes}
    if zoned:
        schedules.zones_changed(connection, sorted(zoned), passage.now)
    inbox.put(connection, passage.letters)
    passage.admissions.write(connection)
    seasons.turn_away(connection, passage.turned)


def _fused(connection: Connection, passage: Passage, drafts: list[messages.Draft]) -> list[messages.Draft]:
    """The drafts without those beyond the ceiling of their step; their journeys are paused (Q01)."""
    for number, reason in ceiling(connection, drafts, passage.policies, passage.reentrants, passage.now):
        draft = drafts[number]
        one = draft.traveller
        drafts[number] = draft._replace(refusal=reason, due=None)
        passage.record.tally[one.plan.version_id, draft.step.id, tallies.withheld(reason)] += 1
        if "message.suppressed" in draft.step.listens:
            told = {"enrollment": one.id, "node": draft.step.id, "visit": draft.visit, "reason": reason}
            passage.letters.append(_letter(one, "message.suppressed", told))
    return drafts


def _permitted(connection: Connection, passage: Passage, ids: list[int]) -> tuple[list[messages.Draft], Iterator[int]]:
    """The drafts as caps and quiet hours leave them: as they are, put off, or refused with the reason."""
    drafts, rules = passage.drafts, passage.policies
    asked = [
        number
        for number, one in enumerate(drafts)
        if one.step.marketing
        and one.refusal is None
        and (one.traveller.plan.workspace_id in rules or one.traveller.plan.budget is not None)
    ]

    def beyond(places: Sequence[int]) -> set[int]:
        return _unpaid(connection, drafts, [asked[place] for place in places], {n: p for p, n in enumerate(asked)})

    if rules:
        verdicts = ask(connection, [_ask(drafts[one], ids[one]) for one in asked], rules, passage.now, beyond)
        told_of = list(zip(asked, verdicts, strict=True))
    else:
        told_of = [(asked[place], Verdict(None, OVER_BUDGET)) for place in sorted(beyond(range(len(asked))))]
    for number, verdict in told_of:
        if verdict.reason is None:
            continue
        draft = drafts[number]
        drafts[number] = draft._replace(refusal=verdict.reason, due=verdict.due)
        if verdict.due is not None:
            continue
        one = draft.traveller
        passage.record.tally[one.plan.version_id, draft.step.id, tallies.withheld(verdict.reason)] += 1
        if "message.suppressed" in draft.step.listens:
            told = {"enrollment": one.id, "node": draft.step.id, "visit": draft.visit, "reason": verdict.reason}
            passage.letters.append(_letter(one, "message.suppressed", told))
    return drafts, iter(ids)


def _unpaid(
    connection: Connection, drafts: Sequence[messages.Draft], passing: Sequence[int], places: Mapping[int, int]
) -> set[int]:
    """Which of the passing marketing drafts their plan's budget does not pay for any more, by their places.

    Transactional ones are paid for first: they go out whatever is left.
    """
    others = [number for number, one in enumerate(drafts) if not one.step.marketing and one.refusal is None]
    paid, wants = [], []
    known: dict[tuple[int, str, str], Want | None] = {}
    for number in (*others, *passing):
        draft = drafts[number]
        plan = draft.traveller.plan
        key = plan.version_id, draft.step.id, draft.channel
        if key not in known:
            marketing = draft.step.marketing
            known[key] = (
                want(plan.workspace_id, plan.budget, draft.channel, marketing=marketing) if plan.budget else None
            )
        one = known[key]
        if one is not None:
            paid.append(number)
            wants.append(one)
    return {places[paid[place]] for place in refused(connection, wants)}


def _ask(draft: messages.Draft, id: int) -> Ask:
    one, plan = draft.traveller, draft.traveller.plan
    key = plan.workspace_id, one.lane, one.contact
    return Ask(key, id, draft.channel, plan.journey_id, plan.priority, plan.timezone, draft.at)


def supply(connection: Connection, travellers: Sequence[Traveller]) -> None:
    """Give known travellers the rows their steps ahead ask for: entry events, message outcomes; and what met them in a pause."""
    entries = [one for one in travellers if one.entry_event is not None and "entry" in _reads(one)]
    met = [(one, *_noted(one.reason)) for one in travellers if one.reason and one.reason.startswith(MET)]
    found = history.entries(
        connection,
        [(one.plan.workspace_id, one.lane, one.contact, one.since, one.entry_event or 0) for one in entries]
        + [(one.plan.workspace_id, one.lane, one.contact, at, id) for one, at, id in met],
    )
    for one in entries:
        one.entry = found.get(one.entry_event or 0)
    for one, _, id in met:
        one.met = found.get(id)
    told = [one for one in travellers if any(read.startswith("message:") for read in _reads(one))]
    reached = messages.outcomes(connection, [(one.plan.workspace_id, one.lane, one.id) for one in told])
    for one in told:
        one.messages = reached.get(one.id, {})


def note_met(passage: Passage, one: Traveller, event: Event) -> None:
    """An awaited event met somebody in a paused journey: nobody moves now, and resume lets the first such event count."""
    if one.reason is None and would_end(one, event):
        one.status, one.reason, one.moved = Status.HELD, f"{MET} {event.timestamp.isoformat()} {event.id}", True
        passage.travellers[one.id] = one


def _noted(reason: str) -> tuple[datetime, int]:
    at, _, id = reason.removeprefix(MET).strip().partition(" ")
    return datetime.fromisoformat(at), int(id)


def by_clock(one: Traveller, at: datetime) -> None:
    """The wait ends by its time, or by the event that came while the journey was paused."""
    one.arrived_at, one.woken_by, one.waiting = at, one.met, True
    one.cause = f"event {one.met.name}" if one.met else "timer"
    one.met = None
    if one.reason and one.reason.startswith(MET):
        one.reason = None


def _reads(one: Traveller) -> frozenset[str]:
    return one.plan.steps[one.node].reads_ahead


def restored(row: enrollments.Row, plan: Plan) -> Traveller:
    """A known enrollment as a traveller at rest; its facts and moment are given by the stage."""
    one = Traveller(row.id, row.contact_id, row.rested_at, NO_FACTS, plan=plan, node=row.node, lane=row.lane)
    one.key, one.since, one.slot = row.key, row.since, row.slot
    one.entered_at, one.rested_at, one.wake_at = row.entered_at, row.rested_at, row.wake_at
    one.entry_event, one.walks, one.reason = row.entry_event, row.walks, row.reason
    one.visits = enrollments.visits_of(row.visits)
    one.visit = (one.visits or {}).get(row.node, 1)
    if plan.late_before is not None and row.wake_at is not None and row.wake_at < plan.late_before:
        one.mute = (HELD, NEVER)
    if one.reason is not None and one.reason.startswith(SKIP):
        one.reason, one.mute = one.reason.removeprefix(SKIP) or None, (SKIPPED, None)
    one.status = Status(row.status)
    one.new, one.waiting = False, True
    return one


def remember(facts_events: dict[str, list[Event]], event: Event) -> None:
    """Put an event into the history in memory at its place by timestamp, as later rounds must see it."""
    past = facts_events.setdefault(event.name, [])
    place = len(past)
    while place and past[place - 1].timestamp > event.timestamp:
        place -= 1
    past.insert(place, event)


NO_FACTS = Facts()
