"""The way out, and what else somebody may say about what reaches them. A signed token is the only key, to one page.

GET and HEAD never change what anybody gets: the page acts on POST alone, because scanners fetch every link of a mail (T22,
H62). A no holds at once; a yes is asked for once more by a mail to the address, because links get forwarded.
"""

from datetime import timedelta
from html import escape
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from app.language import words
from app.links import Token, Tokens
from app.privacy import MARKETING, Privacy, load, masked, shown_version
from app.store import confirmations, consents, overview, receipts, workspaces
from app.store.consents import Consent
from app.store.receipts import Said
from app.store.rows import Connection
from app.web.guard import TheHouse
from app.web.house import House
from app.web.links import QUIET, read_token
from app.web.problems import missing
from app.web.templating import PAGE_HEADERS, channel_words, language_of
from flows.words import _

routes = APIRouter(include_in_schema=False)

FORGOTTEN = "email"  # the only channel whose links outlive the row that says so
CONFIRM_WITHIN = timedelta(days=7)
CHOICES_AT_MOST = 200
Choice = tuple[str, str]  # channel, purpose


class Leaf(NamedTuple):
    """The page of one person: whose link it is, what is asked, what holds now."""

    said: Token
    channel: str
    state: dict[str, Any]
    privacy: Privacy
    sender: str
    channels: dict[str, str]

    def allowed(self, choice: Choice) -> bool:
        """Missing consent is consent."""
        return self.state.get(choice[0], {}).get(choice[1]) is not False

    @property
    def choices(self) -> list[Choice]:
        """Everything that is asked on the page."""
        purposes = [MARKETING, *(one.name for one in self.privacy.purposes)]
        return [(channel, purpose) for channel in self.channels for purpose in purposes]


@routes.api_route("/u/{token}", methods=["GET", "HEAD"])
def show_way_out(request: Request, token: str, house: TheHouse) -> Response:
    """The page with the one button, and the choices below it. Nothing has happened yet, whoever fetched it."""
    said = read_token(house, "unsubscribe", token)
    with house.transaction(read_only=True) as connection:
        leaf = _leaf(request, house, connection, said)
    return _page(request, leaf, "ask")


@routes.post("/u/{token}", max_body_size=30_000)
def leave(
    request: Request,
    token: str,
    house: TheHouse,
    page: Annotated[str, Form(max_length=10)] = "",
    deed: Annotated[str, Form(max_length=10)] = "leave",
    choice: Annotated[list[str] | None, Form(max_length=CHOICES_AT_MOST)] = None,
) -> Response:
    """Opt out of the channel's marketing: one click of a mail program (RFC 8058), or the page's button; twice is once.

    With `deed=save`: what is ticked is wanted, what is not is not.
    """
    said = read_token(house, "unsubscribe", token)
    with house.transaction() as connection:
        leaf = _leaf(request, house, connection, said)
        if page and deed == "save":
            return _save(request, house, connection, leaf, set(choice or ()))
        version = _version(request, leaf) if page else ""
        _refuse(house, connection, leaf, [(leaf.channel, MARKETING)], version, page=bool(page))
    if page:
        return _page(request, leaf, "left")
    return PlainTextResponse("已退订。You are unsubscribed.\n", headers=QUIET)


@routes.api_route("/u/{token}/again", methods=["GET", "HEAD"])
def show_way_back(request: Request, token: str, house: TheHouse) -> Response:
    """The page that the mail leads to; its button does what was asked for."""
    said = read_token(house, "resubscribe", token)
    with house.transaction(read_only=True) as connection:
        leaf = _leaf(request, house, connection, said)
    return _page(request, leaf, "again")


@routes.post("/u/{token}/again", max_body_size=10_000)
def come_back(request: Request, token: str, house: TheHouse) -> Response:
    """Whoever reads the mails of the address wants these messages again."""
    said = read_token(house, "resubscribe", token)
    now = house.now()
    with house.transaction() as connection:
        found = confirmations.asked(connection, said.workspace_id, said.message_id, now - CONFIRM_WITHIN)
        if found is None:
            raise missing("link")
        contact, content = found
        proof = {"message": said.message_id, "confirmed": True}
        rows = [
            Consent(
                said.workspace_id, contact, channel, purpose, True, now, "page", "contact", content["version"], proof
            )
            for channel, purpose in content["wish"]
        ]
        consents.set_consents(connection, rows)
        leaf = _leaf(request, house, connection, said)
    return _page(request, leaf, "back")


