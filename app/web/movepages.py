"""People in flight as a page: the choice for each step at publishing, with counts before and progress after; pause and resume.

Each deed is `migrating`'s or `pausing`'s; a page without a choice moves nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Form, Path, Request, Response
from pydantic import ValidationError

from app import audit, facets, lateness, migrating, pausing, publishing
from app.generation import confirm
from app.migrating import Preview
from app.pausing import Mode
from app.publishing import Desk, RefusedError, known
from app.store import journeys, migrations_, overview, submissions
from app.store.pauses import SEASON
from app.web import told
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.journeys import AtDesk
from app.web.migrations import MigrationId, target_of, told_of
from app.web.page import page_router, render
from app.web.shapes import JourneyId
from app.web.templating import icons, reading
from app.web.whys import of_reasons
from flows import document as documents
from flows.document import Document
from flows.moves import RULES_AT_MOST, Move
from flows.words import _

routes = page_router()

SHOWN = 20
SPREADS = {"": timedelta(), "1h": timedelta(hours=1), "6h": timedelta(hours=6), "1d": timedelta(days=1)}
ODD = _("The page and the journey do not fit together any more; load it again.")
Texts = Annotated[list[str], Form(max_length=RULES_AT_MOST)]


@routes.get("/journeys/{journey_id}/moving", dependencies=[can("journey.read")])
def show_moving(request: Request, house: TheHouse, journey_id: JourneyId, desk: AtDesk) -> Response:
    """Who stands where on older versions, what may become of them, and what was done before."""
    values = {**_choice(request, desk, journey_id), "done": _done(desk, journey_id), "dialog": False}
    return render(request, "journeys/moving.html", {**values, "type_icons": icons(request, house.catalog)})


@routes.get("/journeys/{journey_id}/moving/dialog", dependencies=[can("journey.publish")])
def show_publish_dialog(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """The same choice in a dialog, at publishing."""
    return render(request, "journeys/_moving_form.html", {**_choice(request, desk, journey_id), "dialog": True})


def _choice(request: Request, desk: Desk, journey_id: int) -> dict[str, Any]:
    """What the form of the choice shows."""
    journey = known(desk, journey_id)
    target, version_id = target_of(desk, journey_id)
    seen = migrating.preview(desk, journey_id, (), None, version_id)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    approved = last is not None and last.status == "approved"
    given = publishing.approval_of(desk, journey, last) if last is not None and approved else None
    return {
        "journey": journey,
        "seen": seen,
        "rows": _rows(request, desk, journey_id, seen),
        "targets": _targets(request, target) if target else [],
        "types": {node.id: node.type for node in target.nodes} if target else {},
        "content_hash": last.content_hash if last and approved else "",
        "handed_in": version_id == 0 and last is not None,
        "open": migrations_.is_open(desk.connection, desk.workspace_id, journey_id),
        "place": overview.place(desk.connection, desk.workspace_id),
        "conditions": given.conditions if given else None,
    }


@routes.get("/journeys/{journey_id}/moving/progress", dependencies=[can("journey.read")])
def show_progress(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """How far it has come; asked again every second while something is under way."""
    values = {
        "journey": known(desk, journey_id),
        "open": migrations_.is_open(desk.connection, desk.workspace_id, journey_id),
        "done": _done(desk, journey_id),
        "place": overview.place(desk.connection, desk.workspace_id),
    }
    answer = render(request, "journeys/_moved.html", values)
    if request.method == "GET" and not values["open"]:
        answer.headers["HX-Refresh"] = "true"  # nobody is under way any more: the whole page says other things now
    return answer


@routes.post("/journeys/{journey_id}/moving/preview", dependencies=[can("journey.read")])
def show_sum(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    place: Texts = [],  # noqa: B006 FastAPI copies it
    choice: Texts = [],  # noqa: B006
    wait: Texts = [],  # noqa: B006
) -> Response:
    """What the choices on the page come to, in numbers."""
    target, version_id = target_of(desk, journey_id)
    seen = migrating.preview(desk, journey_id, _people(request, place, choice, wait), target, version_id)
    return render(request, "journeys/_moving_sum.html", {"seen": seen})


@routes.post("/journeys/{journey_id}/moving", dependencies=[can("journey.publish")])
def do_move(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    content_hash: Annotated[str, Form(max_length=100)] = "",
    place: Texts = [],  # noqa: B006
    choice: Texts = [],  # noqa: B006
    wait: Texts = [],  # noqa: B006
) -> Response:
    """Publish what is approved (`content_hash`), or keep what is live; people go where the page says."""
    people = _people(request, place, choice, wait)
    if content_hash:
        _number, _status, migration = migrating.publish(desk, journey_id, content_hash, people)
    else:
        migration = migrating.begin_on_live(desk, journey_id, people)
    where = "moving" if migration else "live"
    return Response(status_code=204, headers={"HX-Redirect": f"/journeys/{journey_id}/{where}"})


@routes.post("/journeys/{journey_id}/moving/{migration_id}/{deed}", dependencies=[can("journey.publish")])
def undo_move(
    request: Request,
    journey_id: JourneyId,
    migration_id: MigrationId,
    deed: Annotated[Literal["stop", "reverse"], Path()],
    desk: AtDesk,
) -> Response:
    """Stop it, or put everybody back who has not gone on since."""
    (migrating.stop if deed == "stop" else migrating.reverse)(desk, journey_id, migration_id)
    return show_progress(request, journey_id, desk)


@routes.get("/journeys/{journey_id}/pausing", dependencies=[can("journey.read")])
def show_pausing(request: Request, journey_id: JourneyId, desk: AtDesk) -> Response:
    """How a pause is meant; and before a resume, why it began and what each way of it would do at once."""
    journey = known(desk, journey_id)
    seen = pausing.outlook(desk, journey_id) if journey.status == "paused" else None
    reason = seen.reason if seen and seen.reason else ""
    values = {
        "journey": journey,
        "seen": seen,
        "by_itself": of_reasons(request, desk.connection, desk.workspace_id, [reason]).get(reason),
        "in_season": reason.startswith(SEASON),
    }
    return render(request, "journeys/pausing.html", values)


@routes.post("/journeys/{journey_id}/pausing", dependencies=[can("journey.run")])
def do_pausing(
    journey_id: JourneyId,
    desk: AtDesk,
    to: Annotated[Literal["paused", "live"], Form()],
    mode: Annotated[Mode, Form()] = "freeze",
    spread: Annotated[Literal["", "1h", "6h", "1d"], Form()] = "",
) -> Response:
    """Pause, or go on."""
    if to == "paused":
        pausing.pause(desk, journey_id, mode)
    else:
        pausing.resume(desk, journey_id, mode, SPREADS[spread])
    return Response(status_code=204, headers={"HX-Redirect": f"/journeys/{journey_id}/live"})


@routes.post("/health/late", dependencies=[can("journey.run")])
def settle_held(desk: AtDesk, do: Annotated[Literal["release", "drop"], Form()]) -> Response:
    """Let what an outage made late go out, or drop it."""
    lateness.settle(desk, do)
    return Response(status_code=204, headers={"HX-Redirect": "/health"})


@routes.post("/health/confirm", dependencies=[can("restore.confirm")])
def confirm_restore(connection: Database, caller: Asker, now: Now) -> Response:
    """This is the installation that sends from now on."""
    done = {"confirmed": confirm(connection, now)}
    audit.record(connection, caller.workspace_id, caller.actor, "restore.confirm", "workspace", {}, done, now)
    return Response(status_code=204, headers={"HX-Redirect": "/health"})


def _people(request: Request, places: Sequence[str], choices: Sequence[str], waits: Sequence[str]) -> list[Move]:
    """The page's fields as rules: `2 pause waiting` beside `to:pause`, `exit` or `stay`."""
    found = []
    try:
        for place, choice, wait in zip(places, choices, waits, strict=True):
            version, node, kind = place.split(" ")
            if choice == "stay":
                continue
            do = "exit" if choice == "exit" else "reopen" if kind == "finished" else "move"
            to = choice.removeprefix("to:") if do != "exit" else None
            said = {"version": int(version), "node": node, "do": do, "to": to, "wait": wait}
            found.append(Move.model_validate(said))
    except (ValueError, ValidationError):
        with reading(request) as say:
            raise RefusedError("conflict", say(ODD)) from None
    return found


