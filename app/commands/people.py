"""`user` and `key`: who may come in, by whose hand. Prints secrets once, where they were asked for, and keeps none."""

from typing import cast

from app import audit, auth, secondstep
from app.auth import KeyRole
from app.commands.places import CommandError, first_workspace, now, workplace
from app.database import transaction
from app.firstuse import OWN_NAME, add_key, arrive
from app.settings import Settings
from app.staff import Hand
from app.store import users

KEY_ROLES = ("ingest", *auth.ROLES)


def add_user(settings: Settings, email: str, *, name: str, role: str) -> str:
    """A new user; returns the link that signs them in."""
    if role not in auth.ROLES:
        raise CommandError(f"There is no role {role!r}; choose one of {', '.join(auth.ROLES)}.")
    if "@" not in email or any(letter.isspace() for letter in email):
        raise CommandError(f"{email!r} is no e-mail address.")
    with workplace(settings) as (placed, connection), transaction(connection):
        workspace_id = arrive(connection, name=OWN_NAME, timezone="UTC", now=now()).workspace_id
        made = users.add(
            connection, workspace_id, email=email, name=name or email.partition("@")[0], role=role, now=now()
        )
        if made is None:
            raise CommandError(f"There is a user {email} already; `journey user link {email}` makes a link for them.")
        return f"{placed.base_url}/login?token={auth.login(connection, made.id, workspace_id, now())}"


def link(settings: Settings, email: str | None) -> str:
    """A fresh link for a user; for the first admin if none is named."""
    with workplace(settings) as (placed, connection), transaction(connection):
        workspace_id = first_workspace(connection)
        everybody = users.page(connection, workspace_id, 0, 10_000)
        fits = [user for user in everybody if (user.email == email if email else user.role == "admin")]
        if not fits:
            raise CommandError(
                f"There is no user {email}; `journey user add` makes one." if email else "There is no admin yet."
            )
        return f"{placed.base_url}/login?token={auth.login(connection, fits[0].id, workspace_id, now())}"


def reset_second_step(settings: Settings, email: str) -> str:
    """Take away somebody's second step, for whom nobody else can: who sits at this machine owns it anyway."""
    with workplace(settings) as (_placed, connection), transaction(connection):
        workspace_id = first_workspace(connection)
        found = [one for one in users.page(connection, workspace_id, 0, 10_000) if one.email.lower() == email.lower()]
        if not found:
            raise CommandError(f"There is no user {email}.")
        hand = Hand(connection, workspace_id, audit.SYSTEM, None, now())
        if not secondstep.remove(hand, found[0].id):
            raise CommandError(f"{email} has no second step.")
        return f"{email} signs in with one step again; their sessions have ended."


def new_key(settings: Settings, *, name: str, role: str) -> str:
    """A new key; its text."""
    if role not in KEY_ROLES:
        raise CommandError(f"There is no role {role!r}; choose one of {', '.join(KEY_ROLES)}.")
    with workplace(settings) as (_, connection), transaction(connection):
        workspace_id = arrive(connection, name=OWN_NAME, timezone="UTC", now=now()).workspace_id
        return add_key(connection, workspace_id, name=name, role=cast(KeyRole, role), now=now())
