"""Channel accounts as pages: listed, made, changed, removed. What is secret goes in and never comes out (T25)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, SecretStr

from app import vault
from app.auth import Caller
from app.store import accounts, overview
from app.store.accounts import Account
from app.store.rows import Connection
from app.web import accounts as api
from app.web.accounts import AccountIn, AccountName
from app.web.guard import Asker, Database, Now, TheHouse, can
from app.web.house import House
from app.web.page import page_router, render
from app.web.problems import ProblemError, missing
from app.web.templating import channel_words, icons, reading
from flows.contract import Channel
from flows.words import _

routes = page_router()

SHOWN = 500
FIELDS_AT_MOST = 60
ONE_OF = re.compile(r"\^\((\w+(?:\|\w+)+)\)\$")
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
NAME_WRONG = _("small letters, digits, dots and dashes; it begins with a letter or digit")
NAME_TAKEN = _("there is an account of this name")
ChannelName = Annotated[str, Path(max_length=32, pattern=r"^[a-z0-9_.-]+$")]
# The titles of the built-in accounts' fields; a plugin's that are not here stay as its author wrote them.
TITLES = (
    _("Server"), _("Port"), _("Encryption"), _("User name"), _("Password"), _("Sender address"), _("Sender name"), _("Reply to"),
    _("Bounces go to (a tag is added per message)"), _("Secret that signs receipts coming in"), _("Unsubscribe by mail to"),
    _("Address"), _("Signing secret"), _("Previous signing secret (while it is being replaced)"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form."""

    name: str
    title: str
    kind: str
    value: str
    needed: bool
    options: tuple[str, ...] = ()
    kept: bool = False
    error: str = ""


async def _given(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=FIELDS_AT_MOST)
    return {name: value for name, value in form.items() if isinstance(value, str)}


Given = Annotated[dict[str, str], Depends(_given)]


@routes.get("/settings/accounts", dependencies=[can("account.read")])
def show_accounts(request: Request, house: TheHouse, caller: Asker, connection: Database) -> Response:
    """All accounts, and the channels one can be made for."""
    values = {
        "accounts": accounts.page(connection, caller.workspace_id, "", SHOWN),
        "channels": sorted(_channels(house)),
        "place": overview.place(connection, caller.workspace_id),
        **tiles(request, house),
    }
    return render(request, "settings/accounts.html", values)


@routes.get("/settings/accounts/new/{channel}", dependencies=[can("account.edit")])
def begin_account(request: Request, house: TheHouse, channel: ChannelName) -> Response:
    """The empty form of a channel."""
    return _form(request, house, known_channel(house, channel), {"name": ""})


@routes.get("/settings/accounts/{name}", dependencies=[can("account.edit")])
def edit_account(request: Request, house: TheHouse, caller: Asker, connection: Database, name: AccountName) -> Response:
    """The form of an account; of its secrets it only says that they are kept."""
    found = _account(connection, caller, name)
    kept = _secrets(house, caller, found)
    given = {"name": name, **{key: _text(value) for key, value in found.settings.items()}}
    return _form(request, house, known_channel(house, found.channel), given, kept=kept, known=found)


@routes.post("/settings/accounts/{name}/remove", dependencies=[can("account.edit")])
def remove_account_page(caller: Asker, connection: Database, now: Now, name: AccountName) -> Response:
    """Gone with its credentials."""
    api.remove_account(name, connection, caller, now)
    return Response(status_code=204, headers={"HX-Redirect": "/settings/accounts"})


@routes.post("/settings/accounts/new/{channel}", dependencies=[can("account.edit")])
def make_account(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    channel: ChannelName,
    given: Given,
) -> Response:
    """A new account out of the form."""
    kind, name = known_channel(house, channel), given.get("name", "").strip()
    with reading(request) as say:
        wrong = "" if NAME.fullmatch(name) else say(NAME_WRONG)
        wrong = wrong or (say(NAME_TAKEN) if accounts.find(connection, caller.workspace_id, name) else "")
    if wrong:
        return _form(request, house, kind, {**given, "name": name}, errors={"name": wrong})
    return _save(request, house, caller, connection, now, _Wish(name, kind, given, {}, None))


@routes.post("/settings/accounts/{name}", dependencies=[can("account.edit")])
def change_account(
    request: Request,
    house: TheHouse,
    caller: Asker,
    connection: Database,
    now: Now,
    name: AccountName,
    given: Given,
) -> Response:
    """What the form says now; secrets left empty stay as they are."""
    found = _account(connection, caller, name)
    wish = _Wish(name, known_channel(house, found.channel), given, _secrets(house, caller, found), found)
    return _save(request, house, caller, connection, now, wish)


