"""Failpoints: named places between two steps where a test makes the process die or raise; no-ops in ordinary life.

`JOURNEY_FAILPOINT=CP10:kill:2` kills the process (SIGKILL) the second time CP10 is passed; `raise` raises instead. The names
are those of RELIABILITY §4b. Never used for anything but tests.
"""

import os
import signal
from collections import Counter


class FailpointError(RuntimeError):
    """Raised where a test asked for it."""


_wish: tuple[str, str, int] | None = None
_passed: Counter[str] = Counter()


def arm(wish: str | None) -> None:
    """Ask for a failure, `NAME:kill|raise:COUNT`; None disarms. The command line passes the setting on."""
    global _wish
    _passed.clear()
    if wish is None:
        _wish = None
        return
    name, how, count = (*wish.split(":"), "1")[:3]
    _wish = (name, how or "kill", int(count))


def failpoint(name: str) -> None:
    """Pass the named place; dies here when a test has asked for it."""
    if _wish is None or _wish[0] != name:
        return
    _passed[name] += 1
    if _passed[name] == _wish[2]:
        if _wish[1] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise FailpointError(name)
