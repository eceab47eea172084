"""A nudge: whoever handed a draft in reminds those who may review it, at most once an hour. It decides nothing and sends nothing.

Recorded, shown to reviewers where their work waits; the letter goes the way of invitations.
"""

from collections.abc import Collection
from datetime import timedelta

from app.publishing import Desk, RefusedError, known
from app.store import submissions, users
from app.store.users import User
from flows.words import _

APART = timedelta(hours=1)
STAFF_AT_MOST = 1_000
LETTERS_AT_MOST = 20
NOTHING_WAITS = _("Nothing waits for a review, so there is nobody to remind.")
TOO_SOON = _("Reviewers were reminded less than an hour ago; try again later.")


def nudge(desk: Desk, journey_id: int, deciding: Collection[str]) -> list[User]:
    """Note the reminder; those whom it concerns. `deciding`: the roles that review."""
    journey = known(desk, journey_id, lock=True)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    if last is None or last.status != "open":
        raise RefusedError("conflict", NOTHING_WAITS)
    since = desk.now - APART
    if not submissions.nudge(desk.connection, desk.workspace_id, last.id, desk.actor, desk.now, since):
        raise RefusedError("conflict", TOO_SOON)
    done = {one.reviewer for one in submissions.opinions(desk.connection, desk.workspace_id, last.id)}
    own = {*last.editors, *journey.editors, last.submitted_by, desk.actor, *done}
    asked = [
        one
        for one in users.page(desk.connection, desk.workspace_id, 0, STAFF_AT_MOST)
        if one.role in deciding
        and one.disabled_at is None
        and f"user:{one.id}" not in own
        and (one.scopes is None or journey.scope in one.scopes)
    ]
    after = {"content_hash": last.content_hash, "reviewers": len(asked)}
    desk.note("journey.nudge", f"journey:{journey_id}", None, after)
    return asked[:LETTERS_AT_MOST]
