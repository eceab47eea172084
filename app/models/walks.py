"""Where everybody stands, how they came there, and what was counted on the way. Never logic, never queries."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    text,
)
from sqlmodel import Field, SQLModel

from app.models.columns import BIG, INSTANT, SMALL, TEXT, counter, json_object


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
    id: int | None = Field(default=None, sa_column=counter(BigInteger))
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


class Migration(SQLModel, table=True):
    """People in flight being moved to a version by choice. status: running, done, stopped, reversing, reversed.

    `rules` say for each version and node what becomes of who stands there, `expected` how many that were when it was decided.
    """

    __table_args__ = (
        Index(None, "workspace_id", "journey_id"),
        Index("ix_migration_open", "id", postgresql_where=text("status IN ('running', 'reversing')")),
    )
    id: int | None = Field(default=None, sa_column=counter())
    workspace_id: int
    journey_id: int
    version_id: int
    status: str = Field(sa_type=TEXT)
    rules: dict[str, Any] = Field(sa_column=json_object())
    expected: dict[str, Any] = Field(sa_column=json_object())
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
