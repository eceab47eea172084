"""The live view: the canvas of a version with its numbers over a period, one step or one person's path beside it, and the
deeds of a running journey. Numbers come from tallies and go on by the page's stream (`watch`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app import pausing
from app.counts import AtNode, Numbers
from app.language import words
from app.publishing import Desk
from app.store import admissions, journeys, messagelog, periods, timelines, users, whereabouts
from app.store.journeys import Journey
from app.store.rows import Connection
from app.store.timelines import Way
from app.web import chart, moments, told
from app.web.canvas_page import Shown, show, urls
from app.web.glasses import glasses_of
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.journeys import AtDesk
from app.web.page import page_router, render
from app.web.period import AskedPeriod, Bounds, Period, read
from app.web.problems import missing
from app.web.shapes import JourneyId
from app.web.templating import icons, language_of
from app.web.told import Faces
from app.web.walks import VersionNumber
from app.web.watch import earliest, figures
from app.web.whereabouts import row_of
from app.web.whys import of_reasons
from flows import conditions
from flows.words import _

routes = page_router()

HERE_SHOWN = 6
WALKS_SHOWN = 300
Walk = Annotated[
    str | None, Query(max_length=30, pattern=r"^\d{1,2}-\d{1,18}$", description="One person's walk: its path is drawn.")
]
NodeId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
DONE = {
    "paused": _("Paused. Nobody enters and nobody moves."),
    "live": _("On it goes. Every wait ends as much later as the pause took."),
    "stopped": _("Stopped for good. Everybody on the way leaves."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a live page looks at."""

    journey: Journey
    number: int | None  # the version whose people are counted; None counts all
    version_id: int | None
    shown_id: int  # the version that is drawn
    shown_number: int
    period: Period
    zone: str
    bounds: Bounds

    @property
    def query(self) -> str:
        """As parameters of an address."""
        return told.query(version=str(self.number or ""), **self.period.query)

    @property
    def people(self) -> str:
        """Where its lists of people begin."""
        return f"/journeys/{self.journey.id}/people?{self.query}&"

    now = False


@routes.get("/journeys/{journey_id}/live", dependencies=[can("journey.read")])
def show_live(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    journey_id: JourneyId,
    period: AskedPeriod,
    version: VersionNumber = None,
    enrollment: Walk = None,
) -> Response:
    """The page; a journey that was never published has nobody to watch, so it leads to the editor."""
    way = _way(connection, caller.workspace_id, journey_id, enrollment) if enrollment else None
    place = _placed(
        connection, caller.workspace_id, journey_id, period, (version, way.version_id if way else None), now
    )
    if place is None:
        return RedirectResponse(f"/journeys/{journey_id}/edit", 303)
    faces = told.faces(request, connection, caller.workspace_id, [place.shown_id])[place.shown_id]
    numbers, waiting = read(connection, (caller.workspace_id, journey_id), place.version_id, place.bounds)
    due = earliest(periods.next_due(connection, caller.workspace_id, waiting))
    say = words(language_of(request)).gettext
    data: dict[str, Any] = {
        "counters": figures(numbers, due),
        "live": {"query": place.query, "period": period.name, "number": place.number},
        "urls": {
            **urls(journey_id),
            "people": place.people,
            "node": f"/journeys/{journey_id}/live/nodes/{{node}}?{place.query}",
        },
        "problems": [],
    }
    values: dict[str, Any] = {
        "place": place,
        "wish": place,
        "zone": place.zone,
        "bound": conditions.load(journeys.conditions(connection, caller.workspace_id, place.shown_id)),
        "fill": admissions.fill(connection, caller.workspace_id, journey_id),
        "totals": numbers.totals,
        "numbers": sorted(journeys.numbers(connection, caller.workspace_id, journey_id).values(), reverse=True),
        "way": None,
    }
    if way is not None:
        values["way"] = told_way(way._replace(name=glasses_of(connection, caller).name(way.name)), faces, say)
        data["path"] = path_of(way)
    shown = Shown("live", place.journey, faces.document, data, values, "journeys/live.html")
    return show(request, house, connection, shown)


