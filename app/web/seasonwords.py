"""What pages say of seasons: a journey's own, and those of others that stand over it. Never decides who may come in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fastapi import Request

from app.language import words
from app.store import seasons
from app.store.rows import Connection
from app.web.templating import language_of
from flows.compile import season_of
from flows.document import Season
from flows.seasons import PAUSE
from flows.words import _

IN_SEASON = _("In season from %(first)s to %(last)s; nobody comes in at other times.")


class Line(NamedTuple):
    """One sentence about a season. `on`: it is on now; `other`: the journey it speaks of, where that is another."""

    text: str
    on: bool
    other: int | None
    short: str


def of_journeys(
    request: Request, connection: Connection, workspace_id: int, journeys: Mapping[int, int | None], now: datetime
) -> dict[int, list[Line]]:
    """By journey (each with its plan), what there is to say of seasons that are on or still to come. One statement."""
    say = words(language_of(request)).gettext
    found: dict[int, list[Line]] = {}
    for by, name, raw, zone in seasons.published(connection, workspace_id):
        said = Season.model_validate(raw)
        season = season_of(said, zone)
        if season is None or (season.closes <= now and by not in journeys):
            continue
        on = season.on(now)
        days = {"first": said.starts_on.isoformat(), "last": said.ends_on.isoformat(), "journey": name}
        if by in journeys:
            state = _("in season") if on else _("season to come") if now < season.opens else _("season over")
            text = say(IN_SEASON) % days
            found.setdefault(by, []).append(Line(text, on, None, say(state)))
        if season.closes <= now:
            continue
        does = _("paused by “%(journey)s”") if season.how == PAUSE else _("kept shut by “%(journey)s”")
        told = (
            _("“%(journey)s” pauses this journey from %(first)s to %(last)s; it goes on by itself.")
            if season.how == PAUSE
            else _("While “%(journey)s” is in season, from %(first)s to %(last)s, nobody comes in here.")
        )
        for journey, plan in journeys.items():
            if season.overrides(journey, plan, own=by):
                short = (
                    say(does) % days if on else say(_("from %(first)s: %(what)s")) % {**days, "what": say(does) % days}
                )
                found.setdefault(journey, []).append(Line(say(told) % days, on, by, short))
    return found


def of_one(request: Request, connection: Connection, now: datetime, about: tuple[int, Mapping[str, Any]]) -> list[Line]:
    """What a journey's own page says: as it is published, and where it is not, as it is drawn."""
    journey_id, document = about
    workspace_id = request.state.caller.workspace_id
    plan = seasons.plan_of(connection, workspace_id, journey_id)
    found = of_journeys(request, connection, workspace_id, {journey_id: plan}, now).get(journey_id, [])
    drawn = (document.get("settings") or {}).get("season") if isinstance(document.get("settings"), dict) else None
    if drawn and all(line.other is not None for line in found):
        try:
            season = Season.model_validate(drawn)
        except ValueError:
            return found  # the checks say what is wrong with it
        say = words(language_of(request)).gettext
        text = say(IN_SEASON) % {"first": season.starts_on.isoformat(), "last": season.ends_on.isoformat()}
        found = [Line(text, False, None, say(_("seasonal"))), *found]
    return found
