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
from app.store.rows import Connection
from app.web.house import House
from app.web.problems import ProblemError
from app.web.session import COOKIE, refuse_forged
from flows.contract import Json

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
    house: House = request.state.house
    token, kind = _token(request)
    with house.transaction(read_only=True) as connection:
        caller = auth.identify(connection, token, house.now(), kind=kind) if token else None
    if caller is None:
        raise ProblemError(401, "This needs a valid key: send Authorization: Bearer jc_…", headers=CHALLENGE)
    if not auth.may(caller.role, action):
        raise ProblemError(403, f"The role {caller.role} may not do this ({action}).")
    return caller


def _token(request: Request) -> tuple[str, auth.Kind]:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return (token.strip() if scheme.lower() == "bearer" else ""), "jc"
    cookie = request.cookies.get(COOKIE, "")
    if cookie:
        refuse_forged(request)
    return cookie, "js"


def _read(body: bytes) -> Json:
    try:
        return strictjson.load(body).value
    except strictjson.Refused as refused:
        raise ProblemError(refused.status, "The body cannot be read.", errors=refused.problems) from None


def _house(request: Request) -> House:
    house: House = request.state.house
    return house


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _database(request: Request) -> Iterator[Connection]:
    house: House = request.state.house
    with house.transaction(read_only=request.method in ("GET", "HEAD", "OPTIONS")) as connection:
        yield connection


def _now(request: Request) -> datetime:
    house: House = request.state.house
    return house.now()


# `scope="function"`: committed before the answer leaves, so a 2xx is never lost.
Database = Annotated[Connection, Depends(_database, scope="function")]
Asker = Annotated[Caller, Depends(_caller)]
Now = Annotated[datetime, Depends(_now)]
TheHouse = Annotated[House, Depends(_house)]
