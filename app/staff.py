"""What is done to the people who work here: added, limited, disabled, given a password. One way for page, API and command.

Whatever lessens what somebody may do or changes how they come in ends their sessions at once (T13). Nobody raises their own
role, and the last admin stays. Functions take an open transaction and never commit; no HTTP.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from app import audit, auth, passwords
from app.store import access, sessions, users
from app.store.rows import Connection
from app.store.users import User
from flows.words import _

KNOWN = ("name", "role", "scopes", "disabled_at")
ENDS_SESSIONS = ("role", "scopes", "disabled_at")


class StaffError(Exception):
    """It was not done. `field` is what stands in the way; `kind` says how: invalid, taken, last."""

    def __init__(self, kind: Literal["missing", "invalid", "taken", "last"], field: str, why: str) -> None:
        super().__init__(f"{field} {why}")
        self.kind, self.field, self.why = kind, field, why


class Hand(NamedTuple):
    """Who does it, where, when."""

    connection: Connection
    workspace_id: int
    actor: str
    user_id: int | None
    now: datetime
    maker: str | None = None

    def maker_for(self, user_id: int | None) -> str | None:
        """Who stands behind a key or link that is made here for a user, beside that user."""
        return self.maker or (self.actor if user_id is not None and user_id != self.user_id else None)

    def note(self, what: str, user_id: int, before: audit.Said = None, after: audit.Said = None) -> None:
        """Keep in the audit log that this was done."""
        audit.record(self.connection, self.workspace_id, self.actor, what, f"user:{user_id}", before, after, self.now)


def add(hand: Hand, *, email: str, name: str, role: str, scopes: Sequence[str] | None = None) -> User:
    """Somebody new; they come in by a link."""
    _refuse_scoped_admin(role, scopes)
    made = users.add(hand.connection, hand.workspace_id, email=email, name=name, role=role, now=hand.now, scopes=scopes)
    if made is None:
        raise StaffError("taken", "email", _("is taken"))
    hand.note("user.create", made.id, None, {"email": email, "name": name, "role": role, "scopes": made.scopes})
    return made


def change(hand: Hand, user_id: int, wish: Mapping[str, Any]) -> User:
    """Another name, role, limit, or disabled; holds from the next request on."""
    before = known(hand, user_id, lock=True)
    fields = {name: wish[name] for name in KNOWN if name in wish and wish[name] != getattr(before, name)}
    if not fields:
        return before
    if user_id == hand.user_id and set(fields) & set(ENDS_SESSIONS):
        raise StaffError("invalid", next(iter(fields)), _("is your own; another admin has to change it"))
    role, scopes = fields.get("role", before.role), fields.get("scopes", before.scopes)
    _refuse_scoped_admin(role, scopes)
    changed = users.change(hand.connection, hand.workspace_id, user_id, fields)
    assert changed is not None
    if users.admins(hand.connection, hand.workspace_id) == 0:
        raise StaffError("last", "role", _("is that of the last admin; make another one first"))
    if set(fields) & set(ENDS_SESSIONS):
        end_sessions(hand, user_id)
    hand.note("user.change", user_id, {name: getattr(before, name) for name in fields}, fields)
    return changed


def set_password(hand: Hand, user_id: int, password: str) -> None:
    """A new password; every session ends, also the one it was set in (its browser is given another)."""
    user = known(hand, user_id, lock=True)
    weak = passwords.weakness(password, [user.name, user.email, user.email.partition("@")[0]])
    if weak:
        raise StaffError("invalid", "password", weak)
    users.change(hand.connection, hand.workspace_id, user_id, {"password": passwords.hashed(password)})
    end_sessions(hand, user_id)
    hand.note("user.password", user_id, None, {"maker": hand.maker} if hand.maker else None)


def invite(hand: Hand, user: User) -> str:
    """A link that signs somebody in once: within a week the first time, within the hour later on."""
    if user.disabled_at is not None:
        raise StaffError("invalid", "user", _("is disabled"))
    first = user.joined_at is None
    name, lasting = ("invitation", auth.INVITED_FOR) if first else ("sign-in link", auth.LOGIN_FOR)
    maker = hand.maker_for(user.id)
    link = auth.login(hand.connection, user.id, hand.workspace_id, hand.now, name=name, lasting=lasting, maker=maker)
    hand.note("user.link", user.id, None, {"until": hand.now + lasting, "invitation": first})
    return link


def end_sessions(hand: Hand, user_id: int) -> int:
    """End every session of somebody and void their links: sign out everywhere."""
    ended = sessions.end_all(hand.connection, hand.workspace_id, user_id, hand.now)
    access.bump(hand.connection)
    return ended


def known(hand: Hand, user_id: int, *, lock: bool = False) -> User:
    """The user; StaffError where there is none."""
    found = users.find(hand.connection, hand.workspace_id, user_id, lock=lock)
    if found is None:
        raise StaffError("missing", "user", _("is not there"))
    return found


def _refuse_scoped_admin(role: str, scopes: Sequence[str] | None) -> None:
    if role == "admin" and scopes is not None:
        raise StaffError("invalid", "scopes", _("do not limit an admin; give another role"))
