"""Journeys paused when another's season begins and resumed when it ends, by themselves: one journey in each transaction.

Called on a beat of its own, beside the lanes: a resume of a million people is one long UPDATE. Never touches what a person
or a fuse paused.
"""

from collections.abc import Mapping
from datetime import datetime

from app import audit, pausing, seasons
from app.database import transaction
from app.publishing import Desk
from app.store.pauses import SEASON
from app.store.rows import Connection
from flows.contract import NodeType


def turn(connection: Connection, catalog: Mapping[str, NodeType], now: datetime) -> bool:
    """Bring the first journey that is out of step with the seasons into step; False where none is."""
    with transaction(connection):
        wish = seasons.next_wish(connection, now)
        if wish is None:
            return False
        desk = Desk(connection, catalog, wish.workspace_id, audit.SYSTEM, now)
        if wish.by is not None:
            pausing.pause(desk, wish.journey_id, "freeze", f"{SEASON}: journey {wish.by}")
        else:
            pausing.resume(desk, wish.journey_id)
    return True
