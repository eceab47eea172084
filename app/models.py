"""All tables, as SQLModel rows without behaviour: what is kept, and which key is the last line against doing it twice.

Rows are not validated by their class (pydantic models at the doors do that). Hot primary keys carry workspace and lane, so
the tables can be partitioned or distributed by lane without a rewrite. Never logic, never queries.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlmodel import Field, SQLModel

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


def _json(*, nullable: bool = False) -> Any:
    """A JSONB column, an empty object unless it may be null."""
    return Column(JSONB, nullable=nullable, server_default=None if nullable else EMPTY_OBJECT)


def _texts() -> Any:
    """An array of text, empty by default."""
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def _counter(kind: Any = Integer) -> Any:
    """A number the database counts up, alone the primary key."""
    return Column(kind, Identity(), primary_key=True)


class Workspace(SQLModel, table=True):
    """A tenant. `secret` signs what its contacts bring back: user hashes of the in-app pull."""

    id: int | None = Field(default=None, sa_column=_counter())
    name: str = Field(sa_type=TEXT)
    timezone: str = Field(default="UTC", sa_type=TEXT, sa_column_kwargs={"server_default": "UTC"})
    secret: str = Field(sa_type=TEXT)
    settings: dict[str, Any] = Field(sa_column=_json())
    created_at: datetime = Field(sa_type=INSTANT)


class User(SQLModel, table=True):
    """A person who works here. `password` is an argon2 hash; `scopes` null sees everything; invited until `joined_at`."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("workspace_id", "email"), Index("ix_users_email", text("lower(email)")))
    id: int | None = Field(default=None, sa_column=_counter())
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
    """

    __table_args__ = (Index("ix_key_user_id", "user_id", postgresql_where=text("revoked_at IS NULL")),)
    id: int | None = Field(default=None, sa_column=_counter())
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
    codes: list[str] = Field(sa_column=_texts())


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
    attributes: dict[str, Any] = Field(sa_column=_json())
    tags: list[str] = Field(sa_column=_texts())
    consents: dict[str, Any] = Field(sa_column=_json())
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
    properties: dict[str, Any] = Field(sa_column=_json())
    digest: UUID | None = None
    origin: int | None = Field(default=None, sa_type=BIG)


class Plan(SQLModel, table=True):
    """A marketing plan, the folder of its journeys. `details`: target, cadence and budget, as far as they are known."""

    __table_args__ = (Index(None, "workspace_id"),)
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=TEXT)
    scene: str = Field(sa_type=TEXT)
    details: dict[str, Any] = Field(sa_column=_json())
    created_at: datetime = Field(sa_type=INSTANT)
    created_by: str = Field(sa_type=TEXT)
    archived_at: datetime | None = Field(default=None, sa_type=INSTANT)
    scope: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})


class PlanSpending(SQLModel, table=True):
    """What the messages of a plan cost that were let through: locked by each batch, so that a budget is never overrun."""

    __tablename__ = "plan_spending"
    workspace_id: int = Field(primary_key=True)
    plan_id: int = Field(primary_key=True)
    committed: Decimal = Field(sa_column=Column(Numeric, nullable=False, server_default=text("0")))


class PlanReading(SQLModel, table=True):
    """Where a plan stood when it was last counted; pages show this, with its time. `detail`: by day, by channel."""

    __tablename__ = "plan_reading"
    workspace_id: int = Field(primary_key=True)
    plan_id: int = Field(primary_key=True)
    as_of: datetime = Field(sa_type=INSTANT)
    took_ms: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    detail: dict[str, Any] = Field(sa_column=_json())


class TurnedAway(SQLModel, table=True):
    """Somebody who would have come into a journey, and was not let in: out of its season, in another's, beyond a cap."""

    __tablename__ = "turned_away"
    __table_args__ = (Index(None, "workspace_id", "journey_id", "contact_id"),)
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    contact_id: int = Field(primary_key=True, sa_type=BIG)
    journey_id: int = Field(primary_key=True)
    reason: str = Field(primary_key=True, sa_type=TEXT)
    version_id: int
    at: datetime = Field(sa_type=INSTANT)
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class Journey(SQLModel, table=True):
    """What an operator draws: one draft with a revision (ETag), a live version, a status.

    `paused_at` is when it was last paused, resumed or stopped; `pause_mode` what becomes of waits meanwhile, `pause_reason`
    why a fuse paused it. Nobody enters by what happened before `opened_at`. An archived journey is only out of sight.
    """

    __table_args__ = (
        Index(
            "ix_journey_first",
            "workspace_id",
            "status",
            "id",
            postgresql_include=["scope"],
            postgresql_where=text("archived_at IS NULL"),
        ),
        Index("ix_journey_plan", "plan_id", postgresql_where=text("plan_id IS NOT NULL")),
        Index("ix_journey_changed", "workspace_id", "updated_at", "id"),
        Index("ix_journey_name", "workspace_id", text("(lower(name))"), "id"),
    )
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=TEXT)
    status: str = Field(default="draft", sa_type=TEXT, sa_column_kwargs={"server_default": "draft"})
    draft: dict[str, Any] = Field(sa_column=_json())
    revision: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    editors: list[str] = Field(sa_column=_texts())
    live_version_id: int | None = None
    paused_at: datetime | None = Field(default=None, sa_type=INSTANT)
    created_at: datetime = Field(sa_type=INSTANT)
    created_by: str = Field(sa_type=TEXT)
    updated_at: datetime = Field(sa_type=INSTANT)
    updated_by: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    plan_id: int | None = Field(default=None, foreign_key="plan.id")
    archived_at: datetime | None = Field(default=None, sa_type=INSTANT)
    scope: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    pause_mode: str = Field(default="freeze", sa_type=TEXT, sa_column_kwargs={"server_default": "freeze"})
    pause_reason: str | None = Field(default=None, sa_type=TEXT)
    opened_at: datetime | None = Field(default=None, sa_type=INSTANT)
    complaints_seen_at: datetime | None = Field(default=None, sa_type=INSTANT)


