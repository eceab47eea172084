"""Who is where in a journey: counted numbers, the list behind each of them, and letting one contact in. Never counts rows."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request
from pydantic import ConfigDict, Field

from app import counts
from app.counts import AtNode
from app.publishing import known
from app.store import accept, journeys, tallies, walks
from app.store.accept import Raced
from app.store.rows import Connection
from app.store.walks import Standing, Where
from app.web.guard import Asker, TheHouse, can, router
from app.web.journeys import AtDesk
from app.web.problems import ProblemError, away, invalid, missing
from app.web.shapes import INT, PAGE, In, JourneyId, Limit, Next, Out, Page, Text, paged, place_of
from app.web.templating import reading
from app.web.told import Faces, Say, faces, reason_text
from app.web.whys import of_reasons
from flows.words import _, told

routes = router("journeys")

TRIES = 5

StandingWord = Literal["active", "completed", "exited", "failed", "held"]
NodeName = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="Only at this node.")]
VersionNumber = Annotated[int | None, Query(ge=1, le=INT, description="Only this version; left out: all versions.")]


class MailStats(Out):
    """What became of a node's messages. total = pending + sent + failed + expired + all that was suppressed, by reason."""

    total: int
    pending: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    failed: int
    bounced: int
    expired: int
    unsubscribed: int
    suppressed: dict[str, int]


class NodeStats(Out):
    """Numbers of one node: who came, who is there now, who left by which port; `messages` of a node that sends."""

    entered: int = 0
    waiting: int = 0
    ports: dict[str, int] = Field(default_factory=dict)
    messages: MailStats | None = None


class StatsOut(Out):
    """Numbers of a journey. entered = active + completed + exited + failed, always. `reasons`: what those mean that occur.

    Of the exited, those are told apart who left by the `goal`, by the exit rule, by hand (`manual`), by too many visits.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entered": 120,
                    "active": 20,
                    "completed": 90,
                    "exited": 10,
                    "failed": 0,
                    "goal": 8,
                    "manual": 2,
                    "nodes": {"pause": {"entered": 120, "waiting": 20, "ports": {"next": 90}}},
                }
            ]
        }
    )
    entered: int = 0
    active: int = 0
    completed: int = 0
    exited: int = 0
    failed: int = 0
    goal: int = 0
    exit_when: int = 0
    manual: int = 0
    visit_limit: int = 0
    nodes: dict[str, NodeStats] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)


class EnrollmentOut(Out):
    """One contact's walk. `version` is the number of the version it is pinned to.

    `reason` says why it ended, `reason_text` the same in a sentence.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 5001,
                    "contact_id": 31007,
                    "node": "pause",
                    "status": "active",
                    "version": 2,
                    "wake_at": "2026-11-21T10:10:00Z",
                    "entered_at": "2026-11-21T10:00:00Z",
                    "reason": None,
                    "reason_text": None,
                    "key": "",
                }
            ]
        }
    )
    id: int
    contact_id: int
    node: str
    status: StandingWord
    version: int
    wake_at: datetime | None
    entered_at: datetime
    reason: str | None
    reason_text: str | None
    key: str


class EnrollIn(In):
    """Whom to let in. The same `idempotency_key` twice lets in once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "u1", "context": {"order_id": "A-1"}, "idempotency_key": "order-A-1"}]
        }
    )
    user_id: Text
    context: dict[str, Any] = Field(default_factory=dict, description="What nodes and words may refer to as `entry`.")
    idempotency_key: Text


class EnrolledOut(Out):
    """Accepted: whether the contact enters is decided in the order of its events, by the journey's re-entry rule."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})
    accepted: bool = True


@routes.post("/journeys/{journey_id}/enroll", status_code=202, dependencies=[can("journey.enroll")])
def enroll_contact(journey_id: JourneyId, wish: EnrollIn, house: TheHouse, asker: Asker) -> EnrolledOut:
    """Let one contact in; an unknown user id makes a new contact. 409 unless the journey is live."""
    if len(msgspec.json.encode(wish.context)) > house.settings.event_bytes:
        raise invalid([("context", told(_("may be {bytes:,} bytes at most"), bytes=house.settings.event_bytes))])
    for _try in range(TRIES):
        try:
            with house.transaction(limit=asker.scopes) as connection:
                _let_in(connection, asker.workspace_id, journey_id, wish, house.now())
        except Raced:
            continue  # the same name was being written elsewhere; nothing was kept
        house.nudge()
        return EnrolledOut()
    raise away()