def _placed(
    connection: Connection,
    workspace_id: int,
    journey_id: int,
    period: Period,
    wanted: tuple[int | None, int | None],
    now: datetime,
) -> Place | None:
    journey = journeys.find(connection, workspace_id, journey_id)
    if journey is None:
        raise missing("journey")
    numbers = journeys.numbers(connection, workspace_id, journey_id)
    if not numbers:
        return None
    number, drawn = wanted
    by_number = {known: id for id, known in numbers.items()}
    if number is not None and number not in by_number:
        raise missing("version")
    version_id = by_number[number] if number is not None else None
    shown = drawn or version_id or journey.live_version_id or max(numbers, key=lambda id: numbers[id])
    zone = users.timezone(connection, workspace_id)
    return Place(journey, number, version_id, shown, numbers[shown], period, zone, period.bounds(now, zone))


def _way(connection: Connection, workspace_id: int, journey_id: int, walk: str) -> Way:
    lane, _dash, id = walk.partition("-")
    found = timelines.way(connection, workspace_id, journey_id, int(lane), int(id), WALKS_SHOWN)
    if found is None:
        raise missing("enrollment")
    return found


def path_of(way: Way) -> dict[str, Any]:
    """One person's path as the canvas draws it: steps, wires, where they are, when they came."""
    steps: list[str] = []
    wires: list[str] = []
    for walk in way.walks:
        for node, *rest in walk["steps"]:
            if not steps or steps[-1] != node:
                steps.append(node)
            if rest and rest[0]:
                wires.append(f"{node} {rest[0]}")
    return {"steps": steps, "wires": wires, "current": way.node if way.status in (0, 4) else None}


def told_way(way: Way, faces: Faces, say: told.Say) -> dict[str, Any]:
    """One person's path in words."""
    standing = told.STANDING[way.status]
    return {
        **way._asdict(),
        "called": told.name_of(way.name, None, way.contact_id),
        "standing": say(told.STANDING_WORDS[standing]),
        "tone": told.STANDING_TONES[standing],
        "step": faces.title(way.node),
        "why": told.reason_text(way.reason, say, faces) if way.status else "",
        "walks": [
            {
                "at": datetime.fromisoformat(one["at"]),
                "cause": moments.cause(one["cause"], say),
                "steps": moments.steps(one["steps"], faces, say),
            }
            for one in way.walks
        ],
    }


@routes.get("/journeys/{journey_id}/live/nodes/{node}", dependencies=[can("journey.read")])
def show_node(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    journey_id: JourneyId,
    node: NodeId,
    period: AskedPeriod,
    version: VersionNumber = None,
) -> Response:
    """One step beside the canvas: numbers, ways out, messages, who is here."""
    place = _placed(connection, caller.workspace_id, journey_id, period, (version, None), now)
    if place is None:
        raise missing("version")
    numbers, waiting = read(connection, (caller.workspace_id, journey_id), place.version_id, place.bounds)
    mine = {key: count for key, count in waiting.items() if key[1] == node}
    due = earliest(periods.next_due(connection, caller.workspace_id, mine))
    versions = sorted({version for version, _ in mine}) if place.version_id is None else [place.version_id]
    wanted = whereabouts.Wanted(caller.workspace_id, versions, (0, 4), node)
    here = whereabouts.people(connection, wanted, None, HERE_SHOWN).people if mine else []
    known = told.faces(request, connection, caller.workspace_id, {place.shown_id, *(one.version_id for one in here)})
    say = words(language_of(request)).gettext
    faces, glasses = known[place.shown_id], glasses_of(connection, caller)
    values = {
        "place": place,
        "wish": place,
        "zone": place.zone,
        "here": [row_of(one, known[one.version_id], say, glasses) for one in here],
        "due": datetime.fromisoformat(due[node]) if node in due else None,
        "type_icons": icons(request, house.catalog),
        **node_values(node, faces, numbers, say),
        **_withheld(request, connection, place, node, numbers),
    }
    return render(request, "people/_node.html", values)


