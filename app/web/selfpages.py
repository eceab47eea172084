"""One's own page: name, language, password, and where one is signed in. Nobody changes their own role here, or anywhere."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Form, Path, Request, Response

from app import passwords, staff, throttle
from app.language import COOKIE, LANGUAGES
from app.staff import Hand, StaffError
from app.store import access, overview, secondsteps, sessions, users
from app.store.users import User
from app.web.guard import Asker, can
from app.web.page import page_router, render
from app.web.problems import missing
from app.web.session import address_of, give_cookie, new_session
from app.web.shapes import INT
from app.web.templating import A_YEAR, reading
from app.web.users import ByHand
from flows.words import _

routes = page_router()

Text = Annotated[str, Form(max_length=400)]
SessionId = Annotated[int, Path(ge=1, le=INT)]
WRONG = _("is not the one you have now")
DIFFERENT = _("is not the same as the first")
WAIT = _("was tried too often; wait a little")
EMPTY = _("must not be empty")


@routes.get("/settings/me", dependencies=[can("self.read")])
def show_self(request: Request, caller: Asker, hand: ByHand, done: str = "") -> Response:
    """The page."""
    me = own(hand)
    return render(request, "settings/me.html", {**_values(hand, me, {}), "done": done, "mine": caller.key_id})


@routes.post("/settings/me", dependencies=[can("self.edit")])
def change_self(request: Request, hand: ByHand, name: Text = "", language: Text = "") -> Response:
    """Another name or language."""
    me = own(hand)
    called = " ".join(name.split())
    if not called or len(called) > 200 or not called.isprintable():
        with reading(request) as say:
            return _part(request, "settings/_me.html", hand, me, {"name": say(EMPTY)})
    wish = {"name": called, "language": language if language in LANGUAGES else None}
    users.change(hand.connection, hand.workspace_id, me.id, wish)
    hand.note("user.change", me.id, {"name": me.name, "language": me.language}, wish)
    answer = Response(status_code=204, headers={"HX-Redirect": "/settings/me?done=saved"})
    if language in LANGUAGES:
        answer.set_cookie(COOKIE, language, max_age=A_YEAR, httponly=True, samesite="lax")
    return answer


@routes.post("/settings/me/password", dependencies=[can("self.edit")])
def change_password(
    request: Request,
    caller: Asker,
    hand: ByHand,
    present: Text = "",
    password: Text = "",
    again: Text = "",
) -> Response:
    """Another password. All sessions end; this browser gets a new one."""
    me = own(hand)
    wrong = refused(request, hand, me, present)
    errors = {"present": wrong} if wrong else {"again": DIFFERENT} if password != again else {}
    if not errors:
        try:
            staff.set_password(hand, me.id, password)
        except StaffError as error:
            errors = {error.field: error.why}
    if errors:
        with reading(request) as say:
            said = {name: say(text) for name, text in errors.items()}
        return _part(request, "settings/_password.html", hand, me, said)
    answer = Response(status_code=204, headers={"HX-Redirect": "/settings/me?done=password"})
    # Who knows the password is the person, whoever made the link they came by.
    give_cookie(request, answer, new_session(request, hand.connection, replace(caller, maker=None)))
    return answer


@routes.post("/settings/me/sessions/{session_id}/end", dependencies=[can("self.edit")])
def end_session(hand: ByHand, session_id: SessionId) -> Response:
    """Sign one browser out."""
    me = own(hand)
    if not sessions.end(hand.connection, hand.workspace_id, me.id, session_id, hand.now):
        raise missing("session")
    access.bump(hand.connection)
    hand.note("session.close", me.id, None, {"session": session_id})
    return Response(status_code=204, headers={"HX-Redirect": "/settings/me?done=session"})


@routes.post("/settings/me/sign-out", dependencies=[can("self.edit")])
def sign_out_everywhere(hand: ByHand) -> Response:
    """Every session ends, this one too."""
    me = own(hand)
    hand.note("user.sign_out", me.id, None, {"ended": staff.end_sessions(hand, me.id)})
    return Response(status_code=204, headers={"HX-Redirect": "/login"})


def own(hand: Hand) -> User:
    """Whose page it is."""
    if hand.user_id is None:
        raise missing("user")
    return staff.known(hand, hand.user_id)


def refused(request: Request, hand: Hand, me: User, present: str) -> str | None:
    """Why the present password does not count; who never had one needs none. Tried as often as at the door, no more."""
    if not me.has_password:
        return None
    hints = request.state.house.hints
    buckets = throttle.buckets(f"own:{me.id}", address_of(request))
    if throttle.take(hints, hand.connection, buckets, hand.now):
        return WAIT
    kept = users.password(hand.connection, hand.workspace_id, me.id)
    if not passwords.matches(kept, present):
        return WRONG
    throttle.forgive(hints, hand.connection, buckets)
    return None


def _values(hand: Hand, me: User, errors: dict[str, str]) -> dict[str, Any]:
    return {
        "me": me,
        "errors": errors,
        "second": secondsteps.find(hand.connection, hand.workspace_id, me.id) if me.second_step else None,
        "least": passwords.LEAST,
        "sessions": sessions.of_users(hand.connection, hand.workspace_id, [me.id], hand.now),
        "place": overview.place(hand.connection, hand.workspace_id),
    }


def _part(request: Request, template: str, hand: Hand, me: User, errors: dict[str, str]) -> Response:
    return render(request, template, _values(hand, me, errors), status=422)
