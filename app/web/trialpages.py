"""The test of an account as a page: to whom, what became of it, and what to mend. Holds no transaction while it waits."""

from typing import Annotated

from fastapi import Form, Request, Response

from app import audit, trials
from app.store import accounts, users
from app.web.accountpages import known_channel, tiles
from app.web.accounts import AccountName
from app.web.guard import Asker, Now, TheHouse, can
from app.web.page import page_router, render
from app.web.problems import missing
from app.web.templating import reading
from flows.words import _

routes = page_router()

MAIL = "email"
AT = "/settings/accounts/{name}/test"
NO_ADDRESS = _("write an address such as li@shop.example")
NOWHERE = _("This account names no address; each step names its own. Give it one to test it.")
TEMPLATE = "settings/_trial.html"


@routes.get(AT, dependencies=[can("account.edit")])
def offer_trial(request: Request, house: TheHouse, caller: Asker, name: AccountName) -> Response:
    """To whom the test shall go: first to whoever asks."""
    with house.transaction(read_only=True) as connection:
        account = accounts.find(connection, caller.workspace_id, name)
        me = users.find(connection, caller.workspace_id, caller.user_id) if caller.user_id else None
    if account is None:
        raise missing("account")
    channel = known_channel(house, account.channel)
    return render(
        request,
        TEMPLATE,
        {"account": account, "channel": channel, "to": me.email if me else "", **tiles(request, house)},
    )


@routes.post(AT, dependencies=[can("account.edit")])
def try_account(
    request: Request,
    house: TheHouse,
    caller: Asker,
    now: Now,
    name: AccountName,
    to: Annotated[str, Form(max_length=320)] = "",
) -> Response:
    """Send it, and say what came of it."""
    with house.transaction() as connection:
        account = accounts.find(connection, caller.workspace_id, name)
        if account is not None:
            about = f"account:{name}"
            audit.record(connection, caller.workspace_id, caller.actor, "account.test", about, None, None, now)
    if account is None:
        raise missing("account")
    channel, to = known_channel(house, account.channel), to.strip()
    values = {"account": account, "channel": channel, "to": to, "sink": house.settings.sink, **tiles(request, house)}
    with reading(request) as say:
        if channel.name == MAIL and ("@" not in to or any(letter.isspace() for letter in to)):
            return render(request, TEMPLATE, {**values, "wrong": say(NO_ADDRESS)}, status=422)
        if channel.name == "webhook" and not account.settings.get("url"):
            return render(request, TEMPLATE, {**values, "nowhere": say(NOWHERE)}, status=422)
        outcome = trials.send(house.settings, channel, account, caller.workspace_id, to, now)
        return render(request, TEMPLATE, {**values, "outcome": outcome, "hint": outcome.hint})
