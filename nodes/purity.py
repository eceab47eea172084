"""A guard for tests: while it stands, a node that reads a clock, asks for chance or reaches outside gets an error.

It watches the calls themselves (`sys.setprofile`), so it does not matter under which name a node imported the clock.
Never used while people walk: it costs time on every call.
"""

import _random
import _socket
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from flows.errors import NodeError

CLOCKS = frozenset({"now", "utcnow", "today"})  # of the classes date and datetime, which cannot be patched
OUTSIDE = frozenset({"urandom", "getrandom", "open", "system", "fork", "getpid"})


@contextmanager
def no_clock_no_chance() -> Iterator[None]:
    """Inside the block, calls of a clock, of chance, of the network or of files raise `NodeError`."""
    before, collecting = sys.getprofile(), gc.isenabled()
    gc.disable()  # others hang call-backs on the collector, and those may read the clock
    sys.setprofile(_watch)
    try:
        yield
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()


def _watch(frame: FrameType, event: str, called: Any) -> None:
    if event == "c_call" and _impure(called) and not _loads_a_zone(frame):
        name = getattr(called, "__qualname__", called.__name__)
        raise NodeError(f"{frame.f_code.co_name} calls {name}: the moment and the draw are in the batch")


def _impure(called: Any) -> bool:
    owner = called.__self__ if hasattr(called, "__self__") else None
    if isinstance(owner, ModuleType):
        return owner.__name__ == "time" or called.__name__ in OUTSIDE
    if isinstance(owner, type):
        return called.__name__ in CLOCKS
    return isinstance(owner, _random.Random | _socket.socket)


def _loads_a_zone(frame: FrameType | None) -> bool:
    """The first use of a zone reads it from a file; the answer is the same for everybody, hence pure."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith("zoneinfo"):
            return True
        frame = frame.f_back
    return False
