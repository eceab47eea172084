"""Parts of the review page that take a moment: whom it reaches and who else writes to them; each message for three people."""

from typing import Annotated, Any

from fastapi import Path, Request, Response

from app.reviewing import Message
from app.store import overview
from app.web import reviewed, told
from app.web.canvas_preview import MAIL_HEADERS
from app.web.flowstates import known_journey
from app.web.guard import Asker, TheHouse, can
from app.web.journeys import AtDesk
from app.web.page import page_router, render
from app.web.problems import missing
from app.web.shapes import ContactId, JourneyId
from app.web.templating import channel_words, icons, reading

routes = page_router()

NodeId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Id of the step.")]


@routes.get("/journeys/{journey_id}/review/reach", dependencies=[can("journey.read")])
def show_reach(request: Request, house: TheHouse, caller: Asker, desk: AtDesk, journey_id: JourneyId) -> Response:
    """How many would come in within a month, and which other live journeys write to the same people."""
    one = reviewed.reviewed(desk.connection, desk.workspace_id, known_journey(desk.connection, caller, journey_id))
    with reading(request):
        reach = reviewed.reach_of(house, desk, one)
    values = {
        "reach": reach,
        "volumes": reviewed.volumes_of(house, desk, one, reach),
        "channels": channel_words(request, house.catalog),
        "titles": _titles(request, house, one.after),
        "place": overview.place(desk.connection, desk.workspace_id),
    }
    return render(request, "journeys/review_reach.html", values)


@routes.get("/journeys/{journey_id}/review/messages", dependencies=[can("journey.read")])
def show_messages(request: Request, house: TheHouse, caller: Asker, desk: AtDesk, journey_id: JourneyId) -> Response:
    """Each message as three real people would get it."""
    one = reviewed.reviewed(desk.connection, desk.workspace_id, known_journey(desk.connection, caller, journey_id))
    with reading(request) as say:
        made = reviewed.messages_of(house, desk, caller, one)
        messages = [_said(step, say) for step in made[0]] if made else []
    values = {
        "journey": one.journey,
        "whole": made is not None,
        "messages": messages,
        "people": [shown["person"] for shown in messages[0]["shown"]] if messages else [],
        "fitting": bool(made and made[1]),
        "channels": channel_words(request, house.catalog),
        "titles": _titles(request, house, one.after),
        "type_icons": icons(request, house.catalog),
    }
    return render(request, "journeys/review_messages.html", values)


@routes.get("/journeys/{journey_id}/review/mail/{node}/{contact_id}", dependencies=[can("journey.read")])
def show_mail(
    house: TheHouse, caller: Asker, desk: AtDesk, journey_id: JourneyId, node: NodeId, contact_id: ContactId
) -> Response:
    """The HTML of a mail for one of them, for a frame without rights."""
    one = reviewed.reviewed(desk.connection, desk.workspace_id, known_journey(desk.connection, caller, journey_id))
    made = reviewed.messages_of(house, desk, caller, one, contact_id)
    step = next((step for step in (made[0] if made else []) if step.node == node and step.shown), None)
    if step is None:
        raise missing("message")
    return Response(step.shown[0].preview.text("html"), media_type="text/html", headers=MAIL_HEADERS)


def _said(step: Message, say: told.Say) -> dict[str, Any]:
    """A message for the template; reasons in the reader's words."""
    shown = [{**one._asdict(), "withheld": told.reason_text(one.withheld, say)} for one in step.shown]
    return {**step._asdict(), "shown": shown}


def _titles(request: Request, house: Any, raw: Any) -> dict[str, str]:
    """What the steps are called."""
    with reading(request):
        return reviewed.titles(house, raw)
