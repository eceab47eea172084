"""Pause, resume, stop: what becomes of the clock and of what falls due meanwhile, said in numbers before it is done.

Four ways: freeze (every wait ends as much later), late (what is due goes out late), skip (what fell due is not sent), exit
(everybody leaves). Functions take an open transaction and never commit; no SQL of their own.
"""

from datetime import timedelta
from typing import Literal, NamedTuple

from app import audit, seasons
from app.fusing import FUSE
from app.publishing import Desk, RefusedError, known
from app.store import fuses, journeys, pauses, reputations, schedules, versions
from app.store.journeys import Journey
from app.store.pauses import SEASON, Pause
from flows import document as documents
from flows.compile import Label, Plan, Step, compile_plan
from flows.words import _, told

Mode = Literal["freeze", "late", "skip", "exit"]
MODES: tuple[Mode, ...] = ("freeze", "late", "skip", "exit")
SPREAD_AT_MOST = timedelta(days=7)


class AtOnce(NamedTuple):
    """What a resume would do at once: people who go on, messages that go out (at most: a rule may hold some back)."""

    people: int
    messages: int


class Outlook(NamedTuple):
    """A resume before it is done: how the pause was meant, why it began, and what each way of ending it would do."""

    mode: Mode
    reason: str | None
    at_once: dict[Mode, AtOnce]


def pause(desk: Desk, journey_id: int, mode: Mode = "freeze", reason: str | None = None) -> Journey:
    """Nobody moves and nobody enters until it is resumed; with `exit` everybody on the way leaves now."""
    journey = known(desk, journey_id, lock=True)
    if journey.status == "paused":
        return journey
    _refuse(journey, "paused", {"live"})
    journeys.set_status(desk.connection, desk.workspace_id, journey_id, "paused", desk.now)
    pauses.set_mode(desk.connection, desk.workspace_id, journey_id, mode, reason)
    if mode == "exit":
        pauses.leave(desk.connection, desk.workspace_id, journey_id, desk.now)
        now = Pause(desk.workspace_id, journey_id, desk.now, desk.now)
        pauses.drop_messages(desk.connection, now, pauses.LEAVE, every=True)
    versions.bump(desk.connection)
    _note(desk, journey, "journey.pause", "paused", {"mode": mode, **({"reason": reason} if reason else {})})
    return journey._replace(status="paused", paused_at=desk.now)


def resume(desk: Desk, journey_id: int, mode: Mode | None = None, spread: timedelta = timedelta()) -> Journey:
    """On with it, as the pause was meant or in another way; what would go out at once goes out over `spread`."""
    connection, workspace_id, now = desk.connection, desk.workspace_id, desk.now
    journey = known(desk, journey_id, lock=True)
    if journey.status == "live":
        return journey
    _refuse(journey, "live", {"paused"})
    reason = journey.pause_reason or ""
    if reason.startswith(SEASON) and desk.actor != audit.SYSTEM:
        _refuse_season(desk, journey_id)
    way = mode or journey.pause_mode
    if reason.startswith(FUSE):
        fuses.accept_rate(connection, workspace_id, journey_id, now)
        reputations.seen(connection, workspace_id, journey_id, now)
    # A clock that was put back meanwhile must shift nobody into the past.
    ended = Pause(workspace_id, journey_id, min(journey.paused_at or now, now), now, min(spread, SPREAD_AT_MOST))
    journeys.set_status(connection, workspace_id, journey_id, "live", now)
    pauses.set_mode(connection, workspace_id, journey_id, "freeze", None)
    if way == "exit":
        pauses.leave(connection, workspace_id, journey_id, now)
        pauses.drop_messages(connection, ended, pauses.LEAVE, every=True)
    elif way == "freeze":
        pauses.freeze(connection, ended)
    else:
        pauses.late(connection, ended, skip=way == "skip")
    if way == "skip":
        pauses.drop_messages(connection, ended, pauses.SKIPPED)
    if ended.spread:
        pauses.spread_messages(connection, ended)
    versions.bump(connection)
    _note(desk, journey, "journey.resume", "live", {"mode": way, "spread": str(ended.spread)})
    return journey._replace(status="live", paused_at=now)