class DraftSave(SQLModel, table=True):
    """A draft as it stood after a save: the history to go back to. Saves of one sitting share a row (the last counts)."""

    __tablename__ = "draft_save"
    workspace_id: int = Field(primary_key=True)
    journey_id: int = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    begun_at: datetime = Field(sa_type=INSTANT)
    saved_at: datetime = Field(sa_type=INSTANT)
    saved_by: str = Field(sa_type=TEXT)
    document: dict[str, Any] = Field(sa_column=_json())


class SideDraft(SQLModel, table=True):
    """Another draft of a journey, under a name of its own: whose it is, who drew it, and what was live when it began (`base`)."""

    __tablename__ = "side_draft"
    __table_args__ = (Index(None, "workspace_id", "journey_id"),)
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int
    journey_id: int
    name: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    editors: list[str] = Field(sa_column=_texts())
    base: dict[str, Any] = Field(sa_column=_json())
    base_number: int | None = None
    document: dict[str, Any] = Field(sa_column=_json())
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class Comment(SQLModel, table=True):
    """A remark of a reviewer or operator, pinned to a node (`""`: the journey). `parent` makes it an answer."""

    __table_args__ = (Index(None, "workspace_id", "journey_id"),)
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    journey_id: int = Field(foreign_key="journey.id")
    node: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    parent: int | None = Field(default=None, foreign_key="comment.id")
    author: str = Field(sa_type=TEXT)
    text: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)
    resolved_at: datetime | None = Field(default=None, sa_type=INSTANT)
    resolved_by: str | None = Field(default=None, sa_type=TEXT)


class Version(SQLModel, table=True):
    """A published flow, frozen. People in flight stay on theirs. `season` is the document's, beside it to be found;

    `conditions` are what its approval was bound to.
    """

    __table_args__ = (
        UniqueConstraint("journey_id", "number"),
        Index(None, "workspace_id", "journey_id"),
        Index("ix_version_season", "workspace_id", "journey_id", postgresql_where=text("season IS NOT NULL")),
    )
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    journey_id: int = Field(foreign_key="journey.id")
    number: int
    document: dict[str, Any] = Field(sa_column=_json())
    content_hash: str = Field(sa_type=TEXT)
    published_at: datetime = Field(sa_type=INSTANT)
    published_by: str = Field(sa_type=TEXT)
    reach: int | None = None
    conditions: dict[str, Any] = Field(sa_column=_json())
    season: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))


