"""How far back steps ask for past events, out of what they say they read. Never reads any."""

import re
from collections.abc import Iterable
from datetime import timedelta

from flows.durations import elapsed

ASKED = re.compile(r"event:(.+?)(?: within (P\S+)|( since entry))?$")  # a name may hold blanks and the very words
FOR_EVER = timedelta(days=3650)


def windows(reads: Iterable[str]) -> dict[str, timedelta]:
    """How far back each event is asked for, out of reads such as `event:order_paid within P7D`."""
    found: dict[str, timedelta] = {}
    for read in reads:
        asked = ASKED.match(read)
        if asked:
            name, window, entry = asked.groups()
            back = elapsed(window) if window else timedelta() if entry else FOR_EVER
            found[name] = max(back, found.get(name, timedelta()))
    return found
