"""Versions in flight over HTTP: what a plan for people would do, doing it, stopping it, putting back. Rules: `migrating`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import ConfigDict, Field

from app import migrating, publishing
from app.migrating import Preview, Progress
from app.publishing import known
from app.store import journeys, migrations_, submissions
from app.store.migrations_ import Migration
from app.web.guard import can, router
from app.web.journeys import AtDesk
from app.web.problems import missing
from app.web.shapes import INT, PAGE, In, JourneyId, Limit, Next, Out, Page, paged, place_of
from flows import document as documents
from flows.document import Document
from flows.moves import RULES_AT_MOST, Move
from flows.words import _

routes = router("migrations")

MigrationId = Annotated[int, Path(ge=1, le=INT, description="Number of the migration.", examples=[3])]
SAMPLE: Any = [
    {"node": "pause", "do": "move", "to": "pause", "wait": "keep"},
    {"node": "old_offer", "do": "exit", "version": 1},
    {"node": "end", "do": "reopen", "to": "thanks"},
]
People = Annotated[
    list[Move],
    Field(max_length=RULES_AT_MOST, description="What becomes of people, by step; who is named by no rule stays."),
]
State = Literal["running", "done", "stopped", "reversing", "reversed"]


class PeopleIn(In):
    """What becomes of the people who are on older versions, and of those who are through them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"people": SAMPLE}]})
    people: People


class PlaceOut(Out):
    """A step of an older version: who waits there, who completed there and could go on, and what becomes of them."""

    version: int
    node: str
    waiting: int
    failed: int
    finished: int
    do: Literal["stay", "move", "exit"]
    to: str | None
    reopen_to: str | None


class PreviewOut(Out):
    """What the plan would do now. Nothing has been done; people who failed stay where they are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "moved": 1204,
                    "exited": 3,
                    "reopened": 0,
                    "stay": 77,
                    "failed": 1,
                    "places": [
                        {
                            "version": 1,
                            "node": "pause",
                            "waiting": 1204,
                            "failed": 1,
                            "finished": 0,
                            "do": "move",
                            "to": "pause",
                            "reopen_to": None,
                        }
                    ],
                }
            ]
        }
    )
    moved: int
    exited: int
    reopened: int
    stay: int
    failed: int
    places: list[PlaceOut]


class NumbersOut(Out):
    """How many were moved, taken out, let go on again."""

    moved: int
    exited: int
    reopened: int


class MigrationOut(Out):
    """A migration. `went_on`: of those moved, how many the new step let go at once; `gone`: not put back, they had gone on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 3,
                    "version": 2,
                    "status": "done",
                    "expected": {"moved": 1204, "exited": 3, "reopened": 0},
                    "done": {"moved": 1204, "exited": 3, "reopened": 0},
                    "went_on": 12,
                    "put_back": 0,
                    "gone": 0,
                    "begun_at": "2026-11-22T09:00:00Z",
                    "begun_by": "user:3",
                    "ended_at": "2026-11-22T09:00:14Z",
                }
            ]
        }
    )
    id: int
    version: int
    status: State
    expected: NumbersOut
    done: NumbersOut
    went_on: int
    put_back: int
    gone: int
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None


@routes.get("/journeys/{journey_id}/migrations", dependencies=[can("journey.read")])
def list_migrations(journey_id: JourneyId, desk: AtDesk, limit: Limit = PAGE, next: Next = None) -> Page[MigrationOut]:
    """List the migrations of a journey with how far each has come, the latest first."""
    known(desk, journey_id)
    place = place_of(next, int)
    found = migrations_.of_journey(
        desk.connection, desk.workspace_id, journey_id, min(place[0], INT) if place else None, limit + 1
    )
    rows, after = paged(found, limit, lambda row: [row.id])
    return Page(items=told_of(desk, journey_id, list(rows)), next=after)