class Submission(SQLModel, table=True):
    """A draft as it was handed in for review; `editors` may not approve it. status: open, approved, rejected, void, published."""

    __table_args__ = (
        Index(None, "workspace_id", "journey_id"),
        Index("ix_submission_open", "workspace_id", "id", postgresql_where=text("status = 'open'")),
    )
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    journey_id: int = Field(foreign_key="journey.id")
    content_hash: str = Field(sa_type=TEXT)
    document: dict[str, Any] = Field(sa_column=_json())
    editors: list[str] = Field(sa_column=_texts())
    status: str = Field(sa_type=TEXT)
    submitted_by: str = Field(sa_type=TEXT)
    submitted_at: datetime = Field(sa_type=INSTANT)
    reach: int | None = None
    nudged_at: datetime | None = Field(default=None, sa_type=INSTANT)
    nudged_by: str | None = Field(default=None, sa_type=TEXT)


class Review(SQLModel, table=True):
    """One decision on one submission."""

    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    submission_id: int = Field(foreign_key="submission.id", index=True)
    reviewer: str = Field(sa_type=TEXT)
    decision: str = Field(sa_type=TEXT)
    comment: str = Field(default="", sa_type=TEXT)
    decided_at: datetime = Field(sa_type=INSTANT)
    conditions: dict[str, Any] = Field(sa_column=_json())


class Admission(SQLModel, table=True):
    """How many a version has let in, of how many it may: the row that batches queue at, only where an approval set a cap."""

    workspace_id: int = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
    most: int
    taken: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class Enrollment(SQLModel, table=True):
    """One contact's walk through one journey, pinned to a version; the parked row is all that a wait costs.

    `slot` is 0 while the enrollment holds its place (active, or `once` for ever) and its own id afterwards, so one unique
    index forbids two at a time, answers "may they enter again" and lists a contact's walks. Times: `entered_at` when they
    came in, `since` the timestamp of what let them in, `rested_at` when the present wait began. `visits` (JSON) is kept
    only inside cycles. `awaits` is not stored: the pinned version says what a node listens to.
    """

    __table_args__ = (
        Index("uq_enrollment_place", "workspace_id", "contact_id", "journey_id", "key", "slot", unique=True),
        Index("ix_enrollment_due", "lane", "wake_at", postgresql_where=text("status = 0 AND wake_at IS NOT NULL")),
        Index("ix_enrollment_node", "version_id", "node", "lane", postgresql_where=text("status IN (0, 3, 4)")),
        Index("ix_enrollment_over", "version_id", "status", "id", postgresql_where=text("status IN (2, 3)")),
        {"postgresql_with": {"fillfactor": "90"}},
    )
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    id: int = Field(primary_key=True, sa_type=BIG)
    contact_id: int = Field(sa_type=BIG)
    slot: int = Field(sa_type=BIG)
    entered_at: datetime = Field(sa_type=INSTANT)
    since: datetime = Field(sa_type=INSTANT)
    rested_at: datetime = Field(sa_type=INSTANT)
    wake_at: datetime | None = Field(default=None, sa_type=INSTANT)
    entry_event: int | None = Field(default=None, sa_type=BIG)
    journey_id: int
    version_id: int
    status: int = Field(sa_type=SMALL)
    walks: int = Field(sa_type=SMALL)
    node: str = Field(sa_type=TEXT)
    key: str = Field(sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    visits: str | None = Field(default=None, sa_type=TEXT)
    origin: int | None = Field(default=None, sa_type=BIG)


class Trail(SQLModel, table=True):
    """How an enrollment moved and why: one row for each walk to rest; `steps` is JSON `[[node, port, why?], …]`."""

    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    enrollment_id: int = Field(primary_key=True, sa_type=BIG)
    walk: int = Field(primary_key=True, sa_type=SMALL)
    at: datetime = Field(sa_type=INSTANT)
    cause: str = Field(sa_type=TEXT)
    steps: str = Field(sa_type=TEXT)


class Tally(SQLModel, table=True):
    """Counted transitions, appended by each batch (a shared counter row would queue all workers), folded by rollup."""

    __table_args__ = (Index(None, "workspace_id", "journey_id"),)
    id: int | None = Field(default=None, sa_column=_counter(BigInteger))
    workspace_id: int
    journey_id: int
    version_id: int
    node: str = Field(sa_type=TEXT)
    port: str = Field(sa_type=TEXT)
    minute: datetime = Field(sa_type=INSTANT)
    count: int


class TallyHour(SQLModel, table=True):
    """Tallies folded into hours; together with the rows not folded yet they are the numbers on every page."""

    __tablename__ = "tally_hour"
    __table_args__ = (Index(None, "workspace_id", "journey_id", "hour"),)
    workspace_id: int = Field(primary_key=True)
    journey_id: int = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
    node: str = Field(primary_key=True, sa_type=TEXT)
    port: str = Field(primary_key=True, sa_type=TEXT)
    hour: datetime = Field(primary_key=True, sa_type=INSTANT)
    count: int = Field(sa_type=BIG)


class TallySpan(SQLModel, table=True):
    """The same counts in spans of 5 minutes (kept for two days), a day, and all time (0): any period is a sum of few rows."""

    __tablename__ = "tally_span"
    __table_args__ = (
        Index("ix_tally_span_short", "at", postgresql_where=text("minutes = 5")),
        Index(
            "ix_tally_span_whole",
            *("workspace_id", "journey_id"),
            postgresql_include=["port", "count"],
            postgresql_where=text("minutes = 0 AND node = ''"),
        ),
    )
    workspace_id: int = Field(primary_key=True)
    minutes: int = Field(primary_key=True)
    journey_id: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=INSTANT)
    version_id: int = Field(primary_key=True)
    node: str = Field(primary_key=True, sa_type=TEXT)
    port: str = Field(primary_key=True, sa_type=TEXT)
    count: int = Field(sa_type=BIG)


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
    content: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
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
    detail: dict[str, Any] = Field(sa_column=_json())
    settled_at: datetime | None = Field(default=None, sa_type=INSTANT)


