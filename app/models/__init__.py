"""All tables, as SQLModel rows without behaviour: what is kept, and which key is the last line against doing it twice.

Rows are not validated by their class (pydantic models at the doors do that). Hot primary keys carry workspace and lane, so
the tables can be partitioned or distributed by lane without a rewrite. Never logic, never queries.
"""

from sqlmodel import SQLModel

from app.models import contacts, journeys, messages, running, team, walks

__all__ = ["SQLModel", "contacts", "journeys", "messages", "running", "team", "walks"]
