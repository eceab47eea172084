"""Versions in flight: what becomes of people when a version is published: previewed, begun, stopped, undone. By choice only.

Functions take an open transaction and never commit; the stage `migrate` does the moving. No SQL of its own, no HTTP.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app import publishing
from app.publishing import Desk, RefusedError, known
from app.store import journeys, migrations_, versions
from app.store.enrollments import Row
from app.store.journeys import Journey
from app.store.migrations_ import Did, Migration, Wish
from flows import document as documents
from flows.document import Document
from flows.interpret import Status
from flows.moves import Move, resolved, wrong
from flows.words import _, told

# What a migration may be, as refusals say it.
STATES = (_("running"), _("done"), _("stopped"), _("reversing"), _("reversed"))

People = Sequence[Move]
Places = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a migration by the places they speak of."""

    by_place: Mapping[tuple[int, str, bool], Move]

    @property
    def waiting(self) -> Places:
        """Where people wait whom a rule speaks of."""
        return [(version, node) for version, node, finished in self.by_place if not finished]

    @property
    def through(self) -> Places:
        """Where people completed whom a rule speaks of."""
        return [(version, node) for version, node, finished in self.by_place if finished]

    def of(self, row: Row) -> Move:
        """The rule for somebody who stands somewhere."""
        return self.by_place[row.version_id, row.node, row.status == Status.COMPLETED]


def rules_of(migration: Migration) -> Rules:
    """The rules as they were kept."""
    found = {}
    for kept in migration.rules["rules"]:
        move = Move.model_validate(kept["move"])
        found[kept["version_id"], move.node, move.finished] = move
    return Rules(found)


class Place(NamedTuple):
    """A step of an older version: who stands there, who completed there and could go on, and what becomes of them."""

    version: int
    node: str
    waiting: int
    failed: int
    finished: int
    move: Move | None
    reopen: Move | None


class Preview(NamedTuple):
    """What a choice would do, in numbers: nothing has been done."""

    places: list[Place]
    moved: int
    exited: int
    reopened: int
    stay: int
    failed: int

    @property
    def expected(self) -> dict[str, int]:
        """The numbers that are kept with the migration."""
        return {"moved": self.moved, "exited": self.exited, "reopened": self.reopened, "stay": self.stay}


def preview(desk: Desk, journey_id: int, people: People, target: Document | None, version_id: int = 0) -> Preview:
    """Count who stands where, and what the rules would do with them. `target`: the document they would be moved to.

    `version_id` is that of the target if it is published already: its own people are nobody's concern.
    """
    if target is not None and (found := wrong(people, target, desk.catalog)):
        field, problem = found[0]
        raise RefusedError(
            "invalid",
            told(_("People cannot be moved like that: {field} {problem}."), field=field, problem=told(problem)),
        )
    numbers = journeys.numbers(desk.connection, desk.workspace_id, journey_id)
    places = _places(desk, {id: number for id, number in numbers.items() if id != version_id}, people)
    return Preview(
        places,
        moved=sum(one.waiting for one in places if one.move and one.move.do == "move"),
        exited=sum(one.waiting for one in places if one.move and one.move.do == "exit"),
        reopened=sum(one.finished for one in places if one.reopen),
        stay=sum(one.waiting for one in places if one.move is None),
        failed=sum(one.failed for one in places),
    )


def _places(desk: Desk, old: Mapping[int, int], people: People) -> list[Place]:
    """Where people of these versions (by id, with the number) stand, the latest version first, with their rules."""
    by_place = resolved(people, old)
    standing = migrations_.standing(desk.connection, desk.workspace_id, list(old))
    finished = migrations_.finished(desk.connection, desk.workspace_id, list(old))
    counts: dict[tuple[int, str], list[int]] = {}  # waiting, failed, finished
    for version, node, status, number in standing:
        counts.setdefault((version, node), [0, 0, 0])[1 if status == Status.FAILED else 0] += number
    for version, node, number in finished:
        counts.setdefault((version, node), [0, 0, 0])[2] += number
    return [
        Place(
            old[version],
            node,
            waiting,
            failed,
            through,
            by_place.get((version, node, False)),
            by_place.get((version, node, True)),
        )
        for (version, node), (waiting, failed, through) in sorted(
            counts.items(), key=lambda one: (-old[one[0][0]], one[0][1])
        )
    ]


def publish(desk: Desk, journey_id: int, content_hash: str, people: People) -> tuple[int, str, int | None]:
    """Publish, and move people as was chosen: the version's number, the journey's status, the migration. All of it or nothing."""
    number, status = publishing.publish(desk, journey_id, content_hash)
    return number, status, begin_on_live(desk, journey_id, people) if people else None