def _leaf(request: Request, house: House, connection: Connection, said: Token) -> Leaf:
    channel = receipts.channel_of(connection, said.workspace_id, said.message_id) or FORGOTTEN
    spoken = channel_words(request, house.catalog)
    reaching = {
        one.channel.name for one in house.catalog.values() if one.channel and (one.channel.address or one.channel.local)
    }
    names = [channel, *sorted(reaching - {channel})]
    state = consents.state(connection, said.workspace_id, said.target) or {}
    privacy = load(workspaces.privacy(connection, said.workspace_id))
    sender = overview.house(connection, said.workspace_id).name
    return Leaf(said, channel, state, privacy, sender, {name: spoken.get(name, name) for name in names})


def _version(request: Request, leaf: Leaf) -> str:
    """What was shown, by name: the workspace's own name of its text, and the language with a mark of the words."""
    mark = shown_version(leaf.sender, leaf.privacy.text, *(one.title for one in leaf.privacy.purposes))
    return "/".join(filter(None, (leaf.privacy.text_version, language_of(request), mark)))


def _refuse(
    house: House, connection: Connection, leaf: Leaf, refused: list[Choice], version: str, *, page: bool
) -> None:
    """Keep these noes; one to the marketing of the channel is what became of the message that led here."""
    source, proof = ("page" if page else "one-click"), {"message": leaf.said.message_id}
    rows = [
        Consent(
            leaf.said.workspace_id, leaf.said.target, *choice, False, house.now(), source, "contact", version, proof
        )
        for choice in refused
    ]
    if rows:
        consents.set_consents(connection, rows)
    for channel, purpose in refused:
        leaf.state.setdefault(channel, {})[purpose] = False
    if (leaf.channel, MARKETING) in refused:
        word = Said(leaf.said.workspace_id, leaf.said.message_id, "unsubscribed", "", house.now(), {})
        receipts.add(connection, [word])


def _save(request: Request, house: House, connection: Connection, leaf: Leaf, ticked: set[str]) -> Response:
    """A no at once, a yes by mail."""
    wanted = {one for one in leaf.choices if "/".join(one) in ticked}
    refused = [one for one in leaf.choices if one not in wanted and leaf.allowed(one)]
    wish = [one for one in leaf.choices if one in wanted and not leaf.allowed(one)]
    _refuse(house, connection, leaf, refused, _version(request, leaf), page=True)
    if not wish:
        return _page(request, leaf, "saved")
    address = _ask_again(request, house, connection, leaf, wish)
    return _page(request, leaf, "asked" if address else "unasked", address=masked(address) if address else "")


def _ask_again(request: Request, house: House, connection: Connection, leaf: Leaf, wish: list[Choice]) -> str | None:
    """Write the mail that asks; the address it goes to."""
    say, said, id = words(language_of(request)).gettext, leaf.said, confirmations.new_id(connection)
    token = Tokens(house.settings.secret_bytes).make("resubscribe", said.workspace_id, id, said.target)
    link = f"{house.settings.base_url}/u/{token}/again?lang={language_of(request)}"
    first = say(_("Somebody, probably you, asked %(sender)s to write to this address again.")) % {"sender": leaf.sender}
    then = say(_("Open this link to confirm it. If it was not you, do nothing: nothing will be sent."))
    subject = say(_("Do you want messages from %(sender)s again?")) % {"sender": leaf.sender}
    content = {
        "subject": subject,
        "text": f"{first}\n\n{then}\n\n{link}\n",
        "html": f'<p>{escape(first)}</p><p>{escape(then)}</p><p><a href="{escape(link)}">{escape(link)}</a></p>',
        "wish": [list(one) for one in wish],
        "version": _version(request, leaf),
    }
    return confirmations.ask(connection, said.workspace_id, said.message_id, id, content, house.now())


def _page(request: Request, leaf: Leaf, state: str, **more: Any) -> Response:
    values = {
        "state": state,
        "sender": leaf.sender,
        "channel": leaf.channels[leaf.channel],
        "out": not leaf.allowed((leaf.channel, MARKETING)),
        "privacy": leaf.privacy,
        "groups": [
            {
                "name": name,
                "word": word,
                "allowed": leaf.allowed((name, MARKETING)),
                "purposes": [
                    {"name": one.name, "title": one.title, "allowed": leaf.allowed((name, one.name))}
                    for one in leaf.privacy.purposes
                ],
            }
            for name, word in leaf.channels.items()
        ],
        **more,
    }
    page: HTMLResponse = request.app.state.templates.TemplateResponse(
        request, "links/unsubscribe.html", values, headers={**PAGE_HEADERS, **QUIET}
    )
    return page
