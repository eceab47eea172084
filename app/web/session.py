"""Browser sessions: a password or a link that works once is exchanged for a cookie. Never says whether an address is known.

Who has a second step is given the cookie of a question first, and a session for its code.

GET only shows forms and a button, so that nobody who fetches links (a mail scanner, a preview) uses one up.
"""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from app import auth
from app.auth import Caller
from app.signin import Came, Knock, by_code, by_link, by_password, note_refused
from app.store import keys, sessions, workspaces
from app.store.rows import Connection
from app.web.devices import device_of
from app.web.glasses import glasses_of
from app.web.house import House
from app.web.problems import ProblemError, missing
from flows.words import _

COOKIE = "journey_session"
STEP_COOKIE = "journey_step"  # that of a sign-in which waits for its code
HOST = "__Host-"  # browsers take such a cookie over https only, from this host, for all of it
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
        raise ProblemError(403, _("This came from another site, so it was not done."))


def cookie_of(request: Request) -> str:
    """The session that the browser says it has."""
    return request.cookies.get(_cookie_name(request.state.house), "")


def visitor(request: Request, *, touch: bool = True) -> Caller | None:
    """Who is signed in with this browser; that they were here is kept to the minute. A stream alone is no sign of life."""
    house: House = request.state.house
    cookie = cookie_of(request)
    if not cookie:
        return None
    now = house.now()
    with house.transaction(read_only=True) as connection:
        caller = auth.identify(connection, cookie, now, kind="js")
    seen = caller.seen_at if caller else None
    if touch and caller and seen and now - seen >= sessions.TOUCH_EVERY and not request.url.path.endswith("/stream"):
        with house.transaction() as connection:
            sessions.touch(connection, caller.key_id, now)
    return caller


Target = Annotated[str, Query(max_length=2000)]
Field = Annotated[str, Form(max_length=400)]


@routes.get("/login")
def show_login(request: Request, token: Annotated[str, Query(max_length=200)] = "", next: Target = "/") -> Response:
    """The form, or the button of a link."""
    return _page(request, token, next=next)


@routes.post("/login", max_body_size=8_000)
def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=200)] = "",
    email: Field = "",
    password: Field = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Exchange a login link, once, or an address and its password for a session."""
    refuse_forged(request)
    knock = _knock(request)
    if token:
        came = by_link(knock, token, cookie_of(request))
        return _led_on(request, came, next) or _page(request, "", refused="link")
    came = by_password(knock, email.strip(), password, cookie_of(request))
    answer = _led_on(request, came, next)
    if answer is None:
        refused = "often" if came.wait else "password"
        answer = _page(request, "", refused=refused, next=next, email=email, wait=came.wait)
        if came.known:
            answer.background = BackgroundTask(note_refused, knock, came.known)
    return answer


@routes.get("/login/code")
def show_code(request: Request, next: Target = "/") -> Response:
    """The question for the code of a second step."""
    house: House = request.state.house
    with house.transaction(read_only=True) as connection:
        asked = auth.identify(connection, _step_of(request), house.now(), kind="jp")
    return RedirectResponse("/login", 303) if asked is None else _question(request, next)


@routes.post("/login/code", max_body_size=8_000)
def give_code(request: Request, code: Field = "", next: Annotated[str, Form(max_length=2000)] = "/") -> Response:
    """Exchange the code for the session that was asked for."""
    refuse_forged(request)
    house: House = request.state.house
    came = by_code(_knock(request), _step_of(request), code, cookie_of(request), house.settings.secret_bytes)
    if came.over:
        return _page(request, "", refused="late", next=next)
    answer = _led_on(request, came, next)
    if answer is None:
        return _question(request, next, refused="often" if came.wait else "code", wait=came.wait)
    answer.delete_cookie(_name(house, STEP_COOKIE), secure=_is_secure(house), httponly=True, samesite="lax")
    return answer


def _knock(request: Request) -> Knock:
    house: House = request.state.house
    return Knock(house.transaction, house.hints, house.now(), device_of(request), address_of(request), _idle(house))


def _led_on(request: Request, came: Came, next: str) -> Response | None:
    """On to where they wanted, or to the question for the code; None for who did not come in."""
    house: House = request.state.house
    if came.cookie is not None:
        answer = RedirectResponse(safe_next(next), 303)
        give_cookie(request, answer, came.cookie)
        return answer
    if came.pending is None:
        return None
    wanted = safe_next(next)
    answer = RedirectResponse("/login/code" + (f"?{urlencode({'next': wanted})}" if wanted != "/" else ""), 303)
    age = int(auth.PENDING_FOR.total_seconds())
    name, secure = _name(house, STEP_COOKIE), _is_secure(house)
    answer.set_cookie(name, came.pending, max_age=age, httponly=True, samesite="lax", secure=secure, path="/")
    return answer


def give_cookie(request: Request, answer: Response, cookie: str) -> None:
    """Let the browser keep a session."""
    house: House = request.state.house
    name, age, secure = _cookie_name(house), int(auth.SESSION_FOR.total_seconds()), _is_secure(house)
    answer.set_cookie(name, cookie, max_age=age, httponly=True, samesite="lax", secure=secure, path="/")


def new_session(request: Request, connection: Connection, caller: Caller) -> str:
    """A session with a new id for somebody who is signed in already: after a change of what they may do or know."""
    house: House = request.state.house
    assert caller.user_id is not None
    return auth.begin_session(
        connection,
        caller.workspace_id,
        caller.user_id,
        house.now(),
        device=device_of(request),
        idle=_idle(house),
        maker=caller.maker,
    )


@routes.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session; it opens nothing from now on, wherever a copy of the cookie lies."""
    refuse_forged(request)
    house: House = request.state.house
    with house.transaction() as connection:
        caller = auth.identify(connection, cookie_of(request), house.now(), kind="js")
        if caller is not None:
            keys.use_up(connection, caller.key_id, house.now())
            auth.note_session(connection, caller, "session.close", house.now())
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(_cookie_name(house), secure=_is_secure(house), httponly=True, samesite="lax")
    return answer


