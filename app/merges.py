"""Two contacts turn out to be one person: what happens in the loser's lane (`merge_out`), then in the winner's (`merge_in`).

The loser's lane hands over walks and history, held on the way; the winner's lane folds facts, takes the walks in, and where
two of one journey may not stand side by side lets the earlier stay and takes the later out (`merged`). A winner that was
itself merged meanwhile passes everything on. Called by match inside its transaction; no SQL of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from app.lanes import lane_of
from app.plans import Plans
from app.store import enrollments, inbox, merges, tallies
from app.store.enrollments import Row
from app.store.inbox import Letter
from app.store.merges import Pair, Person, Walk
from app.store.rows import Connection
from app.walk import Passage, restored, take_out
from flows.interpret import Status, Traveller

WALKING = (Status.ACTIVE, Status.HELD)
decode = msgspec.json.decode


def run(connection: Connection, plans: Plans, letters: Sequence[Letter], now: datetime) -> None:
    """Handle merge letters, at most one of each contact, in a number of statements that does not grow with them."""
    leaving = [letter for letter in letters if letter.kind == "merge_out"]
    arriving = [letter for letter in letters if letter.kind == "merge_in"]
    if leaving:
        _give_way(connection, leaving, now)
    if arriving:
        _take_in(connection, plans, arriving, now)


def _give_way(connection: Connection, letters: Sequence[Letter], now: datetime) -> None:
    people = merges.lock(connection, [_key(letter) for letter in letters])
    going = []
    for letter in letters:
        told = decode(letter.properties)
        person = people.get(letter.contact_id)
        # A contact gives way once: its names went with it, so a second letter has nothing left to hand over.
        if person is None or person.merged_into is not None or told["winner"] == letter.contact_id:
            continue
        going.append((letter, _pair(letter, told["winner"]), _facts(person), told.get("identities", [])))
    if not going:
        return
    merges.hand_over(connection, [pair for _, pair, _, _ in going])
    merges.mark(connection, [(pair, {**facts, "identities": names}) for _, pair, facts, names in going], now)
    inbox.put(connection, [_merge_in(letter, pair, {"loser": pair.loser, **facts}) for letter, pair, facts, _ in going])


def _take_in(connection: Connection, plans: Plans, letters: Sequence[Letter], now: datetime) -> None:
    people = merges.lock(connection, [_key(letter) for letter in letters])
    _pass_on(connection, letters, people)
    staying = [letter for letter in letters if _is_here(people.get(letter.contact_id))]
    if not staying:
        return
    for letter in staying:
        people[letter.contact_id] = _folded(people[letter.contact_id], decode(letter.properties))
    keys = {_key(letter) for letter in staying}
    merges.fold(connection, [(key, people[key[2]]) for key in sorted(keys)], now)
    moments = {letter.contact_id: letter.received_at for letter in staying}
    _settle_walks(connection, plans, merges.walks(connection, [(key[0], key[2]) for key in keys]), moments, now)


def _pass_on(connection: Connection, letters: Sequence[Letter], people: Mapping[int, Person]) -> None:
    """Winners that were merged meanwhile hand on what reached them since."""
    on = [
        (letter, _pair(letter, winner))
        for letter in letters
        if letter.contact_id in people and (winner := people[letter.contact_id].merged_into) is not None
    ]
    if on:
        merges.hand_over(connection, [pair for _, pair in on])
        inbox.put(connection, [_merge_in(letter, pair, decode(letter.properties)) for letter, pair in on])


def _is_here(person: Person | None) -> bool:
    return person is not None and person.merged_into is None


def _key(letter: Letter) -> tuple[int, int, int]:
    return letter.workspace_id, letter.lane, letter.contact_id


def _pair(letter: Letter, winner: int) -> Pair:
    return Pair(letter.workspace_id, letter.lane, letter.contact_id, lane_of(letter.workspace_id, winner), winner)


def _facts(person: Person) -> dict[str, Any]:
    return {"attributes": person.attributes, "tags": person.tags, "consents": person.consents}


def _merge_in(letter: Letter, pair: Pair, told: Mapping[str, Any]) -> Letter:
    text = msgspec.json.encode(told).decode()
    to = letter._replace(lane=pair.winner_lane, contact_id=pair.winner, digest=None)
    return to._replace(kind="merge_in", name="merge_in", properties=text)


def _folded(winner: Person, loser: Mapping[str, Any]) -> Person:
    """The winner's word counts where both say something, tags are joined, and a no to anything stays a no."""
    consents: dict[str, dict[str, bool]] = {}
    for said in (loser["consents"], winner.consents):
        for channel, purposes in said.items():
            mine = consents.setdefault(channel, {})
            for purpose, allowed in purposes.items():
                mine[purpose] = mine.get(purpose, True) and allowed
    attributes = {**loser["attributes"], **winner.attributes}
    return Person(attributes, sorted({*winner.tags, *loser["tags"]}), consents, winner.merged_into)


@dataclass(slots=True)
class _Verdicts:
    """What becomes of the walks: who goes on, who is taken out, which finished one holds its place."""

    revived: list[Traveller] = field(default_factory=list)
    out: list[Traveller] = field(default_factory=list)
    placed: list[Row] = field(default_factory=list)


def _settle_walks(
    connection: Connection, plans: Plans, walks: Sequence[Walk], moments: Mapping[int, datetime], now: datetime
) -> None:
    plans.include(connection, {walk.row.version_id for walk in walks})
    passage = Passage(now, plans.by_version, plans.policies)
    verdicts = _Verdicts()
    for _, here in groupby(sorted(walks, key=_place), key=_place):
        _judge(plans, list(here), verdicts, now)
    for one in verdicts.out:
        one.arrived_at, one.cause = max(moments[one.contact], one.rested_at or moments[one.contact]), "merge"
        take_out(passage, one, "merged", "the same person walks here already")
        one.slot = one.id
    # Places are given up before they are taken: the unique index looks at each row as it is written.
    enrollments.move(connection, verdicts.out)
    enrollments.move(connection, verdicts.revived)
    merges.give_places(connection, verdicts.placed)
    enrollments.add_trail(connection, passage.trail)
    tallies.append(connection, plans.by_version, passage.record.tally, now)


def _place(walk: Walk) -> tuple[int, int, int, str]:
    return walk.row.workspace_id, walk.row.contact_id, walk.row.journey_id, walk.row.key


def _judge(plans: Plans, here: Sequence[Walk], verdicts: _Verdicts, now: datetime) -> None:
    """One contact, journey and key, the earliest entered first: one may walk."""
    holder = next((walk.row for walk in here if walk.row.slot == 0), None)
    walking = [walk.row for walk in here if walk.row.status in WALKING]
    # A finished walk that holds the place has been through already, where once is all there is.
    been = holder is not None and holder.status not in WALKING
    stays = None if been or not walking else walking[0]
    for row in walking:
        one = restored(row, plans.by_version[row.version_id])
        if row is not stays:
            verdicts.out.append(one)
        elif row is not holder:
            one.status, one.slot = Status.ACTIVE, 0
            # Whoever was on the way while the journey was stopped is called in now, as the others were then.
            one.wake_at = now if one.plan.stopped else one.wake_at
            verdicts.revived.append(one)
    if holder is None and stays is None:
        over = [
            w.row for w in here if w.came_over and plans.by_version[w.row.version_id].reentry in ("once", "per_key")
        ]
        verdicts.placed += over[:1]
