"""The reasons of a list in the reader's words: names of journeys that won and opt-outs are looked up once for all its rows.

Two questions at most, however many rows. Sentences are `app.reasons`'; never a name of a journey the reader may not see.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel import dates
from fastapi import Request

from app import reasons
from app.language import LOCALES, words
from app.privacy import MARKETING, load
from app.reasons import SOURCES, Known, OptOut, Part
from app.store import consents, journeys, users, workspaces
from app.store.consents import Refused
from app.store.rows import Connection
from app.web.templating import channel_words, language_of, reading
from app.web.told import Faces
from flows.words import _


class Case(NamedTuple):
    """A message with the reason why it did not go out, or not yet."""

    id: int
    contact_id: int
    channel: str
    node: str
    at: datetime
    reason: str | None
    version_id: int = 0


class Whys:
    """What the reasons of these rows mean. `faces`: versions by id, where they are known."""

    def __init__(
        self,
        request: Request,
        connection: Connection,
        workspace_id: int,
        cases: Iterable[Case],
        faces: Mapping[int, Faces] | None = None,
    ) -> None:
        self.request, self.faces = request, faces or {}
        self.cases = {one.id: one for one in cases if one.reason}
        self.say = words(language_of(request)).gettext
        won = {number for one in self.cases.values() if (number := reasons.winner(one.reason))}
        self.journeys = journeys.names(connection, workspace_id, sorted(won)) if won else {}
        out = [one for one in self.cases.values() if one.reason == reasons.OPTED_OUT]
        asked = [(one.id, one.contact_id, one.channel, self._purpose(one), one.at) for one in out]
        found = consents.refused(connection, workspace_id, asked) if asked else {}
        by_channel = any(" by " in (one.reason or "") for one in self.cases.values())
        self.channels = channel_words(request, request.state.house.catalog) if by_channel or found else {}
        self.out: dict[int, OptOut] = {}
        if found:
            privacy = load(workspaces.privacy(connection, workspace_id))
            titles = {one.name: one.title for one in privacy.purposes}
            zone = users.timezone(connection, workspace_id)
            self.out = {id: self._told(one, titles, zone) for id, one in found.items()}

    def parts(self, id: int) -> tuple[Part, ...]:
        """The reason of a row, with links to what it names."""
        one = self.cases.get(id)
        if one is None:
            return ()
        known = Known(self.faces.get(one.version_id), self.journeys, self.channels, self.out.get(id))
        with reading(self.request) as say:
            return reasons.parts(one.reason, say, known)

    def text(self, id: int) -> str | None:
        """The reason of a row as a sentence; None where there is none."""
        return "".join(part.text for part in self.parts(id)) or None

    def _purpose(self, one: Case) -> str:
        """What the step asks consent for."""
        faces = self.faces.get(one.version_id)
        return faces.purpose(one.node) if faces else MARKETING

    def _told(self, one: Refused, titles: Mapping[str, str], zone: str) -> OptOut:
        language = language_of(self.request)
        what = self.say(_("all offers and news")) if one.purpose == MARKETING else titles.get(one.purpose, one.purpose)
        at = one.at.astimezone(ZoneInfo(zone))
        day = dates.format_date(at, "d MMMM y" if language == "en" else "y年M月d日", locale=LOCALES[language])
        how = self.say(SOURCES[one.source]) if one.source in SOURCES else one.source
        return OptOut(what, self.channels.get(one.channel, one.channel), day, how)


def of_reasons(
    request: Request, connection: Connection, workspace_id: int, found: Iterable[str | None], face: Faces | None = None
) -> dict[str, tuple[Part, ...]]:
    """Reasons alone, of a node or a journey, in words."""
    wanted = sorted({one for one in found if one})
    numbers = {number for one in wanted if (number := reasons.winner(one))}
    names = journeys.names(connection, workspace_id, sorted(numbers)) if numbers else {}
    channels = channel_words(request, request.state.house.catalog)
    with reading(request) as say:
        return {one: reasons.parts(one, say, Known(face, names, channels)) for one in wanted}