def safe_next(target: str) -> str:
    """Where to go after signing in: an address of ours, or the first page."""
    parts = urlsplit(target)
    ours = target.startswith("/") and not target.startswith("//") and not parts.scheme and not parts.netloc
    return target if ours and "\\" not in target and target.isprintable() else "/"


def _page(
    request: Request, token: str, *, refused: str = "", next: str = "/", email: str = "", wait: int = 0
) -> Response:
    values = {"token": token, "refused": refused, "next": safe_next(next), "email": email, "wait": wait}
    status = 429 if wait else 403 if refused else 200
    answer: Response = request.app.state.templates.TemplateResponse(request, "login.html", values, status)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _question(request: Request, next: str, *, refused: str = "", wait: int = 0) -> Response:
    values = {"next": safe_next(next), "refused": refused, "wait": wait}
    status = 429 if wait else 403 if refused else 200
    answer: Response = request.app.state.templates.TemplateResponse(request, "login_code.html", values, status)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _step_of(request: Request) -> str:
    return request.cookies.get(_name(request.state.house, STEP_COOKIE), "")


def _is_secure(house: House) -> bool:
    return house.settings.base_url.startswith("https://")


def _name(house: House, cookie: str) -> str:
    return f"{HOST}{cookie}" if _is_secure(house) else cookie


def _cookie_name(house: House) -> str:
    return _name(house, COOKIE)


def _idle(house: House) -> timedelta | None:
    """How long a session may lie idle. In `journey run` on one's own machine (nothing is really sent there) it may."""
    return None if house.settings.sink else auth.IDLE_FOR


def address_of(request: Request) -> str:
    """From where a request came."""
    return request.client.host if request.client else ""


def workspace_of_visitor(request: Request) -> int:
    """Whose pages a browser may see: those of its session's workspace.

    In `journey run` (nothing is really sent there) a browser on the same machine needs no session: it is shown the first
    workspace. The name in the address must be local too, so that no other site can have its own name lead here.
    """
    house: House = request.state.house
    caller = visitor(request)
    if caller is not None and caller.may("message.read") and not caller.unready:
        with house.transaction(read_only=True) as connection:
            masked = glasses_of(connection, caller).hidden
        if masked or caller.scopes is not None:
            raise missing("page")  # what was caught bears no label, and is shown as it would have arrived
        return caller.workspace_id
    first = None
    if house.settings.sink and is_local(request):
        with house.transaction(read_only=True) as connection:
            first = workspaces.first(connection)
    if first is None:
        raise ProblemError(401, _("Sign in with the link that `journey run` printed, or that an admin made for you."))
    return first


def is_local(request: Request) -> bool:
    """Whether the browser runs on this machine and asked for a name of this machine."""
    host = request.client.host if request.client else ""
    return host in LOOPBACK and (request.url.hostname or "") in (*LOOPBACK, "localhost")
