"""The people who work here, over HTTP: added, listed, given another role."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict, StringConstraints

from app.auth import Role
from app.store import users
from app.web.guard import Asker, Database, Now, can, router
from app.web.problems import ProblemError, invalid, missing
from app.web.shapes import INT, PAGE, In, Limit, Next, Out, Page, Text, paged, place_of

routes = router("users")

UserId = Annotated[int, Path(ge=1, le=INT, description="Number of the user.", examples=[3])]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]


class UserIn(In):
    """A new user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "li@shop.example", "name": "Li Na", "role": "reviewer"}]}
    )
    email: Email
    name: Text
    role: Role


class RoleIn(In):
    """Another role."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator"}]})
    role: Role


class UserOut(Out):
    """A person who works here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 3,
                    "email": "li@shop.example",
                    "name": "Li Na",
                    "role": "reviewer",
                    "created_at": "2026-11-21T08:00:00Z",
                }
            ]
        }
    )
    id: int
    email: str
    name: str
    role: Role
    created_at: datetime


@routes.post("/users", status_code=201, dependencies=[can("user.edit")])
def create_user(user: UserIn, connection: Database, asker: Asker, now: Now) -> UserOut:
    """Add a user; keys made for them can do at most what their role allows."""
    made = users.add(connection, asker.workspace_id, email=user.email, name=user.name, role=user.role, now=now)
    if made is None:
        raise ProblemError(409, "There is a user with this address already.", errors=[("email", "is taken")])
    return UserOut(**made._asdict())


@routes.get("/users", dependencies=[can("user.read")])
def list_users(connection: Database, asker: Asker, limit: Limit = PAGE, next: Next = None) -> Page[UserOut]:
    """List the users."""
    place = place_of(next, int)
    found = users.page(connection, asker.workspace_id, place[0] if place else 0, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=[UserOut(**row._asdict()) for row in rows], next=after)


@routes.patch("/users/{user_id}", dependencies=[can("user.edit")])
def change_role(user_id: UserId, change: RoleIn, connection: Database, asker: Asker) -> UserOut:
    """Give a user another role; it holds for their keys and sessions from the next request on. Not for yourself."""
    if user_id == asker.user_id:
        raise invalid([("role", "is your own; another admin has to change it")])
    changed = users.set_role(connection, asker.workspace_id, user_id, change.role)
    if changed is None:
        raise missing("user")
    if users.admins(connection, asker.workspace_id) == 0:
        raise ProblemError(409, "This is the last admin; make another one first.")
    return UserOut(**changed._asdict())
