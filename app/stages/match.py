"""match: take the oldest letters of my lanes, keep them as history, decide who leaves, wakes and enters, walk them to rest.

One transaction for the batch. Several letters of one contact are walked in rounds on facts that are read once and kept in
memory, so a later event sees what an earlier one did, exactly as if each had come alone. Never touches the network.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from app import merges
from app.database import transaction
from app.facts import Standing, gather_facts
from app.failpoints import failpoint
from app.plans import Plans
from app.store import dead, history, inbox
from app.store.inbox import Letter
from app.store.rows import Connection, take_ids
from app.taken import Taken
from app.walk import TOLERANCE, Passage, by_clock, due_order, note_met, remember, take_out, walk, write
from flows.contract import Event, key_of
from flows.interpret import Change, Traveller, change_attributes
from flows.match import Entry, Place, active, admits, candidates, may_enter, taken_out, woken

CATCH_UP_AT_MOST = 1_000  # waits ended in a row before one letter; a node that never lets go must not hold the lane
MERGES = ("merge_out", "merge_in")


class Post(NamedTuple):
    """A letter opened: the event it speaks of and, for a track, where it might let its contact in."""

    letter: Letter
    event: Event
    entries: list[Entry]


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Handle up to `limit` letters; returns how many were taken."""
    with transaction(connection):
        letters = inbox.take(connection, lanes, limit)
        if not letters:
            return 0
        plans.refresh(connection)
        failpoint("CP4")
        rest, moved = letters, 0
        while rest:
            before, merging, rest = _before_merges(rest)
            if before:
                moved += _match(connection, plans, before, now)
            if merging:
                merges.run(connection, plans, merging, now)
        failpoint("CP6", "CP12")
    failpoint("CP7", "CP13")
    return Taken(len(letters), moved=moved, workspaces=len({letter.workspace_id for letter in letters}))


def _before_merges(letters: Sequence[Letter]) -> tuple[list[Letter], list[Letter], list[Letter]]:
    """Each contact's letters up to its first merge; those merges; what comes after them."""
    before, merging, after = [], [], []
    stopped: set[int] = set()
    for letter in letters:
        if letter.contact_id in stopped:
            after.append(letter)
        elif letter.kind in MERGES:
            merging.append(letter)
            stopped.add(letter.contact_id)
        else:
            before.append(letter)
    return before, merging, after


def _match(connection: Connection, plans: Plans, letters: list[Letter], now: datetime) -> int:
    posts = _open(connection, plans, letters, now)
    standing, forwarded = gather_facts(connection, plans, posts)
    passage = Passage(now, plans.by_version, plans.policies)
    passage.letters += forwarded
    mine = [post for post in posts if post.letter.contact_id in standing]
    history.write(connection, [post.letter for post in mine])
    ids = take_ids(connection, "enrollment_block", sum(len(post.entries) for post in mine))
    for one_round in _rounds(mine):
        _walk_round(passage, standing, one_round, lambda: next(ids))
    failpoint("CP9")
    write(connection, passage)
    return passage.moved


def _open(connection: Connection, plans: Plans, letters: Iterable[Letter], now: datetime) -> list[Post]:
    """Read the letters; one that cannot be read is kept aside whole, with the reason, and the others go on."""
    posts, unread = [], []
    for letter in letters:
        try:
            event = Event(letter.name, letter.timestamp, msgspec.json.decode(letter.properties), letter.id)
            book = plans.books.get(letter.workspace_id)
            found = candidates(book, event) if book else []
            if letter.kind == "enroll":
                entry = _asked(plans, event, letter.workspace_id)
                found = [entry] if entry else []
                event = event._replace(properties=event.properties.get("context") or {})
                # From here on, in the history too, the event is what the caller said of it.
                letter = letter._replace(properties=msgspec.json.encode(event.properties).decode())
        except Exception as error:  # noqa: BLE001 one bad letter must not hold the lane; it is kept, not dropped
            unread.append((letter, f"{type(error).__name__}: {error}"))
            continue
        posts.append(Post(letter, event, found))
    dead.keep(connection, unread, now)
    return posts


def _asked(plans: Plans, event: Event, workspace_id: int) -> Entry | None:
    """Where an API enrollment enters: the journey's own API entry, else its first."""
    plan = plans.live_by_journey.get(int(event.properties["journey"]))
    if plan is None or plan.workspace_id != workspace_id or plan.paused or plan.stopped or not plan.entries:
        return None
    step = next((step for step in plan.entries if step.start and step.start.kind == "api"), plan.entries[0])
    key = key_of(event.properties.get("context") or {}, plan.key_path) if plan.key_path else ""
    return Entry(plan, step, key) if key or not plan.key_path else None


