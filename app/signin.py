"""Signing in: by a link that works once, or by an address and its password; then by a code, for who has a second step.

Never tells which of the two was wrong, nor by the time it takes: what is slow (the hash of a password) happens between
transactions, and what only a known address brings about (the row in the log) after the answer.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from app import audit, auth, passwords, secondstep, throttle
from app.auth import Caller
from app.hints import Hints
from app.store import keys, secondsteps, users
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


class Came(NamedTuple):
    """What came of it: the cookie of a session, or that of a question for a code; else nobody came in.

    `wait`: it was tried too often, look again in so many seconds. `over`: the question was open too long. `known`: whose
    refusals belong in the log (`note_refused`).
    """

    cookie: str | None = None
    pending: str | None = None
    wait: int = 0
    over: bool = False
    known: Sequence[Known] = ()


class Arrival(NamedTuple):
    """Somebody who has shown who they are: `way` says how, `old` is the cookie they came with, `maker` who made their link."""

    workspace_id: int
    user_id: int
    old: str
    way: str
    maker: str | None = None


def by_link(knock: Knock, link: str, old: str) -> Came:
    """For the first who brings this link."""
    with knock.transaction() as connection:
        caller = auth.redeem(connection, link, knock.now)
        if caller is None or caller.user_id is None:
            return Came()
        return _next_step(connection, knock, Arrival(caller.workspace_id, caller.user_id, old, "link", caller.maker))


def by_password(knock: Knock, email: str, password: str, old: str) -> Came:
    """For who knows the password of this address."""
    buckets = throttle.buckets(email, knock.address)
    with knock.transaction() as connection:
        wait = throttle.take(knock.hints, connection, buckets, knock.now)
    if wait:
        return Came(wait=wait)
    with knock.transaction() as connection:
        known = users.with_email(connection, email)
    user = _whose(known, password)
    if user is None:
        return Came(known=known)
    with knock.transaction() as connection:
        throttle.forgive(knock.hints, connection, buckets)
        return _next_step(connection, knock, Arrival(user.workspace_id, user.id, old, "password"))


def by_code(knock: Knock, pending: str, code: str, old: str, secret: bytes) -> Came:
    """For who was asked for a code, within a few minutes. A code that was used before is a wrong one.

    Counted apart from passwords: who knows only an address cannot keep its owner out here, and who knows the password
    as well wins no further tries by giving it again.
    """
    with knock.transaction() as connection:
        asked = auth.identify(connection, pending, knock.now, kind="jp")
        if asked is None or asked.user_id is None:
            return Came(over=True)
        workspace_id, user_id = asked.workspace_id, asked.user_id
        buckets = throttle.buckets(f"code:{user_id}", knock.address)
        wait = throttle.take(knock.hints, connection, buckets, knock.now)
        if wait:
            return Came(wait=wait)
        proof = secondstep.proven(connection, secret, workspace_id, user_id, code, knock.now)
        if proof is None:
            _refused(connection, knock, workspace_id, user_id, {"way": "code"})
            return Came()
        throttle.forgive(knock.hints, connection, buckets)
        if not keys.use_up(connection, asked.key_id, knock.now):
            return Came(over=True)
        return Came(_enter(connection, knock, Arrival(workspace_id, user_id, old, proof)))


def note_refused(knock: Knock, known: Sequence[Known]) -> None:
    """Keep in the logs that somebody tried a password of these people."""
    with knock.transaction() as connection:
        for one in known:
            _refused(connection, knock, one.workspace_id, one.id, {"disabled": one.disabled_at is not None})


def _next_step(connection: Connection, knock: Knock, who: Arrival) -> Came:
    kept = secondsteps.find(connection, who.workspace_id, who.user_id)
    if kept is not None and kept.since is not None:
        return Came(pending=auth.begin_pending(connection, who.workspace_id, who.user_id, knock.now))
    return Came(_enter(connection, knock, who))


def _whose(known: list[Known], password: str) -> Known | None:
    """Whose password it is. An unknown address costs one comparison, as a known one does."""
    usable = [one for one in known if one.disabled_at is None and one.password is not None]
    if not usable:
        passwords.matches(None, password)
    return next((one for one in usable if passwords.matches(one.password, password)), None)


def _enter(connection: Connection, knock: Knock, who: Arrival) -> str | None:
    """The cookie of a new session; the one that this browser had before ends. A password or code shows that nobody else came."""
    cookie = auth.begin_session(
        connection, who.workspace_id, who.user_id, knock.now, device=knock.device, idle=knock.idle, maker=who.maker
    )
    caller = auth.identify(connection, cookie, knock.now, kind="js")
    if caller is None:  # disabled since
        return None
    before: Caller | None = auth.identify(connection, who.old, knock.now, kind="js") if who.old else None
    if before is not None:
        keys.use_up(connection, before.key_id, knock.now)
    users.joined(connection, who.workspace_id, who.user_id, knock.now)
    after = {"way": who.way, "device": knock.device.agent, "net": knock.device.place}
    after |= {"maker": who.maker} if who.maker else {}
    auth.note_session(connection, caller, "session.open", knock.now, after)
    return cookie


def _refused(connection: Connection, knock: Knock, workspace_id: int, user_id: int, more: audit.Said) -> None:
    after = {"device": knock.device.agent, "net": knock.device.place, **(more or {})}
    audit.record(connection, workspace_id, "nobody", "session.refused", f"user:{user_id}", None, after, knock.now)
