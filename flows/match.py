"""What one event means to one contact: who is taken out, who wakes, where the contact enters. Pure decisions.

The order is fixed (DESIGN §6): history and facts first (the caller has done that), then goals and exit rules, then waits, then
entries; the event that lets somebody in wakes none of that enrollment's own waits. Never writes, never walks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from flows.compile import Plan, Step, Target
from flows.contract import Event, Facts, key_of
from flows.interpret import Status, Traveller
from flows.past import windows

NO_PATH: Mapping[str, frozenset[str]] = {}


@dataclass(slots=True)
class Place:
    """What is known of one contact, journey and key: is somebody walking there, and when was the last entry."""

    active: bool = False
    entered_at: datetime | None = None


class Entry(NamedTuple):
    """A contact may enter here, if the re-entry rule lets it."""

    plan: Plan
    step: Step
    key: str


@dataclass(slots=True)
class Book:
    """The live plans of one workspace by what they listen to; made anew when a version is published."""

    plans: dict[int, Plan] = field(default_factory=dict)  # by version id, old versions with people in flight included
    entries: dict[str, list[tuple[Plan, Step]]] = field(default_factory=lambda: defaultdict(list))
    asked: set[str] = field(default_factory=set)  # every event name that some plan enters, wakes or leaves on
    counted: set[str] = field(default_factory=set)  # every event name whose past some step asks about

    def add(self, plan: Plan) -> None:
        """Take a plan in; only a live one lets people enter."""
        self.plans[plan.version_id] = plan
        self.asked |= plan.listens
        self.counted |= windows(frozenset().union(*(step.reads_ahead for step in plan.steps.values()))).keys()
        if not plan.live:
            return
        for step in plan.entries:
            if step.start and step.start.kind == "event":
                self.entries[step.start.event].append((plan, step))
                self.asked.add(step.start.event)


def candidates(book: Book, event: Event) -> list[Entry]:
    """Entries whose event and `where` fit, before contact and re-entry rule are asked; keyed ones need a key."""
    found = []
    for plan, step in book.entries.get(event.name, ()):
        if (plan.paused and not plan.overridden) or plan.stopped or step.start is None:
            continue
        if step.start.where is not None and not step.start.where.matches(event.properties):
            continue
        key = key_of(event.properties, plan.key_path) if plan.key_path else ""
        if key or not plan.key_path:
            found.append(Entry(plan, step, key))
    return found


def taken_out(travellers: Iterable[Traveller], event: Event) -> list[tuple[Traveller, str]]:
    """Whom the event takes out, with the reason: `goal` or `exit_when`."""
    gone = []
    for one in travellers:
        if event.id is not None and event.id == one.entry_event:
            continue
        if _hits(one.plan.goal, one, event):
            gone.append((one, "goal"))
        elif _hits(one.plan.exit_when, one, event):
            gone.append((one, "exit_when"))
    return gone


def _hits(target: Target | None, traveller: Traveller, event: Event) -> bool:
    if target is None or target.event != event.name or event.timestamp < traveller.since:
        return False
    if target.within is not None and event.timestamp > traveller.since + target.within:
        return False
    if not _same_key(traveller, event):
        return False
    return target.where is None or bool(target.where.matches(event.properties))


def _same_key(traveller: Traveller, event: Event) -> bool:
    # Receipts speak of one message, which the node checks itself; they carry no key of the journey's.
    path = traveller.plan.key_path
    return path is None or event.name.startswith("message.") or key_of(event.properties, path) == traveller.key


def woken(travellers: Iterable[Traveller], event: Event) -> list[Traveller]:
    """Who waits for an event of this name (and key); whether the `where` fits is for the node to say."""
    return [
        one
        for one in travellers
        if one.waiting and event.name in one.plan.steps[one.node].listens and _same_key(one, event)
    ]


def admits(entry: Entry, place: Place, facts: Facts, event: Event, at: datetime) -> bool:
    """Whether the re-entry rule and the question to the contact (`when`) let the contact in at the moment `at`."""
    if not may_enter(entry.plan, place, at):
        return False
    start = entry.step.start
    return start is None or start.when is None or bool(start.when.holds(facts, at, event.properties, NO_PATH))


def may_enter(plan: Plan, place: Place, at: datetime) -> bool:
    """The four re-entry modes: once · after_exit · cooldown (from the last entry) · per_key (once for each key)."""
    if place.active:
        return False
    if place.entered_at is None:
        return True
    if plan.reentry == "after_exit":
        return True
    if plan.reentry == "cooldown" and plan.cooldown is not None:
        return at - place.entered_at >= plan.cooldown
    return False


def active(travellers: Sequence[Traveller]) -> list[Traveller]:
    """Those still walking (a held one counts)."""
    return [one for one in travellers if one.status in (Status.ACTIVE, Status.HELD)]
