"""Seasons of live journeys: which of them stand over which others, and what is wrong with one that is drawn. Never pauses.

A season is in force while its journey is live; one that is itself paused by a season still counts, so that two that override
each other stay as they are instead of taking turns.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from app.store import seasons as store
from app.store import users
from app.store.pauses import SEASON
from app.store.rows import Connection
from app.store.versions import Saved
from flows import document as documents
from flows.compile import Plan, season_of
from flows.document import Document
from flows.problems import Problem
from flows.seasons import PAUSE, Override, Season, circle


def standing(known: Iterable[tuple[Saved, Plan]]) -> dict[int, tuple[Override, ...]]:
    """By journey, whose seasons stand over it, now or at some time."""
    rows = list(known)
    found: dict[int, tuple[Override, ...]] = {}
    for saved, plan in rows:
        mine = plan.season
        if mine is None or not plan.live or (plan.paused and not (saved.pause_reason or "").startswith(SEASON)):
            continue
        own = saved.journey_id
        for other in {one.journey_id: one for one, _plan in rows if one.workspace_id == saved.workspace_id}.values():
            if mine.overrides(other.journey_id, other.plan_id, own=own):
                found[other.journey_id] = (*found.get(other.journey_id, ()), Override(own, mine))
    return {journey: tuple(sorted(over)) for journey, over in found.items()}


class Wish(NamedTuple):
    """What should become of one journey: paused by the season of another, or (`by` None) resumed."""

    workspace_id: int
    journey_id: int
    by: int | None


def next_wish(connection: Connection, now: datetime) -> Wish | None:
    """The first journey that is not as the seasons want it at this moment."""
    pausing = [one for one in in_force(connection) if one[2].how == PAUSE and one[2].on(now)]
    aims: list[tuple[int, int, int | None, int | None]]
    aims = [(workspace, by, journey, None) for workspace, by, season in pausing for journey in sorted(season.journeys)]
    aims += [(workspace, by, None, plan) for workspace, by, season in pausing for plan in sorted(season.plans)]
    row = store.out_of_step(connection, aims)
    return Wish(*row) if row else None


def in_force(connection: Connection) -> list[tuple[int, int, Season]]:
    """Every season of a live journey: (workspace, journey, season)."""
    found = []
    for workspace, journey, raw, timezone in store.in_force(connection):
        season = season_of(documents.Season.model_validate(raw), timezone)
        if season is not None:
            found.append((workspace, journey, season))
    return found


def held_by(connection: Connection, workspace_id: int, journey_id: int, now: datetime) -> int | None:
    """The journey whose season pauses this one at this moment."""
    plan = store.plan_of(connection, workspace_id, journey_id)
    for workspace, by, season in in_force(connection):
        in_the_way = workspace == workspace_id and season.how == PAUSE and season.on(now)
        if in_the_way and season.overrides(journey_id, plan, own=by):
            return by
    return None


def problems(connection: Connection, workspace_id: int, journey_id: int, document: Document) -> list[Problem]:
    """What is wrong with the season of a draft beside the other journeys of the workspace."""
    season = document.settings.season
    if season is None or not (season.journeys or season.plans):
        return []
    seen = store.seen(connection, workspace_id)
    found = []
    if journey_id in season.journeys:
        found.append(Problem(None, "settings.season.journeys", "season.itself"))
    unknown = [("journeys", "season.no_journey", one) for one in season.journeys if one not in seen.journeys]
    unknown += [("plans", "season.no_plan", one) for one in season.plans if one not in seen.plans]
    found += [Problem(None, f"settings.season.{field}", code, {"number": str(one)}) for field, code, one in unknown]
    way = circle(journey_id, _aims(seen, journey_id, season))
    if len(way) > 1:
        names = " → ".join(seen.journeys[one] for one in [*way[1:], way[0]] if one in seen.journeys)
        found.append(Problem(None, "settings.season", "season.circle", {"names": names}))
    return found


def _aims(seen: store.Seen, journey_id: int, season: documents.Season) -> dict[int, frozenset[int]]:
    """Whom each journey overrides: live ones as they are published, this one as it is drawn, where their days meet."""
    inside: dict[int, set[int]] = defaultdict(set)
    for journey, plan in seen.plan_of.items():
        inside[plan].add(journey)
    aims = {}
    for by, raw in {**seen.seasons, journey_id: season.model_dump(mode="json")}.items():
        one = documents.Season.model_validate(raw)
        if one.ends_on < season.starts_on or season.ends_on < one.starts_on:
            continue
        aims[by] = frozenset({*one.journeys, *(other for plan in one.plans for other in inside[plan])} - {by})
    return aims


def over(connection: Connection, workspace_id: int, document: Document, now: datetime) -> list[Problem]:
    """A season that has ended already lets nobody in: said, not forbidden."""
    season = season_of(document.settings.season, users.timezone(connection, workspace_id))
    if season is None or season.closes > now or season.closes <= season.opens:
        return []
    return [Problem(None, "settings.season.ends_on", "season.over", {}, "warning")]
