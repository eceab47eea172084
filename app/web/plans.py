"""Marketing plans over HTTP: made, listed, changed, measured, put out of sight. The parent of journeys; it runs nothing."""

import hashlib
import json
from datetime import datetime
from typing import Annotated

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel

from app import audit, measuring
from app.store import plans, versions
from app.store.plans import Plan
from app.store.rows import Connection
from app.web.guard import Asker, Database, Now, can, router
from app.web.planshapes import (
    ArchivedIn,
    PlanIn,
    PlanOut,
    PointOut,
    ProgressOut,
    Scene,
    SpentOut,
    plan_out,
)
from app.web.problems import ProblemError, missing
from app.web.shapes import INT, PAGE, Limit, Next, Page, paged, place_of
from flows.words import _

routes = router("plans")

PlanId = Annotated[int, Path(ge=1, le=INT, description="Number of the plan.", examples=[2])]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="ETag of the plan you changed; 412 where somebody was faster."),
]


@routes.post("/plans", status_code=201, dependencies=[can("plan.edit")])
def create_plan(plan: PlanIn, connection: Database, asker: Asker, now: Now, response: Response) -> PlanOut:
    """Make a plan."""
    made = _tagged(response, plans.add(connection, asker.workspace_id, plan.written(), asker.actor, now))
    _note(connection, asker, "plan.create", made.id, None, plan, now)
    return made


@routes.get("/plans", dependencies=[can("plan.read")])
def list_plans(
    connection: Database,
    asker: Asker,
    archived: Annotated[bool, Query(description="Those out of sight instead.")] = False,
    scene: Annotated[Scene | None, Query(description="Only plans of this scene.")] = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[PlanOut]:
    """List the plans, the newest first."""
    place = place_of(next, int)
    before = place[0] if place else None
    found = plans.page(connection, asker.workspace_id, before, limit + 1, archived=archived, scene=scene)
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=[plan_out(row) for row in rows], next=after)


@routes.get("/plans/{plan_id}", dependencies=[can("plan.read")])
def read_plan(plan_id: PlanId, connection: Database, asker: Asker, response: Response) -> PlanOut:
    """Show a plan; the `ETag` names what it says."""
    return _tagged(response, _known(plans.find(connection, asker.workspace_id, plan_id)))


@routes.get("/plans/{plan_id}/progress", dependencies=[can("plan.read")])
def read_progress(plan_id: PlanId, connection: Database, asker: Asker, now: Now) -> ProgressOut:
    """Show where a plan stands: its number by day, what it spent, when it runs next; counted `as_of` a moment ago."""
    row = _known(plans.find(connection, asker.workspace_id, plan_id))
    found = measuring.progress_of(connection, asker.workspace_id, [row], now)[plan_id]
    return ProgressOut(
        **{name: getattr(found, name) for name in ("as_of", "value", "percent", "expected", "days_left", "standing")},
        days=[PointOut(day=one.day, value=one.value) for one in found.days],
        spent=found.spent,
        committed=found.committed,
        channels=[SpentOut(**one._asdict()) for one in found.channels],
        next_run=plans.next_runs(connection, asker.workspace_id, [plan_id]).get(plan_id),
    )


@routes.put("/plans/{plan_id}", dependencies=[can("plan.edit")])
def change_plan(
    plan_id: PlanId,
    plan: PlanIn,
    connection: Database,
    asker: Asker,
    now: Now,
    response: Response,
    if_match: IfMatch = None,
) -> PlanOut:
    """Let a plan say something else; what is left out is gone. With `If-Match`: 412 where somebody was faster."""
    row = _known(plans.find(connection, asker.workspace_id, plan_id, lock=True))
    if if_match is not None and if_match != etag(row):
        raise ProblemError(412, _("Somebody changed the plan since; read it again."), headers={"ETag": etag(row)})
    changed = _known(plans.change(connection, asker.workspace_id, plan_id, plan.written()))
    if changed.details != row.details:
        plans.forget_reading(connection, asker.workspace_id, plan_id)
        versions.bump(connection)  # workers know what a plan may spend
    shown = _tagged(response, changed)
    _note(connection, asker, "plan.change", plan_id, plan_out(row), shown, now)
    return shown


@routes.post("/plans/{plan_id}/archive", dependencies=[can("plan.edit")])
def archive_plan(plan_id: PlanId, wish: ArchivedIn, connection: Database, asker: Asker, now: Now) -> PlanOut:
    """Put a plan out of sight, or back. Its journeys stay in it and go on."""
    at = now if wish.archived else None
    changed = plan_out(_known(plans.archive(connection, asker.workspace_id, plan_id, at)))
    _note(connection, asker, "plan.archive" if wish.archived else "plan.restore", plan_id, None, None, now)
    return changed


def _note(
    connection: Connection,
    asker: Asker,
    what: str,
    plan_id: int,
    before: BaseModel | None,
    after: BaseModel | None,
    now: datetime,
) -> None:
    old, new = [one.model_dump(mode="json", exclude={"journeys"}) if one else None for one in (before, after)]
    audit.record(connection, asker.workspace_id, asker.actor, what, f"plan:{plan_id}", old, new, now)


def etag(row: Plan) -> str:
    """Names what a plan says."""
    text = json.dumps([row.name, row.scene, row.details], sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _tagged(response: Response, row: Plan) -> PlanOut:
    response.headers["ETag"] = etag(row)
    return plan_out(row)


def _known(found: Plan | None) -> Plan:
    if found is None:
        raise missing("plan")
    return found
