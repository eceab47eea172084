"""Failpoints: named places between two steps where a test makes the process die or raise; no-ops in ordinary life.

`JOURNEY_FAILPOINT=CP10:kill:2` kills the process (SIGKILL) the second time CP10 is passed; `raise` raises instead, `stop` freezes
the process (SIGSTOP). The names are those of RELIABILITY §4b. Never used for anything but tests.
"""

import signal
import threading
from collections import Counter


class FailpointError(RuntimeError):
    """Raised where a test asked for it."""


_wish: tuple[str, str, int] | None = None
_passed: Counter[str] = Counter()


def arm(wish: str | None) -> None:
    """Ask for a failure, `NAME:kill|raise|stop:COUNT`; None disarms. The worker passes the setting on."""
    global _wish
    _passed.clear()
    if wish is None:
        _wish = None
        return
    name, how, count = (*wish.split(":"), "1")[:3]
    _wish = (name, how or "kill", int(count))


def failpoint(*names: str) -> None:
    """Pass the named place, which may stand for several points of the list; dies here when a test has asked for one of them."""
    if _wish is None or _wish[0] not in names:
        return
    name, how, count = _wish
    _passed[name] += 1
    if _passed[name] != count:
        return
    if how == "raise":
        raise FailpointError(name)
    # Sent to this very thread: one sent to the process lets the thread run on until another has taken it.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