class Reputation(SQLModel, table=True):
    """What was delivered and complained about, appended by each batch of receipts, folded into hours, kept for a week."""

    __table_args__ = (Index(None, "at"),)
    id: int | None = Field(default=None, sa_column=_counter(BigInteger))
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
    proof: dict[str, Any] = Field(sa_column=_json())


class Erased(SQLModel, table=True):
    """An address of somebody who was erased, as a keyed hash: nobody can read it, and marketing still knows it again."""

    workspace_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    at: datetime = Field(sa_type=INSTANT)


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

    id: int | None = Field(default=None, sa_column=_counter(BigInteger))
    workspace_id: int | None = None
    channel: str = Field(sa_type=TEXT)
    recipient: str = Field(sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    content: dict[str, Any] = Field(sa_column=_json())
    caught_at: datetime = Field(sa_type=INSTANT)


class Account(SQLModel, table=True):
    """A configured provider credential of a channel; `sealed` is encrypted, nothing of it is ever shown again."""

    workspace_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, sa_type=TEXT)
    channel: str = Field(sa_type=TEXT)
    settings: dict[str, Any] = Field(sa_column=_json())
    sealed: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class Schedule(SQLModel, table=True):
    """When an entry node of a live version fires next; `join` schedules tick and compare membership."""

    workspace_id: int = Field(primary_key=True)
    journey_id: int = Field(primary_key=True)
    node: str = Field(primary_key=True, sa_type=TEXT)
    version_id: int
    kind: str = Field(sa_type=TEXT)
    next_at: datetime | None = Field(default=None, sa_type=INSTANT, index=True)


