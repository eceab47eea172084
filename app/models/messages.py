"""What goes out, and what became of it. Never logic, never queries."""

from datetime import datetime
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

from app.models.columns import BIG, INSTANT, SMALL, TEXT, counter, json_object


class Message(SQLModel, table=True):
    """One thing to deliver to one contact over one channel, until it has an outcome. The words stay in the version."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        Index("ix_message_due", "due_at", postgresql_where=text("status IN (0, 1, 6)")),
        Index("ix_message_deferred", "lane", "due_at", postgresql_where=text("status = 7")),
        {"postgresql_with": {"fillfactor": "80"}},
    )
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    enrollment_id: int = Field(primary_key=True, sa_type=BIG)
    node: str = Field(primary_key=True, sa_type=TEXT)
    visit: int = Field(primary_key=True, sa_type=SMALL)
    id: int = Field(sa_type=BIG)
    contact_id: int = Field(sa_type=BIG)
    created_at: datetime = Field(sa_type=INSTANT)
    due_at: datetime = Field(sa_type=INSTANT)
    sent_at: datetime | None = Field(default=None, sa_type=INSTANT)
    lease_until: datetime | None = Field(default=None, sa_type=INSTANT)
    journey_id: int
    version_id: int
    status: int = Field(sa_type=SMALL)
    outcome: int = Field(default=0, sa_type=SMALL, sa_column_kwargs={"server_default": "0"})
    attempt: int = Field(default=0, sa_type=SMALL, sa_column_kwargs={"server_default": "0"})
    marketing: bool = True
    channel: str = Field(sa_type=TEXT)
    account: str | None = Field(default=None, sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    recipient: str | None = Field(default=None, sa_type=TEXT)
    provider_id: str | None = Field(default=None, sa_type=TEXT)
    title: str | None = Field(default=None, sa_type=TEXT)
    content: dict[str, Any] | None = Field(default=None, sa_column=json_object(nullable=True))
    origin: int | None = Field(default=None, sa_type=BIG)


class Sending(SQLModel, table=True):
    """A marketing message that passed the gate, kept as long as the longest cap looks back; only where caps are set.

    Written and counted in the contact's lane, so two messages cannot both take the last place.
    """

    __table_args__ = (Index("ix_sending_at", "at", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),)
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    contact_id: int = Field(primary_key=True, sa_type=BIG)
    message_id: int = Field(primary_key=True, sa_type=BIG)
    at: datetime = Field(sa_type=INSTANT)
    journey_id: int
    priority: int = Field(sa_type=SMALL)
    channel: str = Field(sa_type=TEXT)


class ReceiptRow(SQLModel, table=True):
    """What a provider, a link or a pixel said about a message; the key makes a second copy of the same word harmless."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("workspace_id", "message_id", "kind", "provider_event_id"),
        Index("ix_receipt_open", "id", postgresql_where=text("settled_at IS NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[Identity()])
    message_id: int = Field(sa_type=BIG)
    kind: str = Field(sa_type=TEXT)
    provider_event_id: str = Field(default="", sa_type=TEXT)
    at: datetime = Field(sa_type=INSTANT)
    detail: dict[str, Any] = Field(sa_column=json_object())
    settled_at: datetime | None = Field(default=None, sa_type=INSTANT)


class Reputation(SQLModel, table=True):
    """What was delivered and complained about, appended by each batch of receipts, folded into hours, kept for a week."""

    __table_args__ = (Index(None, "at"),)
    id: int | None = Field(default=None, sa_column=counter(BigInteger))
    workspace_id: int
    channel: str = Field(sa_type=TEXT)
    journey_id: int
    marketing: bool
    at: datetime = Field(sa_type=INSTANT)
    delivered: int
    complained: int


class Suppression(SQLModel, table=True):
    """An address nothing more may be sent to on a channel, and why."""

    workspace_id: int = Field(primary_key=True)
    channel: str = Field(primary_key=True, sa_type=TEXT)
    address: str = Field(primary_key=True, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)


class Link(SQLModel, table=True):
    """A URL that stood in a message; the token in the mail names the row, never the URL.

    `contact_id`: whose it is, while it stood in one person's messages only: it may say something of them.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "digest"),
        Index(
            "ix_link_contact",
            "workspace_id",
            "contact_id",
            postgresql_where=text("contact_id IS NOT NULL"),
        ),
    )
    workspace_id: int = Field(primary_key=True)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[Identity()])
    digest: UUID
    url: str = Field(sa_type=TEXT)
    contact_id: int | None = Field(default=None, sa_type=BIG)


class Caught(SQLModel, table=True):
    """What the local sink caught in place of a provider, as the contact would have got it."""

    id: int | None = Field(default=None, sa_column=counter(BigInteger))
    workspace_id: int | None = None
    channel: str = Field(sa_type=TEXT)
    recipient: str = Field(sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    content: dict[str, Any] = Field(sa_column=json_object())
    caught_at: datetime = Field(sa_type=INSTANT)
