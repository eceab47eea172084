"""What match must know about the contacts of a batch, read once: facts, walks under way, places taken. Never decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Protocol

from app.lanes import lane_of
from app.plans import Plans
from app.store import contacts, enrollments, history
from app.store.inbox import Letter
from app.store.rows import Connection
from app.walk import restored, supply
from flows.contract import Event, Facts
from flows.interpret import Status, Traveller
from flows.match import Entry, Place
from flows.past import windows

MERGES = ("merge_out", "merge_in")


class Opened(Protocol):
    """A letter with its event and the entries it might lead to."""

    @property
    def letter(self) -> Letter: ...
    @property
    def event(self) -> Event: ...
    @property
    def entries(self) -> list[Entry]: ...


@dataclass(slots=True)
class Standing:
    """Where one contact stands: facts, walks under way, places taken; `remembered` are the events some step ahead asks for."""

    facts: Facts
    travellers: list[Traveller] = field(default_factory=list)
    places: dict[tuple[int, str], Place] = field(default_factory=dict)
    remembered: frozenset[str] = frozenset()

    def settle(self, one: Traveller) -> None:
        """After a walk: an ended one gives up its place and its seat here."""
        if one.status not in (Status.ACTIVE, Status.HELD):
            self.travellers.remove(one)
            place = self.places.get((one.plan.journey_id, one.key))
            if place:
                place.active = False


def gather_facts(
    connection: Connection, plans: Plans, posts: Sequence[Opened]
) -> tuple[dict[int, Standing], list[Letter]]:
    """The standing of every contact of the batch, and the letters of merged contacts, addressed to whom they are now."""
    keys = {
        post.letter.contact_id: (post.letter.workspace_id, post.letter.lane, post.letter.contact_id) for post in posts
    }
    rows = _walking(connection, plans, posts)
    plans.include(connection, {row.version_id for row in rows})
    travellers = [restored(row, plans.by_version[row.version_id]) for row in rows if row.version_id in plans.by_version]
    reads = _reads(travellers, posts)
    read = contacts.read(connection, list(keys.values()), contacts.Wanted(reads))
    asked = windows(reads)
    names = frozenset(asked)
    standing = {
        contact: Standing(facts, remembered=names)
        for contact, (facts, merged_into) in read.items()
        if merged_into is None
    }
    for one in travellers:
        if one.contact in standing:
            one.facts = standing[one.contact].facts
            standing[one.contact].travellers.append(one)
    _remember_past(connection, standing, posts, asked)
    _take_places(connection, standing, posts)
    supply(connection, travellers)
    return standing, _forwarded(posts, read)


def _walking(connection: Connection, plans: Plans, posts: Sequence[Opened]) -> list[enrollments.Row]:
    """Walks of the contacts whose events somebody may wait for or leave on, or whose facts change.

    Where an event is only counted, lets somebody in, or is a merge, those that had to go on before it came: they must not see it.
    """
    wanted: dict[tuple[int, int], datetime | None] = {}
    for post in posts:
        letter, book = post.letter, plans.books.get(post.letter.workspace_id)
        key = letter.workspace_id, letter.contact_id
        if book and (post.event.name in book.asked or letter.kind == "identify"):
            wanted[key] = None
        elif book and (post.event.name in book.counted or post.entries or letter.kind in MERGES):
            before = wanted.get(key, letter.received_at)
            wanted[key] = before and max(before, letter.received_at)
    return enrollments.walking(
        connection, [(*key, before) for key, before in sorted(wanted.items(), key=itemgetter(0))]
    )


def _reads(travellers: Iterable[Traveller], posts: Iterable[Opened]) -> set[str]:
    reads: set[str] = set()
    for steps in ({id(one.plan.steps[one.node]): one.plan.steps[one.node] for one in travellers},):
        for step in steps.values():
            reads |= step.reads_ahead
    entries = {id(entry.step): entry.step for post in posts for entry in post.entries}
    for step in entries.values():
        reads |= step.reads_ahead
        if step.start and step.start.when is not None:
            reads |= step.start.when.reads
    return reads


def _remember_past(
    connection: Connection, standing: dict[int, Standing], posts: Sequence[Opened], asked: dict[str, timedelta]
) -> None:
    if not asked:
        return
    back = max(asked.values())
    wanted: dict[int, tuple[int, int, int, datetime]] = {}
    for post in posts:
        letter = post.letter
        if letter.contact_id in standing:
            since = [one.since for one in standing[letter.contact_id].travellers]
            lowest = min([letter.received_at, letter.timestamp, *since]) - back
            known = wanted.get(letter.contact_id)
            wanted[letter.contact_id] = (
                letter.workspace_id,
                letter.lane,
                letter.contact_id,
                min(lowest, known[3]) if known else lowest,
            )
    for contact, event in history.of_contacts(connection, list(wanted.values()), sorted(asked)):
        standing[contact].facts.events.setdefault(event.name, []).append(event)


def recall(connection: Connection, travellers: Sequence[Traveller]) -> None:
    """Give travellers' facts the past events that their steps ahead ask for, as far back as the longest window."""
    steps = {id(one.plan.steps[one.node]): one.plan.steps[one.node] for one in travellers}
    asked = windows(frozenset[str]().union(*(step.reads_ahead for step in steps.values())))
    if not asked:
        return
    back = max(asked.values())
    by_contact: dict[int, Traveller] = {}
    lowest: dict[int, datetime] = {}
    for one in travellers:  # of several walks of one contact, the one that looks back furthest counts
        by_contact[one.contact] = one
        since = min(one.arrived_at, one.since)
        lowest[one.contact] = min(since, lowest.get(one.contact, since))
    wanted = [
        (one.plan.workspace_id, one.lane, one.contact, lowest[contact] - back) for contact, one in by_contact.items()
    ]
    for contact, event in history.of_contacts(connection, wanted, sorted(asked)):
        by_contact[contact].facts.events.setdefault(event.name, []).append(event)


def supply_facts(connection: Connection, travellers: Sequence[Traveller]) -> None:
    """Give travellers the facts that their steps ahead may ask for: read once, shared by the walks of one contact."""
    steps = {id(one.plan.steps[one.node]): one.plan.steps[one.node] for one in travellers}
    reads = frozenset[str]().union(*(step.reads_ahead for step in steps.values()))
    if not reads:
        fresh = {one.contact: Facts() for one in travellers}
    else:
        keys = {one.contact: (one.plan.workspace_id, one.lane, one.contact) for one in travellers}
        fresh = {
            id: facts
            for id, (facts, _) in contacts.read(connection, list(keys.values()), contacts.Wanted(reads)).items()
        }
    for one in travellers:
        one.facts = fresh.setdefault(one.contact, Facts())
    recall(connection, travellers)


def _take_places(connection: Connection, standing: dict[int, Standing], posts: Sequence[Opened]) -> None:
    wanted = {
        (entry.plan.workspace_id, post.letter.contact_id, entry.plan.journey_id, entry.key)
        for post in posts
        if post.letter.contact_id in standing
        for entry in post.entries
    }
    found = enrollments.places(connection, sorted(wanted))
    for (contact, journey, key), (walking, entered_at) in found.items():
        standing[contact].places[journey, key] = Place(walking, entered_at)


def _forwarded(posts: Iterable[Opened], read: dict[int, tuple[Facts, int | None]]) -> list[Letter]:
    letters = []
    for post in posts:
        winner = read.get(post.letter.contact_id, (None, None))[1]
        if winner is not None:
            lane = lane_of(post.letter.workspace_id, winner)
            letters.append(post.letter._replace(contact_id=winner, lane=lane))
    return letters
