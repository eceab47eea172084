"""Keys over HTTP: made (the secret is shown once), listed, revoked. Never a digest, never a secret twice."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AwareDatetime, ConfigDict, Field

from app import audit, auth
from app.auth import KeyRole
from app.staff import Hand
from app.store import access, keys, users
from app.store.keys import Listed
from app.web.guard import Asker, Database, Now, can, router
from app.web.problems import ProblemError, invalid, missing
from app.web.shapes import INT, PAGE, In, Limit, Next, Out, Page, Text, paged, place_of
from app.web.users import ScopeList
from flows.words import _, told

routes = router("keys")

KeyId = Annotated[int, Path(ge=1, le=INT, description="Number of the key.", examples=[12])]

SAMPLE: dict[str, Any] = {
    "id": 12,
    "name": "Shop back end",
    "role": "operator",
    "prefix": "jc_0a1b2c3d4e5f",
    "user_id": 3,
    "created_at": "2026-11-21T08:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "scopes": None,
}


class KeyIn(In):
    """A new key. It acts for a user: yours, unless another is named; a write key (`ingest`) acts for nobody."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Shop back end", "role": "operator"}]})
    name: Text
    role: KeyRole
    user_id: int | None = Field(None, ge=1, le=INT, strict=True)
    expires_at: AwareDatetime | None = None
    scopes: ScopeList | None = None


class KeyOut(Out):
    """A key without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [SAMPLE]})
    id: int
    name: str
    role: KeyRole
    prefix: str
    user_id: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str] | None


class KeyMade(KeyOut):
    """The new key. `key` is shown this once; nobody can show it again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**SAMPLE, "key": "jc_0a1b2c3d4e5f_…"}]})
    key: str


@routes.post("/keys", status_code=201, dependencies=[can("key.edit")])
def create_key(wish: KeyIn, connection: Database, asker: Asker, now: Now) -> KeyMade:
    """Make a key; the answer is the only place where it ever stands. It may do no more than the person it stands for."""
    user_id = None if wish.role == "ingest" else wish.user_id or asker.user_id
    user = None if user_id is None else users.find(connection, asker.workspace_id, user_id)
    if user_id is not None and user is None:
        raise missing("user")
    if user is not None and auth.outranks(wish.role, user.role):
        raise invalid([("role", told(_("is more than {name} may do ({role})"), name=user.name, role=told(user.role)))])
    if wish.expires_at is not None and wish.expires_at <= now:
        raise invalid([("expires_at", _("must lie in the future"))])
    token = auth.new_token()
    hand = Hand(connection, asker.workspace_id, asker.actor, asker.user_id, now, asker.maker)
    row = keys.New(
        asker.workspace_id,
        wish.name,
        wish.role,
        token.prefix,
        token.digest,
        user_id,
        wish.expires_at,
        wish.scopes,
        maker=hand.maker_for(user_id),
    )
    made = keys.add(connection, row, now)
    after = {"name": made.name, "role": made.role, "user_id": user_id, "until": made.expires_at, "scopes": made.scopes}
    audit.record(connection, asker.workspace_id, asker.actor, "key.create", f"key:{made.id}", None, after, now)
    return KeyMade(**made._asdict(), key=token.text)


@routes.get("/keys", dependencies=[can("key.read")])
def list_keys(connection: Database, asker: Asker, limit: Limit = PAGE, next: Next = None) -> Page[KeyOut]:
    """List the keys, also those that were revoked."""
    place = place_of(next, int)
    found = keys.page(connection, asker.workspace_id, place[0] if place else 0, limit + 1)
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=[_shown(row) for row in rows], next=after)


@routes.post("/keys/{key_id}/revoke", dependencies=[can("key.edit")])
def revoke_key(
    key_id: KeyId,
    connection: Database,
    asker: Asker,
    now: Now,
) -> KeyOut:
    """Revoke a key: the next request with it is refused. Doing it twice changes nothing."""
    found = keys.revoke(connection, asker.workspace_id, key_id, now)
    if found is None:
        raise missing("key")
    if users.admins(connection, asker.workspace_id) == 0:
        raise ProblemError(409, _("This is the last way in for an admin; make another admin first."))
    access.bump(connection)
    said = {"name": found.name, "role": found.role}
    audit.record(connection, asker.workspace_id, asker.actor, "key.revoke", f"key:{key_id}", said, None, now)
    return _shown(found)


def _shown(row: Listed) -> KeyOut:
    return KeyOut(**row._asdict())
