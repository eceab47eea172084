"""The pages of plans: all with their progress, one with target, money and journeys, forms to write them. Rules are in `plans`."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request, Response
from pydantic import ValidationError

from app import measuring
from app.auth import Caller
from app.language import words
from app.progress import SHARES, Progress, span
from app.store import keys, lists, overview, vocabulary
from app.store import plans as store
from app.store.lists import Wish
from app.store.plans import Plan
from app.store.rows import Connection
from app.web import figures, seasonwords
from app.web import plans as api
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.house import House
from app.web.lists import REVIEW_WORDS, STATUS_WORDS
from app.web.page import page_router, render, toast
from app.web.plans import PlanId
from app.web.planshapes import WITH_EVENT, ArchivedIn, PlanIn, Scene, as_fields, plan_out
from app.web.problems import ProblemError, missing
from app.web.shapes import LONGEST_PLACE, paged, place_of
from app.web.templating import channel_words, language_of
from flows.calendar import zone
from flows.problems import say as say_problem
from flows.words import _, speaking

routes = page_router()

A_PAGE = 50
JOURNEYS_SHOWN = 200
FIELDS_AT_MOST, FIELD_AT_MOST = 80, 4_000
SCENE_WORDS = {
    "acquire": _("Acquire"),
    "activate": _("Activate"),
    "convert": _("Convert"),
    "retain": _("Retain"),
    "win_back": _("Win back"),
}
SCENE_HUES = {"acquire": "entry", "activate": "decide", "convert": "send", "retain": "flow", "win_back": "action"}
METRIC_WORDS = {
    "goal_people": _("Goals reached in its journeys"),
    "goal_share": _("Share of those who entered that reached the goal, %"),
    "click_share": _("Share of messages that were clicked, %"),
    "event_people": _("People who did something"),
    "revenue": _("Sum of a number, such as revenue"),
}
CADENCE_WORDS = {"long_running": _("Long-running"), "periodic": _("Periodic"), "one_off": _("One-off")}
OVER_WORDS = {"warn": _("Only warn"), "hold": _("Hold back marketing messages")}
STANDING_WORDS = {
    "reached": _("reached"),
    "on_course": _("on course"),
    "behind": _("behind"),
    "missed": _("missed"),
    "not_begun": _("not begun"),
}
STANDING_TONES = {"reached": "good", "on_course": "good", "behind": "warn", "missed": "bad", "not_begun": "plain"}


async def _given(request: Request) -> dict[str, str]:
    form = await request.form(max_fields=FIELDS_AT_MOST, max_files=0)
    return {name: value[:FIELD_AT_MOST] for name, value in form.items() if isinstance(value, str)}


Given = Annotated[dict[str, str], Depends(_given)]


@routes.get("/plans", dependencies=[can("plan.read")])
def show_plans(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    archived: bool = False,
    scene: Annotated[Scene | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=LONGEST_PLACE)] = None,
) -> Response:
    """All plans, each with its progress and the numbers of its journeys together."""
    place = place_of(after, int)
    before = place[0] if place else None
    found = store.page(connection, caller.workspace_id, before, A_PAGE + 1, archived=archived, scene=scene)
    rows, later = paged(found, A_PAGE, lambda row: [row.id])
    values = {
        "plans": [plan_out(row) for row in rows],
        "progress": measuring.progress_of(connection, caller.workspace_id, rows, now),
        "sums": store.summed(connection, caller.workspace_id, [row.id for row in rows]),
        "after": later,
        "archived": archived,
        "scene": scene,
        "place": overview.place(connection, caller.workspace_id),
        **_form(request, house, (connection, caller), None),
    }
    return render(request, "plans/list.html", values)


@routes.post("/plans", dependencies=[can("plan.edit")])
def write_plan(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, given: Given
) -> Response:
    """A new plan out of the form; the page goes there, or the form comes back with what is wrong."""
    plan, errors = _read(request, given)
    if plan is None:
        values = {**_form(request, house, (connection, caller), None), "fields": {**as_fields(None), **given}}
        return render(request, "plans/_form.html", {**values, "errors": errors}, status=422)
    made = api.create_plan(plan, connection, caller, now, Response())
    return Response(status_code=204, headers={"HX-Redirect": f"/plans/{made.id}"})


@routes.get("/plans/{plan_id}", dependencies=[can("plan.read")])
def show_plan(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, plan_id: PlanId
) -> Response:
    """One plan: where it stands, what it spent, its journeys and their numbers together."""
    row = _known(connection, caller, plan_id)
    plan = plan_out(row)
    rows = lists.rows(connection, caller.workspace_id, Wish(plan=plan_id), "changed", None, JOURNEYS_SHOWN)
    ids = [one.id for one in rows]
    say = words(language_of(request)).gettext
    progress = measuring.progress_of(connection, caller.workspace_id, [row], now)[plan_id]
    place = overview.place(connection, caller.workspace_id)
    values = {
        "plan": plan,
        "progress": progress,
        "line": _line(row, progress, place.timezone),
        "next_run": store.next_runs(connection, caller.workspace_id, [plan_id]).get(plan_id),
        "place": place,
        "rows": rows,
        "figures": figures.of_journeys(connection, caller.workspace_id, ids, house.now()),
        "seasons": seasonwords.of_journeys(
            request, connection, caller.workspace_id, {one.id: one.plan_id for one in rows}, now
        ),
        "sum": store.summed(connection, caller.workspace_id, [plan_id]).get(plan_id),
        "names": keys.names(
            connection, caller.workspace_id, sorted({plan.created_by, *(one.updated_by for one in rows)})
        ),
        "plans": store.names(connection, caller.workspace_id),
        "status_words": {name: say(word) for name, word in STATUS_WORDS.items()},
        "review_words": {name: say(word) for name, word in REVIEW_WORDS.items()},
        **_form(request, house, (connection, caller), row),
    }
    return render(request, "plans/one.html", values)


@routes.post("/plans/{plan_id}", dependencies=[can("plan.edit")])
def rewrite_plan(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, plan_id: PlanId, given: Given
) -> Response:
    """What the form says now; somebody else's change since it was opened is not written over."""
    known = _known(connection, caller, plan_id)
    plan, errors = _read(request, given)
    if plan is not None:
        try:
            api.change_plan(plan_id, plan, connection, caller, now, Response(), given.get("etag") or None)
            return Response(status_code=204, headers={"HX-Redirect": f"/plans/{plan_id}"})
        except ProblemError as error:
            if error.status_code != 412:
                raise
            say = words(language_of(request)).gettext
            errors = {"name": say(_("Somebody changed the plan since you opened it; saving again keeps your words."))}
    values = {**_form(request, house, (connection, caller), known), "fields": {**as_fields(None), **given}}
    return render(request, "plans/_form.html", {**values, "errors": errors}, status=422)


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


