"""An exception as one sentence for whoever typed the command. What was foreseen speaks for itself; the rest says so."""

import psycopg

from app.commands.places import CommandError
from app.database import DatabaseError
from app.localservers import LocalServerError
from app.publishing import RefusedError
from app.run import RunError
from app.settings import SettingsError
from flows.errors import FlowError, NodeError

FORESEEN = (CommandError, DatabaseError, LocalServerError, RefusedError, RunError, SettingsError, FlowError, NodeError)
LONGEST = 600


def sentence(error: Exception) -> str:
    """What to tell."""
    if isinstance(error, FORESEEN):
        return str(error)
    # Migrations speak through SQLAlchemy, which wraps what the driver says.
    error = next((one for one in (getattr(error, "orig", None),) if isinstance(one, psycopg.Error)), error)
    said = " ".join(str(error).split())[:LONGEST]
    if isinstance(error, psycopg.OperationalError):
        return (
            f"The database does not answer ({said}). See that it runs and that JOURNEY_DATABASE_URL is right;"
            " `journey check` looks closer."
        )
    return f"Something went wrong that should not have: {type(error).__name__}: {said} (JOURNEY_DEBUG=1 shows where.)"
