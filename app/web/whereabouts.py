"""The people behind a number of the live page: who waits at a step, who came by, who left by which way, who is through.

Lists are pages of bounded work; where one page found few among many it looked through, the next is asked for at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from app.auth import Caller
from app.counts import Numbers
from app.language import words
from app.privacy import Glasses
from app.store import journeys, users, whereabouts
from app.store.journeys import Journey
from app.store.rows import Connection
from app.store.whereabouts import Found, Wanted
from app.web import told
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, Now, can
from app.web.page import page_router, render
from app.web.period import AskedPeriod, Bounds, Period, read
from app.web.problems import invalid, missing
from app.web.shapes import JourneyId, Next
from app.web.templating import language_of
from app.web.told import Faces
from app.web.walks import NodeName, VersionNumber
from flows.words import _

routes = page_router()

PAGE = 50
PLACES = ((0,), (1,), (2,), (1, int), (2, told.LANE, int), (0, told.SMALL, str, told.LANE, int))
Apart = Literal["goal", "exit_when", "manual", "visit_limit"]
What = Literal["waiting", "entered", "ended", "active", "completed", "exited", "failed"] | Apart
Port = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$", description="Who left the step by this way.")]
WHOLE = {
    "entered": _("everybody who entered"),
    "active": _("on the way"),
    "completed": _("completed"),
    "exited": _("exited"),
    "goal": _("reached the goal"),
    "exit_when": _("left by the exit rule"),
    "manual": _("taken out by hand"),
    "visit_limit": _("came by too often"),
    "failed": _("failed"),
}
HERE = {
    "waiting": _("who is there now"),
    "entered": _("who came there"),
    "ended": _("whose walk ended there"),
    "failed": _("who failed there"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list was asked for."""

    journey: Journey
    node: str | None
    port: str | None
    what: str
    version: int | None
    period: Period

    @property
    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        asked = {"node": self.node, "port": self.port, "status": self.what, "version": self.version}
        return {name: str(value) for name, value in asked.items() if value} | self.period.query

    @property
    def now(self) -> bool:
        """Whether it is about the present, which has no period."""
        return self.what in ("waiting", "active")