def _withheld(
    request: Request, connection: Connection, place: Place, node: str, numbers: Numbers
) -> dict[str, list[dict[str, Any]]]:
    """What a step did not send, and what it put off, by reason. What is put off is counted now, whatever the period."""
    workspace_id, mail = request.state.caller.workspace_id, numbers.nodes.get(node, AtNode()).mail
    put_off = (
        messagelog.put_off(connection, workspace_id, place.journey.id, node, place.version_id) if mail.total else {}
    )
    found = {"suppressed": mail.suppressed, "put_off": put_off}
    whys = of_reasons(request, connection, workspace_id, [*mail.suppressed, *put_off])
    return {
        kind: [
            {"reason": reason, "why": whys.get(reason, ()), "count": count}
            for reason, count in sorted(counts.items(), key=lambda one: -one[1])
        ]
        for kind, counts in found.items()
    }


def node_values(node: str, faces: Faces, numbers: Numbers, say: told.Say) -> dict[str, Any]:
    """The numbers of a step with their shares."""
    there = numbers.nodes.get(node, AtNode())
    ports = [str(one["name"]) for one in faces.steps.get(node, {}).get("ports") or []]
    ports += [port for port in there.ports if port not in ports]
    ways = [
        {
            "port": port,
            "label": faces.port(node, port),
            "count": there.ports.get(port, 0),
            "share": share(there.ports.get(port, 0), there.left),
        }
        for port in ports
    ]
    mail = there.mail
    funnel = [
        {"name": name, "label": say(word), "count": getattr(mail, name), "share": share(getattr(mail, name), mail.sent)}
        for name, word in FUNNEL.items()
    ]
    return {
        "node": node,
        "title": faces.title(node),
        "summary": faces.steps.get(node, {}).get("summary") or "",
        "type": faces.type(node),
        "hue": moments.hue(faces.type(node)),
        "there": there,
        "share_of_all": share(there.entered, numbers.totals.entered),
        "ways": ways,
        "ended_share": share(there.ended, there.left),
        "mail": mail if mail.total else None,
        "funnel": funnel,
    }


FUNNEL: Mapping[str, str] = {
    "sent": _("Sent"),
    "delivered": _("Delivered"),
    "opened": _("Opened"),
    "clicked": _("Clicked"),
}


def share(part: int, whole: int) -> float | None:
    """So many of a hundred, to one place behind the point; None of nobody."""
    return round(100 * part / whole, 1) if whole > 0 else None


@routes.get("/journeys/{journey_id}/live/course", dependencies=[can("journey.read")])
def show_course(
    request: Request,
    caller: Asker,
    connection: Database,
    now: Now,
    journey_id: JourneyId,
    period: AskedPeriod,
    version: VersionNumber = None,
) -> Response:
    """How many entered and came through over the period, drawn."""
    place = _placed(connection, caller.workspace_id, journey_id, period, (version, None), now)
    if place is None:
        raise missing("version")
    since, until, stretch = chart.frame(place.bounds, place.journey.created_at, now)
    bars = periods.course(connection, (caller.workspace_id, journey_id), place.version_id, (since, until, stretch))
    drawn = chart.draw(bars, since, until, stretch)
    return render(request, "people/_course.html", {"chart": drawn, "zone": place.zone, "stretch": stretch})


@routes.post("/journeys/{journey_id}/run", dependencies=[can("journey.run")])
def run_journey(
    request: Request,
    desk: AtDesk,
    journey_id: JourneyId,
    to: Annotated[Literal["paused", "live", "stopped"], Form()],
) -> Response:
    """Pause, resume or stop; the page has asked with the numbers before."""
    change: Mapping[str, Callable[[Desk, int], Journey]] = {
        "paused": pausing.pause,
        "live": pausing.resume,
        "stopped": pausing.stop,
    }
    journey = change[to](desk, journey_id)
    return JSONResponse({"status": journey.status, "text": words(language_of(request)).gettext(DONE[to])})