def _known(connection: Connection, caller: Caller, plan_id: int) -> Plan:
    found = store.find(connection, caller.workspace_id, plan_id)
    if found is None:
        raise missing("plan")
    return found


def _read(request: Request, given: dict[str, str]) -> tuple[PlanIn | None, dict[str, str]]:
    """The plan that the form describes, or what is wrong with each field (by its path)."""
    language: Any = language_of(request)
    with speaking(language, words(language).gettext):
        try:
            return PlanIn.model_validate(_nested(given)), {}
        except ValidationError as error:
            found = {".".join(map(str, one["loc"])): say_problem(one, language) for one in error.errors()}
            return None, {name: words(language).gettext(text) for name, text in found.items()}


def _nested(given: dict[str, str]) -> dict[str, Any]:
    """The fields of the form as a plan has them. A target without a metric, a budget without an amount: there is none."""
    filled = {
        name: value.strip() for name, value in given.items() if name != "etag" and (value.strip() or name == "name")
    }
    found: dict[str, Any] = {}
    for name, value in filled.items():
        inside = found
        *path, last = name.split(".")
        for part in path:
            inside = inside.setdefault(part, {})
        inside[last] = value
    metric = found.get("measure", {}).get("metric")
    if metric is None:
        found.pop("measure", None)
    else:
        unused = [
            name for name, used in (("event", metric in WITH_EVENT), ("property", metric == "revenue")) if not used
        ]
        found["measure"] = {name: value for name, value in found["measure"].items() if name not in unused}
    if "amount" not in found.get("budget", {}):
        found.pop("budget", None)
    return found


def _line(row: Plan, progress: Progress, timezone: str) -> dict[str, Any] | None:
    """What the chart draws: the number by day, and the straight way from baseline to target."""
    measure, days = row.details.get("measure"), span(row.details, row.created_at, zone(timezone) or ZoneInfo("UTC"))
    if not measure or days is None or not progress.days:
        return None
    return {
        "days": [point.day.isoformat() for point in progress.days],
        "values": [point.value for point in progress.days],
        "first": days.first.isoformat(),
        "deadline": days.last.isoformat(),
        "baseline": measure["baseline"],
        "target": measure["value"],
    }


def _form(request: Request, house: House, asking: tuple[Connection, Caller], plan: Plan | None) -> dict[str, object]:
    say = words(language_of(request)).gettext
    connection, caller = asking

    def said(table: dict[str, str]) -> dict[str, str]:
        return {name: say(word) for name, word in table.items()}

    return {
        "form_plan": plan_out(plan) if plan else None,
        "etag": api.etag(plan) if plan else "",
        "fields": as_fields(plan_out(plan) if plan else None),
        "errors": {},
        "scene_words": said(SCENE_WORDS),
        "scene_hues": SCENE_HUES,
        "metric_words": said(METRIC_WORDS),
        "cadence_words": said(CADENCE_WORDS),
        "over_words": said(OVER_WORDS),
        "standing_words": said(STANDING_WORDS),
        "standing_tones": STANDING_TONES,
        "shares": SHARES,
        "channel_words": dict(sorted(channel_words(request, house.catalog).items())),
        "known_events": [one.name for one in vocabulary.events(connection, caller.workspace_id)]
        if caller.may("plan.edit")
        else [],
    }
