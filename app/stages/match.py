"""match: take the oldest letters of my lanes, keep them as history, decide who leaves, wakes and enters, walk them to rest.

One transaction for the batch. Several letters of one contact are walked in rounds on facts that are read once and kept in
memory, so a later event sees what an earlier one did, exactly as if each had come alone. Never touches the network.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from app import erasing, merges
from app.admitting import Admissions, for_letters
from app.database import transaction
from app.facts import MERGES, gather_facts
from app.failpoints import failpoint
from app.plans import Plans
from app.rounds import Post, asked_in, catch_up, walk_round
from app.store import dead, history, inbox
from app.store.inbox import Letter
from app.store.rows import Connection, take_ids
from app.taken import Taken
from app.walk import Passage, write
from flows.contract import Event
from flows.match import Entry, candidates

APART = (*MERGES, erasing.KIND)  # change who somebody is: what came before is done before, what comes after, after


def run(connection: Connection, plans: Plans, *, lanes: Sequence[int], now: datetime, limit: int) -> int:
    """Handle up to `limit` letters; returns how many were taken."""
    with transaction(connection):
        letters = inbox.take(connection, lanes, limit)
        if not letters:
            return 0
        plans.refresh(connection)
        failpoint("CP4")
        rest, moved, room = letters, 0, for_letters(connection, plans, letters)
        while rest:
            before, merging, rest = _before_merges(rest)
            if before:
                moved += _match(connection, plans, before, now, room)
            if merging:
                moved += _end_waits(connection, plans, merging, now)
                merges.run(connection, plans, merging, now)
                erasing.run(connection, plans, [one for one in merging if one.kind == erasing.KIND], now)
        failpoint("CP6", "CP12")
    failpoint("CP7", "CP13")
    return Taken(len(letters), moved=moved, workspaces=len({letter.workspace_id for letter in letters}))


def _before_merges(letters: Sequence[Letter]) -> tuple[list[Letter], list[Letter], list[Letter]]:
    """Each contact's letters up to its first merge or erasure; those; what comes after them."""
    before, merging, after = [], [], []
    stopped: set[int] = set()
    for letter in letters:
        if letter.contact_id in stopped:
            after.append(letter)
        elif letter.kind in APART:
            merging.append(letter)
            stopped.add(letter.contact_id)
        else:
            before.append(letter)
    return before, merging, after


def _match(connection: Connection, plans: Plans, letters: list[Letter], now: datetime, room: Admissions) -> int:
    posts = _open(connection, plans, letters, now)
    standing, forwarded = gather_facts(connection, plans, posts)
    passage = Passage(now, plans.by_version, plans.policies, admissions=room)
    passage.letters += forwarded
    mine = [post for post in posts if post.letter.contact_id in standing]
    history.write(connection, [post.letter for post in mine])
    ids = take_ids(connection, "enrollment_block", sum(len(post.entries) for post in mine))
    for one_round in _rounds(mine):
        walk_round(passage, standing, one_round, lambda: next(ids))
    failpoint("CP9")
    write(connection, passage)
    return passage.moved


def _end_waits(connection: Connection, plans: Plans, letters: list[Letter], now: datetime) -> int:
    """Waits that ended before a merge arrived end before it: on the facts of the one person, not of both."""
    posts = [Post(letter, Event(letter.name, letter.timestamp, {}, letter.id), []) for letter in letters]
    standing, _ = gather_facts(connection, plans, posts)
    passage = Passage(now, plans.by_version, plans.policies)
    catch_up(passage, standing, [post for post in posts if post.letter.contact_id in standing])
    if passage.travellers:
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
    """Where an API enrollment enters."""
    plan = plans.live_by_journey.get(int(event.properties["journey"]))
    if plan is None or plan.workspace_id != workspace_id or plan.stopped:
        return None
    if plan.paused and not plan.overridden:
        return None
    return asked_in(plan, event.properties.get("context") or {})


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


def handled(connection: Connection, letter: Letter, error: BaseException, now: datetime) -> None:
    """Keep aside the one letter that makes its batch fail, so that the lane goes on (P15)."""
    dead.keep(connection, [(letter, f"{type(error).__name__}: {error}")], now)


def park(connection: Connection, plans: Plans, *, lane: int, now: datetime, error: BaseException) -> None:
    """Put aside the first letter of a lane, whose every batch has failed."""
    del plans
    with transaction(connection):
        for letter in inbox.take(connection, [lane], 1):
            handled(connection, letter, error, now)
