"""Pages of the sink: what would have been sent, as the contact would see it. Only there in `journey run`.

A mail is shown in a frame without scripts and without our origin: it is somebody's HTML, not ours (T05).
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.store import caught, overview
from app.store.caught import Catch
from app.web.guard import TheHouse
from app.web.house import House
from app.web.problems import missing
from app.web.session import workspace_of_visitor
from app.web.templating import PAGE_HEADERS, channel_words, icons, remember_language

routes = APIRouter(include_in_schema=False)
Visited = Annotated[int, Depends(workspace_of_visitor)]  # the workspace whose times and name the page shows

A_PAGE = 50
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:"
# The frame inherits the page's policy, so the page has to allow what a mail is made of; it has no script to protect.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: http: https:; frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# Inside of the shell run the shell's own scripts; the frame's sandbox and its own policy let none run in a mail.
SHELL_POLICY = f"{PAGE_POLICY}; script-src 'self'; connect-src 'self'"


@routes.get("/sink")
def show_all(
    request: Request,
    house: TheHouse,
    workspace_id: Visited,
    channel: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The newest first, by channel if asked."""
    _only_with_a_sink(house)
    with house.transaction(read_only=True) as connection:
        found = caught.newest(connection, workspace_id, channel=channel or None, before=before, limit=A_PAGE + 1)
        channels = caught.channels(connection, workspace_id)
        told = overview.house(connection, workspace_id)
    more = found[A_PAGE - 1].id if len(found) > A_PAGE else None
    values = {"items": found[:A_PAGE], "channels": channels, "channel": channel, "before": more, "place": told}
    return _page(request, house, "sink/list.html", values)


@routes.get("/sink/{id}")
def show_one(
    request: Request, house: TheHouse, workspace_id: Visited, id: Annotated[int, Path(ge=1, le=2**62)]
) -> Response:
    """One message: a mail in its frame, an in-app message on its phone, a webhook as JSON."""
    _only_with_a_sink(house)
    with house.transaction(read_only=True) as connection:
        found = caught.find(connection, workspace_id, id)
        told = overview.house(connection, workspace_id)
    if found is None:
        raise missing("caught message")
    values = {"one": found, "mail": _framed(found), "body": _pretty(found), "place": told}
    return _page(request, house, "sink/one.html", values)


def _only_with_a_sink(house: House) -> None:
    if not house.settings.sink:
        raise missing("page")


def _framed(one: Catch) -> str:
    """The mail as the frame's document; links open in a window of their own."""
    html = str(one.content.get("html") or "")
    if not html:
        return ""
    head = f'<meta http-equiv="Content-Security-Policy" content="{FRAME_POLICY}"><base target="_blank">'
    return f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{html}</body></html>"


def _pretty(one: Catch) -> str:
    body = one.content.get("body", "")
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)


def _page(request: Request, house: House, name: str, values: dict[str, Any]) -> Response:
    drawings = icons(request, house.catalog)
    own = {
        "now": house.now(),
        "channel_words": channel_words(request, house.catalog),
        "channel_icons": {node.channel.name: drawings[node.type] for node in house.catalog.values() if node.channel},
    }
    around = request.app.state.shell(request)
    headers = {**PAGE_HEADERS, "Content-Security-Policy": SHELL_POLICY if around else PAGE_POLICY}
    page: Response = request.app.state.templates.TemplateResponse(
        request, name, {**around, **values, **own}, headers=headers
    )
    remember_language(request, page)
    return page
