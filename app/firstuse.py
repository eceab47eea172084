"""What somebody who starts the program for the first time needs: a workspace, themselves in it, a write key in a file.

Whatever is there already is left alone. The key is shown nowhere: it lies in the data folder, readable by its owner only.
"""

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app import auth
from app.auth import KeyRole
from app.store import keys, users, workspaces
from app.store.rows import Connection

KEY_FILE = "write-key"
YOU = "you@localhost"
OWN_NAME = "My workspace"


class Arrived(NamedTuple):
    """The workspace of the first user, and whether it was made just now."""

    workspace_id: int
    user_id: int
    fresh: bool


def arrive(connection: Connection, *, name: str, timezone: str, now: datetime) -> Arrived:
    """The first workspace and its first admin, made if there are none."""
    workspace_id = workspaces.first(connection)
    fresh = workspace_id is None
    if workspace_id is None:
        workspace_id = workspaces.add(connection, name, timezone=timezone, now=now)
    everybody = users.page(connection, workspace_id, 0, 1_000)
    admin = next((user for user in everybody if user.role == "admin"), None)
    if admin is None:
        admin = users.add(connection, workspace_id, email=YOU, name="You", role="admin", now=now)
    if admin is None:
        raise RuntimeError(f"{YOU} is there and no admin")
    return Arrived(workspace_id, admin.id, fresh)


def write_key(connection: Connection, workspace_id: int, data: Path, now: datetime) -> str:
    """The write key in the data folder; a new one where there is none, or one that this database does not know."""
    path = data / KEY_FILE
    if path.exists():
        kept = path.read_text(encoding="ascii", errors="replace").strip()
        caller = auth.identify(connection, kept, now)
        if caller is not None and caller.workspace_id == workspace_id:
            return kept
    text = add_key(connection, workspace_id, name="first write key", role="ingest", now=now)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
    aside.replace(path)
    return text


def add_key(connection: Connection, workspace_id: int, *, name: str, role: KeyRole, now: datetime) -> str:
    """A new key of this role; its text is known only now."""
    token = auth.new_token()
    keys.add(connection, keys.New(workspace_id, name, role, token.prefix, token.digest), now)
    return token.text