def _rows(request: Request, desk: Desk, journey_id: int, seen: Preview) -> list[dict[str, Any]]:
    """The steps of older versions in the reader's words; one row for who waits there, one for who is through."""
    ids = {number: id for id, number in journeys.numbers(desk.connection, desk.workspace_id, journey_id).items()}
    faces = told.faces(request, desk.connection, desk.workspace_id, {ids[one.version] for one in seen.places})
    rows = []
    for one in seen.places:
        face = faces[ids[one.version]]
        about = {"version": one.version, "node": one.node, "title": face.title(one.node), "type": face.type(one.node)}
        if one.waiting or one.failed:
            rows.append({**about, "kind": "waiting", "people": one.waiting, "failed": one.failed})
        if one.finished:
            rows.append({**about, "kind": "finished", "people": one.finished, "failed": 0})
    return rows


def _targets(request: Request, target: Document) -> list[Mapping[str, Any]]:
    """Steps of the new version that people can be moved to."""
    catalog = request.state.house.catalog
    with reading(request):
        known = facets.describe(documents.dump(target), catalog, None)["nodes"]
    return [
        {"id": node.id, "title": known.get(node.id, {}).get("title") or node.id}
        for node in target.nodes
        if (kind := catalog.get(node.type)) is None or kind.start is None
    ]


def _done(desk: Desk, journey_id: int) -> list[Any]:
    found = migrations_.of_journey(desk.connection, desk.workspace_id, journey_id, None, SHOWN)
    return told_of(desk, journey_id, found)
