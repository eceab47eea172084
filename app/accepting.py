"""Events put through the door without HTTP: replays, scenarios, the demo's feed. The same reading and writing as there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from app import tracking
from app.database import Connection
from app.groupcommit import commit_calls
from app.store.accept import FreshIds

TOGETHER = 2_000


def accept_now(
    connection: Connection, workspace_id: int, payloads: Sequence[dict[str, Any]], received_at: datetime
) -> int:
    """Accept calls as a batch request arriving at `received_at` would be; committed on return, a few thousand at a time.

    Returns how many were not duplicates; raises strictjson.Refused, with nothing of that slice written.
    """
    count = 0
    ids = FreshIds()
    limits = tracking.Limits(event_bytes=10_000_000, batch_bytes=1 << 40, batch_events=TOGETHER)
    for start in range(0, len(payloads), TOGETHER):
        body = msgspec.json.encode({"batch": payloads[start : start + TOGETHER]})
        calls = tracking.read("batch", body).calls(workspace_id, received_at, limits)
        count += commit_calls(connection, calls, ids)
    return count