@routes.post("/journeys/{journey_id}/migrations/preview", dependencies=[can("journey.read")])
def preview_migration(journey_id: JourneyId, wish: PeopleIn, desk: AtDesk) -> PreviewOut:
    """Say what a plan would do, before it is done.

    Steps are those of what was handed in, else of the live version. Nothing is changed.
    """
    target, version_id = target_of(desk, journey_id)
    return _preview(migrating.preview(desk, journey_id, wish.people, target, version_id))


@routes.post("/journeys/{journey_id}/migrations", status_code=201, dependencies=[can("journey.publish")])
def begin_migration(journey_id: JourneyId, wish: PeopleIn, desk: AtDesk) -> MigrationOut:
    """Move people to the version that is live now, as the plan says.

    Each is moved exactly once, in batches; no message is repeated. 409 where one is under way already.
    """
    id = migrating.begin_on_live(desk, journey_id, wish.people)
    if id is None:
        raise publishing.RefusedError("conflict", _("This plan moves nobody: it names no step of an older version."))
    return one_of(desk, journey_id, id)


@routes.post("/journeys/{journey_id}/migrations/{migration_id}/stop", dependencies=[can("journey.publish")])
def stop_migration(journey_id: JourneyId, migration_id: MigrationId, desk: AtDesk) -> MigrationOut:
    """Stop after the present batch; who was moved stays moved, unless it is reversed. Doing it twice changes nothing."""
    migrating.stop(desk, journey_id, migration_id)
    return one_of(desk, journey_id, migration_id)


@routes.post("/journeys/{journey_id}/migrations/{migration_id}/reverse", dependencies=[can("journey.publish")])
def reverse_migration(journey_id: JourneyId, migration_id: MigrationId, desk: AtDesk) -> MigrationOut:
    """Put everybody back exactly as they stood, who has not gone on since; the others are counted (`gone`)."""
    migrating.reverse(desk, journey_id, migration_id)
    return one_of(desk, journey_id, migration_id)


def target_of(desk: publishing.Desk, journey_id: int) -> tuple[Document | None, int]:
    """Where people would be moved: what was handed in, else the live version (with its id, 0 for what is not published)."""
    journey = known(desk, journey_id)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    if last is not None and last.status in ("open", "approved"):
        return documents.load(submissions.document(desk.connection, desk.workspace_id, last.id)), 0
    return migrating.live_document(desk, journey), journey.live_version_id or 0


def one_of(desk: publishing.Desk, journey_id: int, id: int) -> MigrationOut:
    """A migration as the API shows it."""
    one = migrations_.find(desk.connection, desk.workspace_id, journey_id, id)
    if one is None:
        raise missing("migration")
    return told_of(desk, journey_id, [one])[0]


def told_of(desk: publishing.Desk, journey_id: int, some: Sequence[Migration]) -> list[MigrationOut]:
    """Migrations as the API shows them."""
    done = migrating.progress(desk, some)
    numbers = journeys.numbers(desk.connection, desk.workspace_id, journey_id)
    return [_shown(one, done[one.id], numbers) for one in some]


def _shown(one: Migration, done: Progress, numbers: dict[int, int]) -> MigrationOut:
    expected = {name: int(one.expected.get(name, 0)) for name in NumbersOut.model_fields}
    return MigrationOut.model_validate(
        {
            **{name: getattr(one, name) for name in ("id", "status", "begun_at", "begun_by", "ended_at")},
            "version": numbers.get(one.version_id, 0),
            "expected": expected,
            "done": {name: getattr(done, name) for name in expected},
            "went_on": done.went_on,
            "put_back": done.put_back,
            "gone": done.gone,
        }
    )


def _preview(seen: Preview) -> PreviewOut:
    places = [
        PlaceOut(
            version=one.version,
            node=one.node,
            waiting=one.waiting,
            failed=one.failed,
            finished=one.finished,
            do="stay" if one.move is None or one.move.do == "reopen" else one.move.do,
            to=one.move.to if one.move else None,
            reopen_to=one.reopen.to if one.reopen else None,
        )
        for one in seen.places
    ]
    said = {name: getattr(seen, name) for name in ("moved", "exited", "reopened", "stay", "failed")}
    return PreviewOut(**said, places=places)
