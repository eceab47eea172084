"""Keys as a page: made, listed, revoked. Each deed is the API's own; a secret is shown once."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import ValidationError

from app.auth import ROLES, Caller
from app.store import keys, overview
from app.store import users as people
from app.store.rows import Connection
from app.web import keys as api
from app.web.guard import Asker, Database, Now, can
from app.web.keys import KeyId, KeyIn
from app.web.page import ROLE_WORDS, page_router, render
from app.web.problems import ProblemError
from app.web.staffpages import ROLE_HELP
from app.web.templating import reading
from flows.problems import say as say_problem
from flows.words import _

routes = page_router()

SHOWN = 500
INGEST = _("write key")
INGEST_HELP = _("Hands in events, nothing else: for your shop and apps.")
KEY_ROLES = {"ingest": INGEST, **ROLE_WORDS}
Text = Annotated[str, Form(max_length=400)]


@routes.get("/settings/keys", dependencies=[can("key.read")])
def show_keys(request: Request, caller: Asker, connection: Database) -> Response:
    """Which keys there are."""
    return render(request, "settings/keys.html", _values(request, connection, caller))


@routes.post("/settings/keys", dependencies=[can("key.edit")])
def make_key(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    name: Text = "",
    role: Text = "ingest",
    scopes: Text = "",
) -> Response:
    """A new key, shown this once."""
    given = {"name": name.strip(), "role": role, "scopes": scopes}
    labels = [label.strip() for label in scopes.replace("，", ",").split(",") if label.strip()]
    try:
        wish = KeyIn.model_validate({**given, "scopes": labels or None})
        made = api.create_key(wish, connection, caller, now)
    except ValidationError as error:
        with reading(request) as say:
            errors = {str(one["loc"][0]): say(say_problem(one)) for one in error.errors()}
        return _form(request, given, errors)
    except ProblemError as refused:
        return _form(request, given, dict(refused.errors))
    return render(request, "settings/_once.html", {"kind": "key", "secret": made.key, "named": made.name})


@routes.post("/settings/keys/{key_id}/revoke", dependencies=[can("key.edit")])
def revoke_key_page(request: Request, caller: Asker, connection: Database, now: Now, key_id: KeyId) -> Response:
    """A key opens nothing from now on."""
    api.revoke_key(key_id, connection, caller, now)
    return render(request, "settings/_keys.html", _values(request, connection, caller))


def _values(request: Request, connection: Connection, caller: Caller) -> dict[str, Any]:
    found = keys.page(connection, caller.workspace_id, 0, SHOWN)
    staff = people.page(connection, caller.workspace_id, 0, SHOWN)
    return {
        "keys": sorted(found, key=lambda key: (key.revoked_at is not None, -key.id)),
        "owners": {user.id: user.name for user in staff},
        "place": overview.place(connection, caller.workspace_id),
        "fields": {},
        "errors": {},
        **_words(request),
    }


def _words(request: Request) -> dict[str, Any]:
    with reading(request) as say:
        helps = {"ingest": INGEST_HELP, **ROLE_HELP}
        return {
            "key_roles": {role: say(KEY_ROLES[role]) for role in ("ingest", *ROLES)},
            "role_help": {role: say(text) for role, text in helps.items()},
        }


def _form(request: Request, given: dict[str, str], errors: dict[str, str]) -> Response:
    return render(request, "settings/_key.html", {"fields": given, "errors": errors, **_words(request)}, status=422)
