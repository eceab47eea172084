"""Caps and quiet hours for whole batches: asks the book once, decides, and keeps what passed. Called in the contacts' lanes.

Never decides by itself (`flows.policies`), never commits; without policies it costs nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.budgets import OVER
from app.store import sendings
from app.store.contacts import ContactKey
from app.store.rows import Connection
from app.zones import zones_of
from flows.policies import Policies, Sent, Verdict, Wish, decide, look_back


class Ask(NamedTuple):
    """A marketing message before the gate."""

    key: ContactKey
    message_id: int
    channel: str
    journey_id: int
    priority: int
    timezone: str  # the journey's, or the workspace's
    since: datetime  # when it was first wanted


def ask(
    connection: Connection,
    asks: Sequence[Ask],
    policies: Mapping[int, Policies],
    now: datetime,
    beyond: Callable[[Sequence[int]], Collection[int]] | None = None,
) -> list[Verdict]:
    """The verdict on each, in their order; what may go is in the book afterwards. Two reads and a write for the whole batch.

    `beyond` is told which of them would go, now or later, and says which are not paid for: those take nobody's place.
    """
    found: list[Verdict] = [Verdict(now)] * len(asks)
    kept: list[sendings.Kept] = []
    alike: dict[tuple[str, int, int], Sent] = {}
    numbered: list[int] = []
    for workspace, rules in policies.items():
        numbers = [number for number, one in enumerate(asks) if one.key[0] == workspace]
        if not numbers or not rules.active:
            continue
        mine = [asks[number] for number in numbers]
        for number, one, verdict in zip(numbers, mine, _decide(connection, mine, rules, now), strict=True):
            found[number] = verdict
            if verdict.due == now and rules.caps:
                kind = one.channel, one.journey_id, one.priority
                sent = alike.get(kind) or alike.setdefault(kind, Sent(now, *kind))
                kept.append(sendings.Kept(one.key, one.message_id, sent))
                numbered.append(number)
    unpaid = set(beyond([number for number, one in enumerate(found) if one.due is not None])) if beyond else set()
    for number in unpaid:
        found[number] = Verdict(None, OVER)
    sendings.add(connection, [one for number, one in zip(numbered, kept, strict=True) if number not in unpaid])
    return found


def _decide(connection: Connection, asks: Sequence[Ask], rules: Policies, now: datetime) -> list[Verdict]:
    keys = sorted({one.key for one in asks})
    places = sendings.places(connection, keys)
    past: dict[int, list[Sent]] = {}
    if rules.caps:
        ours = {one.message_id for one in asks}
        for contact, message, sent in sendings.past(connection, keys, now - look_back(rules)):
            if message not in ours:
                past.setdefault(contact, []).append(sent)
    nowhere = None, None
    wishes = [
        Wish(
            one.key[2],
            one.channel,
            one.journey_id,
            one.priority,
            now,
            one.since,
            zones_of(*places.get(one.key[2], nowhere), one.timezone),
        )
        for one in asks
    ]
    return decide(wishes, past, rules)
