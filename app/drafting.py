"""Several drafts of one journey: kept aside under a name, with whose they are; taken up again on top of what is live by then.

Taking one up goes the way of every save, so approvals are void; and whoever drew it may not approve it, whoever took it up.
No SQL of its own, never commits.
"""

from collections.abc import Mapping
from typing import Any, Literal

from app import publishing
from app.publishing import Desk, RefusedError, known
from app.store import journeys, sidedrafts
from app.store.journeys import Journey
from app.store.sidedrafts import Kept, SideDraft
from flows.merging import Merged, Side, merge
from flows.words import _

KEPT_AT_MOST = 50
EMPTY: dict[str, Any] = {"schema": 1, "nodes": [], "edges": []}
TOO_MANY = _("There are fifty drafts aside already; delete one that nobody needs.")
UNDECIDED = _("The same steps were changed in the draft and in the live version; choose for each which one holds.")


def keep(desk: Desk, journey_id: int, name: str, begin: Literal["draft", "live"] = "draft") -> SideDraft:
    """Keep the draft aside as it stands, or begin another from what is live; the draft itself stays as it is."""
    journey = known(desk, journey_id, lock=True)
    if len(sidedrafts.of_journey(desk.connection, desk.workspace_id, journey_id)) >= KEPT_AT_MOST:
        raise RefusedError("conflict", TOO_MANY)
    base = _live(desk, journey)
    document = journeys.draft(desk.connection, desk.workspace_id, journey_id) if begin == "draft" else base
    drew = [desk.actor, *([desk.maker] if desk.maker else [])]
    editors = sorted({*journey.editors, *drew}) if begin == "draft" else drew
    kept = Kept(name, desk.actor, editors, base, journey.live_number, document or EMPTY)
    made = sidedrafts.add(desk.connection, desk.workspace_id, journey_id, kept, desk.now)
    desk.note("journey.aside", f"journey:{journey_id}", None, {"draft": made.id, "name": name, "from": begin})
    return made


def rebased(desk: Desk, journey_id: int, id: int, choices: Mapping[str, Side]) -> Merged:
    """What would become of it on top of what is live now; nothing is done."""
    journey = journeys.find(desk.connection, desk.workspace_id, journey_id)
    found = sidedrafts.documents(desk.connection, desk.workspace_id, journey_id, id)
    if journey is None or found is None:
        raise RefusedError("missing", "draft")
    base, document = found
    return merge(base, document, _live(desk, journey), choices)


def take_up(desk: Desk, journey_id: int, id: int, revision: int, choices: Mapping[str, Side]) -> int | None:
    """Make it the draft, on top of what is live now; None where somebody saved the draft since. It is not aside any more."""
    known(desk, journey_id, lock=True)
    one = sidedrafts.find(desk.connection, desk.workspace_id, journey_id, id)
    if one is None:
        raise RefusedError("missing", "draft")
    merged = rebased(desk, journey_id, id, choices)
    if any(conflict.key not in choices for conflict in merged.conflicts):
        raise RefusedError("conflict", UNDECIDED)
    saved = publishing.save_draft(desk, journey_id, revision, merged.document)
    if saved is not None:
        sidedrafts.join_editors(desk.connection, desk.workspace_id, journey_id, [*one.editors, one.owner])
        sidedrafts.remove(desk.connection, desk.workspace_id, journey_id, id)
        after = {"draft": id, "name": one.name, "owner": one.owner, "revision": saved}
        desk.note("journey.take_up", f"journey:{journey_id}", None, after)
    return saved


def drop(desk: Desk, journey_id: int, id: int) -> None:
    """Delete one that nobody needs any more."""
    known(desk, journey_id, lock=True)
    one = sidedrafts.find(desk.connection, desk.workspace_id, journey_id, id)
    if one is None:
        raise RefusedError("missing", "draft")
    sidedrafts.remove(desk.connection, desk.workspace_id, journey_id, id)
    desk.note("journey.drop", f"journey:{journey_id}", {"draft": id, "name": one.name, "owner": one.owner}, None)


def _live(desk: Desk, journey: Journey) -> dict[str, Any]:
    if journey.live_number is None:
        return EMPTY
    return journeys.document(desk.connection, desk.workspace_id, journey.id, journey.live_number) or EMPTY
