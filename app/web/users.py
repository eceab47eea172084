"""The people who work here, over HTTP: added, listed, given another role, limited to scopes, disabled, signed out."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import ConfigDict, Field, StringConstraints

from app import secondstep, staff
from app.auth import Role
from app.staff import Hand
from app.store import users
from app.store.users import User
from app.web.guard import Asker, Database, Now, can, router
from app.web.shapes import INT, PAGE, In, Limit, Next, Out, Page, Text, paged, place_of

routes = router("users")

UserId = Annotated[int, Path(ge=1, le=INT, description="Number of the user.", examples=[3])]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Scope = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f,]+$")]
ScopeList = Annotated[
    list[Scope],
    Field(min_length=1, max_length=50, description="Only journeys and plans with one of these labels; null: all."),
]
SAMPLE: dict[str, Any] = {
    "id": 3,
    "email": "li@shop.example",
    "name": "Li Na",
    "role": "operator",
    "scopes": ["shanghai"],
    "created_at": "2026-11-21T08:00:00Z",
    "joined_at": "2026-11-21T09:00:00Z",
    "disabled_at": None,
    "second_step": False,
}


class UserIn(In):
    """A new user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "li@shop.example", "name": "Li Na", "role": "reviewer"}]}
    )
    email: Email
    name: Text
    role: Role
    scopes: ScopeList | None = None


class UserChange(In):
    """What shall change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator", "scopes": ["shanghai"]}]})
    name: Text | None = None
    role: Role | None = None
    scopes: ScopeList | None = None
    disabled: bool | None = Field(None, strict=True, description="Whether they are kept out.")


class UserOut(Out):
    """A person who works here. Invited and not come in yet: `joined_at` is null."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    id: int
    email: str
    name: str
    role: Role
    scopes: list[str] | None
    created_at: datetime
    joined_at: datetime | None
    disabled_at: datetime | None
    second_step: bool


class SignedOut(Out):
    """How many sessions and links ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ended": 2}]})
    ended: int


def _hand(connection: Database, asker: Asker, now: Now) -> Hand:
    return Hand(connection, asker.workspace_id, asker.actor, asker.user_id, now, asker.maker)


ByHand = Annotated[Hand, Depends(_hand, scope="function")]


@routes.post("/users", status_code=201, dependencies=[can("user.edit")])
def create_user(user: UserIn, hand: ByHand) -> UserOut:
    """Add a user; keys made for them can do at most what their role allows."""
    made = staff.add(hand, email=user.email, name=user.name, role=user.role, scopes=user.scopes)
    return user_out(made)


@routes.get("/users", dependencies=[can("user.read")])
def list_users(connection: Database, asker: Asker, limit: Limit = PAGE, next: Next = None) -> Page[UserOut]:
    """List the users."""
    place = place_of(next, int)
    found = users.page(connection, asker.workspace_id, place[0] if place else 0, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=[user_out(row) for row in rows], next=after)


@routes.patch("/users/{user_id}", dependencies=[can("user.edit")])
def change_user(user_id: UserId, change: UserChange, hand: ByHand) -> UserOut:
    """Give a user another name, role or limit, or keep them out.

    It holds for their keys from the next request on, and ends their sessions. Not for yourself, and never the last admin.
    """
    said = change.model_dump(exclude_unset=True)
    wish = {name: value for name, value in said.items() if value is not None or name == "scopes"}
    if "disabled" in wish:
        known = staff.known(hand, user_id)
        wish["disabled_at"] = (known.disabled_at or hand.now) if wish.pop("disabled") else None
    return user_out(staff.change(hand, user_id, wish))


@routes.post("/users/{user_id}/sign-out", dependencies=[can("user.edit")])
def sign_out_user(user_id: UserId, hand: ByHand) -> SignedOut:
    """End every session of a user and void the links they were given."""
    staff.known(hand, user_id)
    ended = staff.end_sessions(hand, user_id)
    hand.note("user.sign_out", user_id, None, {"ended": ended})
    return SignedOut(ended=ended)


@routes.delete("/users/{user_id}/second-step", status_code=204, dependencies=[can("user.edit")])
def reset_second_step(user_id: UserId, hand: ByHand) -> None:
    """Take away the second step of somebody who has lost their phone and their codes; ends their sessions.

    Not your own: that takes your password and a code, on your own page.
    """
    secondstep.reset(hand, user_id)


def user_out(row: User) -> UserOut:
    """A user as the API shows them."""
    return UserOut(**{name: value for name, value in row._asdict().items() if name in UserOut.model_fields})
