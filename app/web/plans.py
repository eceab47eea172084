"""Marketing plans over HTTP: made, listed, changed, put out of sight. A plan is a folder of journeys; it never runs anything."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app import audit
from app.store import plans
from app.store.plans import Plan, Written
from app.store.rows import Connection
from app.web.guard import Asker, Database, Now, can, router
from app.web.problems import missing
from app.web.shapes import INT, PAGE, In, Limit, Next, Out, Page, Text, paged, place_of
from flows.words import _

routes = router("plans")

Scene = Literal["acquire", "convert", "retain", "win_back"]
PlanId = Annotated[int, Path(ge=1, le=INT, description="Number of the plan.", examples=[2])]
Words = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
SAMPLE: dict[str, Any] = {
    "name": "Spring win-back",
    "scene": "win_back",
    "target": "500 of those who bought nothing for 90 days buy again",
    "starts_on": "2026-03-01",
    "ends_on": "2026-05-31",
}


class PlanIn(In):
    """What a plan says: which scene it serves, its target in words, its first and last day."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    name: Text
    scene: Scene
    target: Words = ""
    starts_on: date | None = None
    ends_on: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "PlanIn":
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(_("the last day lies before the first"))
        return self

    def written(self) -> Written:
        """As it is kept."""
        days = {"starts_on": self.starts_on, "ends_on": self.ends_on}
        kept = {name: day.isoformat() for name, day in days.items() if day}
        return Written(self.name, self.scene, {"target": self.target, **kept})


class ArchivedIn(In):
    """Whether it is out of sight."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"archived": True}]})
    archived: bool = Field(strict=True)


class PlanOut(Out):
    """A plan. `journeys`: how many lie in it, without archived ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 2,
                    **SAMPLE,
                    "journeys": 3,
                    "created_at": "2026-02-10T08:00:00Z",
                    "created_by": "user:3",
                    "archived_at": None,
                }
            ]
        }
    )
    id: int
    name: str
    scene: Scene
    target: str
    starts_on: date | None
    ends_on: date | None
    journeys: int
    created_at: datetime
    created_by: str
    archived_at: datetime | None


@routes.post("/plans", status_code=201, dependencies=[can("plan.edit")])
def create_plan(plan: PlanIn, connection: Database, asker: Asker, now: Now) -> PlanOut:
    """Make a plan."""
    made = plan_out(plans.add(connection, asker.workspace_id, plan.written(), asker.actor, now))
    _note(connection, asker, "plan.create", made.id, None, plan, now)
    return made


@routes.get("/plans", dependencies=[can("plan.read")])
def list_plans(
    connection: Database,
    asker: Asker,
    archived: Annotated[bool, Query(description="Those out of sight instead.")] = False,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[PlanOut]:
    """List the plans, the newest first."""
    place = place_of(next, int)
    before = place[0] if place else None
    found = plans.page(connection, asker.workspace_id, before, limit + 1, archived=archived)
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=[plan_out(row) for row in rows], next=after)


@routes.get("/plans/{plan_id}", dependencies=[can("plan.read")])
def read_plan(plan_id: PlanId, connection: Database, asker: Asker) -> PlanOut:
    """Show a plan."""
    return plan_out(_known(plans.find(connection, asker.workspace_id, plan_id)))


@routes.put("/plans/{plan_id}", dependencies=[can("plan.edit")])
def change_plan(plan_id: PlanId, plan: PlanIn, connection: Database, asker: Asker, now: Now) -> PlanOut:
    """Let a plan say something else; what is left out is gone."""
    before = plan_out(_known(plans.find(connection, asker.workspace_id, plan_id)))
    changed = plan_out(_known(plans.change(connection, asker.workspace_id, plan_id, plan.written())))
    _note(connection, asker, "plan.change", plan_id, before, changed, now)
    return changed


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


def plan_out(row: Plan) -> PlanOut:
    """A plan as the API and the pages show it."""
    known = {"target": "", "starts_on": None, "ends_on": None, **row.details}
    shown = {name: value for name, value in row._asdict().items() if name != "details"}
    return PlanOut(**shown, **{name: known[name] for name in ("target", "starts_on", "ends_on")})


def _known(found: Plan | None) -> Plan:
    if found is None:
        raise missing("plan")
    return found


def as_fields(plan: BaseModel | None) -> dict[str, str]:
    """What a form shows."""
    if plan is None:
        return {"name": "", "scene": "acquire", "target": "", "starts_on": "", "ends_on": ""}
    return {name: "" if (value := getattr(plan, name)) is None else str(value) for name in PlanIn.model_fields}
