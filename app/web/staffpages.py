"""People as pages: invite, change a role, limit to scopes, disable, sign out. Each deed is `staff`'s; a link is shown once."""

from typing import Annotated, Any, Literal

from fastapi import Form, Request, Response
from pydantic import ValidationError
from starlette.background import BackgroundTask

from app import invitations, publishing, staff
from app.auth import ROLES, Caller
from app.staff import Hand, StaffError
from app.store import overview, secondsteps, sessions, workspaces
from app.store import users as people
from app.store.rows import Connection
from app.store.users import User
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.house import House
from app.web.journeys import AtDesk
from app.web.page import ROLE_WORDS, page_router, render, toast
from app.web.shapes import INT
from app.web.templating import reading
from app.web.users import ByHand, UserId, UserIn
from flows.problems import say as say_problem
from flows.words import _

routes = page_router()

SHOWN = 500
ROLE_HELP = {
    "viewer": _("Looks at everything, changes nothing."),
    "operator": _("Draws, hands in, publishes what is approved, pauses."),
    "reviewer": _("Comments, approves what others drew, publishes and pauses. Edits nothing."),
    "admin": _("Everything, people, keys and accounts too."),
}
Text = Annotated[str, Form(max_length=400)]
NO_NUMBER = _("is a whole number, such as 100000; leave it empty where one is always enough")


@routes.get("/settings/people", dependencies=[can("user.read")])
def show_people(request: Request, caller: Asker, connection: Database, now: Now) -> Response:
    """Who works here."""
    values = {**_values(request, connection, caller, now), "fields": {}, "errors": {}}
    return render(request, "settings/people.html", values)


@routes.post("/settings/people", dependencies=[can("user.edit")])
def invite(
    request: Request,
    house: TheHouse,
    hand: ByHand,
    email: Text = "",
    name: Text = "",
    role: Text = "operator",
    scopes: Text = "",
) -> Response:
    """Somebody new, with a link that signs them in once within a week."""
    given = {"email": email.strip(), "name": name.strip() or email.partition("@")[0], "role": role, "scopes": scopes}
    wish, errors = _read(request, given)
    if wish is None:
        return _form(request, "settings/_invite.html", given, errors)
    try:
        made = staff.add(hand, email=wish.email, name=wish.name, role=wish.role, scopes=wish.scopes)
    except StaffError as refused:
        return _form(request, "settings/_invite.html", given, _said(request, refused))
    return _link(request, house, hand, made)


@routes.post("/settings/people/second", dependencies=[can("policy.edit")])
def change_second(request: Request, desk: AtDesk, second_over: Text = "") -> Response:
    """Over how many reachable people an approval takes two; an empty field: one is always enough."""
    said = second_over.strip().replace(",", "").replace(" ", "")
    if said and not (said.isascii() and said.isdecimal() and int(said) <= INT):
        with reading(request) as say:
            values = {"second_over": second_over, "second_error": say(NO_NUMBER)}
        return render(request, "settings/_second.html", values, status=422)
    publishing.ask_two(desk, int(said) if said else None)
    answer = render(request, "settings/_second.html", {"second_over": int(said) if said else None})
    with reading(request) as say:
        return toast(answer, say(_("Saved.")))


@routes.get("/settings/people/{user_id}", dependencies=[can("user.edit")])
def show_person(request: Request, hand: ByHand, user_id: UserId) -> Response:
    """What can be changed about somebody, and where they are signed in."""
    user = staff.known(hand, user_id)
    fields = {**user._asdict(), "scopes": ", ".join(user.scopes or ())}
    return render(request, "settings/_person.html", _person(request, hand, user, fields, {}))


@routes.post("/settings/people/{user_id}", dependencies=[can("user.edit")])
def change_person(
    request: Request, hand: ByHand, user_id: UserId, name: Text = "", role: Text = "", scopes: Text = ""
) -> Response:
    """Another name, role or limit."""
    user = staff.known(hand, user_id)
    given = {"email": user.email, "name": name.strip(), "role": role or user.role, "scopes": scopes}
    wish, errors = _read(request, given)
    if wish is not None:
        try:
            staff.change(hand, user_id, wish.model_dump(include={"name", "role", "scopes"}))
            return _back()
        except StaffError as refused:
            errors = _said(request, refused)
    return render(request, "settings/_person.html", _person(request, hand, user, given, errors), status=422)


@routes.post("/settings/people/{user_id}/state", dependencies=[can("user.edit")])
def change_state(hand: ByHand, user_id: UserId, to: Annotated[Literal["out", "in"], Form()]) -> Response:
    """Keep somebody out from now on, or let them in again."""
    staff.change(hand, user_id, {"disabled_at": hand.now if to == "out" else None})
    return _back()


