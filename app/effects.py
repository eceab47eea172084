"""What sending rules would have done to the messages of the last days, before anybody saves them. Looks only; bounded.

Each rule is rehearsed alone over what was wanted: what went out, and what a rule of this kind held back then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.store import sendings
from app.store.rows import Connection
from app.zones import zones_of
from flows.policies import NONE, Cap, Policies, Quiet, Wish, look_back, rehearse

DAYS = 7
LOOKED_AT = 50_000  # of the latest messages; more would make the page wait
MIDDLE = 50  # the priority a journey has where nobody said: the rehearsal does not open each one's version


class Past(NamedTuple):
    """What was wanted. `since`: counted from then on; `cut`: there were more messages than are looked at."""

    wishes: Sequence[Wish]
    since: datetime
    counted: int
    cut: bool


class Effect(NamedTuple):
    """So many of the messages that were wanted since would not have gone out, or later."""

    held: int
    of: int


def past(connection: Connection, workspace_id: int, rules: Policies, zone: str, now: datetime) -> Past:
    """The messages of the last days, and before them what the longest window of these rules looks back to."""
    since = now - timedelta(days=DAYS)
    found, cut = sendings.wanted(connection, workspace_id, since - look_back(rules), LOOKED_AT)
    # Quiet hours begin and end with a minute: what one minute wanted in one zone is answered once.
    moments = [one.at.replace(second=0, microsecond=0) for one in found]
    wishes = [
        Wish(
            one.contact_id,
            one.channel,
            one.journey_id,
            MIDDLE,
            at,
            at,
            zones_of(one.timezone, one.country, zone),
        )
        for one, at in zip(found, moments, strict=True)
    ]
    begun = max(since, min((one.at for one in wishes), default=since)) if cut else since
    return Past(wishes, begun, sum(one.at >= since for one in wishes), cut)


def of(was: Past, rule: Cap | Quiet) -> Effect:
    """What one rule alone would have held back."""
    alone = (
        NONE.model_copy(update={"caps": (rule,)})
        if isinstance(rule, Cap)
        else NONE.model_copy(update={"quiet": (rule,)})
    )
    return Effect(sum(one.at >= was.since for one in rehearse(was.wishes, alone)), was.counted)
