"""A contact's timeline as a page tells it: each moment a sentence, its steps with the reasons, its message with its fate."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app import causes
from app.store import timelines
from app.store.rows import Connection
from app.store.timelines import KINDS, LAST, Asked, Moment
from app.web import told
from app.web.pages import BECAME, REACHED, SENT, SIMPLY_SENT
from app.web.problems import invalid
from app.web.shapes import NOT_A_PLACE, paged, place_of
from app.web.told import Faces, Say
from app.web.whys import Case, Whys
from flows.words import _

PROPERTIES_SHOWN = 12
VALUE_LENGTH = 120
DELIVERED = 2
CAUSES = {
    "entry": _("on entering"),
    "timer": _("the wait was over"),
    "merge": _("two contacts became one"),
    "resume": _("the journey went on"),
}
ENTERED = {
    0: _("entered “%(journey)s”, and is on the way"),
    1: _("entered “%(journey)s”, and came to its end"),
    2: _("entered “%(journey)s”, and left it before its end"),
    3: _("entered “%(journey)s”, and failed there"),
    4: _("entered “%(journey)s”, which is paused"),
}


def page_of(
    connection: Connection, workspace_id: int, asked: Asked, next_: str | None, limit: int
) -> tuple[Sequence[Moment], str | None]:
    """What happened from the place that `next_` means, and the place after it."""
    place = place_of(next_, str, int, int)
    before = (_instant(place[0]), place[1], place[2]) if place else LAST
    found = timelines.page(connection, workspace_id, asked, before, limit + 1)
    return paged(found, limit, lambda row: [row.at.isoformat(), row.rank, row.id])


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise invalid([("next", NOT_A_PLACE)])
    return at


def versions_of(moments: Iterable[Moment]) -> set[int]:
    """The versions that moments speak of."""
    return {one.detail["version_id"] for one in moments if "version_id" in one.detail}


def key_of(one: Moment) -> int:
    """A number by which the reason of a moment is found: messages and entries are numbered apart."""
    return one.id * len(KINDS) + one.rank % len(KINDS)


def case_of(one: Moment) -> Case:
    """A message, or an entry that is over, with the reason."""
    about = one.detail
    who = about.get("contact_id", 0), about.get("channel", ""), about.get("node", "")
    return Case(key_of(one), *who, one.at, about["reason"], about["version_id"])


def cases_of(moments: Iterable[Moment]) -> list[Case]:
    """The reasons that moments tell."""
    return [
        case_of(one)
        for one in moments
        if KINDS[one.rank] in ("entered", "message", "kept_out") and one.detail["reason"]
    ]


def view(one: Moment, known: Mapping[int, Faces], say: Say, whys: Whys) -> dict[str, Any]:
    """One moment for the template. `kind`: event, entered, walk, message, kept_out."""
    kind = KINDS[one.rank]
    shown: dict[str, Any] = {"at": one.at, "kind": kind, "id": one.id, "key": f"{one.rank}.{one.id}"}
    if kind == "event":
        return shown | _event(one.detail)
    faces = known.get(one.detail["version_id"])
    if faces is None:
        return shown | {"title": "", "lines": [], "journey": None}
    shown |= {
        "journey": faces.journey,
        "journey_id": faces.journey_id,
        "number": faces.number,
        "walk": f"{one.detail.get('lane')}-{one.detail.get('enrollment_id')}",
    }
    if kind == "kept_out":
        del shown["walk"]
        return shown | {"why": whys.parts(key_of(one))} | _kept_out(one.detail, faces, say)
    telling = {"entered": _entered, "walk": _walk, "message": _message}[kind]
    return shown | {"why": whys.parts(key_of(one))} | telling(one.detail, faces, say)


def _event(detail: Mapping[str, Any]) -> dict[str, Any]:
    properties = detail["properties"] if isinstance(detail["properties"], dict) else {}
    shown = [(name, _short(value)) for name, value in list(properties.items())[:PROPERTIES_SHOWN]]
    return {"title": detail["name"], "properties": shown, "more": max(0, len(properties) - PROPERTIES_SHOWN)}


def _entered(detail: Mapping[str, Any], faces: Faces, say: Say) -> dict[str, Any]:
    status = detail["status"]
    return {
        "title": say(ENTERED[status]) % {"journey": faces.journey},
        "standing": say(told.STANDING_WORDS[told.STANDING[status]]),
        "tone": told.STANDING_TONES[told.STANDING[status]],
        **({"why": ()} if status == 0 else {}),
        "walk_key": detail["key"],
    }


def _kept_out(detail: Mapping[str, Any], faces: Faces, say: Say) -> dict[str, Any]:
    title = say(_("would have entered “%(journey)s”, and was not let in")) % {"journey": faces.journey}
    return {"title": title, "times": detail["times"]}


def _walk(detail: Mapping[str, Any], faces: Faces, say: Say) -> dict[str, Any]:
    return {"cause": cause(detail["cause"], say), "steps": steps(detail["steps"], faces, say)}


def cause(text: str, say: Say) -> str:
    """What set a walk off."""
    if text.startswith("event "):
        return say(_("the event “%(name)s” came")) % {"name": text.removeprefix("event ")}
    if text.startswith("migration "):
        return say(_("a version was published, and people were moved"))
    return say(CAUSES[text]) if text in CAUSES else text


def steps(raw: Iterable[list[str]], faces: Faces, say: Say) -> list[dict[str, Any]]:
    """Steps of a walk: `[node]`, `[node, port]` or `[node, port, why]`."""
    found = []
    for step in raw:
        node, port, why = [*step, "", ""][:3]
        type_ = faces.type(node)
        seen = causes.seen(why, say, faces.title) if type_ in causes.ASKING else None
        found.append(
            {
                "node": node,
                "port": port,
                "title": faces.title(node),
                "type": type_,
                "hue": hue(type_),
                "way": faces.port(node, port) if port and port != "next" else "",
                "why": seen or told.reason_text(why, say, faces),
            }
        )
    return found


HUES = {"entry": "entry", "send": "send", "wait": "flow", "action": "action", "condition": "decide", "branch": "decide"}
OWN_HUES = {"send.inapp": "inapp", "send.webhook": "webhook", "split": "decide", "race": "decide", "holdout": "decide"}


def hue(type_: str) -> str:
    """The class that colours a step's tile."""
    return OWN_HUES.get(type_) or HUES.get(type_.partition(".")[0], "flow")


def _message(detail: Mapping[str, Any], faces: Faces, say: Say) -> dict[str, Any]:
    word, tone = became(detail["status"], detail["outcome"], say)
    return {
        "title": told.headline(detail["title"]) or faces.title(detail["node"]),
        "step": faces.title(detail["node"]),
        "channel": detail["channel"],
        "message_id": detail["message_id"],
        "standing": word,
        "tone": tone,
    }


def became(status: int, outcome: int, say: Say) -> tuple[str, str]:
    """What became of a message, in a word and a tone."""
    if status != SENT:
        word, tone = BECAME.get(status, SIMPLY_SENT)
    elif outcome == DELIVERED:
        word, tone = _("delivered"), "plain"
    else:
        word, tone = REACHED.get(outcome, SIMPLY_SENT)
    return say(word), tone


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else told.compact(value)
    return text if len(text) <= VALUE_LENGTH else text[: VALUE_LENGTH - 1] + "…"