def _rounds(posts: Sequence[Post]) -> Iterable[list[Post]]:
    """Round k holds each contact's k-th letter."""
    rounds: list[list[Post]] = []
    seen: dict[int, int] = {}
    for post in posts:
        number = seen.get(post.letter.contact_id, 0)
        seen[post.letter.contact_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(post)
    return rounds


def _walk_round(passage: Passage, standing: dict[int, Standing], posts: list[Post], new_id: Callable[[], int]) -> None:
    """One letter of each contact: whom it takes out, then whom it wakes, to rest, and only then whom it lets in (DESIGN §6)."""
    _catch_up(passage, standing, posts)
    waking: list[Traveller] = []
    for post in posts:
        here = standing[post.letter.contact_id]
        _learn(passage, here, post)
        for one, reason in taken_out(active(here.travellers), post.event):
            one.arrived_at, one.cause = _moment(one, post), f"event {post.event.name}"
            take_out(passage, one, reason, f"{reason} {post.event.name}")
            here.settle(one)
        waking += [one for one in woken(active(here.travellers), post.event) if _wake(passage, one, post)]
    _to_rest(passage, standing, waking)
    entering: list[Traveller] = []
    for post in posts:
        here = standing[post.letter.contact_id]
        entered = _enter(here, post, new_id, passage)
        here.travellers += entered
        entering += entered
    _to_rest(passage, standing, entering)


def _to_rest(passage: Passage, standing: dict[int, Standing], travellers: list[Traveller]) -> None:
    if travellers:
        walk(passage, travellers)
        for one in travellers:
            standing[one.contact].settle(one)


def _catch_up(passage: Passage, standing: dict[int, Standing], posts: list[Post]) -> None:
    """Waits that ended before the letter arrived end first, however late this batch is; at the same instant the event wins.

    Each contact's in the order in which they ended: one may change what the next one sees.
    """
    for _ in range(CATCH_UP_AT_MOST):
        overdue = []
        for post in posts:
            arrived = post.letter.received_at
            one = _first_overdue(standing[post.letter.contact_id].travellers, arrived)
            if one is not None and one.wake_at is not None:
                by_clock(one, one.wake_at if arrived - one.wake_at <= TOLERANCE else arrived)
                overdue.append(one)
        if not overdue:
            return
        _to_rest(passage, standing, overdue)


def _first_overdue(travellers: Sequence[Traveller], arrived: datetime) -> Traveller | None:
    overdue = [
        one
        for one in travellers
        if one.wake_at is not None and one.wake_at < arrived and not one.plan.paused and not one.plan.stopped
    ]
    return min(overdue, key=due_order) if overdue else None


def _learn(passage: Passage, here: Standing, post: Post) -> None:
    """History and facts first: an identify changes attributes, every event is remembered where some step asks for it."""
    letter = post.letter
    if letter.kind == "identify":
        change: Change = passage.change((letter.workspace_id, letter.lane, letter.contact_id))
        change_attributes(here.facts, change, post.event.properties)
    if post.event.name in here.remembered:
        remember(here.facts.events, post.event)


def _moment(one: Traveller, post: Post) -> datetime:
    """The event's arrival, but never before the wait began: time does not run backwards for anybody."""
    arrived: datetime = post.letter.received_at
    return max(arrived, one.rested_at) if one.rested_at else arrived


def _wake(passage: Passage, one: Traveller, post: Post) -> bool:
    """Make a waiting one ready to walk. Under a paused journey nobody moves: it is noted, and resume looks the event up;

    people of a stopped one are only waiting for the timers to take them out.
    """
    if one.plan.stopped:
        return False
    if one.plan.paused:
        note_met(passage, one, post.event)
        return False
    one.woken_by, one.arrived_at, one.cause = post.event, _moment(one, post), f"event {post.event.name}"
    one.waiting = True
    failpoint("CP17")
    return True


def _enter(here: Standing, post: Post, new_id: Callable[[], int], passage: Passage) -> list[Traveller]:
    entered = []
    at = post.letter.received_at
    for entry in post.entries:
        place = here.places.setdefault((entry.plan.journey_id, entry.key), Place())
        asked = post.letter.kind == "enroll"
        if not (may_enter(entry.plan, place, at) if asked else admits(entry, place, here.facts, post.event, at)):
            continue
        one = Traveller(
            new_id(), post.letter.contact_id, at, here.facts, plan=entry.plan, node=entry.step.id, lane=post.letter.lane
        )
        one.key, one.since, one.entry, one.entry_event = entry.key, post.event.timestamp, post.event, post.event.id
        if place.entered_at is not None:
            key = (entry.plan.workspace_id, one.contact, entry.plan.journey_id, entry.key)
            passage.reentrants.append(key)
        place.active, place.entered_at = True, at
        entered.append(one)
    return entered


def handled(connection: Connection, letter: Letter, error: BaseException, now: datetime) -> None:
    """Keep aside the one letter that makes its batch fail, so that the lane goes on (P15)."""
    dead.keep(connection, [(letter, f"{type(error).__name__}: {error}")], now)


def park(connection: Connection, plans: Plans, *, lane: int, now: datetime, error: BaseException) -> None:
    """Put aside the first letter of a lane, whose every batch has failed."""
    del plans
    with transaction(connection):
        for letter in inbox.take(connection, [lane], 1):
            handled(connection, letter, error, now)
