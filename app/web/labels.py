"""Scope labels of journeys and plans: who is limited to scopes sees those alone. Never decides who is limited."""

from typing import Annotated

from fastapi import Form, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app import audit
from app.publishing import known
from app.store import journeys, plans
from app.web.guard import Asker, Database, Now, can, router
from app.web.journeys import AtDesk, JourneyOut, journey_out
from app.web.page import page_router
from app.web.plans import PlanId
from app.web.planshapes import PlanOut, plan_out
from app.web.problems import invalid, missing
from app.web.shapes import INT, In, JourneyId
from flows.words import _

routes = router("scopes")
page_routes = page_router()

AT_ONCE = 200
Label = Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f\x7f,]*$")]


class ScopeIn(In):
    """The label; empty takes it away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scope": "shanghai"}]})
    scope: Label = Field(description="Who is limited to scopes sees what bears one of theirs, and nothing else.")


class _Wish(BaseModel):
    scope: Label


@routes.put("/journeys/{journey_id}/scope", dependencies=[can("journey.edit")])
def label_journey(journey_id: JourneyId, wish: ScopeIn, desk: AtDesk, asker: Asker) -> JourneyOut:
    """Give a journey a scope label, or take it away. Who is limited themselves can give only labels of theirs."""
    _refuse_foreign(asker, wish.scope)
    before = known(desk, journey_id)
    journeys.set_scopes(desk.connection, desk.workspace_id, [journey_id], wish.scope)
    desk.note("journey.scope", f"journey:{journey_id}", {"scope": before.scope}, {"scope": wish.scope})
    return journey_out(known(desk, journey_id))


@routes.put("/plans/{plan_id}/scope", dependencies=[can("plan.edit")])
def label_plan(plan_id: PlanId, wish: ScopeIn, connection: Database, asker: Asker, now: Now) -> PlanOut:
    """Give a plan a scope label, or take it away. Its journeys keep theirs."""
    _refuse_foreign(asker, wish.scope)
    before = plans.find(connection, asker.workspace_id, plan_id)
    after = plans.set_scope(connection, asker.workspace_id, plan_id, wish.scope) if before else None
    if before is None or after is None:
        raise missing("plan")
    said = ({"scope": before.scope}, {"scope": wish.scope})
    audit.record(connection, asker.workspace_id, asker.actor, "plan.change", f"plan:{plan_id}", *said, now)
    return plan_out(after)


@page_routes.post("/journeys/scope", dependencies=[can("journey.edit")])
def label_many(
    desk: AtDesk, asker: Asker, id: Annotated[list[int], Form(max_length=AT_ONCE)], scope: Annotated[str, Form()] = ""
) -> Response:
    """The same for those chosen in the list."""
    try:
        label = _Wish(scope=scope.strip()).scope
    except ValueError:
        raise invalid([("scope", _("may have 60 letters, without a comma"))]) from None
    _refuse_foreign(asker, label)
    wanted = [one for one in id if 0 < one <= INT]
    done = journeys.set_scopes(desk.connection, desk.workspace_id, wanted, label)
    about = [f"journey:{one}" for one in done]
    said = (None, {"scope": label})
    audit.record_all(desk.connection, desk.workspace_id, desk.actor, "journey.scope", about, *said, desk.now)
    return Response(status_code=204)


def _refuse_foreign(asker: Asker, scope: str) -> None:
    if asker.scopes is not None and scope not in asker.scopes:
        raise invalid([("scope", _("must be one of yours"))])
