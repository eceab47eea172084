"""The audit log over HTTP: who changed what, the newest first. Only read; it is written by the changes themselves."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, ConfigDict

from app.store import audit
from app.store.audit import Row, Wanted
from app.web.guard import Asker, Database, can, router
from app.web.shapes import PAGE, Limit, Next, Out, Page, paged, place_of

routes = router("audit")

Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Instant = Annotated[AwareDatetime | None, Query()]


class ChangeOut(Out):
    """One change. `hash` covers it and, by `previous`, all before it; `journey audit verify` counts them up again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 41,
                    "at": "2026-11-21T09:30:00Z",
                    "actor": "user:3",
                    "what": "journey.publish",
                    "about": "journey:7",
                    "before": {},
                    "after": {"version": 2},
                    "previous": "9f2c…",
                    "hash": "41d0…",
                }
            ]
        }
    )
    number: int
    at: datetime
    actor: str
    what: str
    about: str
    before: dict[str, Any]
    after: dict[str, Any]
    previous: str
    hash: str


@routes.get("/audit", dependencies=[can("audit.read")])
def list_changes(
    connection: Database,
    asker: Asker,
    actor: Annotated[Word, Query(description="Whose changes: `user:3`.")] = None,
    what: Annotated[Word, Query(description="A deed, `journey.publish`, or all of an area, `journey`.")] = None,
    about: Annotated[Word, Query(description="What was changed: `journey:7`.")] = None,
    since: Instant = None,
    until: Instant = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[ChangeOut]:
    """List the changes, the newest first."""
    place = place_of(next, int)
    wanted = Wanted(actor or None, what or None, about or None, since, until)
    found = audit.page(connection, asker.workspace_id, wanted, place[0] if place else None, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.number])
    return Page(items=[change_out(row) for row in rows], next=after)


def change_out(row: Row) -> ChangeOut:
    """A change as the API shows it."""
    said = {"before": json.loads(row.before), "after": json.loads(row.after)}
    return ChangeOut(**{**row._asdict(), **said})