class Run(SQLModel, table=True):
    """One firing of a schedule: the audience of that moment enters, a lane range at a time. `detail`: zones and date of a day."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "journey_id", "node", "planned_at"),
        Index("ix_run_open", "id", postgresql_where=text("finished_at IS NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=[Identity()])
    journey_id: int
    version_id: int
    node: str = Field(sa_type=TEXT)
    planned_at: datetime = Field(sa_type=INSTANT)
    detail: dict[str, Any] = Field(sa_column=_json())
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)


class RunLane(SQLModel, table=True):
    """How far a run has come in one lane; written in the transaction that lets the people in, so never ahead of them."""

    __tablename__ = "run_lane"
    __table_args__ = (Index("ix_run_lane_open", "lane", postgresql_where=text("NOT done")),)
    workspace_id: int = Field(primary_key=True)
    run_id: int = Field(primary_key=True, sa_type=BIG)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    after_id: int = Field(default=0, sa_type=BIG)
    entered: int = Field(default=0)
    done: bool = Field(default=False)


class AudienceMember(SQLModel, table=True):
    """Who is in the audience of a join entry now, so that only new members enter."""

    __tablename__ = "audience_member"
    workspace_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=SMALL)
    journey_id: int = Field(primary_key=True)
    node: str = Field(primary_key=True, sa_type=TEXT)
    contact_id: int = Field(primary_key=True, sa_type=BIG)


class Merge(SQLModel, table=True):
    """Two contacts found to be one person; `snapshot` keeps what the loser was, so that it can be explained and undone."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "loser_id"),
        Index("ix_merge_winner", "workspace_id", "winner_id"),
    )
    id: int | None = Field(default=None, sa_column=_counter(BigInteger))
    workspace_id: int
    loser_id: int = Field(sa_type=BIG)
    winner_id: int = Field(sa_type=BIG)
    merged_at: datetime = Field(sa_type=INSTANT)
    snapshot: dict[str, Any] = Field(sa_column=_json())


class Dead(SQLModel, table=True):
    """What could not be handled, whole, with the reason; can be played again."""

    __table_args__ = (Index("ix_dead_workspace_id_id", "workspace_id", "id"),)
    id: int | None = Field(default=None, sa_column=_counter(BigInteger))
    workspace_id: int
    kind: str = Field(sa_type=TEXT)
    payload: dict[str, Any] = Field(sa_column=_json())
    reason: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=INSTANT)


class Worker(SQLModel, table=True):
    """A worker process: its lane connection's backend and when it last got something done."""

    id: str = Field(primary_key=True, sa_type=TEXT)
    backend_pid: int
    lanes: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    started_at: datetime = Field(sa_type=INSTANT)
    progress_at: datetime = Field(sa_type=INSTANT)


class Migration(SQLModel, table=True):
    """People in flight being moved to a version by choice. status: running, done, stopped, reversing, reversed.

    `rules` say for each version and node what becomes of who stands there, `expected` how many that were when it was decided.
    """

    __table_args__ = (
        Index(None, "workspace_id", "journey_id"),
        Index("ix_migration_open", "id", postgresql_where=text("status IN ('running', 'reversing')")),
    )
    id: int | None = Field(default=None, sa_column=_counter())
    workspace_id: int
    journey_id: int
    version_id: int
    status: str = Field(sa_type=TEXT)
    rules: dict[str, Any] = Field(sa_column=_json())
    expected: dict[str, Any] = Field(sa_column=_json())
    begun_at: datetime = Field(sa_type=INSTANT)
    begun_by: str = Field(sa_type=TEXT)
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)


class Migrated(SQLModel, table=True):
    """One person moved by one migration (the key: never twice), with all that is needed to put them back exactly.

    `did`: what was done; `walks`: how far they had walked right after it; `back`: null, put back, or gone on since.
    """

    __table_args__ = (
        Index("ix_migrated_open", "workspace_id", "migration_id", "lane", postgresql_where=text("back IS NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    migration_id: int = Field(primary_key=True)
    enrollment_id: int = Field(primary_key=True, sa_type=BIG)
    lane: int = Field(sa_type=SMALL)
    did: int = Field(sa_type=SMALL)
    back: int | None = Field(default=None, sa_type=SMALL)
    walks: int = Field(sa_type=SMALL)
    version_id: int
    status: int = Field(sa_type=SMALL)
    slot: int = Field(sa_type=BIG)
    rested_at: datetime = Field(sa_type=INSTANT)
    wake_at: datetime | None = Field(default=None, sa_type=INSTANT)
    node: str = Field(sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    visits: str | None = Field(default=None, sa_type=TEXT)


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
