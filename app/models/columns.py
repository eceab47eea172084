"""Columns as our tables have them, and how constraints are named. Never a table."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Integer,
    Sequence,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
INSTANT: Any = TIMESTAMP(timezone=True)
SMALL: Any = SmallInteger
BIG: Any = BigInteger
TEXT: Any = Text
EMPTY_OBJECT = text("'{}'::jsonb")

# Each number of these stands for a block of `lanes.BLOCK` ids.
CONTACT_BLOCK = Sequence("contact_block", metadata=SQLModel.metadata)
ENROLLMENT_BLOCK = Sequence("enrollment_block", metadata=SQLModel.metadata)
MESSAGE_BLOCK = Sequence("message_block", metadata=SQLModel.metadata)


def json_object(*, nullable: bool = False) -> Any:
    """A JSONB column, an empty object unless it may be null."""
    return Column(JSONB, nullable=nullable, server_default=None if nullable else EMPTY_OBJECT)


def texts() -> Any:
    """An array of text, empty by default."""
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def counter(kind: Any = Integer) -> Any:
    """A number the database counts up, alone the primary key."""
    return Column(kind, Identity(), primary_key=True)
