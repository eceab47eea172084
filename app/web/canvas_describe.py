"""What the cards of an unsaved document say, and what is wrong with it: asked after each change on the canvas, in one go.

Reads the accounts there are, and for a season the other journeys; keeps nothing.
"""

from typing import Annotated, Any

from fastapi import Depends, Request

from app import seasons
from app.facets import describe, told
from app.language import words
from app.store import accounts, journeys
from app.web.guard import Asker, Database, TheHouse, can
from app.web.page import page_router
from app.web.problems import missing
from app.web.shapes import JourneyId
from app.web.templating import language_of
from flows import document as documents
from flows.errors import DocumentError
from flows.raw import TEXT_AT_MOST
from flows.words import speaking

routes = page_router()


async def _document(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = await request.json()
    return given


@routes.post("/journeys/{journey_id}/describe", dependencies=[can("journey.read")], max_body_size=TEXT_AT_MOST)
def describe_document(
    request: Request,
    journey_id: JourneyId,
    connection: Database,
    house: TheHouse,
    asker: Asker,
    document: Annotated[dict[str, Any], Depends(_document)],
) -> dict[str, Any]:
    """Titles, summaries, ports and problems of a document, in the reader's language."""
    if journeys.find(connection, asker.workspace_id, journey_id) is None:
        raise missing("journey")
    language: Any = language_of(request)
    known = accounts.channels(connection, asker.workspace_id)
    with speaking(language, words(language).gettext):
        found = describe(document, house.catalog, known)
        found["problems"] += _of_season(connection, asker.workspace_id, journey_id, document)
        return found


def _of_season(connection: Any, workspace_id: int, journey_id: int, raw: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with the season beside the other journeys; nothing of a document that cannot be read."""
    settings = raw.get("settings")
    if not isinstance(settings, dict) or not settings.get("season"):
        return []
    try:
        document = documents.load(raw)
    except DocumentError:
        return []
    return [told(one, {}, {}) for one in seasons.problems(connection, workspace_id, journey_id, document)]
