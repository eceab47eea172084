"""The mass-late brake (D14): after an outage, more than a thousand sends over an hour late are held for a person to release.

The journeys go on: people move, and what their late waits write is held beside what lay there. Never sends, never commits.
"""

from datetime import datetime, timedelta
from typing import Literal

from app import audit, log
from app.publishing import Desk
from app.store import lates, versions
from app.store.rows import Connection

LATE = timedelta(hours=1)
MOST = 1_000


def after_outage(connection: Connection, since: datetime, now: datetime) -> dict[int, int]:
    """Nothing has worked since then: hold what is late where it is much; how much, by workspace."""
    if now - since <= LATE:
        return {}
    found = {}
    for workspace, late in lates.count(connection, now - LATE, 10 * MOST).items():
        if late <= MOST:
            continue
        found[workspace] = late
        lates.hold(connection, workspace, now - LATE)
        said = {"late": late, "since": since.isoformat()}
        audit.record(connection, workspace, audit.SYSTEM, "messages.hold", f"workspace:{workspace}", {}, said, now)
        log.get(__name__).error("late messages are held until somebody releases them", workspace=workspace, count=late)
    if found:
        versions.bump(connection)
    return found


def settle(desk: Desk, how: Literal["release", "drop"], journey_id: int | None = None) -> int:
    """Let what is held go out now, or not at all; how many messages that were."""
    act = lates.release if how == "release" else lates.drop
    done = act(desk.connection, desk.workspace_id, journey_id, desk.now)
    if journey_id is None:
        lates.forget(desk.connection, desk.workspace_id)
        versions.bump(desk.connection)
    about = f"journey:{journey_id}" if journey_id else f"workspace:{desk.workspace_id}"
    desk.note(f"messages.{how}", about, {}, {"messages": done})
    return done
