"""Passwords: hashed with argon2id, compared so that nobody learns from the time whether an address is known, weak ones refused.

Never keeps, prints or logs a password. Few are hashed at once: each takes 19 MB for 50 ms.
"""

from collections.abc import Sequence
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flows.words import _

LEAST, MOST = 12, 200
COMMONEST = 3_000
GUESSES = 1e8  # fewer than this many well-aimed guesses find it
LOOKED_AT = 40  # letters; a password that needs more of them to be strong is long enough
AT_ONCE = 4
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's second choice: little memory
TOO_SHORT = _("must have at least 12 characters")
TOO_LONG = _("may have 200 characters at most")
TOO_COMMON = _(
    "is one of the passwords that are tried first; take another, such as four words that nobody puts together"
)
TOO_CLOSE = _("holds your name or address; take another")

_turn = BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _turn:
        return HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is this password. Where none is kept, it takes the same time to say no."""
    with _turn:
        try:
            HASHER.verify(kept or _nobody(), password[: MOST + 1])
            return kept is not None
        except (VerificationError, InvalidHashError):
            return False


def weakness(password: str, own: Sequence[str] = ()) -> str | None:
    """Why this password will not do, or None. `own` are words of the person: name, address."""
    if len(password) < LEAST:
        return TOO_SHORT
    if len(password) > MOST:
        return TOO_LONG
    low = password.lower()
    if any(len(word) > 3 and word.lower() in low and len(word) * 2 > len(low) for word in own):
        return TOO_CLOSE
    return TOO_COMMON if low in _common() or _guesses(password, own) < GUESSES else None


@cache
def _nobody() -> str:
    return HASHER.hash("nobody's password, to take as long as somebody's")


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # heavy, and needed only when a password is chosen

    return frozenset(FREQUENCY_LISTS["passwords"][:COMMONEST])


def _guesses(password: str, own: Sequence[str]) -> float:
    from zxcvbn import zxcvbn

    return float(zxcvbn(password[:LOOKED_AT], user_inputs=list(own))["guesses"])


def warm() -> None:
    """Make ready what the first sign-in would otherwise wait for, and betray an unknown address by it."""
    _nobody()
