"""Who is asking, and what may they do: keys, the one policy table, and the caller that a request stands for.

A key is `jc_<prefix>_<secret>`: the prefix finds its row, only the SHA-256 of the whole is kept. Deny by default: what
does not stand in `POLICY` nobody may do. Never reads a workspace from anywhere but the key.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app import audit
from app.store import keys
from app.store.keys import Device
from app.store.rows import Connection

Role = Literal["viewer", "operator", "reviewer", "admin"]
KeyRole = Literal["ingest", "viewer", "operator", "reviewer", "admin"]
# An API or write key, a browser session, a login link that works once, a sign-in that waits for its second step.
Kind = Literal["jc", "js", "jl", "jp"]
Scopes = tuple[str, ...] | None  # labels of the journeys and plans that may be seen; None is no limit

ROLES: tuple[Role, ...] = ("viewer", "operator", "reviewer", "admin")
PREFIX_BYTES = 6
SECRET_BYTES = 32  # 256 bits
TOKEN = re.compile(r"(j[cslp])_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
TOKEN_SOMEWHERE = re.compile(rb"j[cs]_[0-9a-f]{12}_[0-9a-f]{16}")
NOBODY = "0" * 64
LOGIN_FOR = timedelta(hours=1)
INVITED_FOR = timedelta(days=7)
SESSION_FOR = timedelta(hours=12)
IDLE_FOR = timedelta(minutes=30)
PENDING_FOR = timedelta(minutes=5)

ANYBODY: frozenset[Role] = frozenset(ROLES)
DRAWS: frozenset[Role] = frozenset({"operator", "admin"})  # edit, submit
DECIDES: frozenset[Role] = frozenset({"reviewer", "admin"})  # approve
WORKS: frozenset[Role] = DRAWS | DECIDES  # comment, publish what is approved, pause
MANAGES: frozenset[Role] = frozenset({"admin"})

# Each action and the roles that may do it. The verbs of a journey stand apart: a reviewer comments, approves, publishes and
# pauses, and edits nothing. `ingest` stands in no row: a write key may hand in events, and nothing of this.
POLICY: dict[str, frozenset[Role]] = {
    "journey.read": ANYBODY,
    "journey.comment": WORKS,
    "journey.edit": DRAWS,
    "journey.submit": DRAWS,
    "journey.review": DECIDES,
    "journey.publish": WORKS,
    "journey.run": WORKS,
    "journey.enroll": DRAWS,
    "plan.read": ANYBODY,
    "plan.edit": DRAWS,
    "segment.preview": ANYBODY,
    "node_type.read": ANYBODY,
    "contact.read": ANYBODY,
    "contact.edit": DRAWS,
    "contact.unmask": WORKS,  # see what is flagged as personal
    "contact.export": MANAGES,
    "contact.erase": MANAGES,
    "message.read": ANYBODY,
    "account.read": ANYBODY,
    "account.edit": MANAGES,
    "policy.read": ANYBODY,
    "policy.edit": MANAGES,
    "restore.confirm": MANAGES,
    "key.read": MANAGES,
    "key.edit": MANAGES,
    "user.read": MANAGES,
    "user.edit": MANAGES,
    "audit.read": MANAGES,
    "self.read": ANYBODY,
    "self.edit": ANYBODY,
}
# What only a person may do: a key that stands for nobody approves nothing (T20), and has no self.
PERSONAL = frozenset({"journey.review", "self.read", "self.edit"})
SELF = frozenset({"self.read", "self.edit"})


class Token(NamedTuple):
    """A fresh token: the text is shown once, the rest is kept."""

    text: str
    prefix: str
    digest: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request stands for. `actor` is the person behind the key where there is one: four eyes are counted by it.

    `maker`: somebody else who made the key, or the link that the session began with; they may be the one who holds it.
    """

    workspace_id: int
    role: str
    actor: str
    key_id: int
    user_id: int | None
    name: str
    bound: str | None = None  # the role of the person behind the key, which bounds what the key may do
    scopes: Scopes = None
    seen_at: datetime | None = None
    maker: str | None = None
    unready: bool = False  # their workspace asks for a second step and they have none: that comes before anything else

    def may(self, action: str) -> bool:
        """Whether this caller may do this: both the key and the person behind it, and a person where it takes one."""
        if action in PERSONAL and self.user_id is None:
            return False
        return may(self.role, action) and (self.bound is None or may(self.bound, action))


def may(role: str, action: str) -> bool:
    """Whether a role may do this; an action that is not in the table nobody may do."""
    return role in POLICY.get(action, frozenset())


def outranks(role: str, other: str) -> bool:
    """Whether a role may do something that the other may not."""
    return any(may(role, action) and not may(other, action) for action in POLICY)


