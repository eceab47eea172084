"""What is drawn, reviewed and published, in which plan, and who is let in when. Never logic, never queries."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.models.columns import BIG, INSTANT, SMALL, TEXT, counter, json_object, texts


class Plan(SQLModel, table=True):
    """A marketing plan, the folder of its journeys. `details`: target, cadence and budget, as far as they are known."""

    __table_args__ = (Index(None, "workspace_id"),)
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=TEXT)
    scene: str = Field(sa_type=TEXT)
    details: dict[str, Any] = Field(sa_column=json_object())
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
    detail: dict[str, Any] = Field(sa_column=json_object())


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
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    name: str = Field(sa_type=TEXT)
    status: str = Field(default="draft", sa_type=TEXT, sa_column_kwargs={"server_default": "draft"})
    draft: dict[str, Any] = Field(sa_column=json_object())
    revision: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    editors: list[str] = Field(sa_column=texts())
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
    document: dict[str, Any] = Field(sa_column=json_object())


class SideDraft(SQLModel, table=True):
    """Another draft of a journey, under a name of its own: whose it is, who drew it, and what was live when it began (`base`)."""

    __tablename__ = "side_draft"
    __table_args__ = (Index(None, "workspace_id", "journey_id"),)
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int
    journey_id: int
    name: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    editors: list[str] = Field(sa_column=texts())
    base: dict[str, Any] = Field(sa_column=json_object())
    base_number: int | None = None
    document: dict[str, Any] = Field(sa_column=json_object())
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class Comment(SQLModel, table=True):
    """A remark of a reviewer or operator, pinned to a node (`""`: the journey). `parent` makes it an answer."""

    __table_args__ = (Index(None, "workspace_id", "journey_id"),)
    id: int | None = Field(default=None, sa_column=counter())
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
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    journey_id: int = Field(foreign_key="journey.id")
    number: int
    document: dict[str, Any] = Field(sa_column=json_object())
    content_hash: str = Field(sa_type=TEXT)
    published_at: datetime = Field(sa_type=INSTANT)
    published_by: str = Field(sa_type=TEXT)
    reach: int | None = None
    conditions: dict[str, Any] = Field(sa_column=json_object())
    season: dict[str, Any] | None = Field(default=None, sa_column=json_object(nullable=True))


class Submission(SQLModel, table=True):
    """A draft as it was handed in for review; `editors` may not approve it. status: open, approved, rejected, void, published."""

    __table_args__ = (
        Index(None, "workspace_id", "journey_id"),
        Index("ix_submission_open", "workspace_id", "id", postgresql_where=text("status = 'open'")),
    )
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    journey_id: int = Field(foreign_key="journey.id")
    content_hash: str = Field(sa_type=TEXT)
    document: dict[str, Any] = Field(sa_column=json_object())
    editors: list[str] = Field(sa_column=texts())
    status: str = Field(sa_type=TEXT)
    submitted_by: str = Field(sa_type=TEXT)
    submitted_at: datetime = Field(sa_type=INSTANT)
    reach: int | None = None
    nudged_at: datetime | None = Field(default=None, sa_type=INSTANT)
    nudged_by: str | None = Field(default=None, sa_type=TEXT)


class Review(SQLModel, table=True):
    """One decision on one submission; `maker`: who made the key or link that it was said with, if not its reviewer."""

    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int = Field(foreign_key="workspace.id")
    submission_id: int = Field(foreign_key="submission.id", index=True)
    reviewer: str = Field(sa_type=TEXT)
    decision: str = Field(sa_type=TEXT)
    comment: str = Field(default="", sa_type=TEXT)
    decided_at: datetime = Field(sa_type=INSTANT)
    conditions: dict[str, Any] = Field(sa_column=json_object())
    maker: str | None = Field(default=None, sa_type=TEXT)


class Admission(SQLModel, table=True):
    """How many a version has let in, of how many it may: the row that batches queue at, only where an approval set a cap."""

    workspace_id: int = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
    most: int
    taken: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


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
    detail: dict[str, Any] = Field(sa_column=json_object())
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
