"""The processes that run on this database. Never logic, never queries."""

from datetime import datetime

from sqlalchemy import (
    Column,
    SmallInteger,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.models.columns import BIG, INSTANT, TEXT


class Worker(SQLModel, table=True):
    """A worker process: its lane connection's backend and when it last got something done."""

    id: str = Field(primary_key=True, sa_type=TEXT)
    backend_pid: int
    lanes: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    started_at: datetime = Field(sa_type=INSTANT)
    progress_at: datetime = Field(sa_type=INSTANT)


class Instance(SQLModel, table=True):
    """Which installation this database belongs to; one row, told apart from copies by a file beside it (rule D15).

    `number` counts up with every beat and lies in the file as well: a file that is ahead means the database went back.
    `held` says why nothing is sent; confirming it is a new `epoch`, which makes older files harmless.
    """

    id: int = Field(default=1, primary_key=True)
    token: str = Field(sa_type=TEXT)
    epoch: int = Field(sa_type=BIG)
    number: int = Field(sa_type=BIG)
    place: str = Field(sa_type=TEXT)
    beat_at: datetime = Field(sa_type=INSTANT)
    held: str | None = Field(default=None, sa_type=TEXT)
    held_at: datetime | None = Field(default=None, sa_type=INSTANT)
    seen: int = Field(default=0, sa_type=BIG, sa_column_kwargs={"server_default": "0"})


class Generation(SQLModel, table=True):
    """One row: counts up with every publish, pause, resume and stop, so a worker knows when its plans are old."""

    id: int = Field(default=1, primary_key=True)
    number: int = Field(default=0, sa_type=BIG)
