"""The door of the management API: every route says what it does, and nobody comes in without a key that may do it.

A route of `router()` that declares no action cannot be made: the program does not start. The key is checked before the
body is read; the body is read strictly (bounded, no twin keys, storable). Never trusts a workspace a request names.
"""

from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from app import auth, strictjson
from app.auth import POLICY, Caller
from app.store import scopes
from app.store.rows import Connection
from app.web.house import House
from app.web.problems import ProblemError, missing
from app.web.session import cookie_of, refuse_forged, visitor
from flows.contract import Json
from flows.words import _, told

MOST = 2**63 - 1
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="journey"'}


class UnguardedError(RuntimeError):
    """A route was written without saying what it does."""


class Permission(HTTPBearer):
    """Marks a route with its action; the check itself is the route's (`GuardedRoute`), before anything is read."""

    def __init__(self, action: str) -> None:
        if action not in POLICY:
            raise UnguardedError(f"the action {action} does not stand in the policy table")
        super().__init__(scheme_name="key", description="`Authorization: Bearer jc_…`", auto_error=False)
        self.action = action

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing left to do here."""


def can(action: str) -> Any:
    """What a route does: an entry of its `dependencies`."""
    return Security(Permission(action))


class StrictRequest(Request):
    """A request whose JSON is read as strictly as at the ingest door."""

    async def json(self) -> Json:
        """The body, an object; a problem where it is not JSON, or JSON that cannot be kept."""
        return await run_in_threadpool(_read, await self.body())


class GuardedRoute(APIRoute):
    """A route that lets in only callers who may do what it declares."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the guard."""
        action, handle = action_of(self), super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(admit, request, action)
            return await handle(StrictRequest(request.scope, request.receive))

        return guarded


def action_of(route: APIRoute) -> str:
    """The action a route declares."""
    found = [one.dependency.action for one in route.dependencies if isinstance(one.dependency, Permission)]
    if len(found) != 1:
        raise UnguardedError(f"{route.path} ({route.name}) must declare exactly one action with can(…)")
    return found[0]


def router(tag: str) -> APIRouter:
    """A router of the management API."""
    return APIRouter(prefix="/api/v1", tags=[tag], route_class=GuardedRoute)


def admit(request: Request, action: str) -> Caller:
    """The caller, if the key is good and may do this."""
    caller = _bearer(request)
    if caller is None:
        raise ProblemError(401, _("This needs a valid key: send Authorization: Bearer jc_…"), headers=CHALLENGE)
    refuse_others(request, caller, action)
    return caller


def refuse_others(request: Request, caller: Caller, action: str) -> None:
    """Refuse whoever may not do this, or may not see what the address names; the latter is as if it were not there."""
    if caller.unready and action not in auth.SELF:
        raise ProblemError(
            403, _("Your workspace asks for a second step: set one up first, on your own page (/settings/me).")
        )
    if not caller.may(action):
        raise ProblemError(
            403, told(_("The role {role} may not do this ({action})."), role=told(caller.role), action=action)
        )
    named = {name: int(value) for name, value in request.path_params.items() if _is_number(name, value)}
    if caller.scopes is None or not named:
        return
    house: House = request.state.house
    with house.transaction(read_only=True, limit=caller.scopes) as connection:
        if not scopes.sees(connection, caller.workspace_id, named):
            raise missing(next(iter(named)).removesuffix("_id"))


def _is_number(name: str, value: object) -> bool:
    text = str(value)
    return name in scopes.NAMED and text.isascii() and text.isdecimal() and int(text) <= MOST


def _bearer(request: Request) -> Caller | None:
    header = request.headers.get("authorization")
    if header is None:
        if cookie_of(request):
            refuse_forged(request)
        return visitor(request)
    scheme, _, token = header.partition(" ")
    house: House = request.state.house
    with house.transaction(read_only=True) as connection:
        return auth.identify(connection, token.strip(), house.now()) if scheme.lower() == "bearer" else None


def _read(body: bytes) -> Json:
    try:
        return strictjson.load(body).value
    except strictjson.Refused as refused:
        raise ProblemError(refused.status, _("The body cannot be read."), errors=refused.problems) from None


def _house(request: Request) -> House:
    house: House = request.state.house
    return house


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _database(request: Request) -> Iterator[Connection]:
    house: House = request.state.house
    caller: Caller | None = getattr(request.state, "caller", None)
    limit = caller.scopes if caller else None
    with house.transaction(read_only=request.method in ("GET", "HEAD", "OPTIONS"), limit=limit) as connection:
        yield connection


def _now(request: Request) -> datetime:
    house: House = request.state.house
    return house.now()


# `scope="function"`: committed before the answer leaves, so a 2xx is never lost.
Database = Annotated[Connection, Depends(_database, scope="function")]
Asker = Annotated[Caller, Depends(_caller)]
Now = Annotated[datetime, Depends(_now)]
TheHouse = Annotated[House, Depends(_house)]
