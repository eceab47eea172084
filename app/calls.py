"""What the ingest door hands on: calls of the tracking protocol, read and proved. Only values, never logic."""

from datetime import datetime
from typing import NamedTuple


class Call(NamedTuple):
    """One call of a client. `kind`: track, identify, alias or enroll; `name` is the event's; `properties` is JSON text."""

    workspace_id: int
    kind: str
    name: str
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    email: str | None
    phone: str | None
    timestamp: datetime
    received_at: datetime
    properties: str
    digest: str | None  # 32 hex digits out of the message id; None if the client gave none, so nothing can repeat it
