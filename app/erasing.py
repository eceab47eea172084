"""Erasing one person, in their lane and so after everything that came before: out of their journeys, then out of every table.

Called by match inside its transaction, like a merge; no SQL of its own. What stays: counts, and a keyed hash of each address,
so that a list somebody brings later does not write to them again.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from app import log
from app.lanes import lane_of
from app.plans import Plans
from app.store import enrollments, inbox, persons
from app.store.inbox import Letter
from app.store.rows import Connection
from app.walk import Passage, restored, take_out, write

KIND = "erase"


def letter(person: persons.Who, digests: dict[str, str], now: datetime) -> Letter:
    """What asks for it: numbers and hashes, nothing that says who it is."""
    text = msgspec.json.encode({"digests": digests}).decode()
    lane = lane_of(person.workspace_id, person.contact_id)
    return Letter(lane, 0, person.workspace_id, person.contact_id, KIND, KIND, now, now, text, None)


def run(connection: Connection, plans: Plans, letters: Sequence[Letter], now: datetime) -> None:
    """Handle erasures, one person after the other: there are few, and each wants every table."""
    for one in letters:
        _erase(connection, plans, one, now)


def _erase(connection: Connection, plans: Plans, asked: Letter, now: datetime) -> None:
    person = persons.who(connection, asked.workspace_id, asked.contact_id)
    if person is None:
        return
    if person.contact_id != asked.contact_id:  # merged since: whoever it has become is of another lane
        lane = lane_of(person.workspace_id, person.contact_id)
        inbox.put(connection, [asked._replace(lane=lane, contact_id=person.contact_id)])
        return
    persons.lock(connection, person)
    person = persons.who(connection, asked.workspace_id, asked.contact_id) or person
    _out_of_journeys(connection, plans, person, now)
    persons.erase(connection, person, msgspec.json.decode(asked.properties)["digests"], now)
    log.get(__name__).info("a person was erased", workspace=person.workspace_id, contact=person.contact_id)


def _out_of_journeys(connection: Connection, plans: Plans, person: persons.Who, now: datetime) -> None:
    """So that the counts of who is on the way are right without them."""
    rows = enrollments.walking(connection, [(person.workspace_id, id, None) for id in person.ids])
    plans.include(connection, {row.version_id for row in rows})
    passage = Passage(now, plans.by_version)
    for row in rows:
        if row.version_id in plans.by_version:
            one = restored(row, plans.by_version[row.version_id])
            one.arrived_at, one.cause = max(now, one.rested_at or now), KIND
            take_out(passage, one, "erased", "the person was erased")
    if passage.travellers:
        write(connection, passage)