@routes.post("/settings/people/{user_id}/sign-out", dependencies=[can("user.edit")])
def sign_out_person(hand: ByHand, user_id: UserId) -> Response:
    """End all their sessions."""
    staff.known(hand, user_id)
    hand.note("user.sign_out", user_id, None, {"ended": staff.end_sessions(hand, user_id)})
    return _back()


@routes.post("/settings/people/{user_id}/link", dependencies=[can("user.edit")])
def make_link(request: Request, house: TheHouse, hand: ByHand, user_id: UserId) -> Response:
    """Another link for somebody who is here already; it is also how a forgotten password is set anew."""
    return _link(request, house, hand, staff.known(hand, user_id))


def _values(request: Request, connection: Connection, caller: Caller, now: Any) -> dict[str, Any]:
    found = people.page(connection, caller.workspace_id, 0, SHOWN)
    seen: dict[int, Any] = {}
    for one in sessions.of_users(connection, caller.workspace_id, [user.id for user in found], now):
        seen.setdefault(one.user_id, one.seen_at or one.created_at)
    return {
        "users": sorted(found, key=lambda user: (user.disabled_at is not None, user.id)),
        "seen": seen,
        "labels": sorted({label for user in found for label in user.scopes or ()}),
        "place": overview.place(connection, caller.workspace_id),
        "second_over": workspaces.second_over(connection, caller.workspace_id),
        "required": secondsteps.required(connection, caller.workspace_id),
        **_words(request),
    }


def _person(request: Request, hand: Hand, user: User, fields: Any, errors: dict[str, str]) -> dict[str, Any]:
    return {
        "user": user,
        "fields": fields,
        "errors": errors,
        "sessions": sessions.of_users(hand.connection, hand.workspace_id, [user.id], hand.now),
        "place": overview.place(hand.connection, hand.workspace_id),
        **_words(request),
    }


def _words(request: Request) -> dict[str, Any]:
    with reading(request) as say:
        return {
            "roles": {role: say(ROLE_WORDS[role]) for role in ROLES},
            "role_help": {role: say(text) for role, text in ROLE_HELP.items()},
        }


def _link(request: Request, house: House, hand: Hand, user: User) -> Response:
    """The link, shown once; an invitation goes out by mail as well where there is an account for it."""
    token = staff.invite(hand, user)
    first = user.joined_at is None
    then = "&next=/settings/me" if not user.has_password else ""
    secret = f"{house.settings.base_url}/login?token={token}{then}"
    letter = _mailed(request, house, hand, user, secret) if first else None
    values = {
        "kind": "invitation" if first else "link",
        "secret": secret,
        "named": user.name,
        "mailed": user.email if letter else "",
    }
    answer = render(request, "settings/_once.html", values)
    answer.background = letter
    return answer


def _mailed(request: Request, house: House, hand: Hand, user: User, link: str) -> BackgroundTask | None:
    account = invitations.account_of(hand.connection, hand.workspace_id)
    channels = [node.channel for node in house.catalog.values() if node.channel and node.channel.name == "email"]
    if account is None or not channels:
        return None
    place = overview.place(hand.connection, hand.workspace_id).name
    with reading(request) as say:
        subject = say(_("You are invited to %(place)s on Journey Canvas")) % {"place": place}
        text = say(_("Hello %(name)s,\n\nthis link signs you in, once and within a week:\n\n%(link)s\n"))
    letter = invitations.Letter(user.email, subject, text % {"name": user.name, "link": link})
    return BackgroundTask(invitations.send, house.settings, channels[0], account, hand.workspace_id, letter, hand.now)


def _read(request: Request, given: dict[str, str]) -> tuple[UserIn | None, dict[str, str]]:
    """Whom the form describes, or what is wrong with each field."""
    labels = [label.strip() for label in given["scopes"].replace("，", ",").split(",") if label.strip()]
    try:
        return UserIn.model_validate({**given, "scopes": labels or None}), {}
    except ValidationError as error:
        with reading(request) as say:
            return None, {str(one["loc"][0]): say(say_problem(one)) for one in error.errors()}


def _said(request: Request, refused: StaffError) -> dict[str, str]:
    with reading(request) as say:
        return {refused.field: say(refused.why)}


def _form(request: Request, template: str, given: dict[str, str], errors: dict[str, str]) -> Response:
    return render(request, template, {"fields": given, "errors": errors, "labels": [], **_words(request)}, status=422)


def _back() -> Response:
    return Response(status_code=204, headers={"HX-Redirect": "/settings/people"})
