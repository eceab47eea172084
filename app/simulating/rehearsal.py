"""Live one contact's story on one plan, in memory: letters, timers and messages in the order of the engine, by its own code.

The stages' order within a moment is kept: letters, then timers, then messages. Nothing is read, sent or written.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from app.facts import Standing
from app.lanes import lane_of
from app.rounds import Post, settle, walk_round
from app.simulating import mail
from app.simulating.entering import next_chance
from app.simulating.notes import Diary, Moment
from app.simulating.story import Enter, Happening, Identify, Next, Person, Receipt, Story, Track, Wait
from app.simulating.watching import Seen, explained, watched
from app.store.inbox import Letter
from app.walk import TOLERANCE, Passage, by_clock, due_order
from flows.compile import Plan, Step
from flows.contract import OUTCOMES, Event, Facts, Json, Member, key_of
from flows.durations import elapsed
from flows.interpret import Status, Traveller
from flows.match import Book, Entry, Place, candidates, may_enter
from flows.past import windows
from flows.words import _

INVENTED = 0
MOMENTS_AT_MOST = 2_000
STILL_AT_MOST = 1_000  # steps within one moment; more means something turns in a circle
KEYED = _("a journey entered once per key lets nobody in by schedule")
AGAIN = _("the re-entry rule does not let the contact in (again)")
RULE = _("the rule does not hold")
WHERE = _("the event's properties do not fit")
NO_KEY = _("the event has no key")
NO_ENTRY = _("the journey has no such entry")


@dataclass(frozen=True, slots=True)
class Told:
    """The story as it came out. `now`, `due`, `awaits` say where it stands; `at` are the steps where people stand or ended."""

    moments: tuple[Moment, ...]
    path: tuple[tuple[str, str], ...]
    at: tuple[str, ...]
    now: datetime
    due: datetime | None
    awaits: tuple[str, ...]
    walking: bool
    entered: bool
    attributes: Mapping[str, Json]
    tags: tuple[str, ...]


def rehearse(plan: Plan, story: Story) -> Told:
    """Live the story from its beginning."""
    stage = Stage(plan, story)
    for one in story.happenings:
        stage.take(one)
    return stage.told()


@dataclass(slots=True)
class Sent:
    """The last message of a step, for receipts and for rules that ask about it."""

    traveller: Traveller
    visit: int
    reached: int = 0
    failed: bool = False
    suppressed: bool = False
    texts: dict[str, Any] = field(default_factory=dict)


class Stage:
    """One contact, one plan, one clock."""

    def __init__(self, plan: Plan, story: Story) -> None:
        self.seen: list[Seen] = []
        # A walk is tried out on whatever day it is: seasons are not part of the story.
        self.plan = replace(watched(plan, story.arms, self.seen), season=None)
        self.person, self.now = story.person, story.start
        self.book = Book()
        self.book.add(self.plan)
        self.passage = Passage(self.now, {self.plan.version_id: self.plan})
        self.contact = story.person.contact
        self.lane = lane_of(self.plan.workspace_id, self.contact)
        self.letters: deque[Letter] = deque()
        self.sent: dict[tuple[int, str], Sent] = {}
        self.diary = Diary()
        self._events, self._enrollments = count(1), count(1)
        asked = frozenset(asked_of(self.plan))
        self.here = Standing(_facts(self.person, self.now, asked, self._events), remembered=asked)
        self.standing = {self.contact: self.here}
        self.listened = self.plan.listens | {one.start.event for one in self.plan.entries if one.start}

    def take(self, one: Happening) -> None:
        """One happening, and all that is due by then."""
        if self.diary.full(MOMENTS_AT_MOST):
            return
        if isinstance(one, Enter):
            self._enter(one)
        elif isinstance(one, Track | Identify):
            self._happen(one)
        elif isinstance(one, Receipt):
            self._receive(one)
        elif isinstance(one, Next):
            self.until(self._due() or self.now)
        elif isinstance(one, Wait):
            self.until(self.now + elapsed(one.length))

    def until(self, moment: datetime, *, including: bool = True) -> None:
        """Do all that is due up to a moment, each at its own time."""
        while not self.diary.full(MOMENTS_AT_MOST):
            due = self._due()
            if due is None or due > moment or (due == moment and not including):
                break
            self.now = max(self.now, due)
            self.still()
        self.now = max(self.now, moment)

    def still(self) -> None:
        """Everything of the present moment: letters before timers, timers before messages."""
        for _turn in range(STILL_AT_MOST):
            self.passage.now = self.now
            if self.letters:
                self._letter(self.letters.popleft())
            elif due := [one for one in self._waiting() if one.wake_at and one.wake_at <= self.now]:
                self._timers(sorted(due, key=due_order))
            elif self.passage.drafts:
                self._deliver()
            else:
                return
            self._collect()
        self.diary.stop(self.now)

    def told(self) -> Told:
        """Where the story stands."""
        waiting = self._waiting()
        awaits = {name for one in waiting for name in self.plan.steps[one.node].listens}
        targets = [one.event for one in (self.plan.goal, self.plan.exit_when) if one and waiting]
        facts = self.here.facts
        return Told(
            tuple(self.diary.moments),
            tuple(self.diary.path),
            tuple(one.node for one in waiting) or self.diary.last(),
            self.now,
            self._due(),
            tuple(dict.fromkeys(sorted(name for name in awaits if not name.startswith("message.")) + targets)),
            bool(waiting),
            bool(self.passage.travellers),
            facts.attributes,
            tuple(sorted(facts.tags)),
        )

    # What happens

    def _enter(self, wish: Enter) -> None:
        step = self._entry(wish.node)
        if step is None or step.start is None:
            self.diary.refuse(self.now, wish.node or "", NO_ENTRY)
        elif step.start.kind == "event" and not wish.anyway:
            self._post(step.start.event, wish.properties)
        elif step.start.kind in ("event", "api"):
            name = step.start.event or "journey.enrolled"
            self._post(name, wish.properties, kind="enroll", entry=step)
        else:
            self._scheduled(step, anyway=wish.anyway)
        self.still()

    def _entry(self, node: str | None) -> Step | None:
        return next((one for one in self.plan.entries if node in (None, one.id)), None)

    def _scheduled(self, step: Step, *, anyway: bool) -> None:
        """A schedule fires: the clock goes to that moment, and whoever belongs to the audience comes in."""
        start = step.start
        if start is None:
            return
        at, why = next_chance(start, self.plan, self.here.facts, self.now)
        if at is not None and self.person.contact == INVENTED and not self.diary.moments:
            # What an invented contact did before was written for the moment of the entry, whenever that is.
            self.now, self.here.facts = at, _facts(self.person, at, self.here.remembered, self._events)
        elif at is not None:
            self.until(at)
        elif not anyway:
            self.diary.refuse(self.now, step.id, why)
            return
        place = self.here.places.setdefault((self.plan.journey_id, ""), Place())
        member = Member(0, self.contact, self.now, self.here.facts)
        reason = explained("", start.rule, member) if start.rule is not None else None
        if reason and not reason.held and not anyway:
            self.diary.refuse(self.now, step.id, RULE, reason)
        elif self.plan.key_path:
            self.diary.refuse(self.now, step.id, KEYED)
        elif not may_enter(self.plan, place, self.now):
            self.diary.refuse(self.now, step.id, AGAIN)
        else:
            one = Traveller(
                next(self._enrollments), self.contact, self.now, self.here.facts,
                plan=self.plan, node=step.id, lane=self.lane,
            )  # fmt: skip
            place.active, place.entered_at = True, self.now
            self.here.travellers.append(one)
            settle(self.passage, self.standing, [one])
            self._tell()

    def _happen(self, one: Track | Identify) -> None:
        if one.after:
            self.until(self.now + elapsed(one.after), including=False)
        earlier = elapsed(one.earlier) if one.earlier else timedelta()
        if isinstance(one, Identify):
            self._post("identify", one.traits, kind="identify", earlier=earlier)
        else:
            self._post(one.name, one.properties, earlier=earlier)
        self.still()

    def _receive(self, one: Receipt) -> None:
        """The provider says what became of a message: the outcome climbs, and comes in as an event."""
        found = [sent for (_, node), sent in self.sent.items() if node == one.node and sent.texts]
        if not found:
            return
        last = found[-1]
        if one.outcome == "failed":
            last.failed = True
        else:
            last.reached = max(last.reached, OUTCOMES.index(one.outcome) + 1)
        self._post(f"message.{one.outcome}", mail.receipt(last.traveller, one.node, last.visit))
        self.still()

    def _post(
        self,
        name: str,
        properties: Mapping[str, Json],
        *,
        kind: str = "track",
        entry: Step | None = None,
        earlier: timedelta = timedelta(),
    ) -> None:
        text = msgspec.json.encode(properties).decode()
        at = self.now - earlier
        letter = Letter(self.lane, 0, self.plan.workspace_id, self.contact, kind, name, at, self.now, text, None)
        self._letter(letter, entry)
        self._collect()

    # What the stages do

    def _letter(self, letter: Letter, entry: Step | None = None) -> None:
        letter = letter._replace(id=next(self._events))
        event = Event(letter.name, letter.timestamp, msgspec.json.decode(letter.properties), letter.id)
        entries = candidates(self.book, event) if letter.kind == "track" else []
        if entry is not None:
            key = key_of(event.properties, self.plan.key_path) if self.plan.key_path else ""
            entries = [Entry(self.plan, entry, key)] if key or not self.plan.key_path else []
        self.diary.event(self.now, letter, event.properties)
        self._supply()
        known = set(self.passage.travellers)
        refused = [] if entry else self._refusals(event, entries, letter.received_at)
        walk_round(self.passage, self.standing, [Post(letter, event, entries)], lambda: next(self._enrollments))
        if entry is not None and not self.passage.travellers.keys() - known:
            refused = [(entry.id, AGAIN if entries else NO_KEY, None)]
        self._tell()
        for node, why, reason in refused:
            self.diary.refuse(self.now, node, why, reason)

    def _refusals(self, event: Event, entries: list[Entry], at: datetime) -> list[tuple[str, str, Any]]:
        """Entries that listen to this event and will not let the contact in, with the reason."""
        found: list[tuple[str, str, Any]] = []
        fitting = {entry.step.id: entry for entry in entries}
        for step in self.plan.entries:
            start = step.start
            if start is None or start.kind != "event" or start.event != event.name:
                continue
            entry = fitting.get(step.id)
            if entry is None:
                fits = start.where is None or start.where.matches(event.properties)
                found.append((step.id, NO_KEY if fits else WHERE, None))
                continue
            member = Member(0, self.contact, at, self.here.facts, entry=event)
            reason = explained("", start.when, member) if start.when is not None else None
            place = self.here.places.get((self.plan.journey_id, entry.key)) or Place()
            if not may_enter(self.plan, place, at):
                found.append((step.id, AGAIN, None))
            elif reason and not reason.held:
                found.append((step.id, RULE, reason))
        return found

    def _timers(self, due: list[Traveller]) -> None:
        self._supply()
        for one in due:
            if one.wake_at is not None and one in self.here.travellers:
                by_clock(one, one.wake_at if self.now - one.wake_at <= TOLERANCE else self.now)
                settle(self.passage, self.standing, [one])
                self._tell()

    def _deliver(self) -> None:
        """Render what is to be sent; what becomes of it goes to those who wait for it."""
        drafts, self.passage.drafts = self.passage.drafts, []
        for draft in drafts:
            sent = self.sent[draft.traveller.id, draft.step.id] = Sent(draft.traveller, draft.visit)
            note = self.diary.message(draft)
            made = mail.render(draft, self.plan, self.person, self.here.facts, self.now)
            note.detail.update(made.shown)
            sent.failed, sent.suppressed = made.status == "failed", made.status == "suppressed"
            sent.reached = made.reached
            sent.texts = made.shown if made.status == "sent" else {}
            for name in made.told:
                if name in self.listened:
                    said = mail.receipt(draft.traveller, draft.step.id, draft.visit, made.reason)
                    text = msgspec.json.encode(said).decode()
                    self.letters.append(
                        Letter(
                            self.lane,
                            0,
                            self.plan.workspace_id,
                            self.contact,
                            "track",
                            name,
                            self.now,
                            self.now,
                            text,
                            None,
                        )
                    )

    def _collect(self) -> None:
        """Events that nodes sent off come in again by the front door."""
        self.letters.extend(one._replace(received_at=self.now) for one in self.passage.letters)
        self.passage.letters.clear()
        self.passage.trail.clear()
        self.passage.reentrants.clear()

    def _supply(self) -> None:
        for one in self.here.travellers:
            one.messages = {
                node: mail.outcomes(sent.reached, failed=sent.failed, suppressed=sent.suppressed)
                for (enrollment, node), sent in self.sent.items()
                if enrollment == one.id
            }

    def _tell(self) -> None:
        self.diary.walked(self.seen, self.passage.travellers)
        self.seen.clear()

    def _waiting(self) -> list[Traveller]:
        return [one for one in self.here.travellers if one.status is Status.ACTIVE]

    def _due(self) -> datetime | None:
        return min((one.wake_at for one in self._waiting() if one.wake_at), default=None)


def asked_of(plan: Plan) -> Mapping[str, timedelta]:
    """The past events that some step or entry of the plan asks about, and how far back."""
    reads: set[str] = set()
    for step in plan.steps.values():
        reads |= step.reads_ahead
        if step.start:
            reads |= step.start.when.reads if step.start.when is not None else set()
            reads |= step.start.rule.reads if step.start.rule is not None else set()
    return windows(reads)


def _facts(person: Person, now: datetime, asked: frozenset[str], ids: Iterator[int]) -> Facts:
    events: dict[str, list[Event]] = {}
    for one in sorted(person.past, key=lambda past: elapsed(past.ago), reverse=True):
        if one.event in asked:
            at = now - elapsed(one.ago)
            events.setdefault(one.event, []).append(Event(one.event, at, one.properties, next(ids)))
    return Facts(dict(person.attributes), set(person.tags), events, consents=person.consents)
