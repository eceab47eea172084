"""The pages of plans: the folders with their sums, one folder with its journeys, forms to write them. Rules are in `plans`."""

from typing import Annotated

from fastapi import Form, Query, Request, Response
from pydantic import ValidationError

from app.auth import Caller
from app.language import words
from app.store import keys, lists, overview
from app.store import plans as store
from app.store.lists import Wish
from app.store.rows import Connection
from app.web import figures
from app.web import plans as api
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.lists import REVIEW_WORDS, STATUS_WORDS
from app.web.page import page_router, render, toast
from app.web.plans import ArchivedIn, PlanId, PlanIn, PlanOut, as_fields, plan_out
from app.web.problems import missing
from app.web.shapes import LONGEST_PLACE, paged, place_of
from app.web.templating import language_of
from flows.problems import say as say_problem
from flows.words import _

routes = page_router()

A_PAGE = 50
JOURNEYS_SHOWN = 200
SCENE_WORDS = {
    "acquire": _("Acquire"),
    "convert": _("Convert"),
    "retain": _("Retain"),
    "win_back": _("Win back"),
}
Field = Annotated[str, Form(max_length=4000)]


@routes.get("/plans", dependencies=[can("plan.read")])
def show_plans(
    request: Request,
    caller: Asker,
    connection: Database,
    archived: bool = False,
    after: Annotated[str | None, Query(max_length=LONGEST_PLACE)] = None,
) -> Response:
    """All plans, each with the numbers of its journeys together."""
    place = place_of(after, int)
    before = place[0] if place else None
    found = store.page(connection, caller.workspace_id, before, A_PAGE + 1, archived=archived)
    rows, later = paged(found, A_PAGE, lambda row: [row.id])
    values = {
        "plans": [plan_out(row) for row in rows],
        "sums": store.summed(connection, caller.workspace_id, [row.id for row in rows]),
        "after": later,
        "archived": archived,
        "place": overview.place(connection, caller.workspace_id),
        **_form(request, None),
    }
    return render(request, "plans/list.html", values)


@routes.post("/plans", dependencies=[can("plan.edit")])
def write_plan(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    name: Field = "",
    scene: Field = "acquire",
    target: Field = "",
    starts_on: Field = "",
    ends_on: Field = "",
) -> Response:
    """A new plan out of the form; the page goes there, or the form comes back with what is wrong."""
    given = {"name": name, "scene": scene, "target": target, "starts_on": starts_on, "ends_on": ends_on}
    plan, errors = _read(request, given)
    if plan is None:
        return render(
            request, "plans/_form.html", {**_form(request, None), "fields": given, "errors": errors}, status=422
        )
    made = api.create_plan(plan, connection, caller, now)
    return Response(status_code=204, headers={"HX-Redirect": f"/plans/{made.id}"})


@routes.get("/plans/{plan_id}", dependencies=[can("plan.read")])
def show_plan(request: Request, house: TheHouse, caller: Asker, connection: Database, plan_id: PlanId) -> Response:
    """One plan with its journeys and their numbers together."""
    plan = _known(connection, caller, plan_id)
    zone = overview.place(connection, caller.workspace_id)
    rows = lists.rows(connection, caller.workspace_id, Wish(plan=plan_id), "changed", None, JOURNEYS_SHOWN)
    ids = [row.id for row in rows]
    say = words(language_of(request)).gettext
    values = {
        "plan": plan,
        "place": zone,
        "rows": rows,
        "figures": figures.of_journeys(connection, caller.workspace_id, ids, house.now()),
        "sum": store.summed(connection, caller.workspace_id, [plan_id]).get(plan_id),
        "names": keys.names(
            connection, caller.workspace_id, sorted({plan.created_by, *(row.updated_by for row in rows)})
        ),
        "plans": store.names(connection, caller.workspace_id),
        "status_words": {name: say(word) for name, word in STATUS_WORDS.items()},
        "review_words": {name: say(word) for name, word in REVIEW_WORDS.items()},
        **_form(request, plan),
    }
    return render(request, "plans/one.html", values)


@routes.post("/plans/{plan_id}", dependencies=[can("plan.edit")])
def rewrite_plan(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    plan_id: PlanId,
    name: Field = "",
    scene: Field = "acquire",
    target: Field = "",
    starts_on: Field = "",
    ends_on: Field = "",
) -> Response:
    """What the form says now."""
    known = _known(connection, caller, plan_id)
    given = {"name": name, "scene": scene, "target": target, "starts_on": starts_on, "ends_on": ends_on}
    plan, errors = _read(request, given)
    if plan is None:
        values = {**_form(request, known), "fields": given, "errors": errors}
        return render(request, "plans/_form.html", values, status=422)
    api.change_plan(plan_id, plan, connection, caller, now)
    return Response(status_code=204, headers={"HX-Redirect": f"/plans/{plan_id}"})


@routes.post("/plans/{plan_id}/archive", dependencies=[can("plan.edit")])
def archive_plan_page(request: Request, caller: Asker, connection: Database, now: Now, plan_id: PlanId) -> Response:
    """Out of sight; its journeys stay and go on."""
    api.archive_plan(plan_id, ArchivedIn(archived=True), connection, caller, now)
    text = words(language_of(request)).gettext(_("Archived. Its journeys go on as they are."))
    return toast(Response(status_code=204), text, undo=f"/plans/{plan_id}/restore", also="plan-archived")


@routes.post("/plans/{plan_id}/restore", dependencies=[can("plan.edit")])
def restore_plan(caller: Asker, connection: Database, now: Now, plan_id: PlanId) -> Response:
    """Back in sight."""
    api.archive_plan(plan_id, ArchivedIn(archived=False), connection, caller, now)
    return Response(status_code=204, headers={"HX-Redirect": f"/plans/{plan_id}"})


def _known(connection: Connection, caller: Caller, plan_id: int) -> PlanOut:
    found = store.find(connection, caller.workspace_id, plan_id)
    if found is None:
        raise missing("plan")
    return plan_out(found)


def _read(request: Request, given: dict[str, str]) -> tuple[PlanIn | None, dict[str, str]]:
    """The plan that the form describes, or what is wrong with each field."""
    filled = {name: value for name, value in given.items() if value or name == "name"}
    try:
        return PlanIn.model_validate(filled), {}
    except ValidationError as error:
        say = words(language_of(request)).gettext
        return None, {str(one["loc"][0]) if one["loc"] else "ends_on": say(say_problem(one)) for one in error.errors()}


def _form(request: Request, plan: PlanOut | None) -> dict[str, object]:
    say = words(language_of(request)).gettext
    return {
        "form_plan": plan,
        "fields": as_fields(plan),
        "errors": {},
        "scene_words": {name: say(word) for name, word in SCENE_WORDS.items()},
    }
