"""People and keys as pages: invite, change a role, make and revoke keys. Each deed is the API's own; a secret is shown once."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import ValidationError

from app import auth
from app.auth import ROLES, Caller
from app.store import keys, overview
from app.store import users as people
from app.store.rows import Connection
from app.web import keys as key_api
from app.web import users as user_api
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.keys import KeyId, KeyIn
from app.web.page import ROLE_WORDS, page_router, render
from app.web.problems import missing
from app.web.templating import reading
from app.web.users import RoleIn, UserId, UserIn
from flows.problems import say as say_problem
from flows.words import _

routes = page_router()

SHOWN = 500
KEY_ROLES = ("ingest", *ROLES)
ROLE_HELP = {
    "ingest": _("Hands in events, nothing else: for your shop and apps."),
    "viewer": _("Looks at everything, changes nothing."),
    "operator": _("Draws, hands in, publishes what is approved, pauses."),
    "reviewer": _("All an operator may, and approves what others drew."),
    "admin": _("Everything, people, keys and accounts too."),
}
INGEST = _("write key")
Text = Annotated[str, Form(max_length=400)]


@routes.get("/settings/keys", dependencies=[can("key.read")])
def show_staff(request: Request, caller: Asker, connection: Database) -> Response:
    """Who works here, and which keys there are."""
    return render(request, "settings/keys.html", _values(request, connection, caller))


@routes.post("/settings/people", dependencies=[can("user.edit")])
def invite(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    email: Text = "",
    name: Text = "",
    role: Text = "operator",
) -> Response:
    """Somebody new, with a link that signs them in once."""
    given = {"email": email.strip(), "name": name.strip() or email.partition("@")[0], "role": role}
    wish, errors = _read(request, UserIn, given)
    if wish is None:
        return _form(request, "settings/_invite.html", given, errors)
    made = user_api.create_user(wish, connection, caller, now)
    return _link(request, house.settings.base_url, connection, caller, now, made.id)


@routes.post("/settings/people/{user_id}/link", dependencies=[can("user.edit")])
def make_link(
    request: Request, house: TheHouse, caller: Asker, connection: Database, now: Now, user_id: UserId
) -> Response:
    """Another link for somebody who is here already."""
    return _link(request, house.settings.base_url, connection, caller, now, user_id)


@routes.post("/settings/people/{user_id}/role", dependencies=[can("user.edit")])
def change_role_page(
    request: Request, caller: Asker, connection: Database, user_id: UserId, role: Text = ""
) -> Response:
    """Another role for somebody."""
    wish, _errors = _read(request, RoleIn, {"role": role})
    if wish is None:
        raise missing("role")
    user_api.change_role(user_id, wish, connection, caller)
    return render(request, "settings/_people.html", _values(request, connection, caller))


@routes.post("/settings/keys", dependencies=[can("key.edit")])
def make_key(
    request: Request, caller: Asker, connection: Database, now: Now, name: Text = "", role: Text = "ingest"
) -> Response:
    """A new key, shown this once."""
    given = {"name": name.strip(), "role": role}
    wish, errors = _read(request, KeyIn, given)
    if wish is None:
        return _form(request, "settings/_key.html", given, errors)
    made = key_api.create_key(wish, connection, caller, now)
    return render(request, "settings/_once.html", {"kind": "key", "secret": made.key, "named": made.name})


@routes.post("/settings/keys/{key_id}/revoke", dependencies=[can("key.edit")])
def revoke_key_page(request: Request, caller: Asker, connection: Database, now: Now, key_id: KeyId) -> Response:
    """A key opens nothing from now on."""
    key_api.revoke_key(key_id, connection, caller, now)
    return render(request, "settings/_keys.html", _values(request, connection, caller))


def _values(request: Request, connection: Connection, caller: Caller) -> dict[str, Any]:
    found = keys.page(connection, caller.workspace_id, 0, SHOWN)
    staff = people.page(connection, caller.workspace_id, 0, SHOWN)
    return {
        "users": staff,
        "keys": sorted(found, key=lambda key: (key.revoked_at is not None, -key.id)),
        "owners": {user.id: user.name for user in staff},
        "place": overview.place(connection, caller.workspace_id),
        "fields": {},
        "errors": {},
        **_words(request),
    }


def _words(request: Request) -> dict[str, Any]:
    with reading(request) as say:
        return {
            "roles": {role: say(ROLE_WORDS[role]) for role in ROLES},
            "key_roles": {role: say(ROLE_WORDS.get(role, INGEST)) for role in KEY_ROLES},
            "role_help": {role: say(text) for role, text in ROLE_HELP.items()},
        }


def _link(request: Request, base: str, connection: Connection, caller: Caller, now: Any, user_id: int) -> Response:
    user = people.find(connection, caller.workspace_id, user_id)
    if user is None:
        raise missing("user")
    token = auth.login(connection, user.id, caller.workspace_id, now)
    values = {"kind": "link", "secret": f"{base}/login?token={token}", "named": user.name}
    return render(request, "settings/_once.html", values)


def _read(request: Request, model: Any, given: dict[str, str]) -> tuple[Any, dict[str, str]]:
    """What the form describes, or what is wrong with each field."""
    try:
        return model.model_validate(given), {}
    except ValidationError as error:
        with reading(request) as say:
            return None, {str(one["loc"][0]): say(say_problem(one)) for one in error.errors()}


def _form(request: Request, template: str, given: dict[str, str], errors: dict[str, str]) -> Response:
    return render(request, template, {"fields": given, "errors": errors, **_words(request)}, status=422)
