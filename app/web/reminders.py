"""A nudge by page or API: reviewers are reminded, by a letter too where there is an e-mail account. The rule is `reminding`'s."""

from collections.abc import Sequence

from starlette.background import BackgroundTask

from app import invitations, reminding
from app.auth import POLICY
from app.invitations import Letter
from app.language import words
from app.publishing import Desk
from app.store import journeys, overview
from app.store.users import User
from app.web.house import House
from flows.words import _

SUBJECT = _("“%(journey)s” waits for your review")
TEXT = _("Hello %(name)s,\n\n%(by)s asks you to review “%(journey)s” in %(place)s:\n\n%(link)s\n")


def remind(house: House, desk: Desk, journey_id: int, by: str) -> tuple[list[User], BackgroundTask | None]:
    """Who is reminded, and the letters that go out once the answer is."""
    asked = reminding.nudge(desk, journey_id, POLICY["journey.review"])
    account = invitations.account_of(desk.connection, desk.workspace_id)
    channels = [node.channel for node in house.catalog.values() if node.channel and node.channel.name == "email"]
    if account is None or not channels or not asked:
        return asked, None
    journey = journeys.find(desk.connection, desk.workspace_id, journey_id)
    place = overview.place(desk.connection, desk.workspace_id).name
    named = {
        "journey": " ".join(journey.name.split()) if journey else "",
        "by": by,
        "place": place,
        "link": f"{house.settings.base_url}/journeys/{journey_id}/review",
    }
    letters = [_letter(one, named) for one in asked]

    def send(some: Sequence[Letter] = letters) -> None:
        for letter in some:
            invitations.send(house.settings, channels[0], account, desk.workspace_id, letter, desk.now)

    return asked, BackgroundTask(send)


def _letter(user: User, named: dict[str, str]) -> Letter:
    """In the language of who reads it."""
    say = words(user.language or "en").gettext
    values = {**named, "name": user.name}
    return Letter(user.email, say(SUBJECT) % values, say(TEXT) % values)
