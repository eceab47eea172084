"""A world with its own clock: the real stages on a scratch database, run from one moment of interest to the next.

Scenarios, replays and tests live in it. Nothing leaves: only local channels deliver, all others count as sent. Never asks for
the time of day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app import migrating, publishing, seasonal, seasons
from app.accepting import accept_now
from app.courier import Courier
from app.database import transaction
from app.lanes import ALL_LANES
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site
from app.stages import deliver, enroll, gate, match, migrate, settle, timers
from app.store import accept, enrollments, journeys, outbox, schedules, scratch, sendings, workspaces
from app.store.rows import Connection
from flows import conditions
from flows.conditions import Conditions
from flows.contract import NodeType
from flows.moves import Move
from flows.seasons import next_edge

BATCH = 5_000
SECRET = b"a world of its own needs no secret"
STILL_AT_MOST = 10_000  # passes over the stages within one moment; more means something turns in a circle
Json = Any


class World:
    """One workspace under a virtual clock. `now` only moves forward, through every moment at which something is due."""

    def __init__(
        self, connection: Connection, catalog: Mapping[str, NodeType], *, timezone: str, start: datetime
    ) -> None:
        self.connection = connection
        self.plans = Plans(catalog)
        self.now = start
        with transaction(connection):
            scratch.join_by_key(connection)
            self.workspace_id = workspaces.add(connection, "scenario", timezone=timezone, now=start)
        self.courier = Courier(Site("https://scratch.invalid", Tokens(SECRET)), SECRET, cut_off=True)

    def accept(self, payloads: Sequence[dict[str, Json]], *, at: datetime) -> None:
        """Put events through the ingest door as arriving at `at`."""
        accept_now(self.connection, self.workspace_id, payloads, at)

    def publish(
        self,
        name: str,
        document: dict[str, Json],
        journey_id: int | None = None,
        people: Sequence[Move] = (),
        *,
        bound: Conditions = conditions.NONE,
    ) -> int:
        """Draw, hand in, approve and publish a flow, as a new journey or as a known one's next version; returns the journey.

        `people`: what becomes of those in flight, as the publish dialog asks. `bound`: the conditions of the approval.
        """
        author, reviewer = self._desk("author"), self._desk("reviewer")
        with transaction(self.connection):
            if journey_id is None:
                journey_id = publishing.create(author, name, document).id
            else:
                journey = journeys.find(self.connection, self.workspace_id, journey_id)
                publishing.save_draft(author, journey_id, journey.revision if journey else 0, document)
            content_hash = publishing.submit(author, journey_id).content_hash
            publishing.review(reviewer, journey_id, "approve", content_hash, bound=bound)
            migrating.publish(author, journey_id, content_hash, people)
        return journey_id

    def allow(self, raw: dict[str, Json]) -> None:
        """Set caps and quiet hours."""
        with transaction(self.connection):
            publishing.allow(self._desk("manager"), raw)

    def _desk(self, actor: str) -> publishing.Desk:
        return publishing.Desk(self.connection, self.plans.catalog, self.workspace_id, actor, self.now)

    def enroll(self, journey_id: int, user: str, context: dict[str, Json], key: str) -> None:
        """Let one contact in by API."""
        with transaction(self.connection):
            accept.enroll(
                self.connection,
                self.workspace_id,
                journey_id,
                user_id=user,
                context=context,
                idempotency_key=key,
                now=self.now,
            )

    def until(self, moment: datetime, *, including: bool = True) -> None:
        """Do all that is due up to a moment, each at its own time; `including` also what is due at that very moment."""
        while True:
            due = self._next_due()
            if due is None or due > moment or (due == moment and not including):
                break
            self.now = max(self.now, due)
            self.still()
        self.now = max(self.now, moment)

    def still(self) -> None:
        """Run the stages at the present moment until nothing moves any more: events before timers, as the engine does."""
        for _ in range(STILL_AT_MOST):
            if not self._pass():
                return
        raise RuntimeError(f"the stages do not come to rest at {self.now}")

    def _pass(self) -> int:
        for stage in (match, timers, enroll, gate, migrate, settle):
            if done := stage.run(self.connection, self.plans, lanes=ALL_LANES, now=self.now, limit=BATCH):
                return int(done)
        if seasonal.turn(self.connection, self.plans.catalog, self.now):
            return 1
        return deliver.run(self.connection, self.plans, self.courier, now=self.now, limit=BATCH)

    def _next_due(self) -> datetime | None:
        with transaction(self.connection):
            found = [
                enrollments.next_due(self.connection, ALL_LANES),
                schedules.next_due(self.connection),
                outbox.next_due(self.connection),
                sendings.next_due(self.connection, ALL_LANES),
                next_edge([season for _, _, season in seasons.in_force(self.connection)], self.now),
            ]
        return min((one for one in found if one is not None), default=None)