def stop(desk: Desk, journey_id: int) -> Journey:
    """For good: everybody on the way leaves (exited, manual) with the next pass of the timers."""
    journey = known(desk, journey_id, lock=True)
    if journey.status == "stopped":
        return journey
    _refuse(journey, "stopped", {"live", "paused"})
    journeys.set_status(desk.connection, desk.workspace_id, journey_id, "stopped", desk.now)
    pauses.set_mode(desk.connection, desk.workspace_id, journey_id, "freeze", None)
    pauses.call_in(desk.connection, desk.workspace_id, journey_id, desk.now)
    schedules.replace(desk.connection, desk.workspace_id, journey_id, 0, [])
    versions.bump(desk.connection)
    _note(desk, journey, "journey.stop", "stopped", {})
    return journey._replace(status="stopped", paused_at=desk.now)


def outlook(desk: Desk, journey_id: int) -> Outlook:
    """What a resume would do at once, for each way of it. Nothing is done."""
    journey = known(desk, journey_id)
    if journey.status != "paused":
        raise RefusedError(
            "conflict", told(_("A journey that is {status} cannot be resumed."), status=told(journey.status))
        )
    ended = Pause(desk.workspace_id, journey_id, min(journey.paused_at or desk.now, desk.now), desk.now)
    found = pauses.due(desk.connection, ended)
    sends = _sends_ahead(desk, {one.version_id for one in found})
    written = pauses.pending(desk.connection, ended)

    def at_once(*, frozen: bool, skipped: bool) -> AtOnce:
        going = [(one, one.met + one.before + (0 if frozen else one.since)) for one in found]
        messages = sum(people * sends.get((one.version_id, one.node), 1) for one, people in going)
        return AtOnce(sum(people for _, people in going), 0 if skipped else messages + written)

    ways: dict[Mode, AtOnce] = {
        "freeze": at_once(frozen=True, skipped=False),
        "late": at_once(frozen=False, skipped=False),
        "skip": at_once(frozen=False, skipped=True),
        "exit": AtOnce(0, 0),
    }
    return Outlook(journey.pause_mode, journey.pause_reason, ways)  # type: ignore[arg-type]


def _sends_ahead(desk: Desk, version_ids: set[int]) -> dict[tuple[int, str], int]:
    """For each step the most messages that somebody gets between leaving it and their next rest."""
    found = {}
    for saved in versions.by_ids(desk.connection, sorted(version_ids)):
        label = Label(saved.workspace_id, saved.journey_id, saved.version_id)
        plan = compile_plan(documents.load(saved.document), desk.catalog, label)
        known: dict[str, int] = {}
        for step in plan.steps.values():
            found[saved.version_id, step.id] = max(
                (_on_the_way(plan, to, known, frozenset()) for to in step.wires.values() if to), default=0
            )
    return found


def _on_the_way(plan: Plan, id: str, known: dict[str, int], seen: frozenset[str]) -> int:
    """The most messages from arriving at a step to the next rest."""
    if id in known or id in seen:
        return known.get(id, 0)
    step = plan.steps[id]
    own = 1 if step.node is not None and step.node.channel is not None else 0
    if not _holds(step):
        own += max((_on_the_way(plan, to, known, seen | {id}) for to in step.wires.values() if to), default=0)
    known[id] = own
    return own


def _holds(step: Step) -> bool:
    return step.node is None or step.node.waits or bool(step.listens)


def _refuse(journey: Journey, status: str, sources: set[str]) -> None:
    if journey.status not in sources:
        raise RefusedError(
            "conflict",
            told(
                _("A journey that is {status} cannot become {wished}."),
                status=told(journey.status),
                wished=told(status),
            ),
        )


def _refuse_season(desk: Desk, journey_id: int) -> None:
    by = seasons.held_by(desk.connection, desk.workspace_id, journey_id, desk.now)
    if by is not None:
        text = _("The season of journey {number} pauses this one; pause that one, or wait: it goes on by itself.")
        raise RefusedError("conflict", told(text, number=by))


def _note(desk: Desk, journey: Journey, what: str, status: str, more: dict[str, str]) -> None:
    desk.note(what, f"journey:{journey.id}", {"status": journey.status}, {"status": status, **more})