@dataclass(frozen=True, slots=True)
class _Wish:
    name: str
    channel: Channel
    given: Mapping[str, str]
    kept: Mapping[str, str]
    known: Account | None


def _save(request: Request, house: House, caller: Caller, connection: Connection, now: Any, wish: _Wish) -> Response:
    settings: dict[str, Any] = {}
    for field, secret in _fields(wish.channel):
        value = wish.given.get(field, "").strip()
        if value:
            settings[field] = value
        elif secret and field in wish.kept and not wish.given.get(f"forget.{field}"):
            settings[field] = wish.kept[field]
    try:
        api.save_account(
            wish.name, AccountIn(channel=wish.channel.name, settings=settings), connection, caller, house, now
        )
    except ProblemError as refused:
        errors = {field.removeprefix("settings.").removeprefix("settings"): text for field, text in refused.errors}
        shown = {**wish.given, "name": wish.name}
        return _form(request, house, wish.channel, shown, errors=errors, kept=wish.kept, known=wish.known)
    return Response(status_code=204, headers={"HX-Redirect": "/settings/accounts"})


def _form(
    request: Request,
    house: House,
    channel: Channel,
    given: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
    known: Account | None = None,
) -> Response:
    found = errors or {}
    with reading(request) as say:
        said = {field: say(text) for field, text in found.items()}
        inputs = [
            _input(name, part, channel, given, (say, said, kept or {})) for name, part in _schema(channel).items()
        ]
    values = {
        "channel": channel,
        "known": known,
        "given": given,
        "inputs": inputs,
        "errors": said,
        "loose": [text for field, text in said.items() if field not in _schema(channel) and field != "name"],
        **tiles(request, house),
    }
    return render(request, "settings/_account.html", values, status=422 if errors else 200)


def _input(name: str, part: Mapping[str, Any], channel: Channel, given: Mapping[str, str], told: Any) -> Input:
    say, errors, kept = told
    options = ONE_OF.fullmatch(str(part.get("pattern", "")))
    secret = name in {field for field, hidden in _fields(channel) if hidden}
    kind = "secret" if secret else "choice" if options else "number" if part.get("type") == "integer" else "text"
    default = part.get("default", "")
    return Input(
        name=name,
        title=say(str(part.get("title", name))),
        kind=kind,
        value="" if secret else given.get(name, _text(default)),
        needed="default" not in part,
        options=tuple(options[1].split("|")) if options else (),
        kept=name in kept,
        error=errors.get(name, ""),
    )


def _schema(channel: Channel) -> Mapping[str, Mapping[str, Any]]:
    assert channel.account is not None
    found: Mapping[str, Mapping[str, Any]] = channel.account.model_json_schema().get("properties", {})
    return found


def _fields(channel: Channel) -> list[tuple[str, bool]]:
    """The fields of an account, and whether each is secret."""
    model: type[BaseModel] | None = channel.account
    assert model is not None
    return [(name, field.annotation is SecretStr) for name, field in model.model_fields.items()]


def _channels(house: House) -> dict[str, Channel]:
    return {node.channel.name: node.channel for node in house.catalog.values() if node.channel and node.channel.account}


def known_channel(house: House, name: str) -> Channel:
    """The channel of this name, if accounts can be made for it."""
    channel = _channels(house).get(name)
    if channel is None:
        raise missing("channel")
    return channel


def _account(connection: Connection, caller: Caller, name: str) -> Account:
    found = accounts.find(connection, caller.workspace_id, name)
    if found is None:
        raise missing("account")
    return found


def _secrets(house: House, caller: Caller, account: Account) -> dict[str, str]:
    """The secrets as they lie in the seal: only ever sealed again, never shown."""
    owner, secret = f"{caller.workspace_id}/{account.name}", house.settings.secret_bytes
    return vault.unseal({}, account.sealed, owner=owner, secret=secret)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def tiles(request: Request, house: House) -> dict[str, Any]:
    """What the channels are called, and their drawings."""
    drawings = icons(request, house.catalog)
    return {
        "channel_words": channel_words(request, house.catalog),
        "channel_icons": {node.channel.name: drawings[node.type] for node in house.catalog.values() if node.channel},
    }
