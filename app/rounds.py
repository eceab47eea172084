"""One letter of each contact: whom it takes out, then whom it wakes, to rest, and only then whom it lets in (DESIGN §6).

The order of events, in memory: for the stage that reads letters, and for the simulator. Never reads or writes a row.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.facts import Standing
from app.failpoints import failpoint
from app.store.inbox import Letter
from app.store.pauses import LEAVE
from app.walk import TOLERANCE, Passage, by_clock, due_order, note_met, remember, take_out, walk
from flows.compile import Plan
from flows.contract import Event, Json, key_of
from flows.interpret import Change, Traveller, change_attributes
from flows.match import Entry, Place, active, admits, may_enter, taken_out, woken

CATCH_UP_AT_MOST = 1_000  # waits ended in a row before one letter; a node that never lets go must not hold the lane


class Post(NamedTuple):
    """A letter opened: the event it speaks of and, for a track, where it might let its contact in."""

    letter: Letter
    event: Event
    entries: list[Entry]


def asked_in(plan: Plan, context: Mapping[str, Json]) -> Entry | None:
    """Where somebody enters whom the API asks in: the journey's own API entry, else its first; a keyed one needs a key."""
    if not plan.entries:
        return None
    step = next((step for step in plan.entries if step.start and step.start.kind == "api"), plan.entries[0])
    key = key_of(context, plan.key_path) if plan.key_path else ""
    return Entry(plan, step, key) if key or not plan.key_path else None


def walk_round(passage: Passage, standing: dict[int, Standing], posts: list[Post], new_id: Callable[[], int]) -> None:
    """One letter of each contact: whom it takes out, then whom it wakes, to rest, and only then whom it lets in (DESIGN §6)."""
    catch_up(passage, standing, posts)
    waking: list[Traveller] = []
    for post in posts:
        here = standing[post.letter.contact_id]
        _learn(passage, here, post)
        for one, reason in taken_out(active(here.travellers), post.event):
            one.arrived_at, one.cause = _moment(one, post), f"event {post.event.name}"
            take_out(passage, one, reason, f"{reason} {post.event.name}")
            here.settle(one)
        waking += [one for one in woken(active(here.travellers), post.event) if _wake(passage, one, post)]
    settle(passage, standing, waking)
    entering: list[Traveller] = []
    for post in posts:
        here = standing[post.letter.contact_id]
        entered = _enter(here, post, new_id, passage)
        here.travellers += entered
        entering += entered
    settle(passage, standing, entering)


def settle(passage: Passage, standing: dict[int, Standing], travellers: list[Traveller]) -> None:
    """Walk them to rest; who has ended gives up place and seat."""
    if travellers:
        walk(passage, travellers)
        for one in travellers:
            standing[one.contact].settle(one)


def catch_up(passage: Passage, standing: dict[int, Standing], posts: list[Post]) -> None:
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
        settle(passage, standing, overdue)


def _first_overdue(travellers: Sequence[Traveller], arrived: datetime) -> Traveller | None:
    overdue = [
        one
        for one in travellers
        if one.wake_at is not None
        and one.wake_at < arrived
        and not one.plan.paused
        and not one.plan.stopped
        and one.reason != LEAVE
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
    if one.plan.stopped or one.reason == LEAVE:
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
        if entry.plan.opened_at is not None and at < entry.plan.opened_at:
            continue
        asked = post.letter.kind == "enroll"
        if not (may_enter(entry.plan, place, at) if asked else admits(entry, place, here.facts, post.event, at)):
            continue
        away = entry.plan.refusal(at)
        if away is not None:
            passage.turn_away(entry.plan, post.letter.lane, post.letter.contact_id, at, away)
            continue
        if entry.plan.paused:
            continue
        if not passage.admits(entry.plan, post.letter.lane, post.letter.contact_id, at):
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
