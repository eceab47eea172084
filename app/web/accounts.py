"""Provider accounts over HTTP. What is secret goes in and never comes out (T25)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app import audit, vault
from app.store import accounts
from app.store.accounts import Account, Configured
from app.web.guard import Asker, Database, Now, TheHouse, can, router
from app.web.problems import invalid, missing
from app.web.shapes import PAGE, In, Limit, Next, Out, Page, paged, place_of
from flows.problems import place, say
from flows.words import _, told
from nodes import Catalog

routes = router("accounts")

AccountName = Annotated[
    str,
    Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="Name of the account.", examples=["shop-hook"]),
]


class AccountIn(In):
    """All settings of the account, also the secret ones: what is left out is gone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"channel": "webhook", "settings": {"url": "https://shop.example/hook", "secret": "s3cr3t"}}]
        }
    )
    channel: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z0-9_.-]+$")]
    settings: dict[str, Any] = Field(default_factory=dict, description="Fields of the channel; see `node-types`.")


class AccountOut(Out):
    """An account without its secrets; `sealed` says whether there are any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "shop-hook",
                    "channel": "webhook",
                    "settings": {"url": "https://shop.example/hook"},
                    "sealed": True,
                    "created_at": "2026-11-21T08:00:00Z",
                    "updated_at": "2026-11-21T08:00:00Z",
                }
            ]
        }
    )
    name: str
    channel: str
    settings: dict[str, Any]
    sealed: bool
    created_at: datetime
    updated_at: datetime


@routes.get("/accounts", dependencies=[can("account.read")])
def list_accounts(connection: Database, asker: Asker, limit: Limit = PAGE, next: Next = None) -> Page[AccountOut]:
    """List the provider accounts."""
    at = place_of(next, str)
    found = accounts.page(connection, asker.workspace_id, at[0] if at else "", limit + 1)
    rows, after = paged(found, limit, lambda row: [row.name])
    return Page(items=[_shown(row) for row in rows], next=after)


@routes.get("/accounts/{name}", dependencies=[can("account.read")])
def read_account(name: AccountName, connection: Database, asker: Asker) -> AccountOut:
    """Show an account, without its secrets."""
    found = accounts.find(connection, asker.workspace_id, name)
    if found is None:
        raise missing("account")
    return _shown(found)


@routes.put("/accounts/{name}", dependencies=[can("account.edit")])
def save_account(
    name: AccountName, account: AccountIn, connection: Database, asker: Asker, house: TheHouse, now: Now
) -> AccountOut:
    """Add or replace an account. Secrets are sealed at once; approvals of journeys that use the account become void."""
    parsed = _parsed(account, house.catalog)
    owner = f"{asker.workspace_id}/{name}"
    shown, sealed = vault.seal(parsed, owner=owner, secret=house.settings.secret_bytes)
    before = accounts.find(connection, asker.workspace_id, name)
    saved = accounts.put(connection, asker.workspace_id, name, Configured(account.channel, shown, sealed), now)
    said = _told(before) if before else None
    after = {**_told(saved), "credentials_changed": before is None or before.sealed != saved.sealed}
    audit.record(connection, asker.workspace_id, asker.actor, "account.save", f"account:{name}", said, after, now)
    return _shown(saved)


@routes.delete("/accounts/{name}", status_code=204, dependencies=[can("account.edit")])
def remove_account(name: AccountName, connection: Database, asker: Asker, now: Now) -> None:
    """Remove an account with its credentials."""
    before = accounts.find(connection, asker.workspace_id, name)
    if before is None or not accounts.remove(connection, asker.workspace_id, name):
        raise missing("account")
    audit.record(
        connection, asker.workspace_id, asker.actor, "account.remove", f"account:{name}", _told(before), None, now
    )


def _told(row: Account) -> dict[str, Any]:
    return {"channel": row.channel, "settings": row.settings}


def _parsed(account: AccountIn, catalog: Catalog) -> BaseModel:
    """The settings as the channel's own model; a problem that names the field."""
    channels = {kind.channel.name: kind.channel for kind in catalog.values() if kind.channel and kind.channel.account}
    channel = channels.get(account.channel)
    if channel is None or channel.account is None:
        raise invalid([("channel", told(_("must be one of {names}"), names=", ".join(sorted(channels))))])
    try:
        return channel.account.model_validate(account.settings)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise invalid([(place(("settings", *detail["loc"])), say(detail)) for detail in details]) from None


def _shown(row: Account) -> AccountOut:
    return AccountOut(**{**row._asdict(), "sealed": bool(row.sealed)})