@routes.get("/journeys/{journey_id}/people", dependencies=[can("journey.read")])
def show_people(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    journey_id: JourneyId,
    period: AskedPeriod,
    node: NodeName = None,
    port: Port = None,
    status: What | None = None,
    version: VersionNumber = None,
    next: Next = None,
) -> Response:
    """The list; with `next` its following rows alone."""
    journey = journeys.find(connection, caller.workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    what = "" if port and node else status or ("waiting" if node else "entered")
    if what not in (WHOLE if node is None else ("", *HERE)):
        raise invalid([("status", _("does not go with this step"))])
    wish = Wish(journey, node, port if node else None, what, version, period)
    zone = users.timezone(connection, caller.workspace_id)
    bounds = (None, None) if wish.now else period.bounds(now, zone)
    numbers = journeys.numbers(connection, caller.workspace_id, journey_id)
    versions = [id for id, number in numbers.items() if version in (None, number)]
    if version is not None and not versions:
        raise missing("version")
    values = {
        "wish": wish,
        "zone": zone,
        "bounds": bounds,
        **_slice(request, caller, connection, wish, (versions, bounds), told.place_among(next, *PLACES)),
    }
    if next is not None:
        return render(request, "people/_rows.html", values)
    return render(
        request, "people/list.html", values | _around(request, caller, connection, wish, versions, bounds, numbers)
    )


def _slice(
    request: Request,
    caller: Caller,
    connection: Connection,
    wish: Wish,
    where: tuple[list[int], Bounds],
    place: list[Any] | None,
) -> dict[str, Any]:
    versions, bounds = where
    say = words(language_of(request)).gettext
    part = whereabouts.people(connection, _wanted(caller.workspace_id, wish, versions, bounds), place, PAGE)
    known = told.faces(request, connection, caller.workspace_id, {one.version_id for one in part.people})
    glasses = glasses_of(connection, caller)
    after = urlencode({**wish.query, "next": told.place_text(part.next)}) if part.next is not None else None
    return {
        "rows": [row_of(one, known[one.version_id], say, glasses) for one in part.people],
        "after": f"/journeys/{wish.journey.id}/people?{after}" if after else None,
        "looked_at": part.looked_at,
    }


def _wanted(workspace_id: int, wish: Wish, versions: list[int], bounds: Bounds) -> Wanted:
    since, until = bounds
    base = Wanted(workspace_id, versions, range(5), wish.node, since=since, until=until)
    if wish.port is not None:
        return base._replace(port=wish.port)
    if wish.node is not None and wish.what == "entered":
        return base._replace(arrived=True)
    statuses = {
        "waiting": (0, 4),
        "active": (0, 4),
        "entered": range(5),
        "ended": (1, 2, 3),
        "completed": (1,),
        "exited": (2,),
        "failed": (3,),
    }.get(wish.what, (2,))
    reason = wish.what if wish.what in get_args(Apart) else None
    return base._replace(statuses=tuple(statuses), reason=reason, in_place=wish.what == "ended")


def row_of(one: Found, faces: Faces, say: told.Say, glasses: Glasses) -> dict[str, Any]:
    """One person of a list in words, as this caller may see them."""
    identity = glasses.identity(one.identity)
    one = one._replace(name=glasses.name(one.name), identity=list(identity) if identity else None)
    standing = told.STANDING[one.status]
    return {
        **one._asdict(),
        "called": told.name_of(one.name, one.identity, one.contact_id),
        "known_as": one.identity[1] if one.identity and one.name else "",
        "standing": say(told.STANDING_WORDS[standing]),
        "tone": told.STANDING_TONES[standing],
        "step": faces.title(one.node),
        "number": faces.number,
        "why": told.reason_text(one.reason, say, faces) if standing != "active" else "",
        "walk": f"{one.lane}-{one.id}",
    }


def _around(
    request: Request,
    caller: Caller,
    connection: Connection,
    wish: Wish,
    versions: list[int],
    bounds: Bounds,
    numbers: Mapping[int, int],
) -> dict[str, Any]:
    """What stands around the list: the number it is behind, and the choices."""
    version_id = versions[0] if wish.version is not None else None
    counted, _waiting = read(connection, (caller.workspace_id, wish.journey.id), version_id, bounds)
    latest = max(versions, key=lambda id: numbers[id], default=None)
    known = told.faces(request, connection, caller.workspace_id, [latest] if latest else [])
    say = words(language_of(request)).gettext
    faces = known.get(latest or 0)
    return {
        "journey": wish.journey,
        "count": _count(counted, wish),
        "title": _title(wish, faces, say),
        "faces": faces,
        "choices": {name: say(word) for name, word in (HERE if wish.node else WHOLE).items()},
        "numbers": sorted(numbers.values(), reverse=True),
        "whole": counted.totals,
    }


def _count(numbers: Numbers, wish: Wish) -> int | None:
    if wish.node is None:
        return int(getattr(numbers.totals, wish.what))
    there = numbers.nodes.get(wish.node)
    if there is None:
        return 0
    if wish.port is not None:
        return there.ports.get(wish.port, 0)
    return {"waiting": there.waiting, "entered": there.entered, "ended": there.ended}.get(wish.what)


def _title(wish: Wish, faces: Faces | None, say: told.Say) -> str:
    if wish.node is None:
        return say(WHOLE[wish.what])
    step = faces.title(wish.node) if faces else wish.node
    if wish.port is not None:
        return say(_("who left “%(step)s” by “%(port)s”")) % {
            "step": step,
            "port": faces.port(wish.node, wish.port) if faces else wish.port,
        }
    return f"“{step}”: {say(HERE[wish.what])}"
