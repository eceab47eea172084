"""Through which glasses a caller sees people: whoever may not work with them sees what is flagged as personal masked (F107)."""

from app import auth
from app.auth import Caller
from app.privacy import Glasses, load
from app.store import workspaces
from app.store.rows import Connection


def glasses_of(connection: Connection, caller: Caller) -> Glasses:
    """Clear for operators and above; for viewers as the workspace has it."""
    if auth.may(caller.role, "contact.edit"):
        return Glasses()
    return Glasses(load(workspaces.privacy(connection, caller.workspace_id)).personal)
