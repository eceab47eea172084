"""In-app messages for the pages and apps of our users' contacts: pulled under the write key, answered with receipts.

A user id is believed only with the hash that the workspace's own server made of it (T21); an anonymous id only while the
contact is not known by a user id. The pull never writes.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from app import auth
from app.keys import is_user
from app.links import Tokens
from app.store import inapp, receipts
from app.store.receipts import Said
from app.web.guard import Database, Now, TheHouse
from app.web.problems import ProblemError, missing

routes = APIRouter(prefix="/v1/inapp", tags=["in-app"])

KINDS = {"impression": "opened", "click": "clicked", "close": "closed"}
LONGEST_ID = 255


SAMPLE: dict[str, Any] = {
    "token": "i1.7.2c9f5e0d41",
    "title": "Your order waits",
    "body": "Tap to pay.",
    "url": "https://shop.example/orders/o-55",
    "sent_at": "2026-03-02T09:10:00Z",
    "expires_at": "2026-03-09T09:10:00Z",
}


class Shown(BaseModel):
    """One message to show. `token` stands in the addresses of its receipts."""

    token: str
    title: str
    body: str
    url: str
    sent_at: datetime
    expires_at: datetime | None


class Pulled(BaseModel):
    """The newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [SAMPLE]}]})
    items: list[Shown]


class Done(BaseModel):
    """Kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"success": True}]})
    success: bool = True


@routes.get("", summary="Messages waiting for a person")
def pull(
    request: Request,
    house: TheHouse,
    connection: Database,
    now: Now,
    user: Annotated[str, Query(alias="userId", max_length=LONGEST_ID)] = "",
    anonymous: Annotated[str, Query(alias="anonymousId", max_length=LONGEST_ID)] = "",
    user_hash: Annotated[str, Query(alias="userHash", max_length=64)] = "",
) -> Pulled:
    """Basic auth with the write key as user name. `userHash` is HMAC-SHA256 (hex) of `userId` under the workspace's
    secret, made on your server; without it a `userId` is refused."""
    workspace = _workspace(request, connection, now)
    if bool(user) == bool(anonymous):
        raise ProblemError(422, "Name one of userId and anonymousId.")
    if user and not is_user(inapp.workspace_secret(connection, workspace), user, user_hash):
        raise ProblemError(403, "The userHash does not belong to this userId.")
    kind, value = ("user_id", user) if user else ("anonymous_id", anonymous)
    person = inapp.person(connection, workspace, kind, value.replace("\x00", ""))
    if person is None or (anonymous and person.known):
        return Pulled(items=[])
    tokens = Tokens(house.settings.secret_bytes)
    return Pulled(
        items=[
            Shown(
                token=tokens.make("inapp", workspace, one.id, one.contact_id),
                title=one.content.get("title", ""),
                body=one.content.get("body", ""),
                url=one.content.get("url", ""),
                sent_at=one.sent_at,
                expires_at=one.content.get("expires_at"),
            )
            for one in inapp.waiting(connection, workspace, person.contact_id, now)
        ]
    )


@routes.post("/{token}/{what}", summary="What a person did with a message", max_body_size=10_000)
def receive(token: str, what: Literal["impression", "click", "close"], house: TheHouse) -> Done:
    """Say that the message was seen, clicked or closed; saying it twice is saying it once."""
    said = Tokens(house.settings.secret_bytes).read("inapp", token)
    if said is None:
        raise missing("message")
    with house.transaction() as connection:
        receipts.add(connection, [Said(said.workspace_id, said.message_id, KINDS[what], "", house.now(), {})])
    return Done()


def _workspace(request: Request, connection: Database, now: datetime) -> int:
    """The workspace of the write key."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        name = base64.b64decode(credentials, validate=True).decode("ascii").partition(":")[0]
    except (ValueError, binascii.Error):
        name = ""
    caller = auth.identify(connection, name, now) if scheme.lower() == "basic" else None
    if caller is None or caller.role != "ingest":
        raise ProblemError(
            401, "This needs a write key, as the user name of Basic auth.", headers={"WWW-Authenticate": "Basic"}
        )
    return caller.workspace_id