def _let_in(connection: Connection, workspace_id: int, journey_id: int, wish: EnrollIn, now: datetime) -> None:
    journey = journeys.find(connection, workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    if journey.status != "live":
        raise ProblemError(
            409,
            told(_("The journey is {status}; people can enter only while it is live."), status=told(journey.status)),
        )
    accept.enroll(
        connection,
        workspace_id,
        journey_id,
        user_id=wish.user_id,
        context=wish.context,
        idempotency_key=wish.idempotency_key,
        now=now,
    )


@routes.get("/journeys/{journey_id}/stats", dependencies=[can("journey.read")])
def read_stats(request: Request, journey_id: JourneyId, desk: AtDesk, version: VersionNumber = None) -> StatsOut:
    """Show the numbers of a journey, and of each of its nodes; they come from tallies, never from counting people."""
    known(desk, journey_id)
    counted = tallies.of_journey(desk.connection, desk.workspace_id, journey_id)
    if version is not None:
        known_as = journeys.numbers(desk.connection, desk.workspace_id, journey_id)
        if version not in known_as.values():
            raise missing("version")
        counted = [row for row in counted if known_as.get(row[0]) == version]
    numbers = counts.gather(counted)
    found = {reason for node in numbers.nodes.values() for reason in node.mail.suppressed}
    parts = of_reasons(request, desk.connection, desk.workspace_id, found) if found else {}
    texts = {reason: "".join(part.text for part in said) for reason, said in parts.items()}
    return StatsOut(
        **numbers.totals.plain(),
        nodes={name: _node_stats(node) for name, node in numbers.nodes.items()},
        reasons=texts,
    )


def _node_stats(node: AtNode) -> NodeStats:
    mail = MailStats(**node.mail.plain()) if node.mail.total else None
    return NodeStats(entered=node.entered, waiting=node.waiting, ports=node.ports, messages=mail)


@routes.get("/journeys/{journey_id}/enrollments", dependencies=[can("journey.read")])
def list_enrollments(
    request: Request,
    journey_id: JourneyId,
    desk: AtDesk,
    node: NodeName = None,
    status: Annotated[StandingWord | None, Query(description="Only in this status.")] = None,
    limit: Limit = PAGE,
    next: Next = None,
) -> Page[EnrollmentOut]:
    """List who is or was in a journey."""
    known(desk, journey_id)
    numbers = journeys.numbers(desk.connection, desk.workspace_id, journey_id)
    is_open = status in walks.OPEN
    place = place_of(next, int, str, int, int) if is_open else place_of(next, int, int)
    where = Where(desk.workspace_id, journey_id, sorted(numbers), node, status, limit + 1)
    found = walks.standing(desk.connection, where, _inside(place))
    rows, after = paged(found, limit, lambda row: row.open_place if is_open else row.place)
    known_faces = faces(request, desk.connection, desk.workspace_id, {row.version_id for row in rows if row.reason})
    with reading(request) as say:
        return Page(items=[_enrollment(row, numbers, known_faces, say) for row in rows], next=after)


def _inside(place: list[Any] | None) -> list[Any] | None:
    """A place whose numbers the columns can hold; a forged one only ends the list."""
    if place is None:
        return None
    lane = len(place) - 2
    return [
        min(max(value, -1), 32_767 if position == lane else INT if position < lane else value)
        if isinstance(value, int)
        else value
        for position, value in enumerate(place)
    ]


def _enrollment(row: Standing, numbers: dict[int, int], known_faces: dict[int, Faces], say: Say) -> EnrollmentOut:
    return EnrollmentOut(
        id=row.id,
        contact_id=row.contact_id,
        node=row.node,
        status=walks.STANDING_WORDS[row.status],  # type: ignore[arg-type]  # the words of the table are the words here
        version=numbers.get(row.version_id, 0),
        wake_at=row.wake_at,
        entered_at=row.entered_at,
        reason=row.reason,
        reason_text=reason_text(row.reason, say, known_faces.get(row.version_id)) or None,
        key=row.key,
    )