def new_token(kind: Kind = "jc") -> Token:
    """A token of 256 random bits."""
    prefix = f"{kind}_{secrets.token_hex(PREFIX_BYTES)}"
    text = f"{prefix}_{secrets.token_hex(SECRET_BYTES)}"
    return Token(text, prefix, digest_of(text))


def digest_of(text: str) -> str:
    """What is kept of a token. A fast hash is right here: 256 random bits cannot be guessed."""
    return hashlib.sha256(text.encode()).hexdigest()


def identify(connection: Connection, text: str, now: datetime, *, kind: Kind = "jc") -> Caller | None:
    """The caller a token stands for at this moment, or None: unknown, revoked, expired and forged look alike."""
    match = TOKEN.fullmatch(text)
    if match is None or match[1] != kind:
        return None
    row = keys.find(connection, f"{kind}_{match[2]}")
    if not hmac.compare_digest(row.digest if row else NOBODY, digest_of(text)) or row is None:
        return None
    if _is_over(row, now):
        return None
    actor = f"user:{row.user_id}" if row.user_id is not None else f"key:{row.id}"
    # A session or link may do what its person may; so may be shown what they are.
    role = row.user_role if row.user_role is not None and kind != "jc" else row.role
    return Caller(
        row.workspace_id,
        role,
        actor,
        row.id,
        row.user_id,
        row.user_name or row.name,
        row.user_role,
        both(row.scopes, row.user_scopes),
        row.seen_at,
        row.maker,
        row.unready and kind == "js",
    )


def _is_over(row: keys.Found, now: datetime) -> bool:
    if row.revoked_at is not None or row.user_disabled_at is not None:
        return True
    if row.expires_at is not None and row.expires_at <= now:
        return True
    idle = row.idle_seconds
    return idle is not None and row.seen_at is not None and row.seen_at + timedelta(seconds=idle) <= now


def both(one: Sequence[str] | None, other: Sequence[str] | None) -> Scopes:
    """The labels that two limits both allow."""
    if one is None or other is None:
        found = other if one is None else one
        return None if found is None else tuple(found)
    return tuple(label for label in one if label in other)


def login(
    connection: Connection,
    user_id: int,
    workspace_id: int,
    now: datetime,
    *,
    name: str = "login link",
    lasting: timedelta = LOGIN_FOR,
    maker: str | None = None,
) -> str:
    """A token that signs a user in once, within the hour; the address is `/login?token=…`. `maker`: who else made it."""
    return _issue(connection, "jl", Grant(workspace_id, user_id, name, now + lasting, maker), now)


def redeem(connection: Connection, link: str, now: datetime) -> Caller | None:
    """Who a login link stands for, for the first who brings it; None for everybody else. It is used up."""
    caller = identify(connection, link, now, kind="jl")
    if caller is None or caller.user_id is None or not keys.use_up(connection, caller.key_id, now):
        return None
    return caller


def begin_pending(connection: Connection, workspace_id: int, user_id: int, now: datetime) -> str:
    """A sign-in that is half done. It opens nothing but the question for the code, for a few minutes."""
    return _issue(connection, "jp", Grant(workspace_id, user_id, "second step", now + PENDING_FOR), now)


def begin_session(
    connection: Connection,
    workspace_id: int,
    user_id: int,
    now: datetime,
    *,
    device: Device | None = None,
    idle: timedelta | None = IDLE_FOR,
    maker: str | None = None,
) -> str:
    """A new session of somebody who has shown who they are; always with a new id (T13). `maker`: of the link they showed."""
    grant = Grant(workspace_id, user_id, "session", now + SESSION_FOR, maker)
    return _issue(connection, "js", grant, now, device or Device("", ""), idle)


def note_session(connection: Connection, caller: Caller, what: str, now: datetime, after: audit.Said = None) -> None:
    """Keep in the audit log that somebody's session began or ended."""
    audit.record(connection, caller.workspace_id, caller.actor, what, f"user:{caller.user_id}", None, after, now)


class Grant(NamedTuple):
    """Whom a login link or a session stands for, and until when. Always a user: four eyes are counted by people."""

    workspace_id: int
    user_id: int
    name: str
    until: datetime
    maker: str | None = None


def _issue(
    connection: Connection,
    kind: Kind,
    grant: Grant,
    now: datetime,
    device: Device | None = None,
    idle: timedelta | None = None,
) -> str:
    token = new_token(kind)
    row = keys.New(
        grant.workspace_id,
        grant.name,
        ROLES[-1],  # as much as its user may do, whatever that is at the time
        token.prefix,
        token.digest,
        grant.user_id,
        grant.until,
        device=device,
        idle_seconds=int(idle.total_seconds()) if idle else None,
        maker=grant.maker,
    )
    keys.add(connection, row, now)
    return token.text
