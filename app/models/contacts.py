"""Who walks journeys and what they did: contacts, their names, events, consents. Never logic, never queries."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.models.columns import BIG, INSTANT, SMALL, TEXT, counter, json_object, texts


class Contact(SQLModel, table=True):
    """A person who walks journeys. The id alone gives the lane (`lanes.lane_of`)."""

    __table_args__ = (
        Index(
            "ix_contact_name",
            "workspace_id",
            text("lower(attributes ->> 'name')"),  # COLLATE "C" in the migration: reflection does not tell
            "id",
            postgresql_where=text("attributes ? 'name' AND merged_into IS NULL"),
        ),
        {"postgresql_with": {"fillfactor": "85"}},
    )
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    id: int = Field(primary_key=True, sa_type=BIG)
    attributes: dict[str, Any] = Field(sa_column=json_object())
    tags: list[str] = Field(sa_column=texts())
    consents: dict[str, Any] = Field(sa_column=json_object())
    merged_into: int | None = Field(default=None, sa_type=BIG)
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class Identity_(SQLModel, table=True):
    """One `(kind, value)` that names a contact; the key makes two contacts with one name impossible."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "workspace_id", "contact_id"),)
    workspace_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True, sa_type=TEXT)
    value: str = Field(primary_key=True, sa_type=TEXT)
    contact_id: int = Field(sa_type=BIG)
    created_at: datetime = Field(sa_type=INSTANT)


class Seen(SQLModel, table=True):
    """The memory of accepted message ids: a duplicate is answered like the first and goes no further.

    Rows come in order of time, so a BRIN index of a few pages finds the old ones.
    """

    __table_args__ = (
        Index(
            "ix_seen_received_on",
            "received_on",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32, "autosummarize": True},
        ),
    )
    workspace_id: int = Field(primary_key=True)
    digest: UUID = Field(primary_key=True)
    received_on: date


class Inbox(SQLModel, table=True):
    """Accepted and not yet matched, in order of arrival inside a lane. `properties` is JSON text: nobody queries it here."""

    __table_args__ = ({"postgresql_with": {"autovacuum_vacuum_scale_factor": "0.05"}},)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[Identity()])
    workspace_id: int = Field(primary_key=True)
    contact_id: int = Field(sa_type=BIG)
    kind: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    timestamp: datetime = Field(sa_type=INSTANT)
    received_at: datetime = Field(sa_type=INSTANT)
    properties: str = Field(sa_type=TEXT)
    digest: UUID | None = None


class EventRow(SQLModel, table=True):
    """The history, partitioned by month of `timestamp`. `origin` names the contact it came from before a merge."""

    __tablename__ = "event"
    __table_args__ = ({"postgresql_partition_by": "RANGE (timestamp)"},)
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    contact_id: int = Field(primary_key=True, sa_type=BIG)
    timestamp: datetime = Field(primary_key=True, sa_type=INSTANT)
    id: int = Field(primary_key=True, sa_type=BIG)
    received_at: datetime = Field(sa_type=INSTANT)
    name: str = Field(sa_type=TEXT)
    properties: dict[str, Any] = Field(sa_column=json_object())
    digest: UUID | None = None
    origin: int | None = Field(default=None, sa_type=BIG)


class Merge(SQLModel, table=True):
    """Two contacts found to be one person; `snapshot` keeps what the loser was, so that it can be explained and undone."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "loser_id"),
        Index("ix_merge_winner", "workspace_id", "winner_id"),
    )
    id: int | None = Field(default=None, sa_column=counter(BigInteger))
    workspace_id: int
    loser_id: int = Field(sa_type=BIG)
    winner_id: int = Field(sa_type=BIG)
    merged_at: datetime = Field(sa_type=INSTANT)
    snapshot: dict[str, Any] = Field(sa_column=json_object())


class Dead(SQLModel, table=True):
    """What could not be handled, whole, with the reason; can be played again."""

    __table_args__ = (Index("ix_dead_workspace_id_id", "workspace_id", "id"),)
    id: int | None = Field(default=None, sa_column=counter(BigInteger))
    workspace_id: int
    kind: str = Field(sa_type=TEXT)
    payload: dict[str, Any] = Field(sa_column=json_object())
    reason: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)


class Consent(SQLModel, table=True):
    """The ledger: who said what about a purpose of a channel, when, how, and to which text. Only grows; a trigger sees to it.

    What holds now stands on the contact. Rows of a merged contact stay where they are.
    """

    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    contact_id: int = Field(primary_key=True, sa_type=BIG)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[Identity()])
    at: datetime = Field(sa_type=INSTANT)
    allowed: bool
    channel: str = Field(sa_type=TEXT)
    purpose: str = Field(sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    text_version: str = Field(sa_type=TEXT)
    proof: dict[str, Any] = Field(sa_column=json_object())


class Erased(SQLModel, table=True):
    """An address of somebody who was erased, as a keyed hash: nobody can read it, and marketing still knows it again."""

    workspace_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    at: datetime = Field(sa_type=INSTANT)


class AudienceMember(SQLModel, table=True):
    """Who is in the audience of a join entry now, so that only new members enter."""

    __tablename__ = "audience_member"
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    journey_id: int = Field(primary_key=True)
    node: str = Field(primary_key=True, sa_type=TEXT)
    contact_id: int = Field(primary_key=True, sa_type=BIG)
