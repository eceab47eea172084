"""The second step of signing in (T12): a code of the person's phone (TOTP, RFC 6238), or one of ten recovery codes.

Every code opens once. The key lies sealed, recovery codes as keyed hashes; both are shown once, to their person. No HTTP.
Functions take an open transaction and never commit.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Literal, NamedTuple

import pyotp
import segno
from pydantic import BaseModel, SecretStr

from app import audit, log, vault
from app.keys import derived
from app.staff import Hand, StaffError, end_sessions, known
from app.store import secondsteps
from app.store.rows import Connection
from app.store.users import User
from flows.words import _

ISSUER = "Journey Canvas"
CODES = 10
CODE_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another
CODE_LENGTH = 10  # 49 bits, behind the throttle and a keyed hash
DIGITS = 6
AROUND = 1  # half minutes that a phone's clock may be off
WRONG_CODE = _("is not right, or was used before; wait for the next one")

Proof = Literal["code", "recovery code"]


class Seed(BaseModel):
    """What is sealed."""

    key: SecretStr


class Offer(NamedTuple):
    """A key that somebody may put into their phone: as a picture to scan, and to type."""

    key: str
    picture: str


def offer(hand: Hand, secret: bytes, user: User) -> Offer:
    """A fresh key. It counts once a code of it was shown (`confirm`)."""
    key = pyotp.random_base32()
    _shown, sealed = vault.seal(Seed(key=SecretStr(key)), owner=_owner(hand.workspace_id, user.id), secret=secret)
    if not secondsteps.begin(hand.connection, hand.workspace_id, user.id, sealed, hand.now):
        raise StaffError("taken", "code", _("is set up already"))
    return _offer(key, user)


def offered(hand: Hand, secret: bytes, user: User) -> Offer | None:
    """The key that was offered last and does not count yet."""
    kept = secondsteps.find(hand.connection, hand.workspace_id, user.id)
    key = _key(kept, hand.workspace_id, user.id, secret) if kept and kept.since is None else None
    return _offer(key, user) if key else None


def confirm(hand: Hand, secret: bytes, user: User, code: str) -> list[str] | None:
    """From now on signing in takes it; the recovery codes, to be shown once. None where the code is wrong.

    All sessions end: who came in without it before shall not stay.
    """
    kept = secondsteps.find(hand.connection, hand.workspace_id, user.id, lock=True)
    key = _key(kept, hand.workspace_id, user.id, secret) if kept and kept.since is None else None
    step = _step(key, code, hand.now) if key else None
    if step is None:
        return None
    codes, hashes = _codes(hand.workspace_id, user.id, secret)
    secondsteps.confirm(hand.connection, hand.workspace_id, user.id, step, hashes, hand.now)
    end_sessions(hand, user.id)
    hand.note("user.second_step", user.id, {"second_step": False}, {"second_step": True})
    return codes


def proven(
    connection: Connection, secret: bytes, workspace_id: int, user_id: int, code: str, now: datetime
) -> Proof | None:
    """By what somebody has shown who they are; what they gave is used up. None where it was wrong."""
    given = "".join(code.split()).replace("-", "").lower()
    if len(given) == CODE_LENGTH:
        digest = _digest(given, workspace_id, user_id, secret)
        return "recovery code" if secondsteps.use_code(connection, workspace_id, user_id, digest) else None
    kept = secondsteps.find(connection, workspace_id, user_id)
    key = _key(kept, workspace_id, user_id, secret) if kept and kept.since else None
    step = _step(key, given, now) if key else None
    if step is None or not secondsteps.use(connection, workspace_id, user_id, step):
        return None
    return "code"


def fresh_codes(hand: Hand, secret: bytes, user: User) -> list[str]:
    """Ten other recovery codes, to be shown once."""
    codes, hashes = _codes(hand.workspace_id, user.id, secret)
    secondsteps.set_codes(hand.connection, hand.workspace_id, user.id, hashes)
    hand.note("user.recovery_codes", user.id)
    return codes


def remove(hand: Hand, user_id: int) -> bool:
    """No second step any more; all sessions end. By the person, or for them by an admin who knows them."""
    if not secondsteps.remove(hand.connection, hand.workspace_id, user_id):
        return False
    end_sessions(hand, user_id)
    hand.note("user.second_step", user_id, {"second_step": True}, {"second_step": False})
    return True


def reset(hand: Hand, user_id: int) -> None:
    """By an admin, for somebody who has lost phone and codes; one's own takes password and code."""
    known(hand, user_id)
    if user_id == hand.user_id:
        raise StaffError("invalid", "second_step", _("is your own; turn it off on your own page"))
    remove(hand, user_id)


def require(hand: Hand, *, on: bool) -> None:
    """Whether admins and reviewers of the workspace must have one; who has none is led to it before anything else."""
    before = secondsteps.required(hand.connection, hand.workspace_id)
    secondsteps.require(hand.connection, hand.workspace_id, on=on)
    said = ({"required": before}, {"required": on})
    about = f"workspace:{hand.workspace_id}"
    audit.record(hand.connection, hand.workspace_id, hand.actor, "user.second_step_rule", about, *said, hand.now)


def _offer(key: str, user: User) -> Offer:
    address = pyotp.TOTP(key).provisioning_uri(name=user.email, issuer_name=ISSUER)
    picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return Offer(" ".join(key[at : at + 4] for at in range(0, len(key), 4)), picture)


def _step(key: str, code: str, now: datetime) -> int | None:
    """Of which half minute a code is."""
    given = "".join(code.split())
    if len(given) != DIGITS:
        return None
    try:
        return pyotp.TOTP(key).verify_and_get_timecode(given, for_time=now, valid_window=AROUND)
    except pyotp.OTPVerificationError:
        return None


def _key(kept: secondsteps.Kept, workspace_id: int, user_id: int, secret: bytes) -> str | None:
    try:
        opened = vault.unseal({}, kept.sealed, owner=_owner(workspace_id, user_id), secret=secret)
        return str(opened["key"])
    except vault.VaultError:  # another JOURNEY_SECRET: `journey user reset-second-step` helps
        log.get(__name__).error("a second step does not open with this secret", workspace=workspace_id)
        return None


def _codes(workspace_id: int, user_id: int, secret: bytes) -> tuple[list[str], list[str]]:
    """Recovery codes as they are shown, and what is kept of them."""
    codes = ["".join(secrets.choice(CODE_LETTERS) for _letter in range(CODE_LENGTH)) for _number in range(CODES)]
    half = CODE_LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in codes], [
        _digest(code, workspace_id, user_id, secret) for code in codes
    ]


def _digest(code: str, workspace_id: int, user_id: int, secret: bytes) -> str:
    key = derived(secret, f"recovery/{_owner(workspace_id, user_id)}")
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def _owner(workspace_id: int, user_id: int) -> str:
    return f"{workspace_id}/second step/{user_id}"
