"""How pages speak of people and of what happened to them: names, statuses, reasons, steps of a version, in the reader's words.

Never reads what a person may not see, never HTML: templates do that.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request

from app import facets, reasons
from app.language import words
from app.privacy import MARKETING
from app.reasons import Known
from app.store import documents
from app.store.rows import Connection
from app.web.problems import ProblemError, invalid
from app.web.shapes import NOT_A_PLACE, place_of
from app.web.templating import language_of
from flows.words import _, speaking
from nodes.sending import plain

Say = Callable[[str], str]

STANDING = {0: "active", 1: "completed", 2: "exited", 3: "failed", 4: "held"}
STANDING_WORDS = {
    "active": _("on the way"),
    "completed": _("completed"),
    "exited": _("exited"),
    "failed": _("failed"),
    "held": _("paused"),
}
STANDING_TONES = {"active": "busy", "completed": "good", "exited": "plain", "failed": "bad", "held": "warn"}
IDENTITIES = {
    "user_id": _("User id"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "anonymous_id": _("Anonymous id"),
    "openid": _("OpenID"),
    "device": _("Device"),
}
# Which names come first where one is enough.
BEST = ("user_id", "email", "phone", "openid", "anonymous_id")
VERSIONS_KEPT = 256


class Faces(NamedTuple):
    """A version as pages speak of it."""

    journey_id: int
    journey: str
    number: int
    steps: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]

    def title(self, node: str) -> str:
        """What a step is called."""
        return str(self.steps.get(node, {}).get("title") or node)

    def port(self, node: str, port: str) -> str:
        """What a way out of a step is called."""
        ports = self.steps.get(node, {}).get("ports") or []
        return next((str(one["label"]) for one in ports if one["name"] == port), port)

    def type(self, node: str) -> str:
        """The type of a step."""
        return next((str(one["type"]) for one in self.document.get("nodes", []) if one["id"] == node), "")

    def purpose(self, node: str) -> str:
        """What a step that sends asks consent for."""
        own = next(
            (one["settings"].get("purpose") for one in self.document.get("nodes", []) if one["id"] == node), None
        )
        return str(own or self.document.get("settings", {}).get("purpose") or MARKETING)


def faces(request: Request, connection: Connection, workspace_id: int, versions: Iterable[int]) -> dict[int, Faces]:
    """Versions by id, in the reader's language; one question for all."""
    language = language_of(request)
    found = {}
    for one in documents.of_versions(connection, workspace_id, versions):
        steps = _steps(request, language, one.id, one.document)
        found[one.id] = Faces(one.journey_id, one.journey, one.number, steps, one.document)
    return found


def _steps(
    request: Request, language: str, version: int, document: Mapping[str, Any]
) -> Mapping[str, Mapping[str, Any]]:
    """The faces of a version's steps; remembered, since versions never change."""
    state, house = request.app.state, request.state.house
    if not hasattr(state, "faces") or len(state.faces) > VERSIONS_KEPT:
        state.faces = {}
    if (language, version) not in state.faces:
        with speaking("zh" if language == "zh" else "en", words(language).gettext):
            state.faces[language, version] = facets.describe(document, house.catalog, None)["nodes"]
    kept: Mapping[str, Mapping[str, Any]] = state.faces[language, version]
    return kept


def reason_text(reason: str | None, say: Say, known: Faces | None = None) -> str:
    """A reason in words, where nothing but the version is at hand; `whys` knows names and opt-outs too."""
    return reasons.sentence(reason, say, Known(known))


def headline(title: str | None) -> str | None:
    """What a message is called. One that was never rendered has its title as it was written: shown as a card would."""
    return plain(title) or title if title and ("{{" in title or "{%" in title) else title


def name_of(name: str | None, identity: Sequence[str] | None, contact_id: int) -> str:
    """What a contact is called: by name, else by the best identity."""
    if name and name.strip():
        return name.strip()
    return identity[1] if identity else f"#{contact_id}"


def best(identities: Iterable[Sequence[str]]) -> Sequence[str] | None:
    """The identity that stands for a contact."""
    known = sorted(identities, key=lambda one: (BEST.index(one[0]) if one[0] in BEST else len(BEST), one[1]))
    return known[0] if known else None


def place_text(place: Sequence[Any]) -> str:
    """A place in a list as an address carries it (`shapes.place_of` reads it)."""
    text = json.dumps(list(place), separators=(",", ":"), default=str)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def compact(value: Any) -> str:
    """A JSON value on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def query(**parameters: str) -> str:
    """Parameters as an address carries them."""
    return urlencode({name: value for name, value in parameters.items() if value})


LANE, SMALL = range(-1, 2**15), range(-1, 2**31)  # what columns of these widths can hold


def place_among(next_: str | None, *shapes: tuple[Any, ...]) -> list[Any] | None:
    """The place that `next` means, of one of these shapes: a number is itself, a range its numbers, a type all of it."""
    if next_ is None:
        return None
    for shape in shapes:
        kinds = [str if part is str else int for part in shape]
        try:
            place = place_of(next_, *kinds)
        except ProblemError:
            continue
        if place is not None and all(_fits(value, part) for value, part in zip(place, shape, strict=True)):
            return place
    raise invalid([("next", NOT_A_PLACE)])


def _fits(value: Any, part: Any) -> bool:
    if isinstance(part, type):
        return True
    return value in part if isinstance(part, range) else bool(value == part)
