"""The guided start in four short steps; what was answered travels in the form. The last step makes a draft."""

from typing import Any

from fastapi import Request, Response

from app import wizard
from app.gallery import SCENES
from app.language import words
from app.store import plans, segments
from app.web.guard import Asker, Database, Now, can
from app.web.journeys import AtDesk
from app.web.page import page_router, render
from app.web.pickers import library_of
from app.web.sketch import sketch
from app.web.starting import FORM_BYTES, UNITS, Plan, begun, mail_accounts, tongue
from app.web.templating import icons, language_of
from app.web.typed import Typed
from flows import document as flow_documents
from flows.durations import words as span_words
from flows.rules import parse
from flows.validate import errors, validate
from flows.words import _

routes = page_router()

TITLES = {"plan": _("The plan"), "audience": _("The audience"), "tool": _("The tool"), "effect": _("The effect")}
OVERVIEW = "overview"
MOVES = {"next": 1, "back": -1}


@routes.get("/journeys/new/guided", dependencies=[can("journey.edit")])
def show_guide(request: Request, desk: AtDesk, plan: Plan = "") -> Response:
    """The first step."""
    return _show(request, desk, wizard.answered({"plan": plan}, ()), wizard.STEPS[0])


@routes.post("/journeys/new/guided", dependencies=[can("journey.edit")], max_body_size=FORM_BYTES)
def go_on(request: Request, desk: AtDesk, typed: Typed) -> Response:
    """One step on or back; at the end the journey."""
    here, wish = typed.get("step", ""), typed.get("go", "next")
    if here == OVERVIEW and wish == "create":
        return _create(request, desk, typed)
    steps = (*wizard.STEPS, OVERVIEW)
    place = steps.index(here) if here in steps else 0
    if wish in steps:  # a step that was passed already, chosen by its name
        there = steps.index(wish)
        checked = _first_wrong(typed, wizard.STEPS[:there])
        return _show(request, desk, checked[1], steps[min(there, checked[0])])
    found = wizard.answered(typed, (here,) if wish == "next" and here in wizard.STEPS else ())
    if found.wrong:
        return _show(request, desk, found, here, status=422)
    return _show(request, desk, found, steps[min(max(place + MOVES.get(wish, 0), 0), len(steps) - 1)])


@routes.post("/journeys/new/guided/count", dependencies=[can("segment.preview")], max_body_size=FORM_BYTES)
def count_audience(request: Request, connection: Database, asker: Asker, now: Now, typed: Typed) -> Response:
    """How many people the conditions choose now, and the conditions in words."""
    found = wizard.answered(typed, ())
    try:
        rule = parse(wizard.rule(found))
    except ValueError as error:
        return render(request, "start/_count.html", {"wrong": str(error)})
    count = segments.count(connection, asker.workspace_id, rule, now)
    return render(request, "start/_count.html", {"count": count, "sentence": rule.sentence(tongue(request))})


def _first_wrong(typed: dict[str, str], steps: tuple[str, ...]) -> tuple[int, wizard.Answered]:
    """The place of the first step with something wrong, and the answers as far as they were looked at."""
    for place, step in enumerate(steps):
        found = wizard.answered(typed, (step,))
        if found.wrong:
            return place, found
    return len(steps), wizard.answered(typed, ())


def _create(request: Request, desk: AtDesk, typed: dict[str, str]) -> Response:
    place, found = _first_wrong(typed, wizard.STEPS)
    if found.wrong:
        return _show(request, desk, found, wizard.STEPS[place], status=422)
    document = _document(request, desk, found)
    if errors(validate(flow_documents.load(document), desk.catalog)):
        return _show(request, desk, found, OVERVIEW, status=422)
    return begun(desk, found.of("name"), document, found.of("plan"))


def _document(request: Request, desk: AtDesk, found: wizard.Answered) -> dict[str, Any]:
    say = words(language_of(request)).gettext
    return wizard.compose(found, say, mail_accounts(desk.connection, desk.workspace_id))


def _show(request: Request, desk: AtDesk, found: wizard.Answered, step: str, *, status: int = 200) -> Response:
    say = words(language_of(request)).gettext
    values: dict[str, Any] = {
        "step": step,
        "steps": [(name, say(title)) for name, title in TITLES.items()],
        "place": wizard.STEPS.index(step) if step in wizard.STEPS else len(wizard.STEPS),
        "typed": found.typed,
        "wrong": found.wrong,
        "own": _own(step),
        "scenes": SCENES,
        "units": {unit: say(word) for unit, word in UNITS.items()},
        "operators": wizard.OPERATORS,
        "whats": wizard.WHATS,
        "weekdays": wizard.WEEKDAYS,
        "plans": plans.names(desk.connection, desk.workspace_id),
        "accounts": mail_accounts(desk.connection, desk.workspace_id),
        "type_icons": icons(request, desk.catalog),
        "known": library_of(request).words(desk.connection, desk.workspace_id, desk.now),
    }
    if step == OVERVIEW:
        document = _document(request, desk, found)
        problems = errors(validate(flow_documents.load(document), desk.catalog))
        values |= {
            "picture": sketch(document, desk.catalog, say),
            "problems": problems,
            "lines": _lines(request, found),
        }
    return render(request, "start/guided.html", values, status=status)


FIELDS = {
    "plan": ("name", "scene", "plan"),
    "audience": ("who", "event", "when", "weekday", "day", "time", "what.", "of.", "op.", "value.", "days."),
    "tool": ("channel", "title", "text", "link", "wait.", "reminders", "gap.", "reminder"),
    "effect": ("goal", "within", "holdout", "again", "rest"),
}


def _own(step: str) -> set[str]:
    """The fields that the step shows; all others travel hidden."""
    asked = FIELDS.get(step, ())
    return {
        name
        for name in wizard.BEGIN
        if any(name == one or (one.endswith(".") and name.startswith(one)) for one in asked)
    }


def _lines(request: Request, found: wizard.Answered) -> list[tuple[str, str, str]]:
    """What was chosen, a line for each step: the step, its title, the choice."""
    language = tongue(request)
    say = words(language).gettext
    who = found.of("event")
    if found.of("who") == "rule":
        who = parse(wizard.rule(found)).sentence(language)
    gap = span_words(
        f"P{'' if found.of('gap.unit') == 'D' else 'T'}{int(found.of('gap.amount') or 0)}{found.of('gap.unit')}",
        language,
    )
    count = int(found.of("reminders"))
    reminders = words(language).ngettext("%(num)s reminder after %(gap)s", "%(num)s reminders, %(gap)s apart", count)
    reminders = reminders % {"num": count, "gap": gap}
    tool = found.of("title") if found.of("reminders") == "0" else f"{found.of('title')} · {reminders}"
    effect = say(_("%(event)s within %(days)s days; %(percent)s%% are held back")) % {
        "event": found.of("goal"), "days": found.of("within"), "percent": found.of("holdout"),
    }  # fmt: skip
    told = {
        "plan": f"{found.of('name')} · {say(SCENES[found.of('scene')])}",
        "audience": who,
        "tool": tool,
        "effect": effect,
    }
    return [(step, say(TITLES[step]), text) for step, text in told.items()]