def begin(desk: Desk, journey_id: int, version_id: int, target: Document, people: People) -> int | None:
    """Begin to move people to a version that is published; None where the rules concern nobody's place."""
    if migrations_.is_open(desk.connection, desk.workspace_id, journey_id):
        raise RefusedError(
            "conflict", _("People of this journey are being moved already; wait for the end, or stop that.")
        )
    seen = preview(desk, journey_id, people, target, version_id)
    numbers = journeys.numbers(desk.connection, desk.workspace_id, journey_id)
    by_place = resolved(people, {id: number for id, number in numbers.items() if id != version_id})
    if not by_place:
        return None
    rules = {
        "rules": [{"version_id": version, "move": move.model_dump()} for (version, _, _), move in by_place.items()]
    }
    wish = Wish(version_id, rules, seen.expected, desk.actor)
    id = migrations_.add(desk.connection, desk.workspace_id, journey_id, wish, desk.now)
    versions.bump(desk.connection)
    after = {"migration": id, "version": numbers[version_id], **seen.expected}
    desk.note("journey.migrate", f"journey:{journey_id}", {}, after)
    return id


def begin_on_live(desk: Desk, journey_id: int, people: People) -> int | None:
    """Begin to move people to the version that is live now."""
    journey = known(desk, journey_id, lock=True)
    target = live_document(desk, journey)
    if target is None or journey.live_version_id is None:
        raise RefusedError("conflict", _("This journey has no live version to move people to."))
    return begin(desk, journey_id, journey.live_version_id, target, people)


def live_document(desk: Desk, journey: Journey) -> Document | None:
    """The document of the live version."""
    if journey.live_number is None:
        return None
    raw = journeys.document(desk.connection, desk.workspace_id, journey.id, journey.live_number)
    return documents.load(raw) if raw is not None else None


def stop(desk: Desk, journey_id: int, id: int) -> Migration:
    """No further batch; who was moved stays moved, unless it is reversed."""
    one = _locked(desk, journey_id, id)
    if one.status == "stopped":
        return one
    if one.status != "running":
        raise RefusedError(
            "conflict", told(_("A migration that is {status} cannot be stopped."), status=told(one.status))
        )
    migrations_.set_status(desk.connection, one, "stopped", desk.now)
    versions.bump(desk.connection)
    after = {"migration": id, "status": "stopped"}
    desk.note("journey.migrate.stop", f"journey:{journey_id}", {"status": one.status}, after)
    return one._replace(status="stopped", ended_at=desk.now)


def reverse(desk: Desk, journey_id: int, id: int) -> Migration:
    """Put everybody back who has not gone on since; the others are counted."""
    one = _locked(desk, journey_id, id)
    if one.status in ("reversing", "reversed"):
        return one
    if migrations_.is_open(desk.connection, desk.workspace_id, journey_id) and one.status != "running":
        raise RefusedError("conflict", _("People of this journey are being moved; wait for the end, or stop that."))
    migrations_.set_status(desk.connection, one, "reversing", None)
    versions.bump(desk.connection)
    desk.note("journey.migrate.reverse", f"journey:{journey_id}", {"status": one.status}, {"migration": id})
    return one._replace(status="reversing", ended_at=None)


class Progress(NamedTuple):
    """How far a migration has come. `went_on`: the new place let them go at once. `gone`: not put back, they went on since."""

    moved: int
    exited: int
    reopened: int
    went_on: int
    put_back: int
    gone: int


def progress(desk: Desk, some: Iterable[Migration]) -> dict[int, Progress]:
    """How far each has come."""
    some = list(some)
    counted = migrations_.counts(desk.connection, desk.workspace_id, [one.id for one in some])
    return {one.id: _progress(counted.get(one.id, [])) for one in some}


def _progress(counted: Sequence[migrations_.Count]) -> Progress:
    def total(*did: Did) -> int:
        return sum(one.people for one in counted if one.did in did)

    return Progress(
        moved=total(Did.MOVED, Did.WENT_ON),
        exited=total(Did.EXITED),
        reopened=total(Did.REOPENED, Did.REOPENED_WENT_ON),
        went_on=total(Did.WENT_ON, Did.REOPENED_WENT_ON),
        put_back=sum(one.people for one in counted if one.back == 1),
        gone=sum(one.people for one in counted if one.back == 2),
    )


def _locked(desk: Desk, journey_id: int, id: int) -> Migration:
    one = migrations_.find(desk.connection, desk.workspace_id, journey_id, id, lock=True)
    if one is None:
        raise RefusedError("missing", "migration")
    return one
