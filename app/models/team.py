"""Who works here and what they did: workspaces, people, keys, accounts, the audit log. Never logic, never queries."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.models.columns import BIG, INSTANT, SMALL, TEXT, counter, json_object, texts


class Workspace(SQLModel, table=True):
    """A tenant. `secret` signs what its contacts bring back: user hashes of the in-app pull."""

    id: int | None = Field(default=None, sa_column=counter())
    name: str = Field(sa_type=TEXT)
    timezone: str = Field(default="UTC", sa_type=TEXT, sa_column_kwargs={"server_default": "UTC"})
    secret: str = Field(sa_type=TEXT)
    settings: dict[str, Any] = Field(sa_column=json_object())
    created_at: datetime = Field(sa_type=INSTANT)


class User(SQLModel, table=True):
    """A person who works here. `password` is an argon2 hash; `scopes` null sees everything; invited until `joined_at`."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("workspace_id", "email"), Index("ix_users_email", text("lower(email)")))
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    email: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    role: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)
    password: str | None = Field(default=None, sa_type=TEXT)
    disabled_at: datetime | None = Field(default=None, sa_type=INSTANT)
    joined_at: datetime | None = Field(default=None, sa_type=INSTANT)
    language: str | None = Field(default=None, sa_type=TEXT)
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))


class Key(SQLModel, table=True):
    """An API or write key, a session, a sign-in link: only its hash is kept. `prefix` finds it, `role` says what it may do.

    Sessions know their device (`agent`), the net they came from (`place`), when they were `seen_at`, how long they may idle.
    `maker` is who made it for somebody else; sessions have that of their link.
    """

    __table_args__ = (Index("ix_key_user_id", "user_id", postgresql_where=text("revoked_at IS NULL")),)
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    user_id: int | None = Field(default=None, foreign_key="users.id")
    name: str = Field(sa_type=TEXT)
    role: str = Field(sa_type=TEXT)
    prefix: str = Field(sa_type=TEXT, unique=True)
    digest: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)
    expires_at: datetime | None = Field(default=None, sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    seen_at: datetime | None = Field(default=None, sa_type=INSTANT)
    idle_seconds: int | None = None
    agent: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    place: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    maker: str | None = Field(default=None, sa_type=TEXT)


class SignInTry(SQLModel, table=True):
    """How often somebody failed to sign in of late, for one address or one net; Valkey counts where there is one."""

    __tablename__ = "sign_in_try"
    bucket: str = Field(primary_key=True, sa_type=TEXT)
    tries: int
    since: datetime = Field(sa_type=INSTANT)
    last: datetime = Field(sa_type=INSTANT)
    level: int = Field(default=0, sa_type=SMALL, sa_column_kwargs={"server_default": "0"})


class SecondStep(SQLModel, table=True):
    """Somebody's key for the codes of their phone, sealed; it counts from `since` on. `codes` are hashes, one time each."""

    __tablename__ = "second_step"
    workspace_id: int = Field(primary_key=True)
    user_id: int = Field(primary_key=True)
    sealed: str = Field(sa_type=TEXT)
    begun_at: datetime = Field(sa_type=INSTANT)
    since: datetime | None = Field(default=None, sa_type=INSTANT)
    last_used: int = Field(default=0, sa_type=BIG, sa_column_kwargs={"server_default": "0"})
    codes: list[str] = Field(sa_column=texts())


class Account(SQLModel, table=True):
    """A configured provider credential of a channel; `sealed` is encrypted, nothing of it is ever shown again."""

    workspace_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, sa_type=TEXT)
    channel: str = Field(sa_type=TEXT)
    settings: dict[str, Any] = Field(sa_column=json_object())
    sealed: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class Audit(SQLModel, table=True):
    """Who changed what, only ever added to (a trigger refuses the rest). `hash` covers the row and the one before.

    `before` and `after` are JSON as it was hashed; never a secret, never a whole document.
    """

    __table_args__ = (Index(None, "workspace_id", "about", "number"), Index(None, "workspace_id", "actor", "number"))
    workspace_id: int = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BIG)
    at: datetime = Field(sa_type=INSTANT)
    actor: str = Field(sa_type=TEXT)
    what: str = Field(sa_type=TEXT)
    about: str = Field(sa_type=TEXT)
    before: str = Field(sa_type=TEXT)
    after: str = Field(sa_type=TEXT)
    previous: str = Field(sa_type=TEXT)
    hash: str = Field(sa_type=TEXT)


class AuditHead(SQLModel, table=True):
    """The last row of a workspace's audit log. Its lock keeps the chain from forking; rows cut off the end are missed."""

    __tablename__ = "audit_head"
    workspace_id: int = Field(primary_key=True)
    number: int = Field(sa_type=BIG)
    hash: str = Field(sa_type=TEXT)
