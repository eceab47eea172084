"""Signing in: by a link that works once, or by an address and its password. Never tells which of the two was wrong.

What is slow (the hash of a password) happens between transactions, never in one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from app import audit, auth, passwords, throttle
from app.auth import Caller
from app.hints import Hints
from app.store import keys, users
from app.store.keys import Device
from app.store.rows import Connection
from app.store.users import Known


class Knock(NamedTuple):
    """Somebody at the door: how to reach the database, what they came with, how long they may idle."""

    transaction: Callable[[], AbstractContextManager[Connection]]
    hints: Hints
    now: datetime
    device: Device
    address: str
    idle: timedelta | None


def by_link(knock: Knock, link: str, old: str) -> str | None:
    """The cookie of a new session, for the first who brings this link."""
    with knock.transaction() as connection:
        opened = auth.open_session(connection, link, knock.now, device=knock.device, idle=knock.idle)
        if opened is None:
            return None
        _came_in(connection, knock, opened.caller, old, "link")
        return opened.cookie


def by_password(knock: Knock, email: str, password: str, old: str) -> tuple[str | None, int]:
    """The cookie of a new session; else None, and how many seconds to wait where it was tried too often."""
    buckets = throttle.buckets(email, knock.address)
    with knock.transaction() as connection:
        wait = throttle.take(knock.hints, connection, buckets, knock.now)
    if wait:
        return None, wait
    with knock.transaction() as connection:
        known = users.with_email(connection, email)
    user = _whose(known, password)
    with knock.transaction() as connection:
        if user is None:
            for one in known:
                _refused(connection, knock, one)
            return None, 0
        throttle.forgive(knock.hints, connection, buckets)
        cookie = auth.begin_session(
            connection, user.workspace_id, user.id, knock.now, device=knock.device, idle=knock.idle
        )
        caller = auth.identify(connection, cookie, knock.now, kind="js")
        if caller is None:  # disabled since
            return None, 0
        _came_in(connection, knock, caller, old, "password")
        return cookie, 0


def _whose(known: list[Known], password: str) -> Known | None:
    """Whose password it is. An unknown address costs one comparison, as a known one does."""
    usable = [one for one in known if one.disabled_at is None and one.password is not None]
    if not usable:
        passwords.matches(None, password)
    return next((one for one in usable if passwords.matches(one.password, password)), None)


def _came_in(connection: Connection, knock: Knock, caller: Caller, old: str, way: str) -> None:
    before = auth.identify(connection, old, knock.now, kind="js") if old else None
    if before is not None:
        keys.use_up(connection, before.key_id, knock.now)
    assert caller.user_id is not None
    users.joined(connection, caller.workspace_id, caller.user_id, knock.now)
    after = {"way": way, "device": knock.device.agent, "net": knock.device.place}
    auth.note_session(connection, caller, "session.open", knock.now, after)


def _refused(connection: Connection, knock: Knock, user: Known) -> None:
    after = {"device": knock.device.agent, "net": knock.device.place, "disabled": user.disabled_at is not None}
    about = f"user:{user.id}"
    audit.record(connection, user.workspace_id, "nobody", "session.refused", about, None, after, knock.now)
