"""People with a past, written as history is, and walks as the engine leaves them: what a review counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.database import Connection, transaction
from app.lanes import lane_of
from app.store import demo
from app.store.demo import Invented, Past
from tests.web.conftest import Staff

Json = Any


class Crowd:
    """The contacts of one workspace."""

    def __init__(self, connection: Connection, staff: Staff) -> None:
        self.connection, self.workspace_id = connection, staff.workspace_id
        self.now = datetime.now(UTC)

    def person(
        self,
        user: str,
        *events: tuple[str, dict[str, Json]],
        consents: dict[str, Json] | None = None,
        **attributes: Json,
    ) -> int:
        """A contact; what it did happened a day ago."""
        one = Invented(user, f"{user}@shop.example", f"+86{user}", attributes, [], consents or {}, self.now)
        with transaction(self.connection):
            (id,) = demo.add_people(self.connection, self.workspace_id, [one])
            day = self.now - timedelta(days=1)
            demo.add_history(self.connection, self.workspace_id, [Past(id, day, *event) for event in events])
        return id

    def walks(self, journey_id: int, contact: int, *, status: int = 0) -> None:
        """Somebody entered a journey just now, and waits there or is through."""
        with transaction(self.connection):
            self.connection.execute(
                """
                INSERT INTO enrollment (workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at, journey_id,
                                        version_id, status, walks, node, key)
                SELECT %(w)s, %(lane)s, %(id)s, %(c)s, %(slot)s, %(at)s, %(at)s, %(at)s, id, live_version_id, %(status)s, 1,
                       'pause', '' FROM journey WHERE id = %(j)s
                """,
                {
                    "w": self.workspace_id,
                    "lane": lane_of(self.workspace_id, contact),
                    "id": contact * 1000 + journey_id,
                    "c": contact,
                    "slot": 0 if status == 0 else contact * 1000 + journey_id,
                    "at": self.now,
                    "status": status,
                    "j": journey_id,
                },
            )
