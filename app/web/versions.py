"""The versions page: what was published and how the draft came to be; open any, compare any two, go back to one."""

from typing import Annotated

from fastapi import Form, Query, Request, Response

from app import publishing
from app.counts import gather
from app.store import drafts, journeys, keys, overview, sidedrafts, tallies
from app.web.canvas_page import Shown, show
from app.web.flowstates import State, document_of, known_journey
from app.web.guard import Asker, Database, TheHouse, can
from app.web.journeys import AtDesk
from app.web.page import page_router, render
from app.web.problems import ProblemError
from app.web.shapes import INT, JourneyId
from app.web.templating import reading
from flows import conditions
from flows.words import _

routes = page_router()

A_PAGE = 50
RESTORED = r"^[vr][1-9][0-9]{0,8}$"
OVERTAKEN = _("Somebody saved the draft meanwhile, so nothing was replaced. Look again.")


@routes.get("/journeys/{journey_id}/versions", dependencies=[can("journey.read")])
def show_versions(
    request: Request,
    caller: Asker,
    connection: Database,
    journey_id: JourneyId,
    before: Annotated[int | None, Query(ge=1, le=INT)] = None,
) -> Response:
    """Published versions with who walks them, and the history of the draft."""
    journey = known_journey(connection, caller, journey_id)
    workspace_id = caller.workspace_id
    versions = journeys.versions(connection, workspace_id, journey_id, None, A_PAGE)
    saves = drafts.page(connection, workspace_id, journey_id, before, A_PAGE + 1)
    counted = tallies.of_journey(connection, workspace_id, journey_id)
    aside = sidedrafts.of_journey(connection, workspace_id, journey_id)
    actors = {one.published_by for one in versions} | {one.saved_by for one in saves} | {one.owner for one in aside}
    walking = {one.id: gather([row for row in counted if row[0] == one.id]).totals for one in versions}
    values = {
        "journey": journey,
        "versions": versions,
        "walking": walking,
        "bound": {one.id: conditions.load(one.conditions) for one in versions},
        "saves": saves[:A_PAGE],
        "aside": aside,
        "older": saves[A_PAGE - 1].revision if len(saves) > A_PAGE else None,
        "names": keys.names(connection, workspace_id, sorted(actors)),
        "place": overview.place(connection, workspace_id),
    }
    return render(request, "journeys/versions.html", values)


@routes.get("/journeys/{journey_id}/versions/{state}", dependencies=[can("journey.read")])
def show_version(
    request: Request, house: TheHouse, caller: Asker, connection: Database, journey_id: JourneyId, state: State
) -> Response:
    """One state of the flow, to be looked at."""
    journey = known_journey(connection, caller, journey_id)
    document = document_of(connection, journey, caller.workspace_id, state)
    values = {"state": state, "may_restore": caller.may("journey.edit") and state[0] in "vr"}
    return show(request, house, connection, Shown("version", journey, document, {}, values, "journeys/version.html"))


@routes.post("/journeys/{journey_id}/versions/restore", dependencies=[can("journey.edit")])
def restore(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    caller: Asker,
    state: Annotated[str, Form(max_length=12, pattern=RESTORED)],
    revision: Annotated[int, Form(ge=1, le=INT)],
) -> Response:
    """Make an earlier state the draft, unless somebody saved since the page was shown; what was there stays in the history."""
    journey = known_journey(desk.connection, caller, journey_id)
    document = document_of(desk.connection, journey, desk.workspace_id, state)
    if publishing.save_draft(desk, journey_id, revision, document) is None:
        with reading(request) as say:
            raise ProblemError(412, say(OVERTAKEN))
    if state.startswith("r"):  # who drew it may not approve it, whoever brought it back
        drew = sidedrafts.who_drew(desk.connection, desk.workspace_id, journey_id, int(state[1:]))
        sidedrafts.join_editors(desk.connection, desk.workspace_id, journey_id, drew)
    return Response(status_code=204, headers={"HX-Redirect": f"/journeys/{journey_id}/edit"})
