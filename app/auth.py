"""Who is asking, and what may they do: keys, the one policy table, and the caller that a request stands for.

A key is `jc_<prefix>_<secret>`: the prefix finds its row, only the SHA-256 of the whole is kept. Deny by default: what
does not stand in `POLICY` nobody may do. Never reads a workspace from anywhere but the key.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app.store import keys
from app.store.rows import Connection

Role = Literal["viewer", "operator", "reviewer", "admin"]
KeyRole = Literal["ingest", "viewer", "operator", "reviewer", "admin"]
Kind = Literal["jc", "js", "jl"]  # an API or write key, a browser session, a login link that works once

ROLES: tuple[Role, ...] = ("viewer", "operator", "reviewer", "admin")
PREFIX_BYTES = 6
SECRET_BYTES = 32  # 256 bits
TOKEN = re.compile(r"(j[csl])_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
TOKEN_SOMEWHERE = re.compile(rb"j[cs]_[0-9a-f]{12}_[0-9a-f]{16}")
NOBODY = "0" * 64
LOGIN_FOR = timedelta(hours=1)
SESSION_FOR = timedelta(hours=12)

# Each action and the least role that may do it; a role may do all that the ones before it may.
# `ingest` stands apart: a write key may hand in events, and nothing of this.
POLICY: dict[str, Role] = {
    "journey.read": "viewer",
    "journey.edit": "operator",
    "journey.submit": "operator",
    "journey.review": "reviewer",
    "journey.publish": "operator",
    "journey.run": "operator",
    "journey.enroll": "operator",
    "journey.comment": "operator",
    "plan.read": "viewer",
    "plan.edit": "operator",
    "segment.preview": "viewer",
    "node_type.read": "viewer",
    "contact.read": "viewer",
    "contact.edit": "operator",
    "message.read": "viewer",
    "account.read": "viewer",
    "account.edit": "admin",
    "policy.read": "viewer",
    "policy.edit": "admin",
    "restore.confirm": "admin",
    "key.read": "admin",
    "key.edit": "admin",
    "user.read": "admin",
    "user.edit": "admin",
}


class Token(NamedTuple):
    """A fresh token: the text is shown once, the rest is kept."""

    text: str
    prefix: str
    digest: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request stands for. `actor` is the person behind the key where there is one: four eyes are counted by it."""

    workspace_id: int
    role: str
    actor: str
    key_id: int
    user_id: int | None
    name: str


def may(role: str, action: str) -> bool:
    """Whether a role may do this; an action that is not in the table nobody may do."""
    least = POLICY.get(action)
    return least is not None and role in ROLES and ROLES.index(least) <= ROLES.index(role)


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
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    actor = f"user:{row.user_id}" if row.user_id is not None else f"key:{row.id}"
    role, name = _least(row.role, row.user_role), row.user_name or row.name
    return Caller(row.workspace_id, role, actor, row.id, row.user_id, name)


def login(connection: Connection, user_id: int, workspace_id: int, now: datetime) -> str:
    """A token that signs a user in once, within the hour; the address is `/login?token=…`."""
    return _issue(connection, "jl", Grant(workspace_id, user_id, "login link", now + LOGIN_FOR), now)


def open_session(connection: Connection, link: str, now: datetime) -> str | None:
    """The session that a login token gives to the first who brings it; None for everybody else."""
    caller = identify(connection, link, now, kind="jl")
    if caller is None or caller.user_id is None or not keys.use_up(connection, caller.key_id, now):
        return None
    return _issue(connection, "js", Grant(caller.workspace_id, caller.user_id, "session", now + SESSION_FOR), now)


class Grant(NamedTuple):
    """Whom a login link or a session stands for, and until when. Always a user: four eyes are counted by people."""

    workspace_id: int
    user_id: int
    name: str
    until: datetime


def _issue(connection: Connection, kind: Kind, grant: Grant, now: datetime) -> str:
    token = new_token(kind)
    row = keys.New(grant.workspace_id, grant.name, ROLES[-1], token.prefix, token.digest, grant.user_id, grant.until)
    keys.add(connection, row, now)  # as much as its user may do, whatever that is at the time (`_least`)
    return token.text


def _least(key_role: str, user_role: str | None) -> str:
    """A key never lets its user do more than the user may now."""
    if user_role is None or key_role not in ROLES or user_role not in ROLES:
        return key_role
    return min(key_role, user_role, key=lambda role: ROLES.index(role))
