"""States of a flow that pages name in addresses: `draft`, `live`, `v3` (a version), `r12` (a save of the draft), `d4` (aside)."""

from typing import Annotated, Any

from fastapi import Path, Query

from app.auth import Caller
from app.store import drafts, journeys, sidedrafts
from app.store.journeys import Journey
from app.store.rows import Connection
from app.web.problems import missing

PATTERN = r"^(draft|live|[vrd][1-9][0-9]{0,8})$"
State = Annotated[str, Path(max_length=12, pattern=PATTERN, description="draft, live, v3, r12 or d4")]
StateQuery = Annotated[str, Query(max_length=12, pattern=PATTERN)]
EMPTY: dict[str, Any] = {"schema": 1}


def known_journey(connection: Connection, caller: Caller, journey_id: int) -> Journey:
    """The journey, or a 404 that is the same for one of another workspace."""
    journey = journeys.find(connection, caller.workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    return journey


def document_of(connection: Connection, journey: Journey, workspace_id: int, state: str) -> dict[str, Any]:
    """The flow in that state; what was never live is empty."""
    if state == "draft":
        found = journeys.draft(connection, workspace_id, journey.id)
    elif state == "live":
        number = journey.live_number
        found = journeys.document(connection, workspace_id, journey.id, number) if number else EMPTY
    elif state.startswith("v"):
        found = journeys.document(connection, workspace_id, journey.id, int(state[1:]))
    elif state.startswith("d"):
        aside = sidedrafts.documents(connection, workspace_id, journey.id, int(state[1:]))
        found = aside[1] if aside else None
    else:
        found = drafts.document(connection, workspace_id, journey.id, int(state[1:]))
    if found is None:
        raise missing("version")
    return found
