"""Fuses: a step that writes to a person again and again, or a journey far beyond its approved reach, is paused at once (B12).

So is marketing that too many people complain about: their mailbox providers would soon take no mail at all.
It says so on the journey, on the health page and in the log, and only a person resumes it. Whatever a journey's own
settings are. No SQL of its own, never commits.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from app import audit, log
from app.store import fuses, reputations, versions
from app.store.fuses import Place
from app.store.messages import Draft
from app.store.rows import Connection
from flows.policies import NONE, Policies

FUSE = "fuse"
SMALLEST = 1_000  # messages a day that no reach is too small for
Seat = tuple[int, int, int, str]  # workspace, contact, journey, key


def ceiling(
    connection: Connection,
    drafts: Sequence[Draft],
    policies: Mapping[int, Policies],
    again: Sequence[Seat],
    now: datetime,
) -> Iterator[tuple[int, str]]:
    """Which drafts are beyond the ceiling of their step, with the reason; their journeys are paused. `again`: re-entrants."""
    watched: dict[int, Place] = {}
    limits: dict[int, int] = {}
    for number, draft in enumerate(drafts):
        plan = draft.traveller.plan
        if draft.refusal is not None and draft.due is None:
            continue
        # Who comes in once meets a step again only inside of that walk.
        if draft.step.cyclic or plan.reentry != "once":
            watched[number] = Place(plan.workspace_id, draft.traveller.contact, plan.journey_id, draft.step.id)
            fuse = policies.get(plan.workspace_id, NONE).fuse
            limits[number] = fuse.marketing if draft.step.marketing else fuse.transactional
    if not watched:
        return
    seats = {seat[:3] for seat in again}
    # Who comes in for the first time has had nothing; that is most of any crowd. With a key, they may have had it by others.
    asked = {
        place
        for number, place in watched.items()
        if drafts[number].visit > 1
        or not drafts[number].traveller.new
        or place[:3] in seats
        or drafts[number].traveller.key
    }
    had = Counter(fuses.had(connection, sorted(asked), now, max(limits.values())))
    tripped: dict[tuple[int, int], str] = {}
    for number, place in watched.items():
        if had[place] < limits[number]:
            had[place] += 1
            continue
        reason = f"{FUSE}: more than {limits[number]} a day of one step to one person"
        tripped.setdefault((place.workspace_id, place.journey_id), f"{reason} ({place.node})")
        yield number, reason
    for (workspace, journey), reason in sorted(tripped.items()):
        trip(connection, workspace, journey, reason, now)


def trip(connection: Connection, workspace_id: int, journey_id: int, reason: str, now: datetime) -> bool:
    """Pause the journey, and say why where people look."""
    if not fuses.trip(connection, workspace_id, journey_id, reason, now):
        return False
    versions.bump(connection)
    about, said = f"journey:{journey_id}", {"status": "paused", "reason": reason}
    audit.record(connection, workspace_id, audit.SYSTEM, "journey.fuse", about, {"status": "live"}, said, now)
    log.get(__name__).error("a fuse paused a journey", workspace=workspace_id, journey=journey_id, reason=reason)
    return True


def watch(connection: Connection, policies: Mapping[int, Policies], now: datetime) -> int:
    """Pause live journeys that write more in a day than a multiple of what was approved; how many."""
    found = 0
    for one in fuses.rates(connection, now):
        times = policies.get(one.workspace_id, NONE).fuse.reach_times
        most = times * max(one.reach, SMALLEST)
        if one.messages > most:
            said = f"{FUSE}: {one.messages} messages in 24 hours, more than {times} times the approved {one.reach}"
            found += trip(connection, one.workspace_id, one.journey_id, said, now)
    return found


def watch_complaints(connection: Connection, now: datetime) -> int:
    """Pause live journeys whose marketing drew three complaints in a thousand or more, where the whole channel did; how many."""
    found = 0
    for one in reputations.blamed(connection, now):
        rate = f"{one.complained} complaints about {one.delivered} messages by {one.channel} in 7 days"
        said = f"{FUSE}: {rate}; from {reputations.STOP:.1%} on, mailbox providers refuse mail"
        found += trip(connection, one.workspace_id, one.journey_id, said, now)
    return found
