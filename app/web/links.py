"""Where links in messages lead back to: clicks and opens. A token is the only key, and opens only its own.

What machines click is kept and decides nothing (H63). The way out is in `preferences`.
"""

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.links import Purpose, Token, Tokens, can_lead
from app.store import links, receipts
from app.store.receipts import Said
from app.web.guard import TheHouse
from app.web.house import House
from app.web.problems import missing

routes = APIRouter(include_in_schema=False)

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
QUIET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
PREFETCH = ("purpose", "sec-purpose", "x-purpose", "x-moz")
MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|prefetch|monitor|curl|wget|python-|java/|go-http|okhttp|headless|barracuda"
    r"|proofpoint|mimecast|symantec|safelinks|urldefense|slackbot|facebookexternalhit|whatsapp|telegrambot",
    re.IGNORECASE,
)


@routes.api_route("/r/{token}", methods=["GET", "HEAD"])
def click(request: Request, token: str, house: TheHouse) -> Response:
    """Count the click and lead on to the stored address; an address in the request is never followed (T04)."""
    said = read_token(house, "click", token)
    with house.transaction() as connection:
        address = links.find(connection, said.workspace_id, said.target)
        if address is None or not can_lead(address):
            raise missing("link")
        if request.method == "GET":
            machine = is_machine(request)
            event = f"{'machine/' if machine else ''}{said.target}"
            detail = {"url": address, **({"machine": True} if machine else {})}
            word = Said(said.workspace_id, said.message_id, "clicked", event, house.now(), detail)
            receipts.add(connection, [word])
    return RedirectResponse(address, 302, QUIET)


@routes.api_route("/o/{token}.gif", methods=["GET", "HEAD"])
def opened(request: Request, token: str, house: TheHouse) -> Response:
    """Count the open; one transparent point comes back."""
    said = read_token(house, "open", token)
    if request.method == "GET":
        machine = is_machine(request)
        detail = {"machine": True} if machine else {}
        word = Said(said.workspace_id, said.message_id, "opened", "machine" if machine else "", house.now(), detail)
        with house.transaction() as connection:
            receipts.add(connection, [word])
    return Response(PIXEL, media_type="image/gif", headers=QUIET)


def is_machine(request: Request) -> bool:
    """Whether a program fetched this ahead of, or instead of, a person."""
    fetched_ahead = any(
        word in request.headers.get(name, "").lower() for name in PREFETCH for word in ("prefetch", "preview")
    )
    agent = request.headers.get("user-agent", "")
    return fetched_ahead or not agent or bool(MACHINES.search(agent))


def read_token(house: House, purpose: Purpose, token: str) -> Token:
    said = Tokens(house.settings.secret_bytes).read(purpose, token)
    if said is None:
        raise missing("link")
    return said
