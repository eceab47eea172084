"""The stream of a journey's page: its numbers, draft, remarks and readers as they change. One stream a page, shared looks.

Asynchronous, as only streams and the ingest door are; all that waits for the database runs in a thread.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app import auth
from app.auth import Caller
from app.store import access, journeys, keys, periods, users, watching
from app.web import presence
from app.web.guard import Asker, TheHouse, can
from app.web.house import House
from app.web.page import page_router
from app.web.period import AskedPeriod, Period, read
from app.web.presence import Someone
from app.web.problems import ProblemError, missing
from app.web.session import cookie_of
from app.web.shapes import JourneyId
from app.web.streams import RIGHTS, Streams
from app.web.walks import VersionNumber
from flows.words import _

routes = page_router()

Mode = Literal["edit", "live", "review", "version"]
DUE_EVERY = timedelta(seconds=5)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
HEADERS = {"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"}


@dataclass(slots=True)
class Watched:
    """What one look looks at; shared by everybody who watches the same."""

    house: House
    place: tuple[int, int]
    version_id: int | None
    period: Period
    zone: str
    numbers: bool
    due: dict[str, str] = field(default_factory=dict)
    due_at: datetime = LONG_AGO

    def look(self) -> Mapping[str, Any]:
        """How it is now, event by event."""
        now = self.house.now()
        with self.house.transaction(read_only=True) as connection:
            state = watching.state(connection, *self.place)
            if state is None:
                return {}
            by = keys.names(connection, self.place[0], [state.saved_by]).get(state.saved_by, state.saved_by)
            seen: dict[str, Any] = {
                RIGHTS: access.number(connection),
                "journey": {"name": state.name, "status": state.status, "version": state.version},
                "draft": {"revision": state.revision, "by": by, "actor": state.saved_by},
                "comment": watching.remarks(connection, *self.place),
            }
            if self.numbers:
                seen["counters"] = self._counters(connection, now)
        seen["presence"] = presence.who(self.house.hints, self.place, now)
        return seen

    def _counters(self, connection: Any, now: datetime) -> dict[str, Any]:
        numbers, waiting = read(connection, self.place, self.version_id, self.period.bounds(now, self.zone))
        if now - self.due_at >= DUE_EVERY:
            self.due, self.due_at = earliest(periods.next_due(connection, self.place[0], waiting)), now
        return figures(numbers, self.due)


def figures(numbers: Any, due: Mapping[str, str]) -> dict[str, Any]:
    """Numbers as pages and streams carry them."""
    return {
        "nodes": {
            name: {
                "entered": one.entered,
                "waiting": one.waiting,
                "left": one.left,
                "ended": one.ended,
                "before": one.before,
                "due": due.get(name),
                "sent": one.mail.sent,
                "messages": one.mail.total,
            }
            for name, one in sorted(numbers.nodes.items())
        },
        "ports": {f"{name} {port}": n for name, one in sorted(numbers.nodes.items()) for port, n in one.ports.items()},
        "totals": numbers.totals.plain(),
    }


def earliest(due: Mapping[tuple[int, str], datetime]) -> dict[str, str]:
    """The next moment at each node, whatever the version."""
    found: dict[str, datetime] = {}
    for (_version, node), at in due.items():
        found[node] = min(at, found.get(node, at))
    return {node: at.isoformat() for node, at in found.items()}


@routes.get("/journeys/{journey_id}/stream", dependencies=[can("journey.read")])
async def stream_journey(
    request: Request,
    house: TheHouse,
    caller: Asker,
    journey_id: JourneyId,
    period: AskedPeriod,
    mode: Annotated[Mode, Query(description="What the page is for; numbers come with `live` alone.")] = "live",
    version: VersionNumber = None,
) -> Response:
    """The page's one stream of events: counters, journey, draft, comment, presence; `over` where the session has ended."""
    streams: Streams = request.app.state.streams
    place = caller.workspace_id, journey_id
    watched = await run_in_threadpool(_watched, house, place, version, period, mode == "live")
    about = (period, watched.version_id) if watched.numbers else None
    key = (*place, about)
    page = token_hex(8)
    someone = Someone(caller.user_id, caller.name, mode, house.now().isoformat())
    session = cookie_of(request)
    await run_in_threadpool(presence.tell, house.hints, place, page, someone, house.now())

    async def alive() -> bool:
        return await run_in_threadpool(_alive, house, caller, session, place, page, someone)

    if streams.full:
        raise ProblemError(503, _("Too many pages are open at once."), headers={"Retry-After": "30"})

    async def lines() -> AsyncIterator[str]:
        reader = streams.join(key, watched.look)
        try:
            async for line in streams.lines(reader, alive):
                yield line
        finally:
            streams.leave(key, reader)
            asyncio.get_running_loop().run_in_executor(None, presence.leave, house.hints, place, page)

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)


def _watched(house: House, place: tuple[int, int], number: int | None, period: Period, numbers: bool) -> Watched:
    with house.transaction(read_only=True) as connection:
        if watching.state(connection, *place) is None:
            raise missing("journey")
        version_id = None
        if number is not None:
            known = {known: id for id, known in journeys.numbers(connection, *place).items()}
            if number not in known:
                raise missing("version")
            version_id = known[number]
        return Watched(house, place, version_id, period, users.timezone(connection, place[0]), numbers)


def _alive(house: House, caller: Caller, session: str, place: tuple[int, int], page: str, someone: Someone) -> bool:
    """Whether the session still may read; who has the page open is told again."""
    now = house.now()
    with house.transaction(read_only=True) as connection:
        again = auth.identify(connection, session, now, kind="js")
    if again is None or (again.actor, again.scopes) != (caller.actor, caller.scopes) or not again.may("journey.read"):
        return False
    presence.tell(house.hints, place, page, someone, now)
    return True
