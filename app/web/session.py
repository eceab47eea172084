"""Browser sessions, small: a login link works once and is exchanged for a cookie. Passwords come with their own issue.

GET only shows a button, so that nobody who fetches links (a mail scanner, a preview) uses one up.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import auth
from app.store import keys, workspaces
from app.web.house import House
from app.web.problems import ProblemError

COOKIE = "journey_session"
SAFE = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "::1")

routes = APIRouter(include_in_schema=False)


def refuse_forged(request: Request) -> None:
    """Refuse what another site made the browser send along with our cookie (T06). Programs send a key, not a cookie."""
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    same = (
        site == "same-origin" if site else origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    )
    if not same:
        raise ProblemError(403, "This came from another site, so it was not done.")


Target = Annotated[str, Query(max_length=2000)]


@routes.get("/login")
def show_login(request: Request, token: Annotated[str, Query(max_length=200)] = "", next: Target = "/") -> Response:
    """The button that signs in."""
    return _page(request, token, next=next)


@routes.post("/login", max_body_size=8_000)
def sign_in(
    request: Request, token: Annotated[str, Form(max_length=200)], next: Annotated[str, Form(max_length=2000)] = "/"
) -> Response:
    """Exchange a login token for a session, once."""
    refuse_forged(request)
    house: House = request.state.house
    with house.transaction() as connection:
        session = auth.open_session(connection, token, house.now())
    if session is None:
        return _page(request, "", refused=True)
    answer = RedirectResponse(safe_next(next), 303)
    secure = house.settings.base_url.startswith("https://")
    answer.set_cookie(
        COOKIE, session, max_age=int(auth.SESSION_FOR.total_seconds()), httponly=True, samesite="lax", secure=secure
    )
    return answer


@routes.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session; it opens nothing from now on, wherever a copy of the cookie lies."""
    refuse_forged(request)
    house: House = request.state.house
    with house.transaction() as connection:
        caller = auth.identify(connection, request.cookies.get(COOKIE, ""), house.now(), kind="js")
        if caller is not None:
            keys.use_up(connection, caller.key_id, house.now())
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


def safe_next(target: str) -> str:
    """Where to go after signing in: an address of ours, or the first page."""
    parts = urlsplit(target)
    ours = target.startswith("/") and not target.startswith("//") and not parts.scheme and not parts.netloc
    return target if ours and "\\" not in target and target.isprintable() else "/"


def _page(request: Request, token: str, *, refused: bool = False, next: str = "/") -> Response:
    values = {"token": token, "refused": refused, "next": safe_next(next)}
    status = 403 if refused else 200
    return request.app.state.templates.TemplateResponse(request, "login.html", values, status)  # type: ignore[no-any-return]


def workspace_of_visitor(request: Request) -> int:
    """Whose pages a browser may see: those of its session's workspace.

    In `journey run` (nothing is really sent there) a browser on the same machine needs no session: it is shown the first
    workspace. The name in the address must be local too, so that no other site can have its own name lead here.
    """
    house: House = request.state.house
    with house.transaction(read_only=True) as connection:
        caller = auth.identify(connection, request.cookies.get(COOKIE, ""), house.now(), kind="js")
        if caller is not None and auth.may(caller.role, "journey.read"):
            return caller.workspace_id
        first = workspaces.first(connection) if house.settings.sink and is_local(request) else None
    if first is None:
        raise ProblemError(401, "Sign in with the link that `journey run` printed, or that an admin made for you.")
    return first


def is_local(request: Request) -> bool:
    """Whether the browser runs on this machine and asked for a name of this machine."""
    host = request.client.host if request.client else ""
    return host in LOOPBACK and (request.url.hostname or "") in (*LOOPBACK, "localhost")
